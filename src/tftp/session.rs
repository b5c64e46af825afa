//! The driver of one transfer: socket and timer on one side, the decider on the other.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    time::Duration,
};

use tokio::{
    net::UdpSocket,
    sync::{oneshot, watch},
    time::{Instant, Sleep, sleep},
};

use crate::{
    domain::{Carrier, Outcome, Role, printable},
    net::{answering, datagram_room},
    profile::TransferRule,
    provision::{Request, Why},
    wire::tftp::{ErrorCode, Packet, data_header},
};

use super::{
    ask::{Ask, DEFAULT_BLOCK, Limits},
    content::Content,
    server::{DRAIN, Place, deny, stopped},
    shelf::{Loan, Report},
    transfer::{Step, Transfer},
};

/// Silence that ends the transfer of a peer that acknowledged something before.
const PATIENCE: Duration = Duration::from_secs(30);

/// The same for firmware: some phones erase their flash in the middle of it.
const FIRMWARE_PATIENCE: Duration = Duration::from_mins(2);

/// What a peer sends during a transfer is an ACK or an ERROR; longer texts are cut.
const INBOX: usize = 600;

/// One transfer from its request to its end.
pub struct Session {
    pub ask: Ask,
    pub peer: SocketAddr,
    /// Which of our addresses was asked.
    pub local: IpAddr,
    pub place: Place,
    /// Fires with the outcome if another transfer takes this one's place.
    pub ended: oneshot::Receiver<Outcome>,
    pub stop: watch::Receiver<bool>,
}

impl Session {
    /// Opens the file, sends it, and reports how that ended.
    pub async fn run(mut self) {
        let shared = self.place.shared.clone();
        let request = Request {
            name: &self.ask.name,
            peer: self.peer.ip(),
            local: self.local,
            carrier: Carrier::Tftp,
            seen: &[],
        };
        let opened = shared.shelf.open(request).await;
        // The peer may have asked for something else meanwhile, and would take a late packet of ours for its answer.
        let replaced = self.ended.try_recv().ok();
        let loan = match (opened, replaced) {
            (Ok(loan), None) => loan,
            (Ok(loan), Some(outcome)) => {
                shared.count(outcome.as_str());
                return loan.report.finish(outcome);
            }
            (Err(why), replaced) => {
                shared.count("refused");
                let (code, text) = refusal(&why);
                if replaced.is_none() {
                    deny(self.local, self.peer, code, text);
                }
                return;
            }
        };
        let socket = match answering(self.local) {
            Ok(socket) => socket,
            Err(error) => {
                shared.count("no-socket");
                let text = format!("can't answer from {}: {error}", self.local);
                return loan.report.finish(Outcome::Failed { text });
            }
        };
        let name = printable(self.ask.name.as_bytes());
        let peer = self.peer;
        let outcome = Line::new(self, loan, socket).carry().await;
        shared.count(outcome.as_str());
        tracing::debug!(%peer, name, %outcome, "transfer ended");
    }
}

/// The ERROR for a refusal. No wildcard arm: a new refusal does not compile until it has a number here.
///
/// The texts say no more than the numbers do: what the resolver knows about a phone is for its operator, who reads it
/// in the record, and not for whoever asks.
fn refusal(why: &Why) -> (ErrorCode, &'static str) {
    match why {
        Why::NoSuchFile { .. }
        | Why::Missing { .. }
        | Why::Foreign { .. }
        | Why::NotListed { .. }
        | Why::NoNumbersLeft { .. } => (ErrorCode::FILE_NOT_FOUND, "File not found"),
        Why::NoLease { .. } | Why::NotItsAddress { .. } => {
            (ErrorCode::ACCESS_VIOLATION, "Access violation")
        }
        Why::Unrenderable { .. } => (ErrorCode::NOT_DEFINED, "Server error"),
    }
}

/// What this peer may be granted. The way to it is looked up only where it matters.
fn limits(ask: &Ask, local: IpAddr, peer: SocketAddr, rule: TransferRule) -> Limits {
    let room = match ask.block_size() {
        // A way that can't be looked up is a way that nothing will arrive by.
        Some(DEFAULT_BLOCK..) if rule.block.is_none() => datagram_room(local, peer).unwrap_or(0),
        _ => 0,
    };
    Limits::new(room, rule)
}

/// What ended a wait.
enum Woken {
    Received(io::Result<(usize, SocketAddr)>),
    Timer,
    Ended(Result<Outcome, oneshot::error::RecvError>),
    Stop,
}

/// A transfer under way.
struct Line {
    transfer: Transfer,
    content: Content,
    report: Box<dyn Report>,
    length: u64,
    socket: UdpSocket,
    peer: SocketAddr,
    place: Place,
    ended: oneshot::Receiver<Outcome>,
    stop: watch::Receiver<bool>,
    began: Instant,
    /// The datagram under construction: allocated with the first block, so that a forged request, which never accepts an
    /// OACK, can't draw more than 516 bytes, and kept for the whole transfer.
    outbox: Vec<u8>,
    /// What was last told to the report and the table.
    told: (u64, bool, bool),
    /// Port-unreachable answers that may be due to what strangers got, and are not taken for the peer's.
    pardons: u8,
    /// True once the server stops.
    draining: bool,
}

