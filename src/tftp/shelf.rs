//! Where files come from: the resolver in the appliance, memory in tests and benchmarks.

use std::{future::Future, pin::Pin};

use crate::{
    domain::{Outcome, Role, Timestamp},
    profile::TransferRule,
    provision::{Body, Delivery, Request, Service, Why},
};

/// What opens files. One per server, asked by all transfers at once.
pub trait Shelf: Send + Sync + 'static {
    /// Opens a file for a peer, or says why not.
    fn open<'a>(&'a self, request: Request<'a>) -> Opening<'a>;
}

/// A file on its way from the shelf.
pub type Opening<'a> = Pin<Box<dyn Future<Output = Result<Loan, Why>> + Send + 'a>>;

/// A file that a peer gets.
pub struct Loan {
    /// The bytes.
    pub body: Body,
    /// How many.
    pub length: u64,
    /// What the file is: firmware is waited for longer, because phones write it to flash meanwhile.
    pub role: Role,
    /// How the peer's family takes files.
    pub rule: TransferRule,
    /// Who is told how it goes.
    pub report: Box<dyn Report>,
}

/// Who is told how a transfer goes.
pub trait Report: Send {
    /// Takes the number of bytes that arrived for certain so far.
    fn advance(&mut self, bytes: u64);

    /// Takes how it ended. A report that is dropped without it was cut off with the server.
    fn finish(self: Box<Self>, outcome: Outcome);
}

impl Shelf for Service {
    fn open<'a>(&'a self, request: Request<'a>) -> Opening<'a> {
        Box::pin(async move {
            let opened = Self::open(self, &request, Timestamp::now()).await;
            let (opened, delivery) = opened.map_err(|refusal| refusal.why)?;
            let (body, length) = (opened.body, opened.length);
            let role = opened.asked.role;
            Ok(Loan { body, length, role, rule: opened.tftp, report: Box::new(delivery) })
        })
    }
}

impl Report for Delivery {
    fn advance(&mut self, bytes: u64) {
        Self::advance(self, bytes);
    }

    fn finish(self: Box<Self>, outcome: Outcome) {
        Self::finish(*self, outcome);
    }
}
