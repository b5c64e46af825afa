//! The appliance's DHCP against Kea, ISC dhcpd and dnsmasq: whole servers, a cable, and tens of thousands of phones on
//! layer 2.
//!
//! Prints a Markdown table. Needs root and what `.ci/setup` installs. One server runs at a time, each from nothing in
//! every round, and servers take turns within a round, so that a ratio is taken within a round; the table shows medians.
//! Server and phones share the machine's processors. `RINGUP` names another build of the appliance. Words choose rows:
//! closed, clear, power, consecutive, renew, start, kill, growth, relay, storm; `--servers=unprobed,kea-mt` chooses among
//! strangers, listed, unprobed (ours), kea-mt, kea, isc, dnsmasq, floor; `--rounds=9` is another number of rounds, and
//! `--quick` a smoke run.
#![expect(clippy::unwrap_used, reason = "a benchmark that can't go on says so")]

use std::{env, fs, process::Command, thread, time::Duration};

use phones::{Act, Pace, Plan};
use scene::{Played, Scene, Who};
use settings::RANGE;

#[path = "dhcp_floor.rs"]
mod floor;
#[path = "dhcp_kill.rs"]
mod kill;
#[path = "dhcp_phones.rs"]
mod phones;
#[path = "dhcp_scene.rs"]
mod scene;
#[path = "dhcp_settings.rs"]
mod settings;
#[path = "dhcp_storm.rs"]
mod storm;

const STRANGERS: Who = Who::Ringup { probe: true, listed: false };
const LISTED: Who = Who::Ringup { probe: true, listed: true };
const UNPROBED: Who = Who::Ringup { probe: false, listed: false };
const KEA_MT: Who = Who::Kea { threads: true };
const KEA: Who = Who::Kea { threads: false };

/// What is measured: which servers take part, how often, what the phones do, and which figures are shown.
struct Case {
    name: &'static str,
    servers: &'static [Who],
    rounds: usize,
    plan: fn() -> Plan,
    figures: &'static [Figure],
}

/// A figure of a run, and what it should be.
struct Figure {
    what: &'static str,
    name: &'static str,
    unit: &'static str,
    more_is_better: bool,
    goal: &'static str,
}

const fn boots(phones: u32, pace: Pace) -> Plan {
    Plan {
        act: Act::Boot,
        first: 0,
        phones,
        scattered: true,
        broadcast: true,
        pace,
        bound: Duration::from_secs(10),
        held: String::new(),
        kept: String::new(),
    }
}

const fn rate(what: &'static str, goal: &'static str) -> Figure {
    Figure { what, name: "rate", unit: "/s", more_is_better: true, goal }
}

const CPU: Figure = Figure {
    what: "server CPU per DORA of these",
    name: "cpu",
    unit: " µs",
    more_is_better: false,
    goal: "0.25",
};

/// What the phones themselves cost: where it comes near a whole processor's time, they are what is measured.
const OWN_CPU: Figure = Figure {
    what: "CPU of the phones per DORA of these",
    name: "own_cpu",
    unit: " µs",
    more_is_better: false,
    goal: "–",
};

const LAST: Figure = Figure {
    what: "20,000 phones switched on within 1 s: last lease",
    name: "last",
    unit: " s",
    more_is_better: false,
    goal: "≤ 1.05 s, none resent",
};

const P99: Figure = Figure {
    what: "3,000 consecutive MACs within 1 s: DISCOVER to ACK, p99",
    name: "p99",
    unit: " ms",
    more_is_better: false,
    goal: "0.25",
};

const CASES: &[Case] = &[
    Case {
        name: "closed",
        servers: &[UNPROBED, KEA_MT, LISTED, STRANGERS, KEA, Who::Isc, Who::Dnsmasq, Who::Floor],
        rounds: 3,
        plan: || boots(20_000, Pace::Window(32)),
        figures: &[rate("DORA, 20,000 phones, 32 in flight, broadcast", "2.5"), CPU, OWN_CPU],
    },
    Case {
        name: "clear",
        servers: &[UNPROBED, KEA_MT, LISTED, KEA, Who::Isc, Who::Dnsmasq],
        rounds: 3,
        plan: || Plan { broadcast: false, ..boots(20_000, Pace::Window(32)) },
        figures: &[rate("the same, broadcast flag clear", "3")],
    },
    Case {
        name: "power",
        servers: &[UNPROBED, KEA_MT, LISTED, STRANGERS, KEA],
        rounds: 3,
        plan: || Plan {
            bound: Duration::from_secs(20),
            ..boots(20_000, Pace::Over(Duration::from_secs(1)))
        },
        figures: &[LAST],
    },
    Case {
        name: "consecutive",
        servers: &[UNPROBED, KEA_MT, LISTED, STRANGERS, KEA, Who::Isc, Who::Dnsmasq],
        rounds: 3,
        plan: || Plan { scattered: false, ..boots(3_000, Pace::Over(Duration::from_secs(1))) },
        figures: &[
            Figure {
                what: "3,000 consecutive MACs within 1 s: DISCOVER to ACK, p50",
                name: "p50",
                ..P99
            },
            P99,
        ],
    },
    Case {
        name: "renew",
        servers: &[UNPROBED, KEA_MT, KEA, Who::Isc],
        rounds: 3,
        plan: || Plan { act: Act::Renew, ..boots(5_000, Pace::Window(32)) },
        figures: &[rate("5,000 renewals on one LAN", "1.2, none lost")],
    },
];

