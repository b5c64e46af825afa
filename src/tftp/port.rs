//! The driver of transfers: a port that answers, with one transfer for each peer, all moved by batches of datagrams.

use std::{
    collections::{BTreeSet, HashMap},
    io,
    net::SocketAddr,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

use tokio::{
    sync::{mpsc, watch},
    time::{Instant, sleep_until},
};

use crate::{
    net::{Inbox, Outbox, UdpBatch},
    wire::tftp::{ErrorCode, Packet},
};

use super::{
    line::{Line, Moved},
    server::{Shared, stopped},
    transfer::error,
};

/// What a peer sends during a transfer is an ACK or an ERROR; longer texts are cut.
const DATAGRAM: usize = 600;

/// Strangers that get an ERROR 5 from one port in a second; later ones are ignored, so that no forged source draws more.
const STRANGERS: u8 = 16;

/// The pause after the system refused to give us a datagram, so that a lasting fault does not become a busy loop.
const FAULT_PAUSE: Duration = Duration::from_millis(20);

/// What a port is told. At most two for each transfer, whose number is bounded.
pub enum Job {
    /// Carry this.
    Begin(Box<Line>),
    /// The transfer to this peer may have been ended by another.
    Look(SocketAddr),
}

/// A port and the transfers that go through it.
pub struct Port {
    shared: Arc<Shared>,
    socket: UdpBatch,
    lines: HashMap<SocketAddr, Line>,
    /// When which transfer wants to be looked at, the next one first: never later than its decider says.
    timers: BTreeSet<(Instant, SocketAddr)>,
    outbox: Outbox,
    /// True once the server stops.
    draining: bool,
    /// ERRORs for strangers that are left in the second that began then.
    strangers: (u8, Instant),
}

/// What ended a wait.
enum Woken {
    Received(io::Result<usize>),
    Job(Option<Job>),
    Timer,
    Stop,
}

impl Port {
    pub fn new(shared: Arc<Shared>, socket: UdpBatch) -> Self {
        let (lines, timers, outbox) = Default::default();
        let strangers = (STRANGERS, Instant::now());
        Self { shared, socket, lines, timers, outbox, draining: false, strangers }
    }

    /// Carries transfers, `batch` datagrams at a time, until nobody can bring another and the last one ended.
    pub async fn run(
        mut self,
        batch: usize,
        mut jobs: mpsc::UnboundedReceiver<Job>,
        mut stop: watch::Receiver<bool>,
    ) {
        let mut inbox = Inbox::new(batch, DATAGRAM);
        let mut open = true;
        while open || !self.lines.is_empty() {
            let next = self.timers.first().map(|(at, _)| *at);
            // Cancel-safe: each branch takes something whole or nothing.
            let woken = tokio::select! {
                biased;
                received = self.socket.receive(&mut inbox) => Woken::Received(received),
                job = jobs.recv(), if open => Woken::Job(job),
                () = sleep_until(next.unwrap_or_else(Instant::now)), if next.is_some() => Woken::Timer,
                () = stopped(&mut stop), if !self.draining => Woken::Stop,
            };
            match woken {
                Woken::Received(Ok(count)) => self.hear(&inbox, count).await,
                Woken::Received(Err(error)) => self.fault(&error).await,
                Woken::Job(Some(job)) => self.take(job).await,
                Woken::Job(None) => open = false,
                Woken::Timer => {}
                Woken::Stop => self.drain().await,
            }
            // Those who ask and those who wait have their turn however many datagrams come in.
            while let Ok(job) = jobs.try_recv() {
                self.take(job).await;
            }
            self.expire().await;
            self.flush().await;
        }
    }

    async fn take(&mut self, job: Job) {
        match job {
            Job::Begin(mut line) => {
                if self.draining {
                    line.drain();
                }
                let peer = line.peer;
                // A transfer that was ended by this one is still here if the news of it went another way round.
                if let Some(stale) = self.forget(peer) {
                    stale.finish_replaced();
                }
                if line.is_replaced() {
                    return line.finish_replaced();
                }
                self.lines.insert(peer, *line);
                self.step(peer).await;
            }
            Job::Look(peer) => {
                if self.lines.get(&peer).is_some_and(Line::is_replaced)
                    && let Some(line) = self.forget(peer)
                {
                    line.finish_replaced();
                }
            }
        }
    }

    async fn hear(&mut self, inbox: &Inbox, count: usize) {
        for number in 0..count {
            let Some((from, datagram)) = inbox.datagram(number) else { continue };
            let packet = Packet::decode(datagram);
            match (self.lines.get_mut(&from), packet) {
                (Some(line), Ok(packet)) => {
                    line.receive(&packet);
                    self.step(from).await;
                }
                (None, Ok(packet)) => self.stranger(from, &packet),
                (_, Err(_)) => self.shared.count("malformed"),
            }
        }
    }

    /// A packet of somebody who has no transfer here: its sender gets an ERROR 5, and all goes on (RFC 1350 §4).
    fn stranger(&mut self, from: SocketAddr, packet: &Packet<'_>) {
        self.shared.count("stranger");
        let now = Instant::now();
        if now.duration_since(self.strangers.1) >= Duration::from_secs(1) {
            self.strangers = (STRANGERS, now);
        }
        // Nobody answers an ERROR, or two servers could go on for ever.
        if self.strangers.0 == 0 || matches!(packet, Packet::Error { .. }) {
            return;
        }
        self.strangers.0 -= 1;
        let Some(local) = self.lines.values().next().map(|line| line.local) else { return };
        let words = error(ErrorCode::UNKNOWN_TRANSFER, "Unknown transfer ID");
        let pushed: Result<(), io::Error> = self.outbox.push((local, from), words.len(), |room| {
            room.copy_from_slice(&words);
            Ok(words.len())
        });
        drop(pushed);
    }

    /// Has a transfer do what is due.
    async fn step(&mut self, peer: SocketAddr) {
        loop {
            let Some(line) = self.lines.get_mut(&peer) else { return };
            // What goes wrong in one transfer ends that one.
            let moved = catch_unwind(AssertUnwindSafe(|| line.step(&mut self.outbox)));
            match moved {
                Ok(Moved::Full) => self.flush().await,
                Ok(Moved::Waits(at)) => {
                    // Each packet moves the moment: setting the timer anew each time costs more than looking early.
                    if line.timer.is_none_or(|timer| at < timer) {
                        self.timers.extend([(at, peer)]);
                        if let Some(old) = line.timer.replace(at) {
                            self.timers.remove(&(old, peer));
                        }
                    }
                    return;
                }
                Ok(Moved::Over(outcome)) => {
                    if let Some(line) = self.forget(peer) {
                        line.finish(outcome);
                    }
                    return;
                }
                Err(_) => {
                    self.shared.count("panic");
                    drop(self.forget(peer));
                    return;
                }
            }
        }
    }

    fn forget(&mut self, peer: SocketAddr) -> Option<Line> {
        let line = self.lines.remove(&peer)?;
        if let Some(timer) = line.timer {
            self.timers.remove(&(timer, peer));
        }
        Some(line)
    }

    async fn expire(&mut self) {
        let now = Instant::now();
        while let Some(&(at, peer)) = self.timers.first()
            && at <= now
        {
            self.timers.pop_first();
            if let Some(line) = self.lines.get_mut(&peer)
                && line.timer == Some(at)
            {
                line.timer = None;
                self.step(peer).await;
            }
        }
    }

    async fn drain(&mut self) {
        self.draining = true;
        let peers: Vec<SocketAddr> = self.lines.keys().copied().collect();
        for peer in peers {
            if let Some(line) = self.lines.get_mut(&peer) {
                line.drain();
            }
            self.step(peer).await;
        }
    }

    async fn flush(&mut self) {
        if !self.outbox.is_empty() && self.socket.send(&mut self.outbox).await {
            self.refused();
        }
    }

    async fn fault(&mut self, error: &io::Error) {
        if error.kind() == io::ErrorKind::ConnectionRefused {
            return self.refused();
        }
        self.shared.count("receive-fault");
        tracing::debug!(%error, "can't receive");
        tokio::time::sleep(FAULT_PAUSE).await;
    }

    /// Ends the transfers of peers that closed their port.
    fn refused(&mut self) {
        for peer in self.socket.refusals() {
            if let Some(line) = self.forget(peer) {
                line.finish_gone();
            }
        }
    }
}
