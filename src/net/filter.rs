//! What the kernel lets through to whoever listens for DHCP: a small program that it runs on every frame.

use socket2::SockFilter;

/// How much of a frame passes: all of it.
const WHOLE: u32 = 0x4_0000;

/// Instructions of the classic packet filter (bpf(4)), as far as they are needed.
const LOAD_HALF: u16 = 0x28;
const LOAD_HALF_AT_X: u16 = 0x48;
const LOAD_BYTE_AT_X: u16 = 0x50;
const SET_X: u16 = 0x01;
const A_TO_X: u16 = 0x07;
const AND: u16 = 0x54;
const SHIFT_LEFT: u16 = 0x64;
const ADD_X: u16 = 0x0c;
const EQUAL: u16 = 0x15;
const ANY_BIT: u16 = 0x45;
const RETURN: u16 = 0x06;

/// Lets DHCP and ARP pass, tagged once or not at all, and keeps everything else in the kernel.
///
/// DHCP is UDP over IPv4 to port 67 or 68, or from port 67: a relay may listen elsewhere (RFC 8357). Fragments stay
/// out. The outermost tag of a frame that came in is not in its bytes any more; one of a frame that leaves may be.
pub(super) const fn dhcp_and_arp() -> [SockFilter; 24] {
    const fn op(code: u16, jump_if: u8, jump_else: u8, value: u32) -> SockFilter {
        SockFilter::new(code, jump_if, jump_else, value)
    }
    [
        // X is what a tag adds to every offset, and A the EtherType.
        op(SET_X, 0, 0, 0),
        op(LOAD_HALF, 0, 0, 12),
        op(EQUAL, 1, 0, 0x8100),
        op(EQUAL, 0, 2, 0x88a8),
        op(SET_X, 0, 0, 4),
        op(LOAD_HALF, 0, 0, 16),
        op(EQUAL, 16, 0, 0x0806),
        op(EQUAL, 0, 14, 0x0800),
        // UDP, and not a fragment.
        op(LOAD_BYTE_AT_X, 0, 0, 14 + 9),
        op(EQUAL, 0, 12, 17),
        op(LOAD_HALF_AT_X, 0, 0, 14 + 6),
        op(ANY_BIT, 10, 0, 0x3fff),
        // X moves over the IPv4 header, whose length is counted in words of four octets.
        op(LOAD_BYTE_AT_X, 0, 0, 14),
        op(AND, 0, 0, 0x0f),
        op(SHIFT_LEFT, 0, 0, 2),
        op(ADD_X, 0, 0, 0),
        op(A_TO_X, 0, 0, 0),
        op(LOAD_HALF_AT_X, 0, 0, 14),
        op(EQUAL, 4, 0, 67),
        op(LOAD_HALF_AT_X, 0, 0, 14 + 2),
        op(EQUAL, 2, 0, 67),
        op(EQUAL, 1, 0, 68),
        op(RETURN, 0, 0, 0),
        op(RETURN, 0, 0, WHOLE),
    ]
}

#[cfg(test)]
mod tests {
    use std::{io::Read, os::unix::net::UnixStream};

    use socket2::{Domain, Socket, Type};

    use super::*;

    /// A frame with its addresses, what follows them, and filled up.
    fn frame(rest: &[u8]) -> Vec<u8> {
        [&[0xff; 12], rest, &[0; 30]].concat()
    }

    fn udp(from: u16, to: u16) -> Vec<u8> {
        let [ports_from, ports_to] = [from, to].map(u16::to_be_bytes);
        let header = [0x45, 0, 0, 60, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2];
        [&header[..], &ports_from, &ports_to].concat()
    }

    /// The kernel itself runs the program, on datagrams of a socket that needs no privilege.
    #[test]
    fn what_the_kernel_lets_through() {
        let (sender, receiver) = Socket::pair(Domain::UNIX, Type::DGRAM, None).unwrap();
        receiver.attach_filter(&dhcp_and_arp()).unwrap();
        receiver.set_nonblocking(true).unwrap();
        let mut receiver = UnixStream::from(receiver);
        let mut check = |rest: &[u8], passes: bool| {
            let frame = frame(rest);
            // What a filter keeps out of a local socket is told to its sender as an error.
            let _ = sender.send(&frame);
            let mut buffer = [0; 256];
            let length = receiver.read(&mut buffer).unwrap_or(0);
            let expected = if passes { &frame[..] } else { &[] };
            assert_eq!(&buffer[..length], expected, "{rest:02x?}");
        };
        let ip = |packet: &[u8]| [&[0x08, 0x00], packet].concat();
        let spoilt = |at: usize, value: u8| {
            let mut packet = udp(68, 67);
            packet[at] = value;
            ip(&packet)
        };
        check(&[0x08, 0x06, 0, 1], true);
        check(&ip(&udp(68, 67)), true);
        check(&ip(&udp(67, 68)), true);
        check(&ip(&udp(67, 4011)), true);
        check(&ip(&udp(4011, 67)), true);
        check(&ip(&udp(68, 69)), false);
        check(&ip(&udp(53, 5353)), false);
        check(&spoilt(9, 6), false);
        check(&spoilt(6, 0x20), false);
        check(&spoilt(7, 1), false);
        // Don't fragment is no fragment.
        check(&spoilt(6, 0x40), true);
        check(&[0x86, 0xdd, 0x60], false);
        for tag in [[0x81, 0x00, 0x00, 0x14], [0x88, 0xa8, 0x00, 0x14]] {
            check(&[&tag[..], &ip(&udp(67, 68))].concat(), true);
            check(&[&tag[..], &ip(&udp(53, 53))].concat(), false);
            check(&[&tag[..], &[0x08, 0x06]].concat(), true);
        }
        // A header with options is longer.
        let mut long = udp(1, 2);
        long[0] = 0x46;
        long.splice(20..20, [0, 68, 0, 67]);
        check(&ip(&long), false);
        let ports = long.split_off(24);
        long.extend([0, 68, 0, 67]);
        long.extend(ports);
        check(&ip(&long), true);
    }
}
