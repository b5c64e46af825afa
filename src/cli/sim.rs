//! `ringup sim`: simulated phones against any server.

mod page;
mod plot;
mod rehearsal;
mod report;

use std::{
    fmt::Write as _,
    fs,
    io::{self, IsTerminal, Write},
    net::{Ipv4Addr, SocketAddrV4},
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};

use tokio::time::{Instant, interval, sleep_until};

use crate::{
    sim::{
        Network,
        storm::{Faults, Means, Mix, Phone, Plan, Storm, StormError, mixed, own_address},
    },
    wire::dhcp::SERVER_PORT,
};

use self::{rehearsal::Row, report::Report};
use super::{
    exit::{Done, Exit, Failure},
    lab::time,
    output,
    serve::{Stop, runtime},
};

/// How often progress is told on a terminal, and how often elsewhere.
const LOOK: Duration = Duration::from_millis(250);
const REPEAT: u32 = 20;

/// Options of `ringup sim`.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    ringup sim --server 10.20.0.1 --phones 5000 --mix cisco=60,poly=30,yealink=10 --arrive 5s\n  \
    sudo ringup sim --server 10.20.0.1 --interface eth1 --inventory phones.csv   a dress rehearsal\n  \
    ringup sim --server 10.20.0.1 --faults loss=1,cut=5 --html storm.html\n\n\
    Without --interface the phones are behind a relay at this machine's address: the server gives them addresses of that \
    network and answers to port 67 there (as a plain user, or where the port is taken, to another port, which the server \
    has to know: RFC 8357, as ringup does). They ask for files from this machine's own address; a server that gives a \
    phone's file to its leased address only, as ringup does, wants --take-addresses. With --interface they are stations \
    with MACs of their own, and the interface takes their addresses while it lasts; files come over this machine's own \
    MAC.\n\n\
    It follows what DHCP says as each family does, and tries again as they do (4 s, 8 s, 16 s …), so a server that \
    answers late shows late. Use it on networks that are yours: leases are not given back.\n\n\
    Exit codes: 0 every phone got its configuration, 1 a phone, an address or a row did not come out right, else as usual.")]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
pub struct Sim {
    /// The DHCP server's address.
    #[arg(long, value_name = "ADDRESS")]
    server: Ipv4Addr,
    /// How many phones.
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=50_000),
        conflicts_with = "inventory")]
    phones: u32,
    /// Shares of vendors (their SIP phones), families or models; else all SIP phones alike.
    #[arg(long, value_name = "NAME=SHARE,…", conflicts_with = "inventory")]
    mix: Option<Mix>,
    /// Over which time they are switched on: 5s, 1m; 0 for all at once.
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = time)]
    arrive: Duration,
    /// What goes wrong, in percent: loss (of datagrams, each way), cut (phones that lose power once), deaf (phones that
    /// never acknowledge).
    #[arg(long, value_name = "FAULT=PERCENT,…")]
    faults: Option<Faults>,
    /// The phones of this list, and which of its rows would end wrong.
    #[arg(long, value_name = "FILE")]
    inventory: Option<PathBuf>,
    /// Stations on this interface, with their own MACs (needs root).
    #[arg(long, value_name = "NAME", conflicts_with_all = ["relay", "take_addresses"])]
    interface: Option<String>,
    /// The relay's address; else the one that this machine has towards the server.
    #[arg(long, value_name = "ADDRESS")]
    relay: Option<Ipv4Addr>,
    /// Ask for files from the leased addresses: the relay's interface takes them while it lasts (needs root).
    #[arg(long)]
    take_addresses: bool,
    /// Other ports than the usual ones: dhcp, tftp, http, cisco (6970).
    #[arg(long, value_name = "NAME=PORT,…", default_value = "")]
    ports: Ports,
    /// The most requests a second: DHCP messages and files.
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..))]
    max_rate: u32,
    /// Let it reach servers that are neither on this machine nor on an attached network.
    #[arg(long)]
    i_know: bool,
    /// Ends after this time at the latest: 30s, 10m.
    #[arg(long = "for", value_name = "TIME", default_value = "10m", value_parser = time)]
    limit: Duration,
    /// What chance begins with: the same number is the same storm.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Only print the phones that would take part, as a list that `ringup phones import` takes; send nothing.
    #[arg(long)]
    list: bool,
    /// One JSON document on standard output.
    #[arg(long)]
    json: bool,
    /// Also write the report with plots to this file.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

