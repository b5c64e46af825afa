//! What a storm showed: as JSON, and as text for a terminal.

use std::{collections::BTreeMap, fmt::Write as _, net::Ipv4Addr, time::Duration};

use serde_json::{Value, json};

use crate::{
    cli::output,
    domain::Mac,
    sim::{
        Way,
        storm::{Cause, Outcome, QUANTILES, Record, duplicates, quantile, sorted},
    },
};

use super::rehearsal::Wrong;

/// The most MACs that are named for one thing; the rest is counted.
const NAMED: usize = 10;

/// A storm and what was asked for.
pub struct Report<'o> {
    /// The server.
    pub server: String,
    /// How the phones reached it.
    pub way: Way,
    /// What went wrong on purpose.
    pub faults: String,
    /// What chance began with.
    pub seed: u64,
    /// Over which time they were switched on.
    pub arrive: Duration,
    /// What became of them.
    pub outcome: &'o Outcome,
    /// The rows that would end wrong, and how many nobody played; `None` without a list.
    pub rows: Option<(Vec<Wrong<'o>>, usize)>,
    /// True if it was ended before all phones were through.
    pub cut_short: bool,
}

/// One thing that phones reach.
pub struct Milestone {
    /// Its name.
    pub name: &'static str,
    /// How many phones reached it.
    pub phones: usize,
    /// Of how many.
    pub of: usize,
    /// When 50, 95 and 100 % of all had reached it, since the start.
    pub since_start: [Option<Duration>; 3],
    /// How long that took 50, 95 and 100 % of all, each from its own power-on.
    pub since_on: [Option<Duration>; 3],
}

/// Why phones did not get there.
pub struct Failed {
    /// Why.
    pub cause: Cause,
    /// How many.
    pub phones: usize,
    /// Some of them.
    pub macs: Vec<Mac>,
    /// Of these, how many `--faults` kept from it.
    pub spoilt: usize,
    /// A file that did not come.
    pub missed: String,
}

fn three(
    records: &[Record],
    all: usize,
    of: impl Fn(&Record) -> Option<Duration>,
) -> [Option<Duration>; 3] {
    let values = sorted(records, of);
    QUANTILES.map(|percent| quantile(&values, all, percent))
}

/// `1.24 s`, `340 ms`.
pub fn seconds(time: Duration) -> String {
    if time < Duration::from_secs(1) {
        format!("{} ms", time.as_millis())
    } else if time < Duration::from_secs(100) {
        format!("{:.2} s", time.as_secs_f64())
    } else {
        format!("{:.0} s", time.as_secs_f64())
    }
}

/// The same, and a dash for what was never reached.
pub fn maybe(time: Option<Duration>) -> String {
    time.map_or_else(|| "–".to_owned(), seconds)
}