/// A row that is measured in a way of its own; true for a smoke run.
type Row = fn(&mut Scene, bool);

const OTHERS: &[(&str, Row)] = &[
    ("start", kill::start_up),
    ("kill", kill::kills),
    ("growth", kill::growth),
    ("relay", kill::relayed),
    ("storm", storm::storm),
];

/// The figures of one server in all rounds of a case.
struct Column {
    who: Who,
    rounds: Vec<Played>,
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// What the command line asks for.
#[derive(Default)]
struct Wish {
    quick: bool,
    rounds: Option<usize>,
    servers: Vec<String>,
    rows: Vec<String>,
}

impl Wish {
    fn read(words: &[String]) -> Self {
        let mut wish = Self::default();
        for word in words {
            if let Some(rounds) = word.strip_prefix("--rounds=") {
                wish.rounds = rounds.parse().ok();
            } else if let Some(servers) = word.strip_prefix("--servers=") {
                wish.servers = servers.split(',').map(str::to_owned).collect();
            } else if !word.starts_with('-') {
                wish.rows.push(word.clone());
            }
            wish.quick |= word == "--quick";
        }
        wish
    }

    fn has_row(&self, name: &str) -> bool {
        self.rows.is_empty() || self.rows.iter().any(|row| row == name)
    }

