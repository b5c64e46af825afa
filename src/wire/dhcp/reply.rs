//! What a server sends: header and options in the order that clients expect.

use std::net::Ipv4Addr;

use dhcproto::v4::{self, Encodable, Encoder};

use super::{Kind, Message, code, options};

/// A server's message being written.
///
/// It knows whom it answers: transaction, flags, relay and hardware address are copied, the client identifier is echoed
/// (RFC 6842 §3) and so is option 82, octet by octet and last (RFC 3046 §2.2).
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    header: v4::Message,
    kind: Kind,
    options: Vec<(u8, Vec<u8>)>,
    asked: Vec<u8>,
    client_id: Option<Vec<u8>>,
    relay: Option<Vec<u8>>,
    limit: usize,
}

impl Reply {
    /// An answer to `message`, without addresses and options so far.
    ///
    /// `secs` and `hops` are zero, `flags` and `giaddr` those of the message (RFC 2131 §4.3.1, table 3).
    #[must_use]
    pub fn to(message: &Message<'_>, kind: Kind) -> Self {
        let none = Ipv4Addr::UNSPECIFIED;
        let giaddr = message.giaddr();
        let chaddr = message.mac().octets();
        let mut header = v4::Message::new_with_id(message.xid(), none, none, none, giaddr, &chaddr);
        header.set_opcode(v4::Opcode::BootReply).set_flags(message.flags().into());
        Self {
            header,
            kind,
            options: Vec::new(),
            asked: message.asked().to_vec(),
            // One that is no identifier takes the room of the lease's own options.
            client_id: message
                .option(code::CLIENT_ID)
                .filter(|octets| octets.len() <= 255)
                .map(<[u8]>::to_vec),
            relay: message.option(code::RELAY).map(<[u8]>::to_vec),
            limit: message.limit(),
        }
    }

    /// What it is.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// The address that the client gets; unspecified for none.
    #[must_use]
    pub fn yiaddr(&self) -> Ipv4Addr {
        self.header.yiaddr()
    }

    /// Sets the address that the client gets.
    #[must_use]
    pub fn give(mut self, yiaddr: Ipv4Addr) -> Self {
        self.header.set_yiaddr(yiaddr);
        self
    }

    /// Repeats the address that the client has (renewals and INFORM).
    #[must_use]
    pub fn ciaddr(mut self, ciaddr: Ipv4Addr) -> Self {
        self.header.set_ciaddr(ciaddr);
        self
    }

    /// Sets the next server, which some phones take files from when they get no option for it.
    #[must_use]
    pub fn siaddr(mut self, siaddr: Ipv4Addr) -> Self {
        self.header.set_siaddr(siaddr);
        self
    }

    /// Asks for broadcast: a relay must not unicast a NAK (RFC 2131 §4.3.2).
    #[must_use]
    pub fn broadcast(mut self) -> Self {
        let flags = u16::from(self.header.flags()) | 0x8000;
        self.header.set_flags(flags.into());
        self
    }

    /// Leaves option 82 out: it was not a relay's and is not trusted.
    #[must_use]
    pub fn without_relay_option(mut self) -> Self {
        self.relay = None;
        self
    }

    /// Adds an option. The order of adding is the order of importance: the last ones go first where room is short. A
    /// code that is there already keeps its first content; 53, 61 and 82 are this type's own.
    #[must_use]
    pub fn option(mut self, code: u8, content: impl Into<Vec<u8>>) -> Self {
        let own = matches!(code, 0 | 255 | code::KIND | code::CLIENT_ID | code::RELAY);
        if !own && self.find(code).is_none() {
            self.options.push((code, content.into()));
        }
        self
    }

    /// The content of an option added so far.
    #[must_use]
    pub fn find(&self, code: u8) -> Option<&[u8]> {
        self.options.iter().find(|(found, _)| *found == code).map(|(_, content)| content.as_slice())
    }

    /// The message as sent.
    ///
    /// Order: 53, 54, 51, then as the client asked in its option 55 (RFC 2132 §9.8), then the rest, the client
    /// identifier, and option 82 last; the mask always before the routers (RFC 2132 §3.3).
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut message = encode_header(&self.header);
        options::write(code::KIND, &[self.kind.number()], &mut message);
        let tail = [(code::CLIENT_ID, &self.client_id), (code::RELAY, &self.relay)];
        let reserved: usize =
            tail.iter().filter_map(|(_, echo)| echo.as_deref()).map(options::size).sum();
        for (code, content) in self.ordered(message.len() + reserved + 1) {
            options::write(code, content, &mut message);
        }
        for (code, echo) in tail {
            if let Some(echo) = echo {
                options::write(code, echo, &mut message);
            }
        }
        options::end(&mut message);
        message
    }

    /// Options that fit beside `used` octets, in the order of the wire.
    fn ordered(&self, used: usize) -> Vec<(u8, &[u8])> {
        let mut room = self.limit.saturating_sub(used);
        let mut kept: Vec<(u8, &[u8])> = Vec::with_capacity(self.options.len());
        for (code, content) in &self.options {
            if let Some(left) = room.checked_sub(options::size(content)) {
                room = left;
                kept.push((*code, content));
            }
        }
        kept.sort_by_key(|(code, _)| self.rank(*code));
        kept
    }

    fn rank(&self, code: u8) -> usize {
        let asked = |code| self.asked.iter().position(|wanted| *wanted == code);
        let place = |code| asked(code).unwrap_or(self.asked.len()) + 2;
        match code {
            code::SERVER_ID => 0,
            code::LEASE_TIME => 1,
            // The sort is stable and the mask is added before the routers, so a tie keeps it in front.
            code::MASK => place(code::MASK).min(place(code::ROUTER)),
            _ => place(code),
        }
    }
}

/// The fixed header and the cookie, 240 octets.
pub(super) fn encode_header(header: &v4::Message) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(super::SHORTEST * 2);
    // Writing to a vector can't fail, and a message without options ends behind its cookie.
    let _ = header.encode(&mut Encoder::new(&mut bytes));
    debug_assert_eq!(bytes.len(), super::HEADER, "dhcproto writes the header and nothing else");
    bytes
}
