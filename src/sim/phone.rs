//! Drives one simulated phone: does on sockets what its script says.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use tokio::{net::UdpSocket, time::timeout};

use super::{
    Habit, Subject, acts,
    client::{self, Answer, Grant},
    fetch::{self, Fetched, Line},
    script::{Happened, Reached, Script, Step},
};

/// How long a phone waits for an offer or an ACK, per attempt (RFC 2131 §4.1 starts at 4 s; the lab is near).
const PATIENCE: [Duration; 4] = [
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(2),
    Duration::from_secs(3),
];

/// Where the servers of the network are, and on which ports they stand in for the usual ones.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Network {
    /// The DHCP server, as the relays know it.
    pub dhcp: SocketAddr,
    /// What port 69 is here.
    pub tftp: u16,
    /// What port 80 is here.
    pub http: u16,
    /// What port 6970 is here.
    pub cisco_http: u16,
}

impl Network {
    pub(super) fn http_port(&self, port: Option<u16>) -> u16 {
        match port {
            None | Some(80) => self.http,
            Some(6970) => self.cisco_http,
            Some(port) => port,
        }
    }
}

/// What a phone keeps when its power is off.
#[derive(Clone, Debug, Default)]
pub(super) struct Kept {
    /// The address that it had, which it asks for again.
    pub address: Option<Ipv4Addr>,
    /// The load that it took last; `None` for the one that it came with.
    pub load: Option<String>,
}

/// Boots once: from power to as far as it comes.
pub(super) async fn boot(
    subject: &Subject,
    network: &Network,
    kept: &mut Kept,
    pause: Duration,
) -> Reached {
    if let Habit::Acts(acts) = subject.habit
        && let Some(reached) = acts::perform(acts, subject, network, kept).await
    {
        return reached;
    }
    let mut script = Script::new(subject.clone(), pause).with_load(kept.load.clone());
    let mut address = match subject.habit {
        Habit::Fixed { address, .. } => Some(address),
        _ => None,
    };
    let mut step = script.next(Happened::Began);
    loop {
        step = match step {
            Step::Done(reached) => {
                kept.load = Some(script.running().to_owned());
                return reached;
            }
            Step::Wait(time) => {
                tokio::time::sleep(time).await;
                script.next(Happened::Waited)
            }
            Step::Discover => match lease(subject, network, kept.address).await {
                Some(grant) => {
                    address = Some(grant.address);
                    kept.address = address;
                    script.next(Happened::Leased(&grant))
                }
                None => script.next(Happened::NoAddress),
            },
            Step::Tftp { host, name, block, read } => {
                let Some(from) = address else { return Reached::NoAddress };
                let server = SocketAddr::from((host, network.tftp));
                let fetched = fetch::by_tftp(&Line::near(from, server), &name, block, read).await;
                script.next(happened(&fetched))
            }
            Step::Http { host, port, method, path, agent, read } => {
                let Some(from) = address else { return Reached::NoAddress };
                let server = SocketAddr::from((host, network.http_port(port)));
                let line = Line::near(from, server);
                let fetched = fetch::by_http(&line, method, &path, &agent, read).await;
                script.next(happened(&fetched))
            }
        };
    }
}

fn happened(fetched: &Fetched) -> Happened<'_> {
    match fetched {
        Fetched::Got(bytes) => Happened::Got(bytes),
        Fetched::Missed => Happened::Missed,
        Fetched::Failed => Happened::Failed,
    }
}

/// An address: the one it had, if the server lets it, else a new one.
pub(super) async fn lease(
    subject: &Subject,
    network: &Network,
    before: Option<Ipv4Addr>,
) -> Option<Grant> {
    let relay = Relay::open(subject, network).await.ok()?;
    if let Some(address) = before {
        let asked = relay.exchange(|xid| client::reboot(subject, xid, address)).await;
        if let Some(Answer::Ack(grant)) = asked {
            return Some(grant);
        }
    }
    let offered = relay.exchange(|xid| client::discover(subject, xid)).await;
    let Some(Answer::Offer(offer)) = offered else { return None };
    match relay.exchange(|xid| client::request(subject, xid, &offer)).await {
        Some(Answer::Ack(grant)) => Some(grant),
        Some(Answer::Offer(_) | Answer::Nak) | None => None,
    }
}

/// The relay of one phone: a socket on its own address, whose port the server is told to answer to.
pub(super) struct Relay<'a> {
    socket: UdpSocket,
    subject: &'a Subject,
    /// The transaction of all that goes through it.
    pub xid: u32,
}

impl<'a> Relay<'a> {
    pub async fn open(subject: &'a Subject, network: &Network) -> io::Result<Self> {
        let socket = UdpSocket::bind((subject.way.relay(), 0)).await?;
        socket.connect(network.dhcp).await?;
        Ok(Self { socket, subject, xid: rand::random() })
    }

    /// Sends what is answered by nobody.
    pub async fn tell(&self, message: &[u8]) -> Option<()> {
        self.socket.send(message).await.ok().map(drop)
    }

    /// Sends until an answer comes or the patience ends.
    pub async fn exchange(&self, message: impl Fn(u32) -> Vec<u8>) -> Option<Answer> {
        let message = message(self.xid);
        for patience in PATIENCE {
            self.socket.send(&message).await.ok()?;
            // Dropping `answer` at the limit loses nothing: a datagram is taken whole or stays queued.
            if let Ok(answer) = timeout(patience, self.answer()).await {
                return answer;
            }
        }
        None
    }

    async fn answer(&self) -> Option<Answer> {
        let mut datagram = [0; 2048];
        loop {
            let length = self.socket.recv(&mut datagram).await.ok()?;
            if let Some(answer) = client::answer(&datagram[..length], self.subject, self.xid) {
                return Some(answer);
            }
        }
    }
}
