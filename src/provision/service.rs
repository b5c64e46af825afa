//! What carriers call: resolve, admit if need be, record.

use std::sync::Arc;

use crate::{
    domain::Timestamp,
    store::{Feed, Journal, View},
};

use super::{Delivery, Opened, Provisioner, Recorder, Refusal, Request};

/// What carriers call. One per appliance, shared by all of them.
#[derive(Debug)]
pub struct Service {
    /// The way in for facts.
    pub journal: Journal,
    /// The way in for progress.
    pub recorder: Recorder,
    /// What is fact.
    pub view: View,
    /// News of commits.
    pub feed: Feed,
}

impl Service {
    /// The resolver in force. Take it once per request.
    #[must_use]
    pub fn provisioner(&self) -> Arc<Provisioner> {
        unimplemented!()
    }

    /// Puts a new resolver in force; requests under way finish with the old one.
    pub fn replace(&self, provisioner: Provisioner) {
        let _ = provisioner;
        unimplemented!()
    }

    /// Opens a file for a peer: lists the phone first where auto-registration says so, and records what happened.
    ///
    /// # Errors
    ///
    /// A [`Refusal`], recorded already.
    pub async fn open(
        &self,
        request: &Request<'_>,
        now: Timestamp,
    ) -> Result<(Opened, Delivery), Refusal> {
        let _ = (request, now);
        unimplemented!()
    }

    /// Looks at a file without taking it (HTTP HEAD): nothing is recorded or admitted.
    ///
    /// # Errors
    ///
    /// A [`Refusal`].
    pub fn peek(&self, request: &Request<'_>, now: Timestamp) -> Result<Opened, Refusal> {
        let _ = (request, now);
        unimplemented!()
    }
}
