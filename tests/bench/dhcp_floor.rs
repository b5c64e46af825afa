//! A responder that knows no phones and keeps nothing: what this machine and these phones allow at most.

use std::{
    collections::HashMap,
    net::{Ipv4Addr, SocketAddrV4},
};

use ringup::{
    domain::Mac,
    wire::{
        dhcp::{CLIENT_PORT, HEADER, Kind, Message, SERVER_PORT, SHORTEST, addresses, code},
        ethernet::Ethernet,
        frame::{BROADCAST, Frame},
    },
};

use crate::phones::{
    SERVER,
    wire::{LONGEST, SERVER_MAC, Wire},
};

/// Answers everything until somebody ends the process.
pub fn respond() -> ! {
    let wire = Wire::dhcp(SERVER_PORT);
    let (mut buffer, mut given) = ([0; LONGEST], HashMap::new());
    loop {
        let Some(length) = wire.receive(&mut buffer) else { continue };
        let frame =
            Ethernet::decode(&buffer[..length]).and_then(|frame| Frame::read(&frame, false));
        let Some(payload) = frame.and_then(|frame| answer(frame.payload, &mut given)) else {
            continue;
        };
        let reply = Frame {
            from: SERVER_MAC,
            to: BROADCAST,
            source: SocketAddrV4::new(SERVER, SERVER_PORT),
            destination: SocketAddrV4::new(Ipv4Addr::BROADCAST, CLIENT_PORT),
            payload: &payload,
        };
        wire.send(&reply.encode().unwrap());
    }
}

/// The shortest answer with the same options that the servers give.
fn answer(datagram: &[u8], given: &mut HashMap<Mac, u32>) -> Option<Vec<u8>> {
    let message = Message::request(datagram).ok()?;
    let next = u32::try_from(given.len()).ok()? + u32::from(Ipv4Addr::new(10, 40, 1, 0));
    let address = *given.entry(message.mac()).or_insert(next);
    let kind = if message.kind() == Kind::Discover { Kind::Offer } else { Kind::Ack };
    let mut reply = datagram[..HEADER].to_vec();
    reply[0] = 2;
    reply[16..20].copy_from_slice(&address.to_be_bytes());
    let own = addresses(&[SERVER]);
    let options: [(u8, &[u8]); 11] = [
        (code::KIND, &[kind.number()]),
        (code::SERVER_ID, &own),
        (code::LEASE_TIME, &86_400_u32.to_be_bytes()),
        (code::MASK, &[255, 254, 0, 0]),
        (code::ROUTER, &own),
        (code::DNS, &own),
        (code::DOMAIN, b"voice.example"),
        (code::NTP, &own),
        (code::TFTP_NAME, b"10.40.0.1"),
        (code::TFTP_ADDRESSES, &own),
        (160, b"http://10.40.0.1/"),
    ];
    for (code, content) in options {
        reply.extend([code, u8::try_from(content.len()).ok()?]);
        reply.extend(content);
    }
    reply.push(255);
    reply.resize(reply.len().max(SHORTEST), 0);
    Some(reply)
}