/// Ports that stand in for the usual ones.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Ports {
    dhcp: u16,
    tftp: u16,
    http: u16,
    cisco: u16,
}

impl FromStr for Ports {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut ports = Self { dhcp: SERVER_PORT, tftp: 69, http: 80, cisco: 6970 };
        for part in text.split(',').filter(|part| !part.trim().is_empty()) {
            let (name, port) = part.trim().split_once('=').unwrap_or((part, ""));
            let port = port.parse().ok().filter(|port| *port > 0);
            let port =
                port.ok_or_else(|| format!("`{part}`: a name and a port, such as tftp=6969"))?;
            match name {
                "dhcp" => ports.dhcp = port,
                "tftp" => ports.tftp = port,
                "http" => ports.http = port,
                "cisco" => ports.cisco = port,
                _ => {
                    return Err(format!(
                        "no port is called `{name}`: there are dhcp, tftp, http, cisco"
                    ));
                }
            }
        }
        Ok(ports)
    }
}

impl Sim {
    /// Runs it.
    pub fn run(&self, config: Option<&Path>) -> Done {
        let (rows, phones) = if let Some(file) = &self.inventory {
            let (rows, phones) = rehearsal::read(file, config)?;
            (Some(rows), phones)
        } else {
            let mix = self.mix.clone().unwrap_or_default();
            let faults = self.faults.unwrap_or_default();
            (None, mixed(&mix, self.phones, faults, self.seed))
        };
        if self.list {
            output::bytes(listed(&phones).as_bytes())?;
            return Ok(Exit::Ok);
        }
        // Found out before the storm and not after it.
        if let Some(file) = &self.html {
            fs::write(file, "").map_err(|error| Failure::file(file, &error))?;
        }
        let plan = self.plan(phones)?;
        let runtime =
            runtime().map_err(|error| Failure::new(Exit::Io, format!("can't start: {error}")))?;
        runtime.block_on(self.play(plan, rows))
    }

    fn plan(&self, phones: Vec<Phone>) -> Result<Plan, Failure> {
        let means = match (&self.interface, self.relay) {
            (Some(name), _) => Means::Interface(name.clone()),
            (None, Some(address)) => Means::Relay { address, take: self.take_addresses },
            (None, None) => {
                let address = own_address(self.server).map_err(|error| {
                    Failure::new(Exit::Unavailable, format!("no way to {}: {error}", self.server))
                        .help(
                            "give this machine an address on that network, or say --interface NAME",
                        )
                })?;
                Means::Relay { address, take: self.take_addresses }
            }
        };
        let Ports { dhcp, tftp, http, cisco } = self.ports;
        let server = SocketAddrV4::new(self.server, dhcp);
        Ok(Plan {
            server,
            ports: Network { dhcp: server.into(), tftp, http, cisco_http: cisco },
            means,
            phones,
            arrive: self.arrive,
            rate: self.max_rate,
            loss: self.faults.unwrap_or_default().loss,
            anywhere: self.i_know,
            seed: self.seed,
        })
    }

    async fn play(&self, plan: Plan, rows: Option<Vec<Row>>) -> Done {
        let mut stop = Stop::listen().and_hangup();
        let mut storm = Storm::begin(plan).await.map_err(|error| refused(&error))?;
        let cut_short = watch(&mut storm, self.limit, &mut stop).await;
        let (outcome, way) = (storm.outcome(), storm.way());
        // Switches off who is still on and gives the addresses back, before anybody reads a report.
        drop(storm);
        let wrong = rows
            .as_ref()
            .map(|rows| (rehearsal::wrong(rows, &outcome), rehearsal::not_played(rows)));
        let report = Report {
            server: self.server.to_string(),
            way,
            faults: self.faults.map(|faults| faults.to_string()).unwrap_or_default(),
            seed: self.seed,
            arrive: self.arrive,
            outcome: &outcome,
            rows: wrong,
            cut_short,
        };
        if let Some(file) = &self.html {
            fs::write(file, page::page(&report)).map_err(|error| Failure::file(file, &error))?;
        }
        if self.json {
            output::json(&report.json())?;
        } else {
            output::line(&report.text())?;
        }
        Ok(if report.is_bad() { Exit::Found } else { Exit::Ok })
    }
}

