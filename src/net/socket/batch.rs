//! Datagrams and frames taken and sent many at a time: recvmmsg and sendmmsg; and a UDP socket for many peers.

use std::{
    io,
    mem::{MaybeUninit, zeroed},
    net::{IpAddr, SocketAddr},
    ops::Range,
    os::fd::AsRawFd,
    ptr,
};

use socket2::{Domain, Protocol, SockAddr, SockAddrStorage, Socket, Type};
use tokio::io::{Interest, unix::AsyncFd};

use super::{
    CONTROL, Control, FrameSender, UdpPktInfo, content_of, local_of, packet_info, receive_flags,
    tell_refusals, watch,
};

/// Datagrams sent in one call at most.
const BATCH: usize = 32;

/// Datagrams taken in one call at most.
const TAKEN: usize = 64;

/// Octets that are waiting to be sent at most, before they have to leave: no socket buffer of the far end holds more.
const FULL: usize = 48 << 10;

/// A UDP socket on a port that the kernel chose at random, for many peers.
#[derive(Debug)]
pub struct UdpBatch(AsyncFd<Socket>);

/// Datagrams that came in.
#[derive(Debug)]
pub struct Inbox {
    bytes: Vec<u8>,
    room: usize,
    heard: Vec<Came>,
}

/// Where a datagram came from, which of our addresses it was sent to if the socket tells, and its length.
#[derive(Clone, Copy, Debug)]
struct Came {
    from: SocketAddr,
    to: Option<IpAddr>,
    length: usize,
}

/// Datagrams that are to leave.
#[derive(Debug, Default)]
pub struct Outbox {
    bytes: Vec<u8>,
    packets: Vec<(SocketAddr, IpAddr, Range<usize>)>,
}

impl Inbox {
    /// Room for as many datagrams as `batch` says, of `room` octets each; what exceeds that is cut.
    #[must_use]
    pub fn new(batch: usize, room: usize) -> Self {
        let batch = batch.clamp(1, TAKEN);
        Self { bytes: vec![0; batch * room], room, heard: Vec::with_capacity(batch) }
    }

    /// The datagram of this number, and who sent it.
    #[must_use]
    pub fn datagram(&self, number: usize) -> Option<(SocketAddr, &[u8])> {
        let came = self.heard.get(number)?;
        Some((came.from, self.bytes.get(number * self.room..)?.get(..came.length)?))
    }

    /// Which of our addresses that datagram was sent to, where its socket tells (for a broadcast: the address of the
    /// interface that it came in by).
    #[must_use]
    pub fn asked(&self, number: usize) -> Option<IpAddr> {
        self.heard.get(number)?.to
    }
}

impl Outbox {
    /// Adds a datagram of at most `length` octets from one of our addresses: `fill` writes it and says how long it is.
    ///
    /// # Errors
    ///
    /// That of `fill`; then nothing is added.
    pub fn push<E>(
        &mut self,
        (from, to): (IpAddr, SocketAddr),
        length: usize,
        fill: impl FnOnce(&mut [u8]) -> Result<usize, E>,
    ) -> Result<(), E> {
        let start = self.bytes.len();
        self.bytes.resize(start + length, 0);
        let filled = fill(&mut self.bytes[start..]);
        let end = start + filled.as_ref().map_or(0, |filled| *filled).min(length);
        self.bytes.truncate(end);
        filled?;
        self.packets.push((to, from, start..end));
        Ok(())
    }

    /// True if it should be sent before more is added.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.packets.len() >= BATCH || self.bytes.len() >= FULL
    }

    /// True if nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.packets.is_empty()
    }
}

