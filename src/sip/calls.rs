//! The requests under way: begun, repeated, answered, given up. Pure: what is to be sent is handed to whoever has the
//! socket, and the time is an argument.

use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr, SocketAddrV4},
    time::Instant,
};

use crate::{
    domain::{Mac, Reply},
    provision::Order,
    wire::sip::{Answer, METHOD, Notify, PORT},
};

use super::{
    digest,
    transaction::{Due, Timers},
};

/// The most requests under way. What comes beyond them waits in the queue of the notifier.
pub const MAX_CALLS: usize = 64;

/// Texts that nobody guesses: a branch, a call, a tag, a nonce. Given in, so that equal input gives equal output.
pub type Fresh<'a> = &'a mut dyn FnMut() -> String;

/// A datagram to send.
pub type Sending = (Vec<u8>, SocketAddr);

/// What came of a request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Outcome {
    /// The phone.
    pub phone: Mac,
    /// What it was sent.
    pub event: String,
    /// What it answered.
    pub reply: Reply,
}

/// What an answer leads to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Led {
    /// Nothing: it is nobody's, or provisional.
    Nowhere,
    /// To the same question again, with credentials.
    Again(Sending),
    /// To the end.
    End(Outcome),
}

/// Requests under way by their branch.
#[derive(Debug, Default)]
pub struct Calls(HashMap<String, Call>);

#[derive(Debug)]
struct Call {
    order: Order,
    local: SocketAddrV4,
    id: String,
    tag: String,
    sequence: u32,
    request: Vec<u8>,
    timers: Timers,
}

impl Call {
    fn peer(&self) -> SocketAddrV4 {
        SocketAddrV4::new(self.order.address, PORT)
    }

    fn notify<'a>(&'a self, branch: &'a str) -> Notify<'a> {
        Notify {
            user: &self.order.user,
            peer: self.peer(),
            local: self.local,
            event: &self.order.event,
            branch,
            call: &self.id,
            tag: &self.tag,
            sequence: self.sequence,
            credentials: None,
        }
    }

    fn end(self, reply: Reply) -> Outcome {
        Outcome { phone: self.order.phone, event: self.order.event, reply }
    }
}

impl Calls {
    /// True while one more may begin.
    pub fn has_room(&self) -> bool {
        self.0.len() < MAX_CALLS
    }

    /// True for a phone that is being told already.
    pub fn has(&self, phone: Mac) -> bool {
        self.0.values().any(|call| call.order.phone == phone)
    }

    /// When something is due next.
    pub fn next(&self) -> Option<Instant> {
        self.0.values().map(|call| call.timers.next()).min()
    }

    /// Begins a request; the datagram leaves by the address `local`.
    pub fn begin(
        &mut self,
        order: Order,
        local: SocketAddrV4,
        now: Instant,
        fresh: Fresh<'_>,
    ) -> Sending {
        let (branch, timers) = (fresh(), Timers::new(now));
        let (id, tag, request) = (fresh(), fresh(), Vec::new());
        let mut call = Call { order, local, id, tag, sequence: 1, request, timers };
        call.request = call.notify(&branch).encode();
        let sending = (call.request.clone(), call.peer().into());
        self.0.insert(branch, call);
        sending
    }

    /// Ends the request to a phone that nothing can be sent to.
    pub fn fail(&mut self, phone: Mac, text: String) -> Option<Outcome> {
        let branch = self.0.iter().find(|(_, call)| call.order.phone == phone)?.0.clone();
        self.0.remove(&branch).map(|call| call.end(Reply::Unsent { text }))
    }

    /// What is due by now: datagrams to send again, and requests that nobody answered.
    pub fn due(&mut self, now: Instant) -> (Vec<Sending>, Vec<Outcome>) {
        let (mut again, mut over) = (Vec::new(), Vec::new());
        for (branch, call) in &mut self.0 {
            match call.timers.due(now) {
                Due::Nothing => {}
                Due::Again => again.push((call.request.clone(), call.peer().into())),
                Due::Over => over.push(branch.clone()),
            }
        }
        let over = over.into_iter().filter_map(|branch| self.0.remove(&branch));
        (again, over.map(|call| call.end(Reply::Silent)).collect())
    }

    /// Takes in an answer. Whoever knows neither the branch nor has the phone's address is nobody; the port does not
    /// count, because phones answer from others than they listen on.
    pub fn answer(&mut self, answer: Answer, peer: IpAddr, now: Instant, fresh: Fresh<'_>) -> Led {
        let Some(call) = self.0.get_mut(&answer.branch) else { return Led::Nowhere };
        let (number, method) = &answer.sequence;
        let ours = *number == call.sequence && method.eq_ignore_ascii_case(METHOD);
        if !ours || peer.to_canonical() != IpAddr::V4(call.order.address) {
            return Led::Nowhere;
        }
        if answer.code < 200 {
            call.timers.proceed();
            return Led::Nowhere;
        }
        let Some(mut call) = self.0.remove(&answer.branch) else { return Led::Nowhere };
        let signed = call.sequence > 1;
        let secret = !call.order.password.is_empty() && !call.order.user.is_empty();
        match answer.challenge {
            Some(challenge) if !signed && secret => {
                // The same call, a new transaction (RFC 3261 §22.2).
                let branch = fresh();
                (call.sequence, call.timers) = (2, Timers::new(now));
                let notify = call.notify(&branch);
                let who = (call.order.user.as_str(), &call.order.password);
                let value = digest::answer(&challenge, who, (METHOD, &notify.uri()), &fresh());
                let credentials = Some((challenge.header, value.as_str()));
                call.request = Notify { credentials, ..notify }.encode();
                let sending = (call.request.clone(), call.peer().into());
                self.0.insert(branch, call);
                Led::Again(sending)
            }
            _ if (200..300).contains(&answer.code) => {
                Led::End(call.end(Reply::Accepted { code: answer.code }))
            }
            _ => {
                let (code, text) = (answer.code, answer.reason);
                Led::End(call.end(Reply::Refused { code, text, signed }))
            }
        }
    }
}

#[cfg(test)]
mod tests;
