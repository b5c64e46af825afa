//! The engine by RFC section, on a virtual wire with virtual time.

use proptest::prelude::*;

use super::*;
use crate::{
    profile::TransferRule,
    tftp::ask::{Ask, Limits},
    wire::tftp::{Mode, Request, Setting},
};

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// A file of `length` bytes, asked for with `OPTION=VALUE …`, in this mode.
fn transfer(length: u64, mode: Mode<'_>, options: &str) -> Transfer {
    let options = options
        .split_whitespace()
        .filter_map(|option| option.split_once('='))
        .map(|(name, value)| Setting { name: name.as_bytes(), value: value.as_bytes() })
        .collect();
    let ask = Ask::read(&Request { name: b"load.bin", mode, options }).unwrap();
    Transfer::new(
        ask.grant(length, Limits::new(1472, TransferRule::default())),
        Duration::from_secs(30),
    )
}

/// Everything that is sent until the engine waits: `1 2 3:7` (a short block with its length), `oack`, `error 0`.
fn sent(transfer: &mut Transfer, now: Duration) -> String {
    let mut words = Vec::new();
    loop {
        words.push(match transfer.next(now) {
            Step::Data { block, length, .. } => {
                transfer.filled(now, length);
                let full = length == usize::from(transfer.terms.block_size);
                if full { block.to_string() } else { format!("{block}:{length}") }
            }
            Step::Send { packet } => match Packet::decode(&packet) {
                Ok(Packet::OptionsAck(_)) => "oack".to_owned(),
                Ok(Packet::Error { code, .. }) => format!("error {}", code.0),
                other => format!("{other:?}"),
            },
            Step::Done(outcome) => outcome.to_string(),
            Step::Wait(_) => return words.join(" "),
        });
    }
}

/// Plays a story and notes what is sent. Each line is `MS WORD… -> SENT`: at that moment the peer sends `ack N`,
/// `error TEXT`, or nothing (`-`, time passes).
fn play(transfer: &mut Transfer, story: &str) {
    for line in story.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (input, expected) = line.split_once("->").unwrap();
        let mut words = input.split_whitespace();
        let now = ms(words.next().unwrap().parse().unwrap());
        match (words.next().unwrap(), words.next()) {
            ("-", None) => {}
            ("ack", Some(block)) => {
                transfer.receive(now, &Packet::Ack { block: block.parse().unwrap() });
            }
            ("error", text) => {
                let text = text.unwrap_or_default().as_bytes();
                transfer.receive(now, &Packet::Error { code: ErrorCode(3), text });
            }
            ("drain", Some(by)) => transfer.drain(ms(by.parse().unwrap())),
            other => panic!("{other:?}"),
        }
        assert_eq!(sent(transfer, now), expected.trim(), "{line}");
    }
}

#[track_caller]
fn check(length: u64, options: &str, story: &str) {
    play(&mut transfer(length, Mode::Octet, options), story);
}

#[test]
fn rfc_1350_blocks_and_their_end() {
    check(5, "", "0 - -> 1:5 \n 1 ack 1 -> complete \n 2 ack 1 ->");
    check(0, "", "0 - -> 1:0 \n 1 ack 1 -> complete");
    check(1029, "", "0 - -> 1 \n 1 ack 1 -> 2 \n 2 ack 2 -> 3:5 \n 3 ack 3 -> complete");
    // A file of whole blocks ends with an empty one.
    check(1024, "", "0 - -> 1 \n 1 ack 1 -> 2 \n 2 ack 2 -> 3:0 \n 3 ack 3 -> complete");
}

#[test]
fn rfc_1350_7_an_error_ends_it_at_once() {
    check(600, "", "0 - -> 1 \n 1 error halt -> aborted: halt \n 2 ack 1 -> \n 9000 - ->");
    check(600, "", "0 - -> 1 \n 1 error -> aborted: TFTP error 3");
    // RFC 2347: what the OACK grants is turned down (ERROR 8), or only the size was wanted.
    check(600, "tsize=0", "0 - -> oack \n 1 error no -> aborted: no \n 9000 - ->");
}

