//! One transfer to a peer as a decider: packets and the time go in, packets and an outcome come out. No I/O, no clock.
//!
//! Time is what passed since the transfer began. The driver calls [`Transfer::next`] until it is told to wait, waits for
//! a datagram or that moment, and tells what it got. No content passes through here: the driver is told which bytes of
//! the file are the next block, and reads them straight into the datagram; what is lost is read again.

use std::time::Duration;

use crate::{
    domain::{Outcome, printable},
    wire::tftp::{ErrorCode, Packet},
};

use super::{ask::Terms, rto::Rto};

#[cfg(test)]
mod tests;

/// Copies sent to a peer that never acknowledged anything. Who asks with a forged address draws no more than these.
const SILENT_RETRIES: u32 = 5;

/// How long such a peer is waited for.
const SILENT_PATIENCE: Duration = Duration::from_secs(15);

/// What the driver is to do next.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Step {
    /// Send this datagram.
    Send {
        /// The datagram.
        packet: Vec<u8>,
    },
    /// Read `length` bytes of content at `from` (fewer at the end of content whose length is not known), send them to
    /// the peer as DATA of this number, and tell with [`Transfer::filled`].
    Data {
        /// The number on the wire.
        block: u16,
        /// Offset in the content as it goes on the wire.
        from: u64,
        /// Bytes.
        length: usize,
    },
    /// Nothing to do before this moment, or before something arrives.
    Wait(Duration),
    /// It is over, and this is how. Said once; after that there is nothing but waiting.
    Done(Outcome),
}

/// One transfer to a peer.
#[derive(Debug)]
pub struct Transfer {
    terms: Terms,
    /// How long a peer that acknowledged something may be silent.
    patience: Duration,
    phase: Phase,
    /// The first block that is not acknowledged, from 1. Blocks are counted without rolling over.
    base: u64,
    /// The block to be sent next.
    next: u64,
    /// One more than the highest block that was ever sent.
    top: u64,
    /// The block that ends the content, once it is known.
    last: Option<u64>,
    rto: Rto,
    /// When something was last sent, which is when waiting began.
    sent: Duration,
    /// When the peer last acknowledged something new.
    heard: Option<Duration>,
    retries: u32,
    /// The block whose acknowledgement gives the round-trip time; never one that was sent twice (Karn).
    timed: Option<(u64, Duration)>,
    /// The window that was sent again because its own predecessor was acknowledged twice.
    gap: Option<u64>,
    /// When a server that stops gives up.
    ending: Option<Duration>,
    /// A packet that is not DATA.
    outgoing: Option<Vec<u8>>,
}

#[derive(Debug)]
enum Phase {
    /// The OACK is out; an ACK of block 0 accepts it.
    Offering,
    Sending,
    Over(Outcome),
    Reported,
}

impl Transfer {
    /// A transfer that begins now: its first step is the OACK, or block 1.
    pub fn new(terms: Terms, patience: Duration) -> Self {
        let block_size = u64::from(terms.block_size);
        let offer = terms.offer.clone();
        Self {
            patience,
            phase: if offer.is_some() { Phase::Offering } else { Phase::Sending },
            base: 1,
            next: 1,
            top: 1,
            // A content that fills its last block is followed by an empty one (RFC 1350 §6).
            last: terms.length.map(|length| length / block_size + 1),
            rto: Rto::new(terms.timeout),
            sent: Duration::ZERO,
            heard: None,
            retries: 0,
            timed: offer.is_some().then_some((0, Duration::ZERO)),
            gap: None,
            ending: None,
            outgoing: offer,
            terms,
        }
    }

    /// Bytes on the wire that the peer acknowledged.
    pub fn acknowledged(&self) -> u64 {
        let bytes = (self.base - 1) * u64::from(self.terms.block_size);
        bytes.min(self.terms.length.unwrap_or(u64::MAX))
    }

    /// True once the peer acknowledged anything: it is no forged address, and it wants this transfer.
    pub fn is_heard(&self) -> bool {
        self.heard.is_some()
    }

    /// True once the peer acknowledged block 1: from then on the same request means a new transfer.
    pub fn is_under_way(&self) -> bool {
        self.base > 1
    }

    /// What to do next.
    pub fn next(&mut self, now: Duration) -> Step {
        if let Some(packet) = self.outgoing.take() {
            self.sent = now;
            return Step::Send { packet };
        }
        if let Some(step) = self.data() {
            return step;
        }
        match std::mem::replace(&mut self.phase, Phase::Reported) {
            Phase::Over(outcome) => return Step::Done(outcome),
            phase => self.phase = phase,
        }
        if matches!(self.phase, Phase::Reported) {
            return Step::Wait(Duration::MAX);
        }
        if now < self.deadline() {
            return Step::Wait(self.deadline());
        }
        self.expire(now);
        // One step deeper at most: whatever expired left something to send, or the end.
        self.next(now)
    }

    /// Tells how many bytes were read and sent for the last [`Step::Data`].
    pub fn filled(&mut self, now: Duration, bytes: usize) {
        let (asked, block_size) = (self.length_of(self.next), usize::from(self.terms.block_size));
        if self.terms.length.is_some() && bytes < asked {
            return self.fail("the file became shorter");
        }
        if bytes < block_size {
            self.last = Some(self.next);
        }
        let again = self.next < self.top;
        self.timed = if again { None } else { Some((self.next, now)) };
        self.sent = now;
        self.next += 1;
        self.top = self.top.max(self.next);
    }

