//! Gives an interface an address and takes it away, brings it up and down: three requests of rtnetlink(7).
//!
//! Not by ioctl: that gives an address its classful mask first, and for a moment all of 10.0.0.0/8 would lie behind the
//! interface; and it takes away whatever address is there, not the one that is meant.

use std::{
    io::{self, Read, Write},
    net::Ipv4Addr,
    time::Duration,
};

use socket2::{Domain, Protocol, Socket, Type};

/// Message types, flags and attributes as the kernel numbers them (rtnetlink(7), netdevice(7)).
const NEW_LINK: u16 = 16;
const NEW_ADDRESS: u16 = 20;
const DELETE_ADDRESS: u16 = 21;
const ERROR: u16 = 2;
const REQUEST_AND_ACKNOWLEDGE: u16 = 1 | 4;
const CREATE_ONLY: u16 = 0x200 | 0x400;
const ADDRESS: u16 = 1;
const LOCAL: u16 = 2;
const BROADCAST: u16 = 4;
const UP: u32 = 1;

/// Octets of a message's head.
const HEAD: usize = 16;

/// The kernel answers at once; this only keeps a surprise from becoming a hang.
const PATIENCE: Duration = Duration::from_secs(5);

/// Gives the interface of that index an address.
///
/// # Errors
///
/// What the system says: [`io::ErrorKind::PermissionDenied`] without `CAP_NET_ADMIN`,
/// [`io::ErrorKind::AlreadyExists`] if it has the address.
pub fn add_address(index: u32, address: Ipv4Addr, prefix: u8) -> io::Result<()> {
    request(NEW_ADDRESS, CREATE_ONLY, &address_of(index, address, prefix))
}

/// Takes exactly this address away.
///
/// # Errors
///
/// What the system says; [`io::ErrorKind::AddrNotAvailable`] if it is not there.
pub fn remove_address(index: u32, address: Ipv4Addr, prefix: u8) -> io::Result<()> {
    request(DELETE_ADDRESS, 0, &address_of(index, address, prefix))
}

/// Brings the interface up or down.
///
/// # Errors
///
/// What the system says.
pub fn set_up(index: u32, up: bool) -> io::Result<()> {
    let flags = if up { UP } else { 0 };
    // A family and a type of none, the index, the flags, and which of them change.
    let content = [[0; 4], index.to_ne_bytes(), flags.to_ne_bytes(), UP.to_ne_bytes()].concat();
    request(NEW_LINK, 0, &content)
}

/// What both requests about an address say of it.
fn address_of(index: u32, address: Ipv4Addr, prefix: u8) -> Vec<u8> {
    let family = u8::try_from(libc::AF_INET).unwrap_or(0);
    let host = u32::MAX.checked_shr(u32::from(prefix)).unwrap_or(0);
    let everybody = Ipv4Addr::from(u32::from(address) | host);
    let mut content = vec![family, prefix, 0, 0];
    content.extend(index.to_ne_bytes());
    for (kind, address) in [(LOCAL, address), (ADDRESS, address), (BROADCAST, everybody)] {
        content.extend(8_u16.to_ne_bytes());
        content.extend(kind.to_ne_bytes());
        content.extend(address.octets());
    }
    content
}

/// Sends one request and waits for the kernel's word on it.
fn request(kind: u16, flags: u16, content: &[u8]) -> io::Result<()> {
    let route = Protocol::from(libc::NETLINK_ROUTE);
    let mut socket = Socket::new(Domain::from(libc::AF_NETLINK), Type::RAW, Some(route))?;
    socket.set_read_timeout(Some(PATIENCE))?;
    let length = u32::try_from(HEAD + content.len()).unwrap_or_default();
    let mut message = Vec::with_capacity(HEAD + content.len());
    message.extend(length.to_ne_bytes());
    message.extend(kind.to_ne_bytes());
    message.extend((flags | REQUEST_AND_ACKNOWLEDGE).to_ne_bytes());
    // Number of the request and of its sender: there is one request, and the kernel knows the sender.
    message.extend([0; 8]);
    message.extend(content);
    // Without a destination it goes to the kernel.
    socket.write_all(&message)?;
    let mut answer = [0; 512];
    let length = socket.read(&mut answer)?;
    outcome(&answer[..length])
}

/// What the kernel's answer says: the number of an error, or 0.
fn outcome(answer: &[u8]) -> io::Result<()> {
    let odd = || io::Error::new(io::ErrorKind::InvalidData, "not an answer to a request");
    let kind = answer.get(4..6).and_then(|octets| octets.first_chunk::<2>());
    let number = answer.get(HEAD..).and_then(|octets| octets.first_chunk::<4>());
    let (Some(kind), Some(number)) = (kind, number) else { return Err(odd()) };
    match (u16::from_ne_bytes(*kind), i32::from_ne_bytes(*number)) {
        (ERROR, 0) => Ok(()),
        (ERROR, number) => Err(io::Error::from_raw_os_error(number.saturating_neg())),
        _ => Err(odd()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_as_the_kernel_reads_it() {
        let content = address_of(7, Ipv4Addr::new(10, 99, 0, 1), 24);
        let text: Vec<String> = content.chunks(4).map(|word| format!("{word:?}")).collect();
        let index = format!("{:?}", 7_u32.to_ne_bytes());
        let head = |kind: u16| format!("{:?}", [8_u16.to_ne_bytes(), kind.to_ne_bytes()].concat());
        let (own, all) = ("[10, 99, 0, 1]", "[10, 99, 0, 255]");
        let expected = ["[2, 24, 0, 0]", &index, &head(2), own, &head(1), own, &head(4), all];
        assert_eq!(text, expected);
    }

    /// The kernel itself answers: there is no interface of that number, whoever asks.
    #[test]
    fn what_the_kernel_says_is_told() {
        let kind = |result: io::Result<()>| result.unwrap_err().raw_os_error().unwrap();
        let refused = [libc::ENODEV, libc::EPERM];
        let nowhere = u32::MAX >> 1;
        let address = Ipv4Addr::new(192, 0, 2, 1);
        for result in [
            add_address(nowhere, address, 24),
            remove_address(nowhere, address, 24),
            set_up(nowhere, false),
        ] {
            let number = kind(result);
            assert!(refused.contains(&number), "{number}");
        }
    }

    #[test]
    fn answers() {
        let answer = |kind: u16, number: i32| {
            let head = [&[0; 4][..], &kind.to_ne_bytes(), &[0; 10]].concat();
            outcome(&[&head[..], &number.to_ne_bytes()].concat())
        };
        assert!(answer(ERROR, 0).is_ok());
        assert_eq!(answer(ERROR, -libc::EEXIST).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(answer(3, 0).unwrap_err().kind(), io::ErrorKind::InvalidData);
        assert!(outcome(&[0; 19]).is_err() && outcome(&[]).is_err());
        assert!(answer(ERROR, i32::MIN).is_err());
    }
}
