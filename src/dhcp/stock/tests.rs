//! The stock: what is asked, how often, and what is left of it in a storm.

use super::*;
use crate::{
    dhcp::tests::subnet,
    domain::{Change, Commit, Lease, Mac, Quarantine},
    store::State,
};

const OWN: [(Ipv4Addr, u8); 1] = [(Ipv4Addr::new(10, 20, 0, 1), 16)];
/// How often it is looked, in milliseconds: as the driver does, and in hours of rest.
const TICK: i64 = 50;
const SLOW: i64 = 1000;

/// A wire on which some addresses are answered for.
struct Wire {
    subnet: Subnet,
    state: State,
    stock: Stock,
    offered: HashMap<Ipv4Addr, ClientKey>,
    /// Milliseconds.
    now: i64,
    typed_in: Vec<Ipv4Addr>,
    /// Every frame, with the moment in which it was sent.
    frames: Vec<(i64, Ipv4Addr)>,
}

fn ip(text: &str) -> Ipv4Addr {
    text.parse().unwrap()
}

impl Wire {
    fn new(pool: (&str, &str)) -> Self {
        Self {
            subnet: subnet("10.20.0.0/16", pool),
            state: State::default(),
            stock: Stock::default(),
            offered: HashMap::new(),
            now: 0,
            typed_in: Vec::new(),
            frames: Vec::new(),
        }
    }

    fn time(&self) -> Timestamp {
        Timestamp::from_millisecond(1_800_000_000_000 + self.now).unwrap()
    }

    /// One look; who has an address that is asked about answers.
    fn tick(&mut self) {
        self.look_after(TICK);
    }

    fn look_after(&mut self, milliseconds: i64) {
        self.now += milliseconds;
        let now = self.time();
        let rules = Rules { state: &self.state, own: &OWN, mac: None, now };
        for address in self.stock.due(&self.subnet, &rules, &self.offered) {
            self.frames.push((self.now, address));
            if self.typed_in.contains(&address) {
                self.stock.hear(address, [2, 0, 0, 0, 0, 9], now);
            }
        }
    }

    fn pass(&mut self, milliseconds: i64) {
        (0..milliseconds / TICK).for_each(|_| self.tick());
    }

    fn rest(&mut self, seconds: i64) {
        (0..seconds).for_each(|_| self.look_after(SLOW));
    }

    fn stocked(&self) -> Vec<Ipv4Addr> {
        let kept = self.stock.0.get(&self.subnet.network);
        let proven = kept.into_iter().flat_map(|kept| kept.proven.keys().copied());
        proven.filter(|address| self.stock.is_proven(*address, self.time())).collect()
    }

    /// A stranger comes: what he gets without waiting.
    fn take(&mut self) -> Option<Ipv4Addr> {
        let network = self.subnet.network;
        self.stock.want(network, self.time());
        let found = self.stock.near(network, network, self.time()).next()?;
        self.stock.remove(found);
        self.offered.insert(found, ClientKey::identifier(&found.octets()));
        Some(found)
    }

    /// Frames of the last so many milliseconds.
    fn sent(&self, milliseconds: i64) -> usize {
        self.frames.iter().filter(|(at, _)| *at > self.now - milliseconds).count()
    }

    fn commit(&mut self, change: Change) {
        self.state.apply(&Commit { number: self.state.commit + 1, changes: vec![change] });
    }
}

#[test]
fn a_storm_of_strangers_does_not_run_it_dry() {
    let mut wire = Wire::new(("10.20.1.0", "10.20.254.255"));
    wire.pass(120_000);
    assert!(wire.stocked().len() >= 360, "{}", wire.stocked().len());
    wire.frames.clear();
    let mut missed = 0;
    // 5,000 in 5 s.
    for _ in 0..5000 / TICK {
        missed += (0..TICK).filter(|_| wire.take().is_none()).count();
        wire.tick();
        assert!(wire.sent(1000) <= 1128, "{} frames a second", wire.sent(1000));
    }
    assert_eq!(missed, 0);
    assert!(wire.frames.len() <= 5100, "a frame each: {}", wire.frames.len());
    // Ten times as fast: what is asked stays bounded.
    for _ in 0..20 {
        (0..500).for_each(|_| _ = wire.take());
        wire.tick();
    }
    assert!(wire.sent(1000) <= 1128, "{} frames a second", wire.sent(1000));
}

#[test]
fn at_rest_little_is_asked_and_after_an_hour_nothing() {
    let mut wire = Wire::new(("10.20.1.0", "10.20.254.255"));
    for second in 0..180 {
        wire.pass(1000);
        assert!(wire.sent(1000) <= 15, "{} frames a second", wire.sent(1000));
        assert!(
            second < 120 || wire.stocked().len() >= 360,
            "{second} s: {}",
            wire.stocked().len()
        );
    }
    wire.rest(3600);
    wire.frames.clear();
    wire.rest(120);
    assert_eq!((wire.frames.len(), wire.stocked().len()), (0, 0));
    // The next stranger wakes it up.
    assert_eq!(wire.take(), None);
    wire.pass(20_000);
    assert!(wire.stocked().len() > 60, "{}", wire.stocked().len());
}