    fn has_server(&self, who: Who) -> bool {
        let smoke = [UNPROBED, STRANGERS, KEA_MT].contains(&who);
        let named = self.servers.iter().any(|name| name == who.key());
        named || self.servers.is_empty() && (!self.quick || smoke)
    }
}

/// Runs a case; who it was and how it went in each round.
fn measure(scene: &mut Scene, case: &Case, wish: &Wish) -> Vec<Column> {
    let servers = case.servers.iter().filter(|who| wish.has_server(**who));
    let mut columns: Vec<Column> =
        servers.map(|who| Column { who: *who, rounds: Vec::new() }).collect();
    for round in 0..wish.rounds.unwrap_or(if wish.quick { 1 } else { case.rounds }) {
        for turn in 0..columns.len() {
            // Who goes first has the colder caches.
            let at = (turn + round) % columns.len();
            let mut plan = (case.plan)();
            if wish.quick {
                plan.phones /= 10;
                plan.bound = Duration::from_secs(3);
            }
            let played = once(scene, columns[at].who, &plan);
            columns[at].rounds.push(played);
        }
    }
    columns
}

/// One server from nothing, one run of the phones.
fn once(scene: &mut Scene, who: Who, plan: &Plan) -> Played {
    let mut plan = plan.clone();
    let running = scene.start(who, RANGE, &plan);
    if plan.act == Act::Renew {
        // Leases first; as many as the server gives in time.
        plan.held = scene.path("held").display().to_string();
        let boot = Plan { kept: plan.held.clone(), ..boots(plan.phones, Pace::Window(32)) };
        scene.play(&boot);
    }
    // What a server still does about its start is not the phones' doing.
    thread::sleep(Duration::from_millis(200));
    let before = running.cpu();
    let mut played = scene.play(&plan);
    let cpu = (running.cpu() - before) * 1e6 / played.figure("done");
    played.set("cpu", cpu);
    // A slow server has fewer leases to renew than there are phones.
    let took_part = played.figure("done") + played.figure("missing");
    played.set("without a lease", f64::from(plan.phones) - took_part);
    played
}

/// Prints one row for each of our own ways to run.
fn show(figure: &Figure, columns: &[Column]) {
    let of = |column: &Column| -> Vec<f64> {
        column.rounds.iter().map(|played| played.figure(figure.name)).collect()
    };
    let peers: Vec<&Column> = columns.iter().filter(|column| !column.who.is_ours()).collect();
    let told: Vec<String> = peers
        .iter()
        .map(|peer| format!("{} {}{}", peer.who.name(), spoken(median(of(peer))), faults(peer)))
        .collect();
    if peers.len() == columns.len() {
        println!("| {} | – | – | {} | – | – | {} |", figure.what, told.join("; "), figure.goal);
    }
    for own in columns.iter().filter(|column| column.who.is_ours()) {
        let ratios: Vec<f64> = of(own)
            .into_iter()
            .enumerate()
            .map(|(round, value)| {
                let others = peers.iter().filter(|peer| peer.who != Who::Floor);
                let others = others.map(|peer| of(peer)[round]);
                let best =
                    others.fold(f64::NAN, if figure.more_is_better { f64::max } else { f64::min });
                value / best
            })
            .collect();
        let low = ratios.iter().copied().fold(f64::NAN, f64::min);
        let high = ratios.iter().copied().fold(f64::NAN, f64::max);
        println!(
            "| {} | {} | {}{}{} | {} | **{:.2}** | {low:.2} to {high:.2} | {} |",
            figure.what,
            own.who.name(),
            spoken(median(of(own))),
            figure.unit,
            faults(own),
            told.join("; "),
            median(ratios),
            figure.goal,
        );
    }
}

/// What did not go as it should, in all rounds together.
fn faults(column: &Column) -> String {
    let names = ["without a lease", "missing", "resent", "naks", "duplicates", "strange"];
    let told = names.map(|name| {
        let sum: f64 = column.rounds.iter().map(|played| played.figure(name)).sum();
        (name, sum)
    });
    let told: Vec<String> = told
        .iter()
        .filter(|(_, sum)| *sum > 0.0)
        .map(|(name, sum)| format!("{sum} {name}"))
        .collect();
    if told.is_empty() { String::new() } else { format!(" ({})", told.join(", ")) }
}

/// A number with as many digits as mean something.
fn spoken(value: f64) -> String {
    match value {
        1000.0.. => {
            let text = format!("{value:.0}");
            let (head, tail) = text.split_at(text.len() - 3);
            format!("{head},{tail}")
        }
        100.0.. => format!("{value:.0}"),
        10.0.. => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// The machine, by its size and what else it does.
fn machine() -> String {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let cpu = read("/proc/cpuinfo");
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name\t: ")).unwrap_or("?");
    let count = cpu.lines().filter(|line| line.starts_with("processor")).count();
    let memory = read("/proc/meminfo");
    let memory = memory.split_whitespace().nth(1).and_then(|kib| kib.parse::<f64>().ok());
    format!(
        "{count} processors ({model}), {:.0} GiB, Linux {}, load {}, net.core.rmem_max {}, gc_thresh3 {}",
        memory.unwrap_or(0.0) / f64::from(1 << 20),
        read("/proc/sys/kernel/osrelease").trim(),
        read("/proc/loadavg").trim(),
        read("/proc/sys/net/core/rmem_max").trim(),
        read("/proc/sys/net/ipv4/neigh/default/gc_thresh3").trim(),
    )
}

const DURABLE: &str = "When an ACK leaves: ringup has the lease on the disk (fdatasync); Kea has appended it to a file and \
                       synced nothing; ISC dhcpd has synced it; dnsmasq has written its whole file anew.";

fn main() {
    let words: Vec<_> = env::args().skip(1).collect();
    if words.first().is_some_and(|word| word == "phones") {
        return match words[1].as_str() {
            "await" => {
                let bound = Duration::from_millis(words[3].parse().unwrap());
                phones::await_offer(words[2].parse().unwrap(), bound);
            }
            _ => phones::play(&Plan::read(&words[2..])),
        };
    }
    if words.first().is_some_and(|word| word == "floor") {
        floor::respond();
    }
    if words.first().is_some_and(|word| word == "watch") {
        return storm::watch(Duration::from_millis(words[1].parse().unwrap()));
    }
    let root = Command::new("id").arg("-u").output().unwrap();
    if root.stdout.trim_ascii() != b"0" {
        println!("DHCP against other servers: skipped, it needs root");
        return;
    }
    let wish = Wish::read(&words);
    let mut scene = Scene::new();
    println!("{}\n\n{DURABLE}\n", machine());
    if wish.quick {
        println!("A smoke run: a tenth of the phones or fewer, and one round.\n");
    }
    println!("| DHCP | server | figure | others | ratio to the best | of the rounds | goal |");
    println!("|---|---|---|---|---|---|---|");
    for case in CASES.iter().filter(|case| wish.has_row(case.name)) {
        let columns = measure(&mut scene, case, &wish);
        for figure in case.figures {
            show(figure, &columns);
        }
    }
    for (_, row) in OTHERS.iter().filter(|(name, _)| wish.has_row(name)) {
        row(&mut scene, wish.quick);
    }
    println!("\n{}", machine());
}
