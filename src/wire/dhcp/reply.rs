//! What a server sends: header and options in the order that clients expect.

use std::{net::Ipv4Addr, ops::Range, sync::Arc};

use dhcproto::v4::{self, Encodable, Encoder};

use super::{Kind, Message, code, options};

/// Where `file` and `sname` lie in a message (RFC 2131 §2).
const FILE: Range<usize> = 108..236;
const SNAME: Range<usize> = 44..108;

/// Octets that option 52 takes.
const OVERLOAD_SIZE: usize = 3;

/// A server's message being written.
///
/// It knows whom it answers: transaction, flags, relay and hardware address are copied, the client identifier is echoed
/// (RFC 6842 §3) and so is option 82, octet by octet and last (RFC 3046 §2.2).
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    header: v4::Message,
    kind: Kind,
    /// What others of its kind say too; goes before `options`.
    block: Option<Arc<Block>>,
    options: Vec<(u8, Vec<u8>)>,
    asked: Vec<u8>,
    client_id: Option<Vec<u8>>,
    relay: Option<Vec<u8>>,
    limit: usize,
}

/// Options that many replies have in common, written once: to all who asked for the same in the same order.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    options: Vec<(u8, Vec<u8>)>,
    asked: Vec<u8>,
    /// All of them as they stand in a reply that has room for them.
    written: Vec<u8>,
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
            block: None,
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

    /// Answers the client's option 81, if it sent one: last, because nothing depends on it.
    #[must_use]
    pub fn name_answered(self, message: &Message<'_>) -> Self {
        match message.option(code::FQDN).and_then(super::fqdn_answer) {
            Some(answer) => self.option(code::FQDN, answer),
            None => self,
        }
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
        self.all().find(|(found, _)| *found == code).map(|(_, content)| content)
    }

    /// All options, the most important first.
    fn all(&self) -> impl Iterator<Item = (u8, &[u8])> {
        let common = self.block.iter().flat_map(|block| &block.options);
        common.chain(&self.options).map(|(code, content)| (*code, content.as_slice()))
    }

    /// The options of this reply, for others that have them in common.
    #[must_use]
    pub fn block(&self) -> Block {
        let written = self.written(self.all().collect());
        let options = self.all().map(|(code, content)| (code, content.to_vec())).collect();
        Block { options, asked: self.asked.clone(), written }
    }

    /// Begins with the options of a block, as if each were added now: they are the most important ones.
    #[must_use]
    pub fn with(mut self, block: Arc<Block>) -> Self {
        let added = std::mem::take(&mut self.options);
        self.block = Some(block);
        added.into_iter().fold(self, |reply, (code, content)| reply.option(code, content))
    }

    /// The message as sent.
    ///
    /// Order: 53, 54, 51, then as the client asked in its option 55 (RFC 2132 §9.8), then the rest, the client
    /// identifier, and option 82 last; the mask always before the routers (RFC 2132 §3.3). What finds no room there goes
    /// into `file` and `sname`, and option 52 says so (RFC 2132 §9.3); option 82 never does (RFC 3046 §2.1).
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut message = encode_header(&self.header);
        options::write(code::KIND, &[self.kind.number()], &mut message);
        let tail = [(code::CLIENT_ID, &self.client_id), (code::RELAY, &self.relay)];
        let reserved: usize =
            tail.iter().filter_map(|(_, echo)| echo.as_deref()).map(options::size).sum();
        let room = self.limit.saturating_sub(message.len() + reserved + 1);
        let ready = self.ready(room);
        let [options, file, sname] = match ready {
            Some(_) => Default::default(),
            None => self.placed(room).map(|field| self.written(field)),
        };
        let used = u8::from(!file.is_empty()) | u8::from(!sname.is_empty()) << 1;
        if used != 0 {
            options::write(code::OVERLOAD, &[used], &mut message);
        }
        message.extend_from_slice(ready.unwrap_or(&options));
        for (code, echo) in tail {
            if let Some(echo) = echo {
                options::write(code, echo, &mut message);
            }
        }
        for (field, content) in [(FILE, file), (SNAME, sname)] {
            if !content.is_empty() {
                options::fill(&content, &mut message[field]);
            }
        }
        options::end(&mut message);
        message
    }

    /// The options as they were written before, where nothing was added, the client asks for them in the same order, and
    /// there is room for all.
    fn ready(&self, room: usize) -> Option<&[u8]> {
        let block = self.block.as_deref().filter(|_| self.options.is_empty())?;
        let fits = block.asked == self.asked && block.written.len() <= room;
        fits.then_some(&block.written)
    }

    /// What goes where, the most important first: the options field with `room` octets, `file`, `sname`.
    fn placed(&self, room: usize) -> [Vec<(u8, &[u8])>; 3] {
        let whole: usize = self.all().map(|(_, content)| options::size(content)).sum();
        if whole <= room {
            return [self.all().collect(), Vec::new(), Vec::new()];
        }
        let mut rooms = [room.saturating_sub(OVERLOAD_SIZE), FILE.len() - 1, SNAME.len() - 1];
        let mut fields = [Vec::new(), Vec::new(), Vec::new()];
        for (code, content) in self.all() {
            let size = options::size(content);
            if let Some(at) = rooms.iter().position(|room| size <= *room) {
                rooms[at] -= size;
                fields[at].push((code, content));
            } else if rooms.iter().map(|room| options::capacity(*room)).sum::<usize>()
                >= content.len()
            {
                // In pieces, which the client joins in the order of the fields (RFC 3396 §5).
                let mut rest = content;
                for (room, field) in rooms.iter_mut().zip(&mut fields) {
                    let (piece, tail) = rest.split_at(options::capacity(*room).min(rest.len()));
                    if !piece.is_empty() {
                        *room -= options::size(piece);
                        field.push((code, piece));
                    }
                    rest = tail;
                }
            }
        }
        fields
    }

    fn written(&self, mut field: Vec<(u8, &[u8])>) -> Vec<u8> {
        field.sort_by_key(|(code, _)| self.rank(*code));
        let mut octets = Vec::new();
        for (code, content) in field {
            options::write(code, content, &mut octets);
        }
        octets
    }

    /// Place in its field, and which goes first where two have the same: the mask stands before the routers, and so do
    /// the classless routes that a client reads in their place (RFC 3442).
    fn rank(&self, code: u8) -> (usize, usize) {
        let asked = |code| self.asked.iter().position(|wanted| *wanted == code);
        let place = |code| asked(code).unwrap_or(self.asked.len()) + 2;
        match code {
            code::SERVER_ID => (0, 0),
            code::LEASE_TIME => (1, 0),
            code::MASK => (place(code::MASK).min(place(code::ROUTER)), 0),
            code::ROUTES => (place(code::ROUTES).min(place(code::ROUTER)), 1),
            _ => (place(code), 2),
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
