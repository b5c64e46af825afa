//! Timelines as they are drawn: which bars, from when to when, and where a spell ends.

use std::net::Ipv4Addr;

use super::*;
use crate::domain::{Granted, Rejection, Role};

const ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 20, 0, 51);

fn asked(name: &str) -> Asked {
    let (carrier, role) = (Carrier::Tftp, Role::Extra);
    Asked { name: name.to_owned(), carrier, role, required: None, first: false }
}

fn discovered() -> What {
    What::discovered(None)
}

fn leased(granted: Granted) -> What {
    What::Leased { address: ADDRESS, until: Timestamp::MAX, granted }
}

fn opened(name: &str) -> What {
    What::Opened { asked: asked(name), length: 9 }
}

fn ended(name: &str, outcome: Outcome, normal: bool) -> What {
    let (etag, source) = (String::new(), String::new());
    What::Ended { asked: asked(name), bytes: 9, length: 9, outcome, etag, normal, source }
}

fn refused(name: &str, normal: bool) -> What {
    What::Refused { asked: asked(name), why: "there is none".to_owned(), normal }
}

/// Draws what happened at these milliseconds: a line for each spell, a bar after the other.
fn check(happened: Vec<(i64, What)>, expected: &[&str]) {
    let at = |millis| Timestamp::from_millisecond(1_000_000_000 + millis).unwrap();
    let events: Vec<_> =
        happened.into_iter().map(|(millis, what)| (1, Event { at: at(millis), what })).collect();
    let drawn: Vec<String> = spells(&events)
        .iter()
        .map(|spell| {
            let bar = |bar: &Bar| {
                let (from, to) = (millis(at(0), bar.from), millis(at(0), bar.to));
                format!(
                    "{} {} {from}-{to} {} ({})",
                    bar.carrier,
                    bar.what,
                    bar.outcome,
                    bar.tone.class()
                )
            };
            let bars: Vec<_> = spell.bars.iter().map(bar).collect();
            let begins = if spell.begins { "boot" } else { "later" };
            format!("{begins} {}: {}", spell.events.len(), bars.join("; ")).trim().to_owned()
        })
        .collect();
    assert_eq!(drawn, expected);
}

#[test]
fn a_boot() {
    check(
        vec![
            (0, discovered()),
            (1, What::Offered { address: ADDRESS }),
            (90, leased(Granted::Selected)),
            (200, refused("CTL", true)),
            (300, opened("a.cnf")),
            (400, opened("b.cnf")),
            (450, ended("b.cnf", Outcome::Complete, false)),
            (700, ended("a.cnf", Outcome::TimedOut, false)),
            (800, refused("c.cnf", false)),
            (900, opened("load")),
            (1900, What::Progress { name: "load".to_owned(), bytes: 4, length: 9 }),
        ],
        &[
            "boot 11: dhcp 10.20.0.51 0-90 leased (good); tftp CTL 200-200 not there, normal (normal); \
           tftp a.cnf 300-700 timed-out (bad); tftp b.cnf 400-450 complete (good); tftp c.cnf 800-800 refused (bad); \
           tftp load 900-1900 4 of 9 bytes (busy)",
        ],
    );
}

#[test]
fn what_is_missing_in_the_middle() {
    let gone = Outcome::Aborted { text: String::new() };
    check(
        vec![(0, ended("a", gone, true)), (10, What::Nak { address: ADDRESS, why: String::new() })],
        &["boot 2: tftp a 0-0 aborted, normal (normal); dhcp 10.20.0.51 10-10 denied (bad)"],
    );
    check(
        vec![
            (0, discovered()),
            (10, What::Offered { address: ADDRESS }),
            (500, refused("x", false)),
        ],
        &["boot 3: dhcp 10.20.0.51 0-10 offered, not taken (busy); tftp x 500-500 refused (bad)"],
    );
}

#[test]
fn registrations() {
    let step = |by: &str, step: Step| What::Registration { by: by.to_owned(), step };
    let why = Rejection::Forbidden;
    check(
        vec![
            (0, step("a", Step::Asked)),
            (9, step("a", Step::Rejected { why, text: String::new() })),
            (20, step("b", Step::Asked)),
            (25, step("b", Step::Asked)),
            (30, step("b", Step::Accepted)),
            (40, step("b", Step::Ended { text: "<b>".to_owned() })),
            (50, step("c", Step::Asked)),
        ],
        &[
            "boot 7: registers a 0-9 forbidden (bad); registers b 20-30 registered (good); registers b 40-40 ended (bad); \
           registers c 50-50 no answer (busy)",
        ],
    );
}

#[test]
fn where_a_spell_ends() {
    let hour = 3_600_000;
    // Two boots, and a day of renewals that are told together.
    check(
        vec![
            (0, discovered()),
            (9, leased(Granted::Selected)),
            (20, refused("x", true)),
            (hour, leased(Granted::Renewed)),
            (2 * hour, leased(Granted::Renewed)),
            (3 * hour, leased(Granted::Rebooted)),
            (3 * hour + 5, refused("x", true)),
        ],
        &[
            "boot 3: dhcp 10.20.0.51 0-9 leased (good); tftp x 20-20 not there, normal (normal)",
            "later 2:",
            "boot 2: dhcp 10.20.0.51 10800000-10800000 rebooted (good); tftp x 10800005-10800005 not there, normal (normal)",
        ],
    );
    // A phone that starts over and over is one list.
    check(vec![(0, discovered()), (4000, discovered()), (8000, discovered())], &["boot 3:"]);
}
