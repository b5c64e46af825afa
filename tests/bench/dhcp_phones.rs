//! Thousands of phones that ask for addresses from one process, each with a hardware address of its own, and check
//! every answer: duplicate addresses, NAKs, answers to nobody.

use std::{
    collections::HashMap,
    fmt::Write as _,
    fs,
    net::Ipv4Addr,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use ringup::{
    domain::Mac,
    wire::{
        dhcp::{CLIENT_PORT, Kind, Message, Request, code},
        ethernet::Ethernet,
        frame::Frame,
    },
};

#[path = "dhcp_wire.rs"]
pub mod wire;

use wire::{LONGEST, Wire, answer_arp, framed};

/// The server's address.
pub const SERVER: Ipv4Addr = Ipv4Addr::new(10, 40, 0, 1);

/// A phone says again what it said after this much silence, then after twice and four times that.
const PATIENCE: Duration = Duration::from_secs(2);

/// How often phones are looked through for those that have waited enough.
const LOOK: Duration = Duration::from_millis(50);

/// No offer for this long is a gap that is told.
const GAP: Duration = Duration::from_millis(20);

/// A phone outside of every plan, that asks whether a server is there.
pub const PROBER: u32 = 0x00ff_fff0;

/// Option 55 of these phones: thirteen codes.
const ASKS: [u8; 13] = [1, 3, 6, 12, 15, 28, 42, 43, 66, 67, 120, 150, 160];

/// What phones are after.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Act {
    /// DISCOVER to ACK.
    Boot,
    /// One unicast REQUEST each for the lease that it holds.
    Renew,
    /// One broadcast REQUEST each for the address that it had (INIT-REBOOT): tells whether the server knows the lease.
    Reboot,
}

/// How they come.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Pace {
    /// So many are under way at any time.
    Window(u32),
    /// All of them within this time, evenly.
    Over(Duration),
}

/// What the phones of one run do.
#[derive(Clone, Debug)]
pub struct Plan {
    pub act: Act,
    pub first: u32,
    pub phones: u32,
    /// Hardware addresses all over the vendor's block, or one after the other as out of one delivery.
    pub scattered: bool,
    pub broadcast: bool,
    pub pace: Pace,
    /// What is not done by then stays undone.
    pub bound: Duration,
    /// File with the leases that they hold, for anything but booting.
    pub held: String,
    /// File that acknowledged leases are written to.
    pub kept: String,
}

impl Plan {
    /// As words of a command line.
    pub fn words(&self) -> Vec<String> {
        let pace = match self.pace {
            Pace::Window(window) => format!("window:{window}"),
            Pace::Over(time) => format!("over:{}", time.as_millis()),
        };
        let words = [
            format!("{:?}", self.act),
            self.first.to_string(),
            self.phones.to_string(),
            self.scattered.to_string(),
            self.broadcast.to_string(),
            pace,
            self.bound.as_millis().to_string(),
        ];
        let named = [&self.held, &self.kept].map(|file| format!("@{file}"));
        words.into_iter().chain(named).collect()
    }

    /// Reads what [`Self::words`] wrote.
    pub fn read(words: &[String]) -> Self {
        let number = |word: &str| word.parse::<u32>().unwrap();
        let time = |word: &str| Duration::from_millis(word.parse().unwrap());
        let act = [Act::Boot, Act::Renew, Act::Reboot];
        Self {
            act: act.into_iter().find(|act| format!("{act:?}") == words[0]).unwrap(),
            first: number(&words[1]),
            phones: number(&words[2]),
            scattered: words[3] == "true",
            broadcast: words[4] == "true",
            pace: match words[5].split_once(':').unwrap() {
                ("window", window) => Pace::Window(number(window)),
                (_, over) => Pace::Over(time(over)),
            },
            bound: time(&words[6]),
            held: words[7][1..].to_owned(),
            kept: words[8][1..].to_owned(),
        }
    }
}

