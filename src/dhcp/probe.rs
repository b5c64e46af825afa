//! Asks a wire whether somebody serves DHCP on it: a DISCOVER, as any client sends it, and a look at who answers.

use std::{
    io,
    net::{Ipv4Addr, SocketAddrV4},
    time::Duration,
};

use tokio::time::timeout;

use crate::{
    domain::Mac,
    net::{FrameSender, FrameTap, Interface},
    wire::{
        dhcp::{CLIENT_PORT, Kind, Message, Request, SERVER_PORT, code},
        ethernet::Ethernet,
        frame::{self, Frame},
    },
};

/// How long each DISCOVER waits for its answer. A server that looks first whether its address is free answers late:
/// dnsmasq after 3 s, ISC dhcpd after one. Together they give the slowest of them time for the first DISCOVER.
const WAITS: [Duration; 3] =
    [Duration::from_secs(1), Duration::from_millis(1500), Duration::from_secs(2)];

/// The longest frame that is read whole.
const LONGEST: usize = 2048;

/// A DHCP server that is not ours.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Other {
    /// What it calls itself.
    pub server: Ipv4Addr,
    /// What it would have given us.
    pub offered: Ipv4Addr,
}

/// Looks for another DHCP server on the wire of an interface, for 4.5 s; none may be there and answer later still.
///
/// The question goes out in the name of the interface's own hardware address: a made-up one closes the port of a switch
/// that allows one address a port, and is dropped by one that compares it with the frame's (DHCP snooping). No address
/// is needed, and none is taken: the offer is left to lapse.
///
/// # Errors
///
/// What the system says; [`io::ErrorKind::PermissionDenied`] without `CAP_NET_RAW`.
///
/// # Panics
///
/// Outside a tokio runtime.
pub async fn other_server(interface: &Interface) -> io::Result<Option<Other>> {
    let no_station = |error| io::Error::new(io::ErrorKind::Unsupported, error);
    let mac = Mac::new(interface.hardware).map_err(no_station)?;
    let xid = rand::random();
    let question = discover(mac, xid)
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "longer than a datagram"))?;
    // Listening first: a fast server is heard too.
    let tap = FrameTap::open(interface.index)?;
    let sender = FrameSender::open(interface.index)?;
    let own: Vec<Ipv4Addr> = interface.addresses.iter().map(|(address, _)| *address).collect();
    for wait in WAITS {
        sender.send(&question).await?;
        // Dropping it half-way loses nothing: frames wait in the socket.
        if let Ok(found) = timeout(wait, hear(&tap, mac, xid, &own)).await {
            return found.map(Some);
        }
    }
    Ok(None)
}

async fn hear(tap: &FrameTap, mac: Mac, xid: u32, own: &[Ipv4Addr]) -> io::Result<Other> {
    let mut buffer = [0; LONGEST];
    loop {
        let heard = tap.recv(&mut buffer).await?;
        if let Some(other) = answer(&buffer[..heard.length], heard.summed, mac, xid)
            && !own.contains(&other.server)
        {
            return Ok(other);
        }
    }
}

/// The whole frame of the question. It asks for a broadcast, which reaches us wherever we have no address yet.
fn discover(mac: Mac, xid: u32) -> Option<Vec<u8>> {
    let question = Request { broadcast: true, ..Request::discover(mac, xid) };
    let payload = question.option(code::ASKED, [1, 3, 6]).encode();
    let frame = Frame {
        from: mac.octets(),
        to: frame::BROADCAST,
        source: SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, CLIENT_PORT),
        destination: SocketAddrV4::new(Ipv4Addr::BROADCAST, SERVER_PORT),
        payload: &payload,
    };
    frame.encode()
}

/// Who answers this question with this frame, if it is an answer to it. Without an option 54, which every server has to
/// send, the sender of the datagram counts: whoever answers is a server.
fn answer(octets: &[u8], summed: bool, mac: Mac, xid: u32) -> Option<Other> {
    let frame = Frame::read(&Ethernet::decode(octets)?, summed)?;
    let message = Message::reply(frame.payload).ok()?;
    let ours = message.xid() == xid && message.mac() == mac;
    if !ours || !matches!(message.kind(), Kind::Offer | Kind::Ack | Kind::Nak) {
        return None;
    }
    let server = message.address(code::SERVER_ID).unwrap_or(*frame.source.ip());
    Some(Other { server, offered: message.yiaddr() })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const XID: u32 = 0x1234_5678;

    fn mac() -> Mac {
        "02:00:00:00:00:01".parse().unwrap()
    }

    /// What a server makes of the question that it reads off the wire.
    fn offer(spoil: impl Fn(&mut Vec<u8>)) -> Vec<u8> {
        let question = discover(mac(), XID).unwrap();
        let frame = Frame::decode(&question).unwrap();
        let message = Message::request(frame.payload).unwrap();
        assert_eq!((message.kind(), message.wants_broadcast()), (Kind::Discover, true));
        let mut payload = frame.payload.to_vec();
        payload[0] = 2;
        payload[16..20].copy_from_slice(&[192, 168, 1, 77]);
        payload.truncate(240);
        payload.extend([53, 1, 2, 54, 4, 192, 168, 1, 1, 255]);
        spoil(&mut payload);
        let answer = Frame {
            from: [2, 0, 0, 0, 0, 9],
            to: mac().octets(),
            source: SocketAddrV4::new(Ipv4Addr::new(192, 168, 1, 2), SERVER_PORT),
            destination: SocketAddrV4::new(Ipv4Addr::BROADCAST, CLIENT_PORT),
            payload: &payload,
        };
        answer.encode().unwrap()
    }

    #[test]
    fn who_answers() {
        let check = |spoil: &dyn Fn(&mut Vec<u8>), server: Option<[u8; 4]>| {
            let found = answer(&offer(spoil), true, mac(), XID);
            assert_eq!(found.map(|other| other.server), server.map(Ipv4Addr::from));
        };
        let own_name = Some([192, 168, 1, 1]);
        check(&|_| {}, own_name);
        // NAK and ACK are answers of a server too; a DISCOVER is not.
        check(&|payload| payload[242] = 6, own_name);
        check(&|payload| payload[242] = 5, own_name);
        check(&|payload| payload[242] = 1, None);
        check(&|payload| payload.truncate(243), Some([192, 168, 1, 2]));
        // To somebody else, to another question, and a question.
        check(&|payload| payload[33] = 9, None);
        check(&|payload| payload[7] = 0, None);
        check(&|payload| payload[0] = 1, None);
        let whole = answer(&offer(|_| {}), true, mac(), XID).unwrap();
        assert_eq!(whole.offered, Ipv4Addr::new(192, 168, 1, 77));
        let question = discover(mac(), XID).unwrap();
        assert_eq!(answer(&question, true, mac(), XID), None, "our own question");
    }

    proptest! {
        #[test]
        fn no_frame_panics(frame in proptest::collection::vec(any::<u8>(), 0..600), at in 0_usize..300, octet: u8) {
            let _ = answer(&frame, false, mac(), XID);
            let mut whole = offer(|_| {});
            let length = whole.len();
            whole[at % length] = octet;
            let _ = answer(&whole, false, mac(), XID);
        }
    }
}