impl Report<'_> {
    /// Leased, configured and upgraded. How many phones are told another load is the server's to know: the last one is
    /// of those that took one.
    pub fn milestones(&self) -> [Milestone; 3] {
        let all = self.outcome.records.len();
        let upgraded = sorted(&self.outcome.records, |record| record.upgraded).len();
        [
            self.milestone("leased", all, |record| record.leased),
            self.milestone("configured", all, |record| record.configured),
            self.milestone("upgraded", upgraded, |record| record.upgraded),
        ]
    }

    fn milestone(
        &self,
        name: &'static str,
        of: usize,
        when: fn(&Record) -> Option<Duration>,
    ) -> Milestone {
        let records = &self.outcome.records;
        let since_on = |record: &Record| Some(when(record)?.saturating_sub(record.on?));
        Milestone {
            name,
            phones: sorted(records, when).len(),
            of,
            since_start: three(records, of, when),
            since_on: three(records, of, since_on),
        }
    }

    /// How long the server took to offer and to acknowledge.
    pub fn answers(&self) -> [(&'static str, [Option<Duration>; 3]); 2] {
        let records = &self.outcome.records;
        let count = |of: fn(&Record) -> Option<Duration>| sorted(records, of).len();
        [
            ("offer", three(records, count(|r| r.offer), |record| record.offer)),
            ("ACK", three(records, count(|r| r.ack), |record| record.ack)),
        ]
    }

    /// Failures by cause, the most frequent first.
    pub fn failures(&self) -> Vec<Failed> {
        let mut causes: BTreeMap<Cause, Failed> = BTreeMap::new();
        for (phone, record) in self.outcome.phones.iter().zip(&self.outcome.records) {
            let Some(cause) = record.cause else { continue };
            let failed = causes.entry(cause).or_insert_with(|| Failed {
                cause,
                phones: 0,
                macs: Vec::new(),
                spoilt: 0,
                missed: record.missed.clone(),
            });
            failed.phones += 1;
            failed.spoilt += usize::from(record.spoilt);
            if failed.macs.len() < NAMED {
                failed.macs.push(phone.subject.mac);
            }
        }
        let mut failures: Vec<Failed> = causes.into_values().collect();
        failures.sort_by_key(|failed| std::cmp::Reverse(failed.phones));
        failures
    }

    /// Addresses that several phones hold.
    pub fn duplicates(&self) -> BTreeMap<Ipv4Addr, Vec<Mac>> {
        let phones = self.outcome.phones.iter().zip(&self.outcome.records);
        let held: Vec<_> =
            phones.map(|(phone, record)| (phone.subject.mac, record.address)).collect();
        duplicates(&held).into_iter().map(|(at, macs)| (at, macs.into_iter().collect())).collect()
    }

    /// Phones by family: how many there were, and how many were configured.
    pub fn families(&self) -> BTreeMap<&'static str, (usize, usize)> {
        let mut families: BTreeMap<&'static str, (usize, usize)> = BTreeMap::new();
        for (phone, record) in self.outcome.phones.iter().zip(&self.outcome.records) {
            let family = families.entry(phone.subject.make.family).or_default();
            family.0 += 1;
            family.1 += usize::from(record.configured.is_some());
        }
        families
    }

    /// True if something is worth a look: a phone that failed and was not meant to, an address held twice, a wrong row.
    pub fn is_bad(&self) -> bool {
        let failed = |record: &Record| record.cause.is_some() && !record.spoilt;
        self.outcome.records.iter().any(failed)
            || !self.duplicates().is_empty()
            || self.rows.as_ref().is_some_and(|(wrong, _)| !wrong.is_empty())
    }

    /// How the phones reached the server, in words.
    pub fn way(&self) -> String {
        match self.way {
            Way::Relay(address) => format!("through a relay at {address}"),
            Way::OddPort(address) => {
                format!("through a relay at {address}, not on port 67 (RFC 8357)")
            }
            Way::Station => "as stations with their own MACs".to_owned(),
        }
    }

    /// Everything, for scripts. Times are in seconds; null where not enough phones got there.
    pub fn json(&self) -> Value {
        let counts = &self.outcome.counts;
        let times = |[p50, p95, p100]: [Option<Duration>; 3]| {
            let [p50, p95, p100] = [p50, p95, p100].map(|time| time.map(|time| time.as_secs_f64()));
            json!({ "p50": p50, "p95": p95, "p100": p100 })
        };
        let reached = self.milestones().into_iter().map(|reached| {
            let Milestone { name, phones, of, since_start, since_on } = reached;
            let (start, on) = (times(since_start), times(since_on));
            (
                name.to_owned(),
                json!({ "phones": phones, "of": of, "since_start": start, "since_on": on }),
            )
        });
        let failures = self.failures().into_iter().map(|failed| {
            let (text, remedy) = failed.cause.advice();
            json!({
                "cause": failed.cause.as_str(), "phones": failed.phones, "by_faults": failed.spoilt,
                "text": text, "remedy": remedy, "file": failed.missed,
                "macs": failed.macs.iter().map(ToString::to_string).collect::<Vec<_>>(),
            })
        });
        let duplicates = self.duplicates().into_iter().map(|(address, macs)| {
            json!({ "address": address, "macs": macs.iter().map(ToString::to_string).collect::<Vec<_>>() })
        });
        let families = self.families().into_iter().map(|(family, (phones, configured))| {
            json!({ "family": family, "phones": phones, "configured": configured })
        });
        let [(_, offer), (_, ack)] = self.answers();
        json!({
            "server": self.server, "way": self.way(), "phones": self.outcome.phones.len(),
            "seed": self.seed, "faults": self.faults, "arrive": self.arrive.as_secs_f64(),
            "took": self.outcome.took.as_secs_f64(), "cut_short": self.cut_short, "ok": !self.is_bad(),
            "reached": reached.collect::<serde_json::Map<_, _>>(),
            "dhcp": {
                "sent": counts.dhcp_sent, "resent": counts.dhcp_resent, "naks": counts.naks,
                "foreign_offers": counts.strangers, "offer": times(offer), "ack": times(ack),
            },
            "files": {
                "asked": counts.asked, "got": counts.got, "missed": counts.missed,
                "failed": counts.failed, "bytes": counts.bytes,
            },
            "held_back": counts.held,
            "failures": failures.collect::<Vec<_>>(),
            "duplicates": duplicates.collect::<Vec<_>>(),
            "families": families.collect::<Vec<_>>(),
            "rows": self.rows.as_ref().map(|(wrong, not_played)| json!({
                "wrong": wrong.iter().map(Wrong::json).collect::<Vec<_>>(), "not_played": not_played,
            })),
        })
    }

    /// Everything that an operator wants to know.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let all = self.outcome.records.len();
        let short = if self.cut_short { ", cut short" } else { "" };
        // Writing to a string can't fail, here and below.
        let _ = writeln!(
            text,
            "{all} phones, {}, in {}{short}\n",
            self.way(),
            seconds(self.outcome.took)
        );
        let mut table =
            output::table(["", "PHONES", "50 %", "95 %", "100 %", "EACH: 50 %", "95 %", "100 %"]);
        for Milestone { name, phones, of, since_start, since_on } in self.milestones() {
            let [half, most, all] = since_start.map(maybe);
            let [own_half, own_most, own_all] = since_on.map(maybe);
            output::row(
                &mut table,
                [
                    name.to_owned(),
                    format!("{phones} of {of}"),
                    half,
                    most,
                    all,
                    own_half,
                    own_most,
                    own_all,
                ],
            );
        }
        let _ = writeln!(text, "{table}\n\n{}", self.carried());
        text.push_str(&self.wrong());
        text
    }

    /// What went over the wire, in two lines.
    fn carried(&self) -> String {
        let counts = &self.outcome.counts;
        let [(_, [_, offer, _]), (_, [_, ack, _])] = self.answers();
        let held = match counts.held {
            0 => String::new(),
            held => format!("; {held} requests waited for --max-rate"),
        };
        let strangers = match counts.strangers {
            0 => String::new(),
            offers => format!(", {offers} offers of other servers"),
        };
        format!(
            "DHCP: {} messages, {} of them again, {} NAKs{strangers}; offer {}, ACK {} (95 %)\n\
             Files: {} asked for, {} came ({}), {} not there, {} failed{held}\n",
            counts.dhcp_sent,
            counts.dhcp_resent,
            counts.naks,
            maybe(offer),
            maybe(ack),
            counts.asked,
            counts.got,
            output::size(counts.bytes),
            counts.missed,
            counts.failed,
        )
    }

    fn wrong(&self) -> String {
        let mut text = String::new();
        for failed in self.failures() {
            let (why, remedy) = failed.cause.advice();
            let meant = if failed.spoilt > 0 {
                format!(", {} by --faults", failed.spoilt)
            } else {
                String::new()
            };
            let macs: Vec<String> = failed.macs.iter().take(3).map(ToString::to_string).collect();
            let more = if failed.phones > macs.len() { " …" } else { "" };
            let (cause, phones, macs) = (failed.cause.as_str(), failed.phones, macs.join(" "));
            let _ = writeln!(
                text,
                "{cause}: {phones} phones{meant}: {why}\n  help: {remedy}\n  {macs}{more}"
            );
        }
        for (address, macs) in self.duplicates() {
            let macs: Vec<String> = macs.iter().map(ToString::to_string).collect();
            let _ = writeln!(text, "duplicate: {address} is held by {}", macs.join(" and "));
        }
        let Some((wrong, not_played)) = &self.rows else { return text };
        for Wrong { line, mac, model, number, why, remedy } in wrong {
            let _ = writeln!(text, "line {line}: {mac} {model} {number}: {why}\n  help: {remedy}");
        }
        let _ = writeln!(text, "{} rows would end wrong", wrong.len());
        if *not_played > 0 {
            let _ = writeln!(
                text,
                "{not_played} rows were not played: their families can't be simulated yet"
            );
        }
        text
    }
}