/// How a run went.
#[derive(Debug, Default)]
struct Score {
    /// DISCOVER to ACK of each, in milliseconds.
    each: Vec<f64>,
    last: Duration,
    resent: u32,
    naks: u32,
    duplicates: u32,
    /// Answers that nobody waited for.
    strange: u32,
    /// When offers came again after a gap, in milliseconds of Unix time.
    gaps: Vec<f64>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Step {
    Idle,
    Asking,
    Taking(Ipv4Addr, Ipv4Addr),
    Over,
}

struct Phone {
    mac: Mac,
    step: Step,
    held: Ipv4Addr,
    spoke: Duration,
    tries: u32,
}

struct Run<'a> {
    plan: &'a Plan,
    wire: &'a Wire,
    /// The transaction of the first phone; the others follow.
    xid: u32,
    clock: Instant,
    /// When each phone spoke first, in nanoseconds since the clock began; 0 for not yet. Who paces writes it too.
    began: &'a [AtomicU64],
    phones: Vec<Phone>,
    holders: HashMap<Ipv4Addr, usize>,
    under_way: u32,
    next: usize,
    left: usize,
    offered: Option<Duration>,
    score: Score,
}

/// The hardware address of a phone.
pub fn mac(number: u32, scattered: bool) -> Mac {
    // An odd factor reaches each of the 24 bits' values once.
    let low = if scattered { number.wrapping_mul(0x9e37_79b1) } else { 0x01_0000 + number };
    let [_, a, b, c] = low.to_be_bytes();
    Mac::new([0x00, 0x15, 0x65, a, b, c]).unwrap()
}

fn message(request: Request, broadcast: bool) -> Vec<u8> {
    let id = [&[1][..], &request.mac.octets()].concat();
    Request { broadcast, ..request }
        .option(code::CLASS, b"yealink")
        .option(code::HOST_NAME, b"SIP-T46S")
        .option(code::MAX_SIZE, 1500_u16.to_be_bytes())
        .option(code::CLIENT_ID, id)
        .option(code::ASKED, ASKS)
        .encode()
}

/// The first message of a phone.
fn opening(plan: &Plan, mac: Mac, held: Ipv4Addr, xid: u32) -> Vec<u8> {
    let (request, address) = match plan.act {
        Act::Boot => (Request::discover(mac, xid), None),
        Act::Renew => (Request::extend(mac, xid, held), Some(held)),
        Act::Reboot => (Request::reboot(mac, xid, held), None),
    };
    framed(mac.octets(), address, SERVER, &message(request, plan.broadcast))
}

/// Has the phones do what is planned, and prints how it went, one figure a line.
pub fn play(plan: &Plan) {
    let held = leases(&plan.held);
    let count = if plan.act == Act::Boot { plan.phones as usize } else { held.len() };
    let phone = |number: usize| {
        let nobody = (plan.first + u32::try_from(number).unwrap(), Ipv4Addr::UNSPECIFIED);
        let (number, held) = held.get(number).copied().unwrap_or(nobody);
        let mac = mac(number, plan.scattered);
        Phone { mac, step: Step::Idle, held, spoke: Duration::ZERO, tries: 0 }
    };
    let phones: Vec<Phone> = (0..count).map(phone).collect();
    let openings: Vec<(Mac, Ipv4Addr)> = phones.iter().map(|it| (it.mac, it.held)).collect();
    let (wire, stop) = (Wire::dhcp(CLIENT_PORT), AtomicBool::new(false));
    let began: Vec<AtomicU64> = (0..count).map(|_| AtomicU64::new(0)).collect();
    let on_air = openings.iter().map(|(mac, held)| (*held, mac.octets())).collect();
    let mut run = Run {
        plan,
        wire: &wire,
        xid: rand::random(),
        clock: Instant::now(),
        began: &began,
        phones,
        holders: HashMap::with_capacity(count),
        under_way: 0,
        next: 0,
        left: count,
        offered: None,
        score: Score::default(),
    };
    let (xid, clock) = (run.xid, run.clock);
    thread::scope(|scope| {
        if plan.act == Act::Renew {
            scope.spawn(|| answer_arp(&on_air, &stop));
        }
        if let Pace::Over(time) = plan.pace {
            let (began, openings, wire, stop) = (&began, &openings, &wire, &stop);
            scope.spawn(move || pace(plan, openings, wire, (xid, clock, time), began, stop));
        }
        run.carry();
        stop.store(true, Ordering::Relaxed);
    });
    run.tell();
}

/// Switches phones on as time goes by.
fn pace(
    plan: &Plan,
    openings: &[(Mac, Ipv4Addr)],
    wire: &Wire,
    (xid, clock, time): (u32, Instant, Duration),
    began: &[AtomicU64],
    stop: &AtomicBool,
) {
    let apart = time / u32::try_from(openings.len().max(1)).unwrap();
    for (number, (mac, held)) in (0_u32..).zip(openings) {
        let due = apart * number;
        let frame = opening(plan, *mac, *held, xid.wrapping_add(number));
        let wait = due.saturating_sub(clock.elapsed());
        if !wait.is_zero() {
            thread::sleep(wait);
        }
        if stop.load(Ordering::Relaxed) {
            return;
        }
        began[number as usize].store(nanoseconds(clock.elapsed()), Ordering::Relaxed);
        wire.send(&frame);
    }
}