/// Tells progress until all phones are through; true if the time was up first, or somebody ended it.
async fn watch(storm: &mut Storm, limit: Duration, stop: &mut Stop) -> bool {
    let (began, mut look) = (Instant::now(), interval(LOOK));
    let mut looks = 0;
    let cut_short = loop {
        let told = tokio::select! {
            // A storm whose phones are through has nothing left to tell. All branches are cancel-safe.
            () = storm.through() => break false,
            () = stop.asked() => break true,
            () = sleep_until(began + limit) => break true,
            _ = look.tick() => looks,
        };
        progress(storm, began.elapsed(), told);
        looks += 1;
    };
    progress(storm, began.elapsed(), 0);
    if io::stderr().is_terminal() {
        let _ = writeln!(io::stderr());
    }
    cut_short
}

/// One line on standard error: rewritten in place on a terminal, once in a while elsewhere.
fn progress(storm: &Storm, since: Duration, looks: u32) {
    let mut out = io::stderr().lock();
    let terminal = out.is_terminal();
    if !terminal && !looks.is_multiple_of(REPEAT) {
        return;
    }
    let [on, leased, configured, upgraded, through] = storm.progress();
    let since = since.as_secs_f64();
    let line = format!(
        "{since:6.1} s  {on} on, {leased} leased, {configured} configured, {upgraded} upgraded, {through} through"
    );
    // A closed standard error is nobody's loss: the report is on standard output.
    let _ = if terminal { write!(out, "\r{line}\x1b[K") } else { writeln!(out, "{line}") };
    let _ = out.flush();
}

/// The phones as a list of the operator's, each with a number of its own.
fn listed(phones: &[Phone]) -> String {
    let mut csv = "mac,model,number\n".to_owned();
    for (number, Phone { subject, .. }) in (100_000..).zip(phones) {
        // Writing to a string can't fail.
        let _ = writeln!(csv, "{},{},{number}", subject.mac, subject.make.model);
    }
    csv
}

/// Why it can't begin, and what to do.
fn refused(error: &StormError) -> Failure {
    let text = error.to_string();
    let denied = |error: &io::Error| error.kind() == io::ErrorKind::PermissionDenied;
    match error {
        StormError::Far(_) => Failure::new(Exit::Usage, text).help(
            "a storm belongs on a network of its own; if that server is yours and its users know: --i-know",
        ),
        StormError::NoInterface(_) => {
            Failure::new(Exit::Config, text).help("`ip -brief link` shows what there is")
        }
        StormError::Frames(_, error) if denied(error) => {
            Failure::new(Exit::Permission, text).help("run it as root, or without --interface")
        }
        StormError::Relay(..) => Failure::new(Exit::Unavailable, text)
            .help("say an address of this machine that the server reaches: --relay ADDRESS"),
        StormError::Interfaces(_) | StormError::Frames(..) => Failure::new(Exit::Io, text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports() {
        let check = |text: &str, expected: Result<[u16; 4], &str>| {
            let told = text.parse::<Ports>();
            let told = told.map(|ports| [ports.dhcp, ports.tftp, ports.http, ports.cisco]);
            assert_eq!(told.as_ref().map_err(String::as_str), expected.as_ref().map_err(|e| *e));
        };
        check("", Ok([67, 69, 80, 6970]));
        check("tftp=6969, dhcp=6767", Ok([6767, 6969, 80, 6970]));
        check("tftp", Err("`tftp`: a name and a port, such as tftp=6969"));
        check("tftp=0", Err("`tftp=0`: a name and a port, such as tftp=6969"));
        check("ftp=21", Err("no port is called `ftp`: there are dhcp, tftp, http, cisco"));
    }
}
