//! From a frame to what was overheard, and who said it.

use std::net::Ipv4Addr;

use crate::{
    domain::{Mac, Timestamp},
    provision::{ClientKind, Provisioner, plugged, shown},
    wire::{
        arp::Arp,
        dhcp::{Message, NotDhcp},
        ethernet::{self, Ethernet},
        frame::Frame,
    },
};

use super::{
    memory::Memory,
    reading::Question,
    watcher::{Verdict, Watcher},
};

/// What was overheard.
#[derive(Debug)]
pub(super) enum Overheard<'a> {
    /// A station uses an address.
    Station(Mac, Ipv4Addr),
    /// A client's message, and where it went.
    Question(Message<'a>, Ipv4Addr),
    /// A server's message, and the hardware address that its frame came from.
    Answer(Message<'a>, [u8; 6]),
}

/// Why a frame is not read. Each is dropped and counted under its name.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Unread {
    /// An ARP packet that tells nothing: a probe, another network's, a broken one.
    Arp,
    /// No whole datagram with right checksums.
    Broken,
    /// Not DHCP, though on its port.
    NotDhcp(NotDhcp),
}

impl Unread {
    /// The counter's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Arp => "arp",
            Self::Broken => "broken",
            Self::NotDhcp(why) => why.as_str(),
        }
    }
}

impl<'a> Overheard<'a> {
    /// Reads a frame; `summed` as in [`Frame::read`].
    pub fn read(frame: &'a [u8], summed: bool) -> Result<Self, Unread> {
        let frame = Ethernet::decode(frame).ok_or(Unread::Broken)?;
        if frame.kind == ethernet::ARP {
            let arp = Arp::decode(&frame).ok_or(Unread::Arp)?;
            return Mac::new(arp.hardware)
                .map(|mac| Self::Station(mac, arp.address))
                .map_err(|_| Unread::Arp);
        }
        let Frame { payload, destination, .. } =
            Frame::read(&frame, summed).ok_or(Unread::Broken)?;
        // The first octet is `op`: 1 for a request.
        let read = if payload.first() == Some(&1) {
            Message::request(payload).map(|message| Self::Question(message, *destination.ip()))
        } else {
            Message::reply(payload).map(|message| Self::Answer(message, frame.from))
        };
        read.map_err(Unread::NotDhcp)
    }

    /// Decides what is new in it. `ours` tells our addresses on the interface.
    pub fn decide(
        &self,
        ours: &dyn Fn(Ipv4Addr) -> bool,
        provisioner: &Provisioner,
        memory: &mut Memory,
        now: Timestamp,
    ) -> Verdict {
        let view = provisioner.view();
        match self {
            Self::Station(mac, address) => {
                Watcher { provisioner, state: &view.read(), memory, now }.uses(*mac, *address)
            }
            Self::Question(message, to) => {
                // Before the state is held: this reads it too.
                let mut client = provisioner.client(message.mac(), &shown(message), now);
                let direct = message.giaddr().is_unspecified();
                let (unicast, relayed) = (direct && !to.is_broadcast(), !direct && ours(*to));
                let question = Question { message, unicast, relayed };
                let state = view.read();
                if !direct && client.kind == ClientKind::Phone {
                    let known = state.phones.get(&client.mac);
                    let known = known.map_or(&[][..], |phone| &phone.grounds);
                    client.grounds.extend(plugged(message, known, now));
                }
                Watcher { provisioner, state: &state, memory, now }.asked(&question, &client)
            }
            Self::Answer(message, from) => {
                // Through a relay it is the router's.
                let direct = message.giaddr().is_unspecified();
                let hardware = Mac::new(*from).ok().filter(|_| direct);
                let client = provisioner.client(message.mac(), &[], now);
                let state = view.read();
                Watcher { provisioner, state: &state, memory, now }
                    .answered(message, hardware, &client)
            }
        }
    }
}
