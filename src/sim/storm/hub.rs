//! The one way to DHCP that all phones of a storm share: a relay's socket, or a station's frames.
//!
//! A socket a phone would cost a descriptor each; so one task hears every answer and hands it to the phone whose
//! transaction it is.

use std::{
    collections::HashMap,
    io,
    net::{Ipv4Addr, SocketAddr, SocketAddrV4},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{net::UdpSocket, sync::mpsc, task::JoinHandle};

use super::super::{
    Subject, Way,
    client::{self, Answer},
    fetch::Loss,
};
use crate::{
    net::{FrameSender, FrameTap},
    wire::{
        dhcp::{CLIENT_PORT, SERVER_PORT, code},
        ethernet::Ethernet,
        frame::{BROADCAST, Frame},
    },
};

/// Answers that wait for a phone: those of more servers than that are dropped.
const WAITING: usize = 4;

/// What lies between two looks at a line that is broken.
const BREATH: Duration = Duration::from_millis(10);

/// Where the transaction stands in a message, and the seconds (RFC 2131 §2).
const XID: usize = 4;
const SECONDS: usize = 8;

type Answers = mpsc::Sender<Vec<u8>>;

/// The way to DHCP.
#[derive(Debug)]
pub(super) struct Hub {
    line: Arc<Line>,
    waiting: Arc<Mutex<HashMap<u32, Answers>>>,
    /// Which server a station listens to; a relay hears only the one that it asks.
    server: Ipv4Addr,
    loss: Loss,
    /// Offers of other servers.
    pub strangers: AtomicU64,
    ear: JoinHandle<()>,
}

#[derive(Debug)]
enum Line {
    Relay(UdpSocket),
    Station(FrameSender, FrameTap),
}

impl Hub {
    /// A relay at `relay` of `server`: on port 67 if that is free and allowed, else on another one, which the server has
    /// to know about (RFC 8357). Tells which.
    ///
    /// # Errors
    ///
    /// What the system says about that address.
    pub async fn relay(
        relay: Ipv4Addr,
        server: SocketAddrV4,
        loss: Loss,
    ) -> io::Result<(Self, Way)> {
        let (socket, way) = match UdpSocket::bind((relay, SERVER_PORT)).await {
            Ok(socket) => (socket, Way::Relay(relay)),
            Err(_) => (UdpSocket::bind((relay, 0)).await?, Way::OddPort(relay)),
        };
        socket.connect(SocketAddr::V4(server)).await?;
        Ok((Self::on(Line::Relay(socket), *server.ip(), loss), way))
    }

    /// Stations on the interface of that index, which hear `server` only.
    ///
    /// # Errors
    ///
    /// What the system says; [`io::ErrorKind::PermissionDenied`] without `CAP_NET_RAW`.
    pub fn stations(index: u32, server: Ipv4Addr, loss: Loss) -> io::Result<Self> {
        let line = Line::Station(FrameSender::open(index)?, FrameTap::open(index)?);
        Ok(Self::on(line, server, loss))
    }

    fn on(line: Line, server: Ipv4Addr, loss: Loss) -> Self {
        let (line, waiting) = (Arc::new(line), Arc::default());
        let ear = tokio::spawn(hear(Arc::clone(&line), Arc::clone(&waiting), loss));
        Self { line, waiting, server, loss, strangers: AtomicU64::new(0), ear }
    }

    /// Takes part in a transaction until the result is dropped.
    pub fn listen(&self, xid: u32) -> Listening<'_> {
        let (answers, heard) = mpsc::channel(WAITING);
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).insert(xid, answers);
        Listening { hub: self, xid, heard }
    }

    /// Sends a message of a phone that began to look for an address so many seconds ago.
    pub async fn send(&self, subject: &Subject, message: &[u8], seconds: u16) -> io::Result<()> {
        let mut message = message.to_vec();
        if let Some(place) = message.get_mut(SECONDS..SECONDS + 2) {
            place.copy_from_slice(&seconds.to_be_bytes());
        }
        if self.loss.strikes() {
            return Ok(());
        }
        match &*self.line {
            Line::Relay(socket) => socket.send(&message).await.map(drop),
            Line::Station(sender, _) => {
                let frame = Frame {
                    from: subject.mac.octets(),
                    to: BROADCAST,
                    source: SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, CLIENT_PORT),
                    destination: SocketAddrV4::new(Ipv4Addr::BROADCAST, SERVER_PORT),
                    payload: &message,
                };
                sender.send(&frame.encode().unwrap_or_default()).await
            }
        }
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        self.ear.abort();
    }
}

/// A phone's part in one transaction.
pub(super) struct Listening<'a> {
    hub: &'a Hub,
    xid: u32,
    heard: mpsc::Receiver<Vec<u8>>,
}

impl Listening<'_> {
    /// The next answer to this phone. Cancel-safe: an answer is taken only when this returns it.
    pub async fn answer(&mut self, subject: &Subject) -> Option<Answer> {
        loop {
            let message = self.heard.recv().await?;
            let answer = client::answer(&message, subject, self.xid);
            if let (Some(Answer::Offer(grant)), Way::Station) = (&answer, subject.way)
                && grant.address_of(code::SERVER_ID) != Some(self.hub.server)
            {
                self.hub.strangers.fetch_add(1, Ordering::Relaxed);
                continue;
            }
            if answer.is_some() {
                return answer;
            }
        }
    }
}

impl Drop for Listening<'_> {
    fn drop(&mut self) {
        self.hub.waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.xid);
    }
}

/// Hears everything and hands it on; whoever does not take it in time loses it, as a full queue in a phone would.
async fn hear(line: Arc<Line>, waiting: Arc<Mutex<HashMap<u32, Answers>>>, loss: Loss) {
    let mut buffer = vec![0; 4096];
    loop {
        let message = match line.next(&mut buffer).await {
            Ok(Some(message)) => message,
            Ok(None) => continue,
            // A refusal (nobody listens on port 67 there) is told by the next call; an interface that went down too.
            Err(_) => {
                tokio::time::sleep(BREATH).await;
                continue;
            }
        };
        let xid = message.get(XID..).and_then(|rest| rest.first_chunk::<4>());
        let Some(xid) = xid.map(|octets| u32::from_be_bytes(*octets)) else { continue };
        let answers = waiting.lock().unwrap_or_else(PoisonError::into_inner).get(&xid).cloned();
        if let Some(answers) = answers.filter(|_| !loss.strikes()) {
            let _ = answers.try_send(message.to_vec());
        }
    }
}

impl Line {
    /// The next message to a phone; `None` for a frame that is none.
    async fn next<'b>(&self, buffer: &'b mut [u8]) -> io::Result<Option<&'b [u8]>> {
        match self {
            Self::Relay(socket) => {
                let length = socket.recv(buffer).await?;
                Ok(Some(&buffer[..length]))
            }
            Self::Station(_, tap) => {
                let heard = tap.recv(buffer).await?;
                let ethernet = Ethernet::decode(&buffer[..heard.length]);
                let frame = ethernet.and_then(|ethernet| Frame::read(&ethernet, heard.summed));
                let frame = frame.filter(|frame| frame.destination.port() == CLIENT_PORT);
                Ok(frame.map(|frame| frame.payload))
            }
        }
    }
}