impl UdpBatch {
    /// Opens a socket for peers of one kind: IPv6, or IPv4.
    ///
    /// # Errors
    ///
    /// What the system says.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub fn open(v6: bool) -> io::Result<Self> {
        let (domain, any): (_, SocketAddr) = if v6 {
            (Domain::IPV6, (std::net::Ipv6Addr::UNSPECIFIED, 0).into())
        } else {
            (Domain::IPV4, (std::net::Ipv4Addr::UNSPECIFIED, 0).into())
        };
        let socket = Socket::new(domain, Type::DGRAM, Some(Protocol::UDP))?;
        socket.set_nonblocking(true)?;
        if v6 {
            socket.set_only_v6(true)?;
        }
        socket.bind(&any.into())?;
        tell_refusals(&socket)?;
        Ok(Self(watch(socket)?))
    }

    /// Waits for datagrams and takes as many as there are and `inbox` holds: how many. Cancel-safe.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::ConnectionRefused`] if [`UdpBatch::refusals`] knows of peers that are gone; else what the system
    /// says.
    pub async fn receive(&self, inbox: &mut Inbox) -> io::Result<usize> {
        receive(&self.0, inbox).await
    }

    /// Sends everything in `outbox` and empties it. What the system does not take is lost, as on any wire. True if
    /// [`UdpBatch::refusals`] knows of peers that are gone.
    pub async fn send(&self, outbox: &mut Outbox) -> bool {
        let (mut at, mut tries, mut refused) = (0, 0, false);
        while at < outbox.packets.len() {
            let sent = self.0.async_io(Interest::WRITABLE, |socket| send_many(socket, outbox, at));
            match sent.await {
                Ok(sent) => (at, tries) = (at + sent.max(1), 0),
                // An error may be that of an earlier datagram, which the system tells once: this one gets its own try.
                Err(error) if tries == 0 => {
                    refused |= error.kind() == io::ErrorKind::ConnectionRefused;
                    tries = 1;
                }
                Err(error) => {
                    tracing::debug!(%error, "packet lost");
                    (at, tries) = (at + 1, 0);
                }
            }
        }
        outbox.bytes.clear();
        outbox.packets.clear();
        refused
    }

    /// Peers whose hosts said that nobody listens there any more (ip(7), `MSG_ERRQUEUE`).
    #[must_use]
    pub fn refusals(&self) -> Vec<SocketAddr> {
        let mut gone = Vec::new();
        // The peer's address is that of the datagram that was refused.
        while let Ok((control, Some(peer))) = receive_flags(self.0.get_ref(), libc::MSG_ERRQUEUE) {
            let kinds =
                [(libc::IPPROTO_IP, libc::IP_RECVERR), (libc::IPPROTO_IPV6, libc::IPV6_RECVERR)];
            let error = kinds.into_iter().find_map(|kind| content_of(&control.0, kind));
            let number = error.and_then(|error| error.first_chunk::<4>());
            if number.is_some_and(|number| i32::from_ne_bytes(*number) == libc::ECONNREFUSED) {
                gone.push(peer);
            }
        }
        gone
    }
}

impl UdpPktInfo {
    /// Waits for datagrams and takes as many as there are and `inbox` holds: how many. Cancel-safe.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub async fn receive(&self, inbox: &mut Inbox) -> io::Result<usize> {
        receive(&self.socket, inbox).await
    }

    /// The same for what is there already.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::WouldBlock`] if nothing is there; else what the system says.
    pub fn try_receive(&self, inbox: &mut Inbox) -> io::Result<usize> {
        self.socket.try_io(Interest::READABLE, |socket| take_many(socket, inbox))
    }

    /// Sends everything in `outbox` and empties it: how many the system did not take, and what it said of the last one.
    pub async fn send_all(&self, outbox: &mut Outbox) -> (usize, Option<io::Error>) {
        let send = |socket: &Socket, at| send_many(socket, outbox, at);
        let lost = send_each(&self.socket, outbox.packets.len(), send).await;
        outbox.bytes.clear();
        outbox.packets.clear();
        lost
    }
}

