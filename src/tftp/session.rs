//! From a request to a transfer under way: the file is opened, and a port takes it from there.

use std::{
    future::Future,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::Arc,
};

use tokio::sync::mpsc;

use crate::{
    domain::{Carrier, Outcome},
    provision::{Request, Why},
    wire::tftp::ErrorCode,
};

use super::{
    ask::Ask,
    line::{Line, Replaced},
    port::Job,
    server::{Place, deny},
};

/// A request that is being opened.
pub struct Session {
    pub ask: Ask,
    pub peer: SocketAddr,
    /// Which of our addresses was asked.
    pub local: IpAddr,
    pub place: Place,
    pub replaced: Replaced,
}

/// A session on its way to a port; ends when the port has it, or when nothing is to be sent.
pub type Opening = Pin<Box<dyn Future<Output = Option<Box<Line>>> + Send>>;

/// What ends a transfer from outside.
pub struct Handle {
    pub replaced: Replaced,
    /// The port that has it, or will have it.
    pub port: mpsc::UnboundedSender<Job>,
    pub peer: SocketAddr,
}

impl Handle {
    /// Ends it with this outcome.
    pub fn end(self, outcome: Outcome) {
        // Err: it was ended before, or its port is gone and so is it.
        let _ = self.replaced.set(outcome);
        let _ = self.port.send(Job::Look(self.peer));
    }
}

impl Session {
    /// Opens the file; none if it is refused, or if another request took this one's place meanwhile.
    pub fn open(self) -> Opening {
        Box::pin(self.opened())
    }

    async fn opened(self) -> Option<Box<Line>> {
        let shared = Arc::clone(&self.place.shared);
        let request = Request {
            name: &self.ask.name,
            peer: self.peer.ip(),
            local: self.local,
            carrier: Carrier::Tftp,
            seen: &[],
        };
        let opened = shared.shelf.open(request).await;
        // The peer may have asked for something else meanwhile, and would take a late packet of ours for its answer.
        match (opened, self.replaced.get().cloned()) {
            (Ok(loan), None) => {
                let Self { ask, peer, local, place, replaced } = self;
                Some(Box::new(Line::new((local, peer), &ask, loan, place, replaced)))
            }
            (Ok(loan), Some(outcome)) => {
                shared.count(outcome.as_str());
                loan.report.finish(outcome);
                None
            }
            (Err(why), replaced) => {
                shared.count("refused");
                let (code, text) = refusal(&why);
                if replaced.is_none() {
                    deny(self.local, self.peer, code, text);
                }
                None
            }
        }
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
        | Why::Incomplete { .. }
        | Why::Waits { .. }
        | Why::Foreign { .. }
        | Why::NotListed { .. }
        | Why::NoNumbersLeft { .. } => (ErrorCode::FILE_NOT_FOUND, "File not found"),
        Why::NoLease { .. } | Why::NotItsAddress { .. } => {
            (ErrorCode::ACCESS_VIOLATION, "Access violation")
        }
        Why::Unrenderable { .. } => (ErrorCode::NOT_DEFINED, "Server error"),
    }
}