impl Line {
    fn new(session: Session, loan: Loan, socket: UdpSocket) -> Self {
        let Session { ask, peer, local, place, ended, stop, .. } = session;
        let terms = ask.grant(loan.length, limits(&ask, local, peer, loan.rule));
        let firmware = loan.role == Role::Firmware;
        let usual = if firmware { FIRMWARE_PATIENCE } else { PATIENCE };
        let patience = loan.rule.patience(firmware).unwrap_or(usual);
        Self {
            outbox: Vec::new(),
            transfer: Transfer::new(peer, terms, patience),
            content: Content::new(loan.body, ask.encoding),
            report: loan.report,
            length: loan.length,
            socket,
            peer,
            place,
            ended,
            stop,
            began: Instant::now(),
            told: (0, false, false),
            pardons: 0,
            draining: false,
        }
    }

    /// Carries the transfer to its end and reports it.
    async fn carry(mut self) -> Outcome {
        let mut timer = std::pin::pin!(sleep(Duration::ZERO));
        let outcome = loop {
            match self.transfer.next(self.began.elapsed()) {
                Step::Send { to, packet } => self.send(to, &packet).await,
                Step::Data { block, from, length } => self.send_block(block, from, length).await,
                Step::Wait(until) => {
                    if let Some(outcome) = self.wait(until, timer.as_mut()).await {
                        break outcome;
                    }
                    self.tell();
                }
                Step::Done(outcome) => break outcome,
            }
        };
        if outcome == Outcome::Complete {
            // Translated content has another size on the wire than on the shelf.
            self.report.advance(self.length);
        }
        self.report.finish(outcome.clone());
        outcome
    }

    async fn send(&mut self, to: SocketAddr, packet: &[u8]) {
        if to != self.peer {
            self.place.shared.count("stranger");
            self.pardons += 1;
        }
        let sent = self.socket.send_to(packet, to).await;
        self.check(sent.map(drop));
    }

    async fn send_block(&mut self, block: u16, from: u64, length: usize) {
        self.outbox.clear();
        self.outbox.extend(data_header(block));
        self.outbox.resize(4 + length, 0);
        // Inline: content is in memory, or in the page cache after its first reader.
        match self.content.read_at(from, &mut self.outbox[4..]) {
            Ok(read) => {
                self.outbox.truncate(4 + read);
                let sent = self.socket.send_to(&self.outbox, self.peer).await;
                self.transfer.filled(self.began.elapsed(), read);
                self.check(sent.map(drop));
            }
            Err(error) => self.transfer.unreadable(&error),
        }
    }

    /// Waits for a datagram, the decider's moment, the server's end, or the end of this transfer (then `Some`).
    async fn wait(&mut self, until: Duration, mut timer: Pin<&mut Sleep>) -> Option<Outcome> {
        let until = self.began + until;
        // Each packet moves the moment: setting the timer anew each time costs more than waking up early now and then.
        if timer.is_elapsed() || until < timer.deadline() {
            timer.as_mut().reset(until);
        }
        let mut inbox = [0; INBOX];
        // Cancel-safe: a datagram is taken whole or not at all, and nothing else is lost by trying again.
        let woken = tokio::select! {
            biased;
            received = self.socket.recv_from(&mut inbox) => Woken::Received(received),
            () = timer => Woken::Timer,
            outcome = &mut self.ended => Woken::Ended(outcome),
            () = stopped(&mut self.stop), if !self.draining => Woken::Stop,
        };
        match woken {
            Woken::Received(Ok((length, from))) => self.receive(&inbox[..length], from),
            Woken::Received(Err(error)) => self.check(Err(error)),
            Woken::Timer => {}
            Woken::Ended(outcome) => {
                // Err can't be: the handle is used before it is dropped.
                return Some(outcome.unwrap_or(Outcome::Failed { text: String::new() }));
            }
            Woken::Stop => {
                self.draining = true;
                self.transfer.drain(self.began.elapsed() + DRAIN);
            }
        }
        None
    }

    fn receive(&mut self, datagram: &[u8], from: SocketAddr) {
        match Packet::decode(datagram) {
            Ok(packet) => self.transfer.receive(self.began.elapsed(), from, &packet),
            Err(_) => self.place.shared.count("malformed"),
        }
    }

    /// Takes what the system says about sending and receiving. Only one answer means something: nobody listens at the
    /// peer's port any more. A network that is down may come back, and the decider's patience has its bound.
    fn check(&mut self, result: io::Result<()>) {
        let Err(error) = result else { return };
        if error.kind() != io::ErrorKind::ConnectionRefused {
            tracing::debug!(peer = %self.peer, %error, "packet lost");
        } else if self.pardons > 0 {
            self.pardons -= 1;
        } else {
            self.transfer.refused();
        }
    }

    /// Tells the report and the table what is new.
    fn tell(&mut self) {
        let (acknowledged, heard, under_way) =
            (self.transfer.acknowledged(), self.transfer.is_heard(), self.transfer.is_under_way());
        let (bytes, was_heard, was_under_way) = self.told;
        if acknowledged != bytes {
            self.content.release(acknowledged);
            self.report.advance(acknowledged.min(self.length));
        }
        if (heard, under_way) != (was_heard, was_under_way) {
            self.place.shared.sessions().note(self.place.id, heard, under_way);
        }
        self.told = (acknowledged, heard, under_way);
    }
}