impl FrameSender {
    /// Sends frames, in this order: how many the system did not take, and what it said of the last one.
    pub async fn send_all(&self, frames: &[Vec<u8>]) -> (usize, Option<io::Error>) {
        let send = |socket: &Socket, at: usize| {
            let packets: Vec<Packet<'_>> = frames[at..]
                .iter()
                .take(BATCH)
                .map(|bytes| Packet { bytes, to: None, control: None })
                .collect();
            send_packets(socket, &packets)
        };
        send_each(&self.0, frames.len(), send).await
    }
}

/// Waits for datagrams and takes as many as there are and `inbox` holds. Cancel-safe.
async fn receive(socket: &AsyncFd<Socket>, inbox: &mut Inbox) -> io::Result<usize> {
    loop {
        let mut ready = socket.readable().await?;
        let batch = inbox.bytes.len() / inbox.room;
        match ready.try_io(|socket| take_many(socket.get_ref(), inbox)) {
            Ok(taken) => {
                // Fewer than there is room for: there were no more, and asking would only be told so.
                if taken.as_ref().is_ok_and(|&taken| taken < batch) {
                    ready.clear_ready();
                }
                return taken;
            }
            Err(_would_block) => {}
        }
    }
}

/// Sends `count` of something, where `send` sends some from a place on and says how many. One that the system does not
/// take costs the others nothing: how many those were, and what it said of the last one.
async fn send_each(
    socket: &AsyncFd<Socket>,
    count: usize,
    send: impl Fn(&Socket, usize) -> io::Result<usize>,
) -> (usize, Option<io::Error>) {
    let (mut at, mut lost, mut why) = (0, 0, None);
    while at < count {
        match socket.async_io(Interest::WRITABLE, |socket| send(socket, at)).await {
            Ok(count) => at += count.max(1),
            // The system stops in front of the one that it does not take.
            Err(error) => (at, lost, why) = (at + 1, lost + 1, Some(error)),
        }
    }
    (lost, why)
}

fn take_many(socket: &Socket, inbox: &mut Inbox) -> io::Result<usize> {
    inbox.heard.clear();
    let mut peers = [const { MaybeUninit::<libc::sockaddr_storage>::zeroed() }; TAKEN];
    let mut controls = [const { Control([0_u8; CONTROL]) }; TAKEN];
    // SAFETY: all zeros are valid for these structures of pointers and numbers.
    let mut pieces: [libc::iovec; TAKEN] = unsafe { zeroed() };
    // SAFETY: as above.
    let mut messages: [libc::mmsghdr; TAKEN] = unsafe { zeroed() };
    let mut count = 0;
    for (number, chunk) in inbox.bytes.chunks_exact_mut(inbox.room).take(TAKEN).enumerate() {
        pieces[number].iov_base = chunk.as_mut_ptr().cast();
        pieces[number].iov_len = chunk.len();
        let header = &mut messages[number].msg_hdr;
        header.msg_iov = &raw mut pieces[number];
        header.msg_iovlen = 1;
        header.msg_name = peers[number].as_mut_ptr().cast();
        header.msg_namelen = address_room();
        header.msg_control = controls[number].0.as_mut_ptr().cast();
        header.msg_controllen = CONTROL;
        count += 1;
    }
    // SAFETY: each of `count` headers points to its own piece of the inbox, its own address and its own room for control
    // messages, all alive until here.
    let taken = unsafe {
        libc::recvmmsg(socket.as_raw_fd(), messages.as_mut_ptr(), count, 0, ptr::null_mut())
    };
    let taken = usize::try_from(taken).map_err(|_| io::Error::last_os_error())?;
    for ((message, peer), control) in messages.iter().zip(&peers).zip(&controls).take(taken) {
        // SAFETY: zeros are a valid address storage, and the kernel wrote an address of the length that it says.
        let peer = unsafe {
            let mut storage = SockAddrStorage::zeroed();
            ptr::copy_nonoverlapping(peer.as_ptr(), ptr::from_mut(&mut storage).cast(), 1);
            SockAddr::new(storage, message.msg_hdr.msg_namelen)
        };
        let length = usize::try_from(message.msg_len).unwrap_or(0).min(inbox.room);
        let from = peer.as_socket().unwrap_or_else(|| SocketAddr::from(([0; 4], 0)));
        inbox.heard.push(Came { from, to: local_of(&control.0), length });
    }
    Ok(taken)
}