#[test]
fn rfc_1123_4_2_3_1_a_duplicate_ack_never_causes_data() {
    check(
        2000,
        "",
        "0 - -> 1
         1 ack 1 -> 2
         2 ack 1 ->
         3 ack 1 ->
         4 ack 0 ->
         5 ack 2 -> 3
         6 ack 1 ->
         7 ack 2 ->
         8 ack 3 -> 4:464
         9 ack 4 -> complete",
    );
    // Not after the OACK either.
    check(600, "blksize=512", "0 - -> oack \n 1 ack 0 -> 1 \n 2 ack 0 -> \n 3 ack 1 -> 2:88");
    // An ACK of what was never sent says nothing.
    check(2000, "", "0 - -> 1 \n 1 ack 2 -> \n 2 ack 65535 -> \n 3 ack 1 -> 2");
    check(600, "blksize=512", "0 - -> oack \n 1 ack 1 -> \n 2 ack 0 -> 1");
}

#[test]
fn rfc_1123_4_2_3_2_the_timeout_adapts() {
    // 250 ms, then doubling; a peer that never answered gets five copies.
    check(
        600,
        "",
        "0 - -> 1
         249 - ->
         250 - -> 1
         749 - ->
         750 - -> 1
         1750 - -> 1
         2750 - -> 1
         3750 - -> 1
         4749 - ->
         4750 - -> timed-out",
    );
    // A round trip of 1 ms was measured: the next copy comes after 30 ms.
    check(600, "", "0 - -> 1 \n 1 ack 1 -> 2:88 \n 30 - -> \n 31 - -> 2:88 \n 91 - -> 2:88");
    // Karn: the ACK of a block sent twice measures nothing; the wait stays doubled until one was sent once.
    check(
        2000,
        "",
        "0 - -> 1
         250 - -> 1
         251 ack 1 -> 2
         750 - ->
         751 - -> 2
         752 ack 2 -> 3
         753 ack 3 -> 4:464
         783 - -> 4:464",
    );
}

#[test]
fn a_peer_that_was_heard_has_a_time_bound_only() {
    let mut patient = transfer(2000, Mode::Octet, "");
    play(&mut patient, "0 - -> 1 \n 1 ack 1 -> 2");
    for second in 1..=30 {
        assert_eq!(sent(&mut patient, Duration::from_secs(second)), "2", "{second}");
    }
    play(&mut patient, "30001 - -> timed-out");
    // Each new ACK starts the clock again; an old one does not.
    check(
        2000,
        "",
        "0 - -> 1 \n 1 ack 1 -> 2 \n 29000 ack 2 -> 3 \n 58000 ack 2 -> 3 \n 59000 - -> timed-out",
    );
}

#[test]
fn rfc_2347_the_offer_is_sent_again() {
    check(
        600,
        "blksize=1428",
        "0 - -> oack
         250 - -> oack
         750 - -> oack
         751 ack 0 -> 1:600
         752 ack 1 -> complete",
    );
    check(
        9,
        "tsize=0",
        "0 - -> oack \n 250 - -> oack \n 750 - -> oack \n 1750 - -> oack \n 2750 - -> oack \n 3750 - -> oack \n 4750 - -> timed-out",
    );
}

#[test]
fn rfc_2349_a_negotiated_timeout_is_the_upper_bound() {
    check(
        600,
        "timeout=2",
        "0 - -> oack
         250 - -> oack
         750 - -> oack
         1750 - -> oack
         3749 - ->
         3750 - -> oack
         5750 - -> oack
         7750 - -> timed-out",
    );
    // Long timeouts don't stretch the 15 s that a peer never heard from gets.
    let mut slow = transfer(600, Mode::Octet, "timeout=255");
    play(
        &mut slow,
        "0 - -> oack \n 250 - -> oack \n 750 - -> oack \n 1750 - -> oack \n 3750 - -> oack \n 7750 - -> oack \n 14999 - -> \n 15000 - -> timed-out",
    );
}