impl Run<'_> {
    fn carry(&mut self) {
        let mut buffer = [0; LONGEST];
        let mut looked = Duration::ZERO;
        self.fill();
        while self.left > 0 {
            if let Some(length) = self.wire.receive(&mut buffer) {
                self.hear(&buffer[..length]);
            }
            let now = self.clock.elapsed();
            if now > self.plan.bound {
                break;
            }
            if now.saturating_sub(looked) > LOOK {
                looked = now;
                self.repeat(now);
            }
        }
    }

    /// Lets phones begin until as many are under way as there are to be.
    fn fill(&mut self) {
        let Pace::Window(window) = self.plan.pace else { return };
        while self.under_way < window && self.next < self.phones.len() {
            let now = self.clock.elapsed();
            self.began[self.next].store(nanoseconds(now), Ordering::Relaxed);
            self.open(self.next, now);
            self.under_way += 1;
            self.next += 1;
        }
    }

    fn open(&mut self, number: usize, now: Duration) {
        let xid = self.xid_of(number);
        let phone = &mut self.phones[number];
        (phone.step, phone.spoke) = (Step::Asking, now);
        self.wire.send(&opening(self.plan, phone.mac, phone.held, xid));
    }

    fn take(&mut self, number: usize, address: Ipv4Addr, server: Ipv4Addr, now: Duration) {
        let xid = self.xid_of(number);
        let phone = &mut self.phones[number];
        (phone.step, phone.spoke) = (Step::Taking(address, server), now);
        let request = Request::select(phone.mac, xid, address, server);
        let payload = message(request, self.plan.broadcast);
        self.wire.send(&framed(phone.mac.octets(), None, server, &payload));
    }

    fn xid_of(&self, number: usize) -> u32 {
        self.xid.wrapping_add(u32::try_from(number).unwrap())
    }

    /// Says again what was not answered.
    fn repeat(&mut self, now: Duration) {
        for number in 0..self.phones.len() {
            let phone = &mut self.phones[number];
            let began = self.began[number].load(Ordering::Relaxed);
            if phone.step == Step::Idle && began > 0 {
                // The one who paces spoke for it.
                (phone.step, phone.spoke) = (Step::Asking, Duration::from_nanos(began));
            }
            let due = phone.spoke + PATIENCE * (1 << phone.tries.min(2));
            if now < due || matches!(phone.step, Step::Idle | Step::Over) {
                continue;
            }
            phone.tries += 1;
            self.score.resent += 1;
            match phone.step {
                Step::Taking(address, server) => self.take(number, address, server, now),
                Step::Idle | Step::Asking | Step::Over => self.open(number, now),
            }
        }
    }

    fn hear(&mut self, octets: &[u8]) {
        // Frames of this machine may carry a checksum that nobody has computed.
        let frame = Ethernet::decode(octets).and_then(|frame| Frame::read(&frame, false));
        let Some(message) = frame.and_then(|frame| Message::reply(frame.payload).ok()) else {
            self.score.strange += 1;
            return;
        };
        if message.mac() == mac(PROBER, true) {
            // It has what it wanted to know, but the server may be slow.
            return;
        }
        let number = message.xid().wrapping_sub(self.xid) as usize;
        let Some(phone) = self.phones.get_mut(number).filter(|phone| phone.mac == message.mac())
        else {
            self.score.strange += 1;
            return;
        };
        let now = self.clock.elapsed();
        if phone.step == Step::Idle {
            phone.step = Step::Asking;
        }
        match (message.kind(), phone.step) {
            (Kind::Offer, step) => {
                self.note_gap(now);
                let server = message.address(code::SERVER_ID).unwrap_or(Ipv4Addr::UNSPECIFIED);
                // A second offer answers a DISCOVER that was repeated.
                if step == Step::Asking && self.plan.act == Act::Boot {
                    self.take(number, message.yiaddr(), server, now);
                }
            }
            (Kind::Ack, Step::Asking | Step::Taking(..)) => {
                self.acknowledged(number, message.yiaddr(), now);
            }
            (Kind::Nak, Step::Asking | Step::Taking(..)) => {
                self.score.naks += 1;
                if self.plan.act == Act::Boot {
                    self.open(number, now);
                } else {
                    self.over(number);
                }
            }
            (Kind::Ack | Kind::Nak, Step::Over) => {}
            _ => self.score.strange += 1,
        }
    }

    fn acknowledged(&mut self, number: usize, address: Ipv4Addr, now: Duration) {
        if *self.holders.entry(address).or_insert(number) != number {
            self.score.duplicates += 1;
        }
        let began = Duration::from_nanos(self.began[number].load(Ordering::Relaxed));
        let other = self.plan.act != Act::Boot && self.phones[number].held != address;
        if other {
            self.score.strange += 1;
        } else {
            self.phones[number].held = address;
            self.score.each.push(now.saturating_sub(began).as_secs_f64() * 1e3);
            self.score.last = now;
        }
        self.over(number);
    }

    fn over(&mut self, number: usize) {
        self.phones[number].step = Step::Over;
        self.left -= 1;
        self.under_way = self.under_way.saturating_sub(1);
        self.fill();
    }

    fn note_gap(&mut self, now: Duration) {
        if self.offered.is_some_and(|before| now.saturating_sub(before) > GAP) {
            self.score.gaps.push(unix());
        }
        self.offered = Some(now);
    }

    /// Prints the figures, and writes down who has which address.
    fn tell(mut self) {
        self.score.each.sort_by(f64::total_cmp);
        let each = &self.score.each;
        let at = |percent: usize| {
            let at = (each.len() * percent / 100).min(each.len().saturating_sub(1));
            each.get(at).copied().unwrap_or(f64::NAN)
        };
        let (done, last) = (each.len(), self.score.last.as_secs_f64());
        let rate = f64::from(u32::try_from(done).unwrap()) / last;
        println!("done {done}\nlast {last}\nrate {rate}");
        println!("p50 {}\np99 {}\nmax {}", at(50), at(99), at(100));
        let Score { resent, naks, duplicates, strange, .. } = self.score;
        println!("resent {resent}\nnaks {naks}\nduplicates {duplicates}\nstrange {strange}");
        println!("missing {}", self.phones.len() - done);
        println!("own_cpu {}", wire::cpu() * 1e6 / f64::from(u32::try_from(done).unwrap()));
        for gap in &self.score.gaps {
            println!("gap {gap}");
        }
        if !self.plan.kept.is_empty() {
            let mut text = String::new();
            for (number, phone) in (self.plan.first..).zip(&self.phones) {
                if phone.step == Step::Over && !phone.held.is_unspecified() {
                    writeln!(text, "{number} {}", phone.held).unwrap();
                }
            }
            fs::write(&self.plan.kept, text).unwrap();
        }
    }
}