#[test]
fn each_is_asked_about_twice_and_for_300_ms() {
    let mut wire = Wire::new(("10.20.1.1", "10.20.1.2"));
    let first = ip("10.20.1.1");
    while wire.frames.is_empty() {
        wire.tick();
    }
    let began = wire.now;
    wire.pass(250);
    assert!(wire.stocked().is_empty(), "not yet");
    wire.pass(50);
    assert_eq!(wire.stocked(), [first]);
    let asked: Vec<i64> = wire.frames.iter().filter(|it| it.1 == first).map(|it| it.0).collect();
    assert_eq!((asked.len(), asked[0]), (2, began));
    assert!((150..300).contains(&(asked[1] - began)), "{asked:?}");
    // It is asked about again before that is too long ago.
    wire.rest(300);
    assert_eq!(wire.stocked(), [first, ip("10.20.1.2")]);
}

#[test]
fn rfc_5227_what_somebody_uses_is_never_in_stock() {
    let mut wire = Wire::new(("10.20.1.1", "10.20.1.9"));
    wire.typed_in = vec![ip("10.20.1.4")];
    let mut stocked = 0;
    for _ in 0..400 {
        wire.tick();
        stocked = wire.stocked().len();
        assert!(!wire.stocked().contains(&ip("10.20.1.4")));
    }
    assert_eq!(stocked, 8);
    let told: Vec<_> = wire.stock.in_use(wire.subnet.network).collect();
    assert_eq!(told, [(ip("10.20.1.4"), [2, 0, 0, 0, 0, 9])]);
    assert_eq!(wire.frames.iter().filter(|it| it.1 == ip("10.20.1.4")).count(), 1, "once");
    // Somebody types another one in, and says so.
    let late = ip("10.20.1.5");
    assert!(wire.stock.is_proven(late, wire.time()));
    wire.stock.hear(late, [2, 0, 0, 0, 0, 8], wire.time());
    assert!(!wire.stock.is_proven(late, wire.time()));
    wire.pass(5000);
    assert!(!wire.stocked().contains(&late));
    // What another station says about an address that nobody asked about is nothing to us.
    wire.stock.hear(ip("10.20.9.9"), [2, 0, 0, 0, 0, 8], wire.time());
    assert_eq!(wire.stock.in_use(wire.subnet.network).count(), 2);
    // It may have been corrected since.
    wire.typed_in.clear();
    wire.rest(620);
    assert_eq!((wire.stocked().len(), wire.stock.in_use(wire.subnet.network).count()), (9, 0));
}

#[test]
fn what_nobody_is_to_get_is_not_asked_about() {
    let mut wire = Wire::new(("10.20.1.1", "10.20.1.6"));
    let (mac, from) = (Mac::new([2, 0, 0, 0, 0, 1]).unwrap(), wire.time());
    let (client, until) = (ClientKey::hardware(mac), from + Duration::from_hours(1));
    wire.subnet.router = vec![ip("10.20.1.1")];
    wire.commit(Change::Leased(Lease {
        address: ip("10.20.1.2"),
        client: client.clone(),
        mac,
        since: from,
        until,
    }));
    let over = from + Duration::from_secs(1);
    let past = Lease {
        address: ip("10.20.1.3"),
        client: ClientKey::identifier(b"x"),
        mac,
        since: from,
        until: over,
    };
    wire.commit(Change::Leased(past));
    let aside = Quarantine { address: ip("10.20.1.4"), until, times: 1, by: mac };
    wire.commit(Change::Quarantined(aside));
    wire.offered.insert(ip("10.20.1.5"), client);
    wire.pass(10_000);
    // Fresh ones first, then the one that somebody had.
    assert_eq!(wire.frames.first().map(|it| it.1), Some(ip("10.20.1.6")));
    assert_eq!(wire.stocked(), [ip("10.20.1.3"), ip("10.20.1.6")]);
    // What is taken since is not refreshed.
    wire.offered.insert(ip("10.20.1.6"), ClientKey::hardware(mac));
    wire.pass(90_000);
    assert_eq!(wire.stocked(), [ip("10.20.1.3")]);
    wire.stock.clear(wire.subnet.network);
    assert!(wire.stocked().is_empty());
}

#[test]
fn a_clock_set_back_leaves_nothing_in_stock() {
    let mut wire = Wire::new(("10.20.1.1", "10.20.1.6"));
    wire.pass(10_000);
    assert_eq!(wire.stocked().len(), 6);
    wire.now -= 20_000;
    assert!(wire.stocked().is_empty());
    wire.tick();
    wire.pass(10_000);
    assert_eq!(wire.stocked().len(), 6);
}
