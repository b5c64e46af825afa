//! What a hostile sender may do: nothing panics, nothing grows, and phones are heard all the same.

use super::*;

/// A small generator of our own: the same run each time, from a seed that is in the text.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit as u64).unwrap()
    }
}

fn answer(request: &Request, kind: Kind, address: &str) -> Vec<u8> {
    let bytes = request.encode();
    let reply = Reply::to(&Message::request(&bytes).unwrap(), kind)
        .give(ip(address))
        .option(code::SERVER_ID, SERVER.octets())
        .option(code::LEASE_TIME, 3600_u32.to_be_bytes())
        .option(150, [10, 20, 0, 2]);
    reply.encode()
}

#[test]
fn ten_thousand_mutations_and_still_listening() {
    let mut wire = Wire::new();
    let select = Request::select(mac(1), 1, ip("10.20.1.7"), SERVER);
    let station = Arp { hardware: mac(1).octets(), address: ip("10.20.1.7") };
    let messages = [
        discover(mac(1), 1).encode(),
        select.encode(),
        Request::extend(mac(1), 1, ip("10.20.1.7")).relayed(RELAY).encode(),
        answer(&select, Kind::Ack, "10.20.1.7"),
        answer(&select, Kind::Nak, "0.0.0.0"),
    ];
    let wrap = |message: &[u8]| frame(mac(1).octets(), SERVER, EVERYBODY, message);
    let mut frames: Vec<_> = messages.iter().map(|message| wrap(message)).collect();
    frames.push(station.request(OWN));
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    let mut read = 0;
    for turn in 0..10_000 {
        // Half of them are whole frames with a broken message, so that all checks in front of it pass.
        let inside = turn % 2 == 0;
        let originals = if inside { &messages[..] } else { &frames };
        let mut bytes = originals[random.below(originals.len())].clone();
        for _ in 0..=random.below(8) {
            let at = random.below(bytes.len());
            bytes[at] = u8::try_from(random.below(256)).unwrap();
        }
        bytes.truncate(bytes.len().saturating_sub(random.below(60)));
        let frame = if inside { wrap(&bytes) } else { bytes };
        read += usize::from(wire.hear(&frame).is_ok());
    }
    assert!(read > 3000, "only {read} mutations were readable");
    assert!(wire.state.phones.len() < 2000, "invented phones fill no memory");
    assert!(wire.state.leases.len() < 2000, "nor do their leases");
    wire.now = 100_000;
    wire.says(&discover(phone(), 77), "looks for a DHCP server");
}

#[test]
fn a_flood_of_strangers_comes_in_slowly() {
    let mut wire = Wire::new();
    let mut heard = 0;
    for number in 0..3000 {
        let request = Request::select(mac(number), 1, ip("10.20.1.7"), SERVER);
        let frame =
            frame(mac(number).octets(), Ipv4Addr::UNSPECIFIED, EVERYBODY, &request.encode());
        heard += usize::from(wire.told(&frame) != "stranger");
    }
    assert_eq!((heard, wire.state.phones.len()), (1024, 1024));
    // A phone that is on record is heard all the same.
    wire.says(&discover(mac(3), 2), "looks for a DHCP server");
}

#[test]
fn leases_have_a_bound() {
    let mut wire = Wire::new();
    let now = wire.time();
    let lease = |number: u32| {
        let (address, mac) = (Ipv4Addr::from(0x0b00_0000 + number), mac(number));
        let client = crate::domain::ClientKey::hardware(mac);
        Change::Leased(Lease { address, client, mac, since: now, until: Timestamp::MAX })
    };
    wire.commit((0..u32::try_from(MAX_LEASES).unwrap()).map(lease).collect());
    let select = Request::select(phone(), 1, ip("10.20.1.7"), SERVER);
    wire.says(&select, "takes 10.20.1.7, which 10.20.0.3 offered");
    wire.acknowledges(&select, "10.20.1.7", "full");
    wire.uses(phone(), "10.20.1.7", "full");
    // Who has one may have another.
    let moved = Request::select(mac(3), 1, ip("10.20.1.8"), SERVER);
    wire.says(&moved, "10.20.1.8 for 600 s; takes 10.20.1.8, which 10.20.0.3 offered");
    assert_eq!(wire.state.leases.len(), MAX_LEASES);
}