#[test]
fn rfc_7440_windows() {
    check(
        512 * 10 + 3,
        "windowsize=4",
        "0 - -> oack
         1 ack 0 -> 1 2 3 4
         2 ack 4 -> 5 6 7 8
         3 ack 8 -> 9 10 11:3
         4 ack 11 -> complete",
    );
    // A gap: block 3 is missing, so 2 is acknowledged, and everything from 3 on is sent again.
    check(
        5000,
        "windowsize=4",
        "0 - -> oack \n 10 ack 0 -> 1 2 3 4 \n 20 ack 2 -> 3 4 5 6 \n 30 ack 6 -> 7 8 9 10:392",
    );
    // The first block of a window is missing: believed once, and not if it comes as fast as the network copies.
    check(
        5000,
        "windowsize=4",
        "0 - -> oack
         10 ack 0 -> 1 2 3 4
         20 ack 4 -> 5 6 7 8
         21 ack 4 ->
         30 ack 4 -> 5 6 7 8
         40 ack 4 ->
         41 ack 8 -> 9 10:392",
    );
    // Silence: the whole window again.
    check(
        5000,
        "windowsize=4",
        "0 - -> oack \n 1 ack 0 -> 1 2 3 4 \n 31 - -> 1 2 3 4 \n 32 ack 4 -> 5 6 7 8",
    );
    // The ACK of the whole window arrives while a part of it is on its way again.
    check(
        5000,
        "windowsize=4",
        "0 - -> oack \n 10 ack 0 -> 1 2 3 4 \n 20 ack 1 -> 2 3 4 5 \n 21 ack 4 -> 5 6 7 8",
    );
}

#[test]
fn blocks_roll_over_to_0() {
    let mut long = transfer(512 * 70_000, Mode::Octet, "");
    let mut now = Duration::ZERO;
    for block in 1..=70_000_u64 {
        now += Duration::from_micros(100);
        let number = on_the_wire(block);
        assert_eq!(sent(&mut long, now), number.to_string());
        // A copy of the ACK before, on both sides of the edge.
        long.receive(now, &Packet::Ack { block: number.wrapping_sub(1) });
        assert_eq!(sent(&mut long, now), "");
        long.receive(now, &Packet::Ack { block: number });
    }
    assert_eq!(sent(&mut long, now), "4465:0");
    long.receive(now, &Packet::Ack { block: 4465 });
    assert_eq!(sent(&mut long, now), "complete");
    assert_eq!(long.acknowledged(), 512 * 70_000);
}

#[test]
fn content_of_unknown_length_ends_with_its_first_short_block() {
    let mut text = transfer(700, Mode::Netascii, "");
    assert_eq!(text.next(ms(0)), Step::Data { block: 1, from: 0, length: 512 });
    text.filled(ms(0), 512);
    play(&mut text, "0 - ->");
    text.receive(ms(1), &Packet::Ack { block: 1 });
    assert_eq!(text.next(ms(1)), Step::Data { block: 2, from: 512, length: 512 });
    text.filled(ms(1), 200);
    play(&mut text, "1 - -> \n 2 ack 2 -> complete");
}

#[test]
fn what_goes_wrong_here_is_told_to_the_peer() {
    let mut shrunk = transfer(700, Mode::Octet, "");
    shrunk.next(ms(0));
    shrunk.filled(ms(0), 100);
    play(&mut shrunk, "0 - -> error 0 failed: the file became shorter");
    let mut broken = transfer(700, Mode::Octet, "");
    broken.unreadable(&std::io::Error::other("disk"));
    play(&mut broken, "0 - -> error 0 failed: can't read the file: disk");
    check(700, "", "0 - -> 1 \n 1 drain 5000 -> \n 2 ack 1 -> 2:188 \n 3 ack 2 -> complete");
    let mut stopped = transfer(700, Mode::Octet, "");
    play(
        &mut stopped,
        "0 - -> 1 \n 1 drain 100 -> \n 99 - -> \n 100 - -> error 0 failed: the server stops",
    );
}

/// What is on its way on a wire that loses, copies and delays, by the time of its arrival.
struct Wire<'a, T> {
    flying: Vec<(Duration, T)>,
    fates: Box<dyn Iterator<Item = u8> + 'a>,
}

impl<'a, T: Copy> Wire<'a, T> {
    fn new(fates: &'a [u8], from: usize) -> Self {
        Self { flying: Vec::new(), fates: Box::new(fates.iter().copied().cycle().skip(from)) }
    }

    /// Lost, copied, overtaken by the next ones, or simply 1 ms on its way.
    fn send(&mut self, now: Duration, what: T) {
        let arrivals: &[u64] = match self.fates.next() {
            Some(0) => &[],
            Some(1) => &[1, 1],
            Some(2) => &[3],
            _ => &[1],
        };
        self.flying.extend(arrivals.iter().map(|&late| (now + ms(late), what)));
        self.flying.sort_by_key(|(at, _)| *at);
    }