/// Leases as [`Run::tell`] writes them down.
pub fn leases(file: &str) -> Vec<(u32, Ipv4Addr)> {
    if file.is_empty() {
        return Vec::new();
    }
    let text = fs::read_to_string(file).unwrap();
    let lease = |line: &str| {
        let (number, address) = line.split_once(' ').unwrap();
        (number.parse().unwrap(), address.parse().unwrap())
    };
    text.lines().map(lease).collect()
}

/// Asks as this phone every few milliseconds until somebody offers something, and prints when, in milliseconds of Unix
/// time; nothing after `bound`.
pub fn await_offer(number: u32, bound: Duration) {
    let (wire, began, mac) = (Wire::dhcp(CLIENT_PORT), Instant::now(), mac(number, true));
    let (mut buffer, mut xid) = ([0; LONGEST], rand::random::<u32>());
    while began.elapsed() < bound {
        xid = xid.wrapping_add(1);
        let payload = message(Request::discover(mac, xid), true);
        wire.send(&framed(mac.octets(), None, SERVER, &payload));
        let Some(length) = wire.receive(&mut buffer) else { continue };
        let frame =
            Ethernet::decode(&buffer[..length]).and_then(|frame| Frame::read(&frame, false));
        let reply = frame.and_then(|frame| Message::reply(frame.payload).ok());
        if reply.is_some_and(|reply| reply.mac() == mac && reply.kind() == Kind::Offer) {
            return println!("offer {}", unix());
        }
    }
}

/// Milliseconds of Unix time.
pub fn unix() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64() * 1e3
}

fn nanoseconds(time: Duration) -> u64 {
    // 0 is for those that have not begun.
    u64::try_from(time.as_nanos()).unwrap().max(1)
}
