//! The phones' end of the cable on layer 2: frames out under any hardware address, DHCP answers in, ARP answered.

use std::{
    collections::HashMap,
    fs,
    io::{ErrorKind, Read, Write},
    net::{Ipv4Addr, SocketAddrV4},
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use ringup::{
    net::{FrameSender, Interface},
    wire::{
        dhcp::{CLIENT_PORT, SERVER_PORT},
        ethernet::{self, BROADCAST, Ethernet},
        frame::Frame,
    },
};
use socket2::{Domain, Protocol, SockFilter, Socket, Type};

/// What both ends of the cable are called.
pub const INTERFACE: &str = "eth1";

/// The server's hardware address, which renewals are sent to without asking.
pub const SERVER_MAC: [u8; 6] = [2, 0, 0, 0x40, 0, 1];

/// How long a read waits for a frame before timers are looked at. The kernel rounds it up to its own tick.
const PATIENCE: Duration = Duration::from_millis(2);

/// What the kernel holds for phones that are busy; it grants less where `net.core.rmem_max` is smaller.
const BUFFER: usize = 32 << 20;

/// The longest frame of Ethernet, and more than any of these servers sends.
pub const LONGEST: usize = 2048;

/// A socket for the frames of one `EtherType` on the cable.
pub struct Wire(Socket);

impl Wire {
    /// For DHCP: nothing but UDP to this port comes in.
    pub fn dhcp(port: u16) -> Self {
        let op = SockFilter::new;
        // Load the protocol of a header without options, then the destination port behind it (bpf(4)).
        let filter = [
            op(0x30, 0, 0, 23),
            op(0x15, 0, 3, 17),
            op(0x28, 0, 0, 36),
            op(0x15, 0, 1, u32::from(port)),
            op(0x06, 0, 0, 0x4_0000),
            op(0x06, 0, 0, 0),
        ];
        let nothing = Frame {
            from: [2, 0, 0, 0, 0, 0xee],
            to: [2, 0, 0, 0, 0, 0xef],
            source: SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 9),
            destination: SocketAddrV4::new(Ipv4Addr::BROADCAST, 9),
            payload: &[],
        };
        let socket = bound(&nothing.encode().unwrap());
        socket.attach_filter(&filter).unwrap();
        Self(socket)
    }

    fn arp() -> Self {
        let (to, from) = ([2, 0, 0, 0, 0, 0xef], [2, 0, 0, 0, 0, 0xee]);
        let content = [0; 28];
        let frame = Ethernet { to, from, vlan: None, kind: ethernet::ARP, content: &content };
        Self(bound(&frame.encode()))
    }

    /// Sends a frame. What the system has no room for is lost, as on a cable.
    pub fn send(&self, frame: &[u8]) {
        let _ = (&self.0).write(frame);
    }

    /// Takes the next frame: its length, or `None` if none came for a moment.
    pub fn receive(&self, buffer: &mut [u8]) -> Option<usize> {
        match (&self.0).read(buffer) {
            Ok(length) => Some(length),
            Err(error) => {
                let expected = [ErrorKind::WouldBlock, ErrorKind::TimedOut, ErrorKind::Interrupted];
                assert!(expected.contains(&error.kind()), "{error}");
                None
            }
        }
    }
}

/// A socket that is bound to the cable and to the kind of this frame, which is sent once to learn the address: only the
/// kernel makes one of a link without unsafe code.
fn bound(frame: &[u8]) -> Socket {
    let everything = Protocol::from(i32::from(3_u16.to_be()));
    let all = Socket::new(Domain::PACKET, Type::RAW, Some(everything)).unwrap();
    let interface = Interface::find(INTERFACE).unwrap().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        FrameSender::open(interface.index).unwrap().send(frame).await.unwrap();
    });
    let mut head = [std::mem::MaybeUninit::uninit(); 14];
    let (_, address) = all.recv_from(&mut head).unwrap();
    let socket = Socket::new(Domain::PACKET, Type::RAW, None).unwrap();
    socket.bind(&address).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let _ = socket.set_recv_buffer_size(BUFFER);
    socket
}

/// Seconds of processor time of this process, in user mode and in the kernel for it (proc(5)).
pub fn cpu() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let fields = stat.rsplit_once(") ").unwrap().1.split(' ').skip(11).take(2);
    fields.map(|ticks| ticks.parse::<f64>().unwrap()).sum::<f64>() / 100.0
}

/// The frame of a message: a broadcast of somebody without an address, or from `address` straight to the server.
pub fn framed(
    mac: [u8; 6],
    address: Option<Ipv4Addr>,
    server: Ipv4Addr,
    payload: &[u8],
) -> Vec<u8> {
    let (to, source, destination) = match address {
        Some(address) => (SERVER_MAC, address, server),
        None => (BROADCAST, Ipv4Addr::UNSPECIFIED, Ipv4Addr::BROADCAST),
    };
    let source = SocketAddrV4::new(source, CLIENT_PORT);
    let destination = SocketAddrV4::new(destination, SERVER_PORT);
    Frame { from: mac, to, source, destination, payload }.encode().unwrap()
}

/// Answers ARP for all of these until it is to stop: a server that sends through the kernel asks.
pub fn answer_arp(holders: &HashMap<Ipv4Addr, [u8; 6]>, stop: &AtomicBool) {
    let wire = Wire::arp();
    let mut buffer = [0; 128];
    while !stop.load(Ordering::Relaxed) {
        let Some(length) = wire.receive(&mut buffer) else { continue };
        let Some(frame) = Ethernet::decode(&buffer[..length]) else { continue };
        let (packet, kind) = (frame.content, ethernet::ARP);
        if frame.kind != kind || packet.len() < 28 || packet[6..8] != [0, 1] {
            continue;
        }
        let asked = Ipv4Addr::from(*packet[24..28].first_chunk::<4>().unwrap());
        let Some(&mac) = holders.get(&asked) else { continue };
        let parts = [&packet[..6], &[0, 2], &mac, &packet[24..28], &packet[8..18]];
        let content = parts.concat();
        wire.send(
            &Ethernet { to: frame.from, from: mac, vlan: None, kind, content: &content }.encode(),
        );
    }
}
