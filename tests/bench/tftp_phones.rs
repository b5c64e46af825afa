//! Many phones that fetch files over TFTP from one process: each has an address of its own, all share two sockets.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::{Duration, Instant},
};

use ringup::{
    net::UdpPktInfo,
    wire::tftp::{Mode, Packet, Request, Setting, decimal, find},
};

/// A phone says again what it said last after this much silence, as most do.
const PATIENCE: Duration = Duration::from_secs(1);

/// What the phones of one run do.
#[derive(Clone, Debug)]
pub struct Plan {
    pub server: SocketAddr,
    pub phones: u32,
    /// Names that each phone asks for, one after the other; `{mac}` stands for its own.
    pub names: Vec<String>,
    pub block: u64,
    pub window: u64,
    /// True for phones that fall silent after the first block.
    pub stall: bool,
    /// What is not done by then has failed.
    pub bound: Duration,
}

/// How a run went.
#[derive(Debug, Default)]
pub struct Score {
    /// When the last file of the last phone was there.
    pub last: Duration,
    /// How long each file took.
    pub each: Vec<Duration>,
    pub failed: usize,
    /// What was said again.
    pub again: usize,
    pub bytes: u64,
}

/// The MAC of a phone, and its address in 10.99.0.0/16.
pub fn mac(phone: u32) -> String {
    format!("001565{phone:06x}")
}

fn address(phone: u32) -> IpAddr {
    IpAddr::from(Ipv4Addr::from(0x0a63_0100 + phone))
}

struct Phone {
    address: IpAddr,
    /// The name that it is at.
    at: usize,
    server: Option<SocketAddr>,
    block: u16,
    block_size: u64,
    window: u64,
    unacknowledged: u64,
    /// True once a gap of this window was reported (RFC 7440 §4).
    missed: bool,
    said: Vec<u8>,
    spoke: Instant,
    began: Instant,
    over: bool,
}

struct Run<'a> {
    plan: &'a Plan,
    /// One for each name, so that late packets of one file are not taken for the next one's.
    sockets: Vec<UdpPktInfo>,
    phones: Vec<Phone>,
    by_address: HashMap<IpAddr, usize>,
    score: Score,
    began: Instant,
    left: usize,
}

impl Plan {
    /// Boots the phones. Must run where their addresses are.
    pub async fn run(&self) -> Score {
        let any = (Ipv4Addr::UNSPECIFIED, 0).into();
        let sockets = self.names.iter().map(|_| UdpPktInfo::bind(any).unwrap()).collect();
        let now = Instant::now();
        let phones: Vec<_> =
            (0..self.phones).map(|phone| Phone::new(address(phone), now)).collect();
        let by_address = phones.iter().enumerate().map(|(n, phone)| (phone.address, n)).collect();
        let (score, left) = (Score::default(), phones.len());
        let mut run = Run { plan: self, sockets, phones, by_address, score, began: now, left };
        for phone in 0..run.phones.len() {
            run.ask(phone).await;
        }
        run.carry().await;
        run.score
    }
}

impl Phone {
    fn new(address: IpAddr, now: Instant) -> Self {
        Self {
            address,
            at: 0,
            server: None,
            block: 0,
            block_size: 512,
            window: 1,
            unacknowledged: 0,
            missed: false,
            said: Vec::new(),
            spoke: now,
            began: now,
            over: false,
        }
    }
}