    /// Takes a packet of the peer.
    pub fn receive(&mut self, now: Duration, packet: &Packet<'_>) {
        match packet {
            Packet::Ack { block } => self.acknowledge(now, *block),
            // No answer: an ERROR is never acknowledged (RFC 1350 §7).
            Packet::Error { code, text } => self.abort(match printable(text) {
                empty if empty.is_empty() => format!("TFTP error {}", code.0),
                words => words,
            }),
            // A peer that reads has no business sending these; its own timer will bring it back to its senses.
            Packet::Read(_) | Packet::Write(_) | Packet::Data { .. } | Packet::OptionsAck(_) => {}
        }
    }

    /// Tells that the content can't be read.
    pub fn unreadable(&mut self, error: &std::io::Error) {
        // The phone gets no details: they are the operator's.
        self.fail(&format!("can't read the file: {error}"));
    }

    /// Gives the transfer until `by` to end; then the peer is told that the server stops.
    pub fn drain(&mut self, by: Duration) {
        self.ending = Some(by);
    }

    /// The block that fits into the window, if there is one.
    fn data(&self) -> Option<Step> {
        let due = matches!(self.phase, Phase::Sending)
            && self.next < self.base + self.terms.window
            && self.last.is_none_or(|last| self.next <= last);
        due.then(|| Step::Data {
            block: on_the_wire(self.next),
            from: (self.next - 1) * u64::from(self.terms.block_size),
            length: self.length_of(self.next),
        })
    }

    /// Bytes to be read for a block.
    fn length_of(&self, block: u64) -> usize {
        let block_size = u64::from(self.terms.block_size);
        let rest =
            self.terms.length.map_or(block_size, |l| l.saturating_sub((block - 1) * block_size));
        usize::try_from(rest.min(block_size)).unwrap_or(usize::MAX)
    }

    fn acknowledge(&mut self, now: Duration, block: u16) {
        match self.phase {
            Phase::Offering if block == 0 => {
                self.phase = Phase::Sending;
                self.advance(now, 0);
            }
            Phase::Sending => {
                // How far the ACK moves the window, whatever rolled over meanwhile: at most 64 blocks are in flight.
                let blocks = u64::from(block.wrapping_sub(on_the_wire(self.base - 1)));
                match blocks {
                    0 => self.repeated(now),
                    _ if blocks <= self.top - self.base => self.advance(now, blocks),
                    // From a window long past, or made up.
                    _ => {}
                }
            }
            Phase::Offering | Phase::Over(_) | Phase::Reported => {}
        }
    }

    fn advance(&mut self, now: Duration, blocks: u64) {
        let acknowledged = self.base + blocks - 1;
        if let Some((block, sent)) = self.timed.take_if(|(block, _)| *block <= acknowledged)
            && block == acknowledged
        {
            self.rto.measured(now.saturating_sub(sent));
        }
        self.base += blocks;
        // An ACK in the middle of a window says that the block behind it is missing (RFC 7440 §4).
        self.next = self.base;
        (self.heard, self.retries, self.sent) = (Some(now), 0, now);
        if self.last.is_some_and(|last| self.base > last) {
            self.phase = Phase::Over(Outcome::Complete);
        }
    }

    /// The block before the window was acknowledged once more.
    ///
    /// Never a reason to send when blocks go one by one: each copy would draw a copy, to the end of the file (the
    /// Sorcerer's Apprentice, RFC 1123 §4.2.3.1). In a window it is how a peer says that the first block is missing
    /// (RFC 7440 §4). That is believed once for each window, and not before half a round trip has passed, because a
    /// copy that the network made comes at once.
    fn repeated(&mut self, now: Duration) {
        let half = self.rto.smoothed().unwrap_or_default() / 2;
        let sent = self.next > self.base && now >= self.sent + half;
        if self.terms.window > 1 && sent && self.gap != Some(self.base) {
            self.gap = Some(self.base);
            self.next = self.base;
        }
    }

    /// When waiting ends: to send again, or to give up.
    fn deadline(&self) -> Duration {
        let again = self.sent + self.rto.wait();
        again.min(self.limit()).min(self.ending.unwrap_or(Duration::MAX))
    }

    /// When this peer's silence becomes too long.
    fn limit(&self) -> Duration {
        self.heard.map_or(SILENT_PATIENCE, |heard| heard + self.patience)
    }

    fn expire(&mut self, now: Duration) {
        if self.ending.is_some_and(|by| now >= by) {
            return self.fail("the server stops");
        }
        let forged = self.heard.is_none() && self.retries >= SILENT_RETRIES;
        if forged || now >= self.limit() {
            self.phase = Phase::Over(Outcome::TimedOut);
            return;
        }
        self.retries += 1;
        self.rto.back_off();
        self.timed = None;
        self.next = self.base;
        if let (Phase::Offering, Some(offer)) = (&self.phase, &self.terms.offer) {
            self.outgoing = Some(offer.clone());
        }
    }

    fn abort(&mut self, text: String) {
        if matches!(self.phase, Phase::Offering | Phase::Sending) {
            self.outgoing = None;
            self.phase = Phase::Over(Outcome::Aborted { text });
        }
    }

    fn fail(&mut self, text: &str) {
        if matches!(self.phase, Phase::Offering | Phase::Sending) {
            self.outgoing = Some(error(ErrorCode::NOT_DEFINED, "Server error"));
            self.phase = Phase::Over(Outcome::Failed { text: text.to_owned() });
        }
    }
}

/// An ERROR packet.
pub fn error(code: ErrorCode, text: &str) -> Vec<u8> {
    Packet::Error { code, text: text.as_bytes() }.encode()
}

/// A block's number in its packet: 65,535 is followed by 0, as every peer of ours and `curl`, `atftp`, tftp-hpa do it.
#[expect(clippy::cast_possible_truncation, reason = "rolling over is what the field does")]
const fn on_the_wire(block: u64) -> u16 {
    block as u16
}
