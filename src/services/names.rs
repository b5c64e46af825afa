//! Tells names (RFC 1035): the few that are known here, and at once that there is no other.

use std::net::Ipv4Addr;

use hickory_proto::{
    op::{Edns, Message, MessageType, Metadata, OpCode, Query, ResponseCode},
    rr::{
        DNSClass, Name, RData, Record, RecordType,
        rdata::{A, SOA},
    },
};

/// What fits a datagram of whoever says nothing about it (RFC 1035 §2.3.4).
const PLAIN: u16 = 512;

/// What we send by UDP at most: fits a frame, and needs no fragments on any path (RFC 9715).
const LARGEST: u16 = 1232;

/// How long an answer is kept, in seconds: a bench is soon another one.
const KEEP: u32 = 60;

/// How long it is kept that there is no such name, in seconds (RFC 2308): a phone on the bench does not ask at every
/// attempt, and one that leaves it has forgotten before it is plugged in elsewhere.
const KEEP_NO: u32 = 30;

/// The most names that are known.
const MAX_NAMES: usize = 64;

/// What a message came by, which says how long the answer may be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Way {
    Udp,
    Tcp,
}

/// A name that can't be known.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum BadName {
    /// No host name.
    #[error("`{0}` is no host name")]
    Unreadable(String),
    /// One too many.
    #[error("more than {MAX_NAMES} names")]
    Many,
}

/// The names that are known, each with its address, and everything else that there is not.
#[derive(Clone, Debug)]
pub struct Names {
    /// The name that stands behind "there is no such name".
    server: Name,
    known: Vec<(Name, Ipv4Addr)>,
}

impl Names {
    /// The names of the appliance itself: `ringup`, alone and in its domain, and the domain.
    ///
    /// # Errors
    ///
    /// [`BadName`]: a domain that is none.
    pub fn new(domain: &str, own: Ipv4Addr) -> Result<Self, BadName> {
        let server = read(&format!("ringup.{domain}"))?;
        let mut names = Self { server, known: Vec::new() };
        for name in [&format!("ringup.{domain}"), domain, "ringup"] {
            names.add(name, own)?;
        }
        Ok(names)
    }

    /// Makes one more name known; of two addresses of one name the first counts.
    ///
    /// # Errors
    ///
    /// [`BadName`].
    pub fn add(&mut self, name: &str, address: Ipv4Addr) -> Result<(), BadName> {
        if self.known.len() >= MAX_NAMES {
            return Err(BadName::Many);
        }
        self.known.push((read(name)?, address));
        Ok(())
    }

    /// Answers a message; `None` where no answer is due: to what is too short to have a number, and to answers, so that
    /// two servers never talk to each other for ever.
    pub(super) fn answer(&self, message: &[u8], way: Way) -> Option<Vec<u8>> {
        // The header alone tells whether an answer is due and to which number, however broken the rest is.
        let header = message.first_chunk::<12>()?;
        if header[2] & 0x80 != 0 {
            return None;
        }
        let Ok(question) = Message::from_vec(message) else {
            return broken(header);
        };
        let reply = self.reply(&question);
        let limit = match way {
            Way::Udp => usize::from(question.max_payload().clamp(PLAIN, LARGEST)),
            Way::Tcp => usize::from(u16::MAX),
        };
        let octets = reply.to_vec().ok()?;
        if octets.len() <= limit { Some(octets) } else { reply.truncate().to_vec().ok() }
    }

    fn reply(&self, question: &Message) -> Message {
        let metadata = Metadata::response_from_request(&question.metadata);
        let mut reply = Message::new(metadata.id, MessageType::Response, metadata.op_code);
        reply.metadata = metadata;
        reply.add_queries(question.queries.iter().take(1).cloned());
        if let Some(theirs) = &question.edns {
            let mut edns = Edns::new();
            edns.set_max_payload(LARGEST).set_version(0);
            reply.set_edns(edns);
            // RFC 6891 §6.1.3.
            if theirs.version() != 0 {
                reply.metadata.response_code = ResponseCode::BADVERS;
                return reply;
            }
        }
        reply.metadata.response_code = match (question.metadata.op_code, &question.queries[..]) {
            (OpCode::Query, [one]) => self.look_up(one, &mut reply),
            (OpCode::Query, _) => ResponseCode::FormErr,
            _ => ResponseCode::NotImp,
        };
        reply
    }

    /// Fills in what is known of one question.
    fn look_up(&self, query: &Query, reply: &mut Message) -> ResponseCode {
        if !matches!(query.query_class(), DNSClass::IN | DNSClass::ANY)
            || matches!(query.query_type(), RecordType::AXFR | RecordType::IXFR)
        {
            return ResponseCode::Refused;
        }
        reply.metadata.authoritative = true;
        let known = self.known.iter().find(|(name, _)| name == query.name());
        if let Some((_, address)) = known
            && matches!(query.query_type(), RecordType::A | RecordType::ANY)
        {
            let data = RData::A(A(*address));
            reply.add_answer(Record::from_rdata(query.name().clone(), KEEP, data));
            return ResponseCode::NoError;
        }
        reply.add_authority(self.nothing());
        // What has a known name below it exists, though nothing is said about it (RFC 8020).
        let exists = self.known.iter().any(|(name, _)| query.name().zone_of(name));
        if exists { ResponseCode::NoError } else { ResponseCode::NXDomain }
    }

    /// What an answer without content has to carry to be kept (RFC 2308 §3). On a bench nobody else has any name, so it
    /// speaks for the root.
    fn nothing(&self) -> Record {
        let (serial, refresh, retry, expire) = (1, 3600, 600, 86_400);
        let (server, person) = (self.server.clone(), Name::root());
        let authority = SOA::new(server, person, serial, refresh, retry, expire, KEEP_NO);
        Record::from_rdata(Name::root(), KEEP_NO, RData::SOA(authority))
    }
}

/// The answer to what can't be read: its number, and that it was not understood.
fn broken(header: &[u8; 12]) -> Option<Vec<u8>> {
    let id = u16::from_be_bytes([header[0], header[1]]);
    let op_code = OpCode::from_u8(header[2] >> 3 & 0x0f);
    let code = if op_code == OpCode::Query { ResponseCode::FormErr } else { ResponseCode::NotImp };
    Message::error_msg(id, op_code, code).to_vec().ok()
}

/// A whole name, without an end to be guessed.
fn read(text: &str) -> Result<Name, BadName> {
    let bad = || BadName::Unreadable(text.to_owned());
    let name = Name::from_ascii(format!("{}.", text.trim_end_matches('.'))).map_err(|_| bad())?;
    let is_host = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.is_root() || !text.chars().all(is_host) { Err(bad()) } else { Ok(name) }
}

#[cfg(test)]
mod tests;