    fn next_arrival(&self) -> Duration {
        self.flying.first().map_or(Duration::MAX, |(at, _)| *at)
    }

    fn arrived(&mut self, now: Duration) -> Option<T> {
        (self.next_arrival() <= now).then(|| self.flying.remove(0).1)
    }
}

/// A client of the RFCs: acknowledges whole windows, reports gaps, and repeats itself after a second of silence.
struct Client {
    window: u64,
    stored: Vec<u64>,
    unacknowledged: u64,
    spoke: Duration,
}

impl Client {
    /// The ACK that block number `block` draws, if it draws one; block 0 is the OACK.
    fn hear(&mut self, block: u64, short: bool) -> Option<u64> {
        let known = self.stored.len() as u64;
        if block != known + 1 {
            // In front of a gap, or known already: say where we are.
            return Some(known);
        }
        self.stored.push(block);
        self.unacknowledged += 1;
        (short || self.unacknowledged == self.window).then_some(block)
    }
}

/// Plays a transfer to its end over wires with these fates: how it ended, and the blocks that the client stored.
fn lossy(length: u64, options: &str, fates: &[u8]) -> (Outcome, Vec<u64>) {
    let mut transfer = transfer(length, Mode::Octet, options);
    let block_size = usize::from(transfer.terms.block_size);
    let (mut down, mut up) = (Wire::new(fates, 0), Wire::new(fates, fates.len() / 2));
    let (stored, spoke) = (Vec::new(), Duration::ZERO);
    let mut client = Client { window: transfer.terms.window, stored, unacknowledged: 0, spoke };
    let mut now = Duration::ZERO;
    loop {
        match transfer.next(now) {
            Step::Done(outcome) => return (outcome, client.stored),
            Step::Send { .. } => down.send(now, (0, false)),
            Step::Data { from, length, .. } => {
                transfer.filled(now, length);
                down.send(now, (from / block_size as u64 + 1, length < block_size));
            }
            Step::Wait(until) => {
                let impatient = client.spoke + ms(1000);
                now = until.min(impatient).min(down.next_arrival()).min(up.next_arrival());
                if let Some(block) = up.arrived(now) {
                    transfer.receive(now, &Packet::Ack { block });
                }
                let ack = match down.arrived(now) {
                    Some((block, short)) => client.hear(block, short),
                    None => (now >= impatient).then_some(client.stored.len() as u64),
                };
                if let Some(ack) = ack {
                    (client.spoke, client.unacknowledged) = (now, 0);
                    up.send(now, on_the_wire(ack));
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn a_lossy_wire_delivers_every_block_once_and_in_order(
        length in 0..40_000_u64,
        options in prop::sample::select(vec!["", "blksize=512", "windowsize=4", "windowsize=16 blksize=1024"]),
        // One in twenty is lost, and as many are copied or late; never many in a row, or a client may give up rightly.
        fates in prop::collection::vec(prop_oneof![1 => 0..3_u8, 6 => Just(9_u8)], 97..203)
            .prop_filter("a wire that works", |fates| !fates.windows(3).any(|three| three == [0; 3])),
    ) {
        let (outcome, stored) = lossy(length, options, &fates);
        prop_assert_eq!(outcome, Outcome::Complete);
        let size = if options.contains("1024") { 1024 } else { 512 };
        let whole: Vec<u64> = (1..=length / size + 1).collect();
        prop_assert_eq!(stored, whole);
    }

    #[test]
    fn no_story_makes_it_panic_or_send_without_end(
        length in 0..5_000_u64,
        options in prop::sample::select(vec!["", "windowsize=8", "timeout=3"]),
        packets in prop::collection::vec((any::<u16>(), 0..2_000_u64, any::<bool>()), 0..60),
    ) {
        let mut transfer = transfer(length, Mode::Octet, options);
        let mut now = Duration::ZERO;
        for (block, pause, near) in packets {
            now += ms(pause);
            let block = if near { block % 12 } else { block };
            transfer.receive(now, &Packet::Ack { block });
            prop_assert!(sent(&mut transfer, now).split(' ').count() <= 10);
        }
    }
}