/// A datagram with its peer's address and the control message that chooses ours; a frame has neither.
struct Packet<'a> {
    bytes: &'a [u8],
    to: Option<&'a SockAddr>,
    control: Option<(&'a Control<u8>, usize)>,
}

fn send_many(socket: &Socket, outbox: &Outbox, at: usize) -> io::Result<usize> {
    let packets = &outbox.packets[at..outbox.packets.len().min(at + BATCH)];
    let peers: Vec<SockAddr> = packets.iter().map(|(to, ..)| SockAddr::from(*to)).collect();
    // Most batches leave from one address of ours: one control message serves all of those.
    let mut controls: Vec<(IpAddr, Control<u8>, usize)> = Vec::with_capacity(1);
    for (_, from, _) in packets {
        if !controls.iter().any(|(known, ..)| known == from) {
            let (control, length) = packet_info(*from);
            controls.push((*from, control, length));
        }
    }
    let packet = |((_, from, range), to): (&(SocketAddr, IpAddr, Range<usize>), _)| {
        let control = controls.iter().find(|(known, ..)| known == from);
        let control = control.map(|(_, control, length)| (control, *length));
        Packet { bytes: &outbox.bytes[range.clone()], to: Some(to), control }
    };
    let packets: Vec<Packet<'_>> = packets.iter().zip(&peers).map(packet).collect();
    send_packets(socket, &packets)
}

