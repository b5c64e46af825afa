//! One transfer under way: its decider, its content, and who is told how it goes.

use std::{
    net::{IpAddr, SocketAddr},
    sync::{Arc, OnceLock},
    time::Duration,
};

use tokio::time::Instant;

use crate::{
    domain::{Outcome, Role, printable},
    net::{Outbox, datagram_room},
    profile::TransferRule,
    wire::tftp::{Packet, data_header},
};

use super::{
    ask::{Ask, DEFAULT_BLOCK, Limits},
    content::Content,
    server::{DRAIN, Place},
    shelf::{Loan, Report},
    transfer::{Step, Transfer},
};

/// Silence that ends the transfer of a peer that acknowledged something before.
const PATIENCE: Duration = Duration::from_secs(30);

/// The same for firmware: some phones erase their flash in the middle of it.
const FIRMWARE_PATIENCE: Duration = Duration::from_mins(2);

/// Set with the outcome if another transfer takes this one's place.
pub type Replaced = Arc<OnceLock<Outcome>>;

/// A transfer under way.
pub struct Line {
    pub peer: SocketAddr,
    /// Which of our addresses was asked.
    pub local: IpAddr,
    /// When its port looks at it, as its port noted.
    pub timer: Option<Instant>,
    name: String,
    transfer: Transfer,
    content: Content,
    report: Box<dyn Report>,
    length: u64,
    place: Place,
    replaced: Replaced,
    began: Instant,
    /// What was last told to the report and the table.
    told: (u64, bool, bool),
}

/// What a transfer did.
pub enum Moved {
    /// The outbox has to be sent before it can go on.
    Full,
    /// It waits for a datagram, or for this moment.
    Waits(Instant),
    /// It is over.
    Over(Outcome),
}

impl Line {
    pub fn new(
        (local, peer): (IpAddr, SocketAddr),
        ask: &Ask,
        loan: Loan,
        place: Place,
        replaced: Replaced,
    ) -> Self {
        let terms = ask.grant(loan.length, limits(ask, local, peer, loan.rule));
        let firmware = loan.role == Role::Firmware;
        let usual = if firmware { FIRMWARE_PATIENCE } else { PATIENCE };
        let patience = loan.rule.patience(firmware).unwrap_or(usual);
        let body = place.shared.pantry.shared(loan.body, loan.length);
        Self {
            peer,
            local,
            timer: None,
            name: printable(ask.name.as_bytes()),
            transfer: Transfer::new(terms, patience),
            content: Content::new(body, ask.encoding),
            report: loan.report,
            length: loan.length,
            place,
            replaced,
            began: Instant::now(),
            told: (0, false, false),
        }
    }

    /// True if another transfer took its place.
    pub fn is_replaced(&self) -> bool {
        self.replaced.get().is_some()
    }

    /// Takes a packet of its peer.
    pub fn receive(&mut self, packet: &Packet<'_>) {
        self.transfer.receive(self.began.elapsed(), packet);
    }

    /// Hurries up, because the server stops.
    pub fn drain(&mut self) {
        self.transfer.drain(self.began.elapsed() + DRAIN);
    }

    /// Does what is due.
    pub fn step(&mut self, outbox: &mut Outbox) -> Moved {
        while !outbox.is_full() {
            match self.transfer.next(self.began.elapsed()) {
                Step::Send { packet } => {
                    let filled: Result<(), std::io::Error> =
                        outbox.push((self.local, self.peer), packet.len(), |room| {
                            room.copy_from_slice(&packet);
                            Ok(packet.len())
                        });
                    drop(filled);
                }
                Step::Data { block, from, length } => self.put_block(outbox, block, from, length),
                Step::Wait(until) => {
                    self.tell();
                    // A moment that never comes is one that nobody has to wait for.
                    let until = until.min(FIRMWARE_PATIENCE + self.began.elapsed());
                    return Moved::Waits(self.began + until);
                }
                Step::Done(outcome) => return Moved::Over(outcome),
            }
        }
        Moved::Full
    }

    fn put_block(&mut self, outbox: &mut Outbox, block: u16, from: u64, length: usize) {
        let mut read = 0;
        let put = outbox.push((self.local, self.peer), 4 + length, |room| {
            room[..4].copy_from_slice(&data_header(block));
            // Inline: content is in memory, or in the page cache after its first reader.
            read = self.content.read_at(from, &mut room[4..])?;
            Ok(4 + read)
        });
        match put {
            Ok(()) => self.transfer.filled(self.began.elapsed(), read),
            Err(error) => self.transfer.unreadable(&error),
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

    /// Reports how it ended.
    pub fn finish(mut self, outcome: Outcome) {
        if outcome == Outcome::Complete {
            // Translated content has another size on the wire than on the shelf.
            self.report.advance(self.length);
        }
        self.place.shared.count(outcome.as_str());
        tracing::debug!(peer = %self.peer, name = self.name, %outcome, "transfer ended");
        self.report.finish(outcome);
    }

    /// Reports that the peer's host says nobody listens there any more.
    pub fn finish_gone(self) {
        self.finish(Outcome::Aborted { text: String::new() });
    }

    /// Reports that another transfer took its place.
    pub fn finish_replaced(self) {
        let anew = || Outcome::Aborted { text: "asked anew".to_owned() };
        let outcome = self.replaced.get().cloned().unwrap_or_else(anew);
        self.finish(outcome);
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