impl Run<'_> {
    async fn carry(&mut self) {
        let mut inbox = vec![0; 65_536];
        let mut looked = Instant::now();
        while self.left > 0 && self.began.elapsed() < self.plan.bound {
            for socket in 0..self.sockets.len() {
                while let Ok((length, from, to)) = self.sockets[socket].try_recv(&mut inbox) {
                    if let Some(&phone) = self.by_address.get(&to)
                        && self.phones[phone].at == socket
                    {
                        self.hear(phone, from, &inbox[..length]).await;
                    }
                }
            }
            if looked.elapsed() > Duration::from_millis(20) {
                looked = Instant::now();
                self.repeat().await;
            }
            // The two sockets become readable together now and then: whichever it is, both are looked at.
            let [first, last] = [&self.sockets[0], &self.sockets[self.sockets.len() - 1]];
            tokio::select! {
                () = first.readable() => {}
                () = last.readable() => {}
                () = tokio::time::sleep(Duration::from_millis(10)) => {}
            }
        }
        self.score.failed += self.left;
    }

    async fn ask(&mut self, number: usize) {
        let plan = self.plan;
        let now = Instant::now();
        let phone = &mut self.phones[number];
        *phone = Phone { at: phone.at, ..Phone::new(phone.address, now) };
        let name = plan.names[phone.at].replace("{mac}", &mac(u32::try_from(number).unwrap()));
        let (block, window) = (plan.block.to_string(), plan.window.to_string());
        let asked =
            [("blksize", &block, plan.block != 512), ("windowsize", &window, plan.window > 1)];
        let options = asked
            .iter()
            .filter(|(_, _, wanted)| *wanted)
            .map(|(name, value, _)| Setting { name: name.as_bytes(), value: value.as_bytes() })
            .collect();
        let request = Request { name: name.as_bytes(), mode: Mode::Octet, options };
        self.say(number, Packet::Read(request).encode()).await;
    }

    async fn say(&mut self, number: usize, packet: Vec<u8>) {
        let phone = &mut self.phones[number];
        (phone.said, phone.spoke) = (packet, Instant::now());
        let (to, socket) = (phone.server.unwrap_or(self.plan.server), &self.sockets[phone.at]);
        // Err: the wire loses it before it leaves.
        let _ = socket.send(&phone.said, to, Some(phone.address)).await;
    }

    async fn repeat(&mut self) {
        if self.plan.stall {
            return;
        }
        for number in 0..self.phones.len() {
            let phone = &mut self.phones[number];
            if !phone.over && phone.spoke.elapsed() > PATIENCE {
                self.score.again += 1;
                let said = std::mem::take(&mut phone.said);
                self.say(number, said).await;
            }
        }
    }

    async fn hear(&mut self, number: usize, from: SocketAddr, datagram: &[u8]) {
        let phone = &mut self.phones[number];
        if phone.over || phone.server.is_some_and(|server| server != from) {
            return;
        }
        match Packet::decode(datagram) {
            Ok(Packet::OptionsAck(settings)) if phone.block == 0 => {
                let granted = |name, usual| find(&settings, name).map_or(Some(usual), decimal);
                phone.server = Some(from);
                phone.block_size = granted("blksize", 512).unwrap();
                phone.window = granted("windowsize", 1).unwrap();
                self.acknowledge(number).await;
            }
            Ok(Packet::Data { block, data }) if block == phone.block.wrapping_add(1) => {
                phone.server = Some(from);
                (phone.block, phone.missed) = (block, false);
                phone.unacknowledged += 1;
                self.score.bytes += data.len() as u64;
                let last = (data.len() as u64) < phone.block_size;
                if self.plan.stall {
                    phone.over = true;
                    self.left -= 1;
                }
                if last || phone.unacknowledged >= phone.window {
                    self.acknowledge(number).await;
                }
                if last && !self.plan.stall {
                    self.arrived(number).await;
                }
            }
            // What it has already: its ACK was lost, and is said again (RFC 1350 §2; the sender is the one who must not
            // answer a copy with a copy, RFC 1123 §4.2.3.1).
            Ok(Packet::Data { block, .. }) if phone.window == 1 && block == phone.block => {
                self.acknowledge(number).await;
            }
            Ok(Packet::Data { .. }) if phone.window > 1 && !phone.missed => {
                phone.missed = true;
                self.acknowledge(number).await;
            }
            Ok(Packet::Error { text, .. }) => {
                eprintln!("{}: {}", phone.address, String::from_utf8_lossy(text));
                phone.over = true;
                self.left -= 1;
                self.score.failed += 1;
            }
            _ => {}
        }
    }

    async fn acknowledge(&mut self, number: usize) {
        self.phones[number].unacknowledged = 0;
        let block = self.phones[number].block;
        self.say(number, Packet::Ack { block }.encode()).await;
    }

    async fn arrived(&mut self, number: usize) {
        let phone = &mut self.phones[number];
        self.score.each.push(phone.began.elapsed());
        self.score.last = self.began.elapsed();
        if phone.at + 1 < self.plan.names.len() {
            phone.at += 1;
            self.ask(number).await;
        } else {
            phone.over = true;
            self.left -= 1;
        }
    }
}