/// Sends the first of these, at most [`BATCH`], in one call: how many.
fn send_packets(socket: &Socket, packets: &[Packet<'_>]) -> io::Result<usize> {
    // SAFETY: all zeros are valid for these structures of pointers and numbers.
    let mut pieces: [libc::iovec; BATCH] = unsafe { zeroed() };
    // SAFETY: as above.
    let mut messages: [libc::mmsghdr; BATCH] = unsafe { zeroed() };
    for (number, packet) in packets.iter().take(BATCH).enumerate() {
        pieces[number].iov_base = packet.bytes.as_ptr().cast_mut().cast();
        pieces[number].iov_len = packet.bytes.len();
        let header = &mut messages[number].msg_hdr;
        header.msg_iov = &raw mut pieces[number];
        header.msg_iovlen = 1;
        if let Some(to) = packet.to {
            header.msg_name = to.as_ptr().cast_mut().cast();
            header.msg_namelen = to.len();
        }
        if let Some((control, length)) = packet.control {
            header.msg_control = control.0.as_ptr().cast_mut().cast();
            header.msg_controllen = length;
        }
    }
    let count = u32::try_from(packets.len().min(BATCH)).unwrap_or(0);
    // SAFETY: each of `count` headers points to bytes, and to an address and a control message if any, that are alive
    // until here, and the kernel only reads them.
    let sent = unsafe { libc::sendmmsg(socket.as_raw_fd(), messages.as_mut_ptr(), count, 0) };
    usize::try_from(sent).map_err(|_| io::Error::last_os_error())
}

fn address_room() -> libc::socklen_t {
    libc::socklen_t::try_from(size_of::<libc::sockaddr_storage>()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::{net::UdpSocket, time::Duration};

    use super::*;

    async fn bounded<T>(what: impl Future<Output = T>) -> T {
        tokio::time::timeout(Duration::from_secs(5), what).await.expect("in time")
    }

    fn put(outbox: &mut Outbox, from: IpAddr, to: SocketAddr, text: &[u8]) {
        let filled: Result<(), ()> = outbox.push((from, to), 1400, |room| {
            room[..text.len()].copy_from_slice(text);
            Ok(text.len())
        });
        filled.unwrap();
    }

    #[tokio::test]
    async fn many_go_out_and_come_in_each_with_its_address() {
        let ours = UdpBatch::open(false).unwrap();
        let peers: Vec<_> = (0..80).map(|_| UdpSocket::bind("127.0.0.1:0").unwrap()).collect();
        let mut outbox = Outbox::default();
        for (number, peer) in peers.iter().enumerate() {
            let from = IpAddr::from([127, 0, 0, if number % 2 == 0 { 1 } else { 2 }]);
            put(&mut outbox, from, peer.local_addr().unwrap(), &[b'a'; 20][..number % 20]);
        }
        assert!(outbox.is_full());
        bounded(ours.send(&mut outbox)).await;
        assert!(outbox.is_empty());
        for (number, peer) in peers.iter().enumerate() {
            peer.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
            let (length, from) = peer.recv_from(&mut [0; 64]).unwrap();
            assert_eq!(length, number % 20);
            assert_eq!(
                from.ip().to_string(),
                if number % 2 == 0 { "127.0.0.1" } else { "127.0.0.2" }
            );
            peer.send_to(&[b'b'; 100][..number], from).unwrap();
        }
        let (mut inbox, mut heard) = (Inbox::new(32, 50), 0);
        while heard < peers.len() {
            let count = bounded(ours.receive(&mut inbox)).await.unwrap();
            for number in 0..count {
                let (from, bytes) = inbox.datagram(number).unwrap();
                assert_eq!(from, peers[heard].local_addr().unwrap());
                assert_eq!(bytes.len(), heard.min(50));
                heard += 1;
            }
            assert!(inbox.datagram(count).is_none());
        }
    }

    #[tokio::test]
    async fn it_says_whose_port_is_closed_and_serves_the_others() {
        for host in ["127.0.0.1", "::1"].map(|host| host.parse::<IpAddr>().unwrap()) {
            let ours = UdpBatch::open(host.is_ipv6()).unwrap();
            let gone = UdpSocket::bind((host, 0)).unwrap().local_addr().unwrap();
            let stays = UdpSocket::bind((host, 0)).unwrap();
            let mut outbox = Outbox::default();
            put(&mut outbox, host, gone, b"x");
            bounded(ours.send(&mut outbox)).await;
            // The error of the first must not cost the second.
            put(&mut outbox, host, stays.local_addr().unwrap(), b"y");
            bounded(ours.send(&mut outbox)).await;
            stays.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
            assert_eq!(stays.recv_from(&mut [0; 4]).unwrap().0, 1);
            assert_eq!(ours.refusals(), [gone]);
        }
    }

    #[tokio::test]
    async fn each_tells_which_address_was_asked_and_is_answered_from_it() {
        let ours = UdpPktInfo::bind("0.0.0.0:0".parse().unwrap()).unwrap();
        let port = ours.local_addr().unwrap().port();
        let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
        peer.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let address = |number: u8| IpAddr::from([127, 0, 1, number]);
        (1..=70).for_each(|number| {
            peer.send_to(&[number], (address(number), port)).unwrap();
        });
        let (mut inbox, mut outbox, mut heard) = (Inbox::new(64, 50), Outbox::default(), 0);
        while heard < 70 {
            let count = bounded(ours.receive(&mut inbox)).await.unwrap();
            for number in 0..count {
                let (from, bytes) = inbox.datagram(number).unwrap();
                assert_eq!(inbox.asked(number), Some(address(bytes[0])));
                put(&mut outbox, address(bytes[0]), from, bytes);
                // Nobody can be reached by the port 0: it is lost, and nothing but it.
                put(&mut outbox, address(bytes[0]), (from.ip(), 0).into(), bytes);
                heard += 1;
            }
            let (lost, error) = bounded(ours.send_all(&mut outbox)).await;
            assert_eq!((lost, error.is_some()), (count, true));
        }
        assert_eq!(ours.try_receive(&mut inbox).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        for number in 1..=70 {
            let mut octet = [0];
            let (_, from) = peer.recv_from(&mut octet).unwrap();
            assert_eq!((octet, from.ip()), ([number], address(number)));
        }
    }
}
