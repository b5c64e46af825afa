//! What a hostile sender may do: nothing panics, nothing grows, and phones are served all the same.

use proptest::{collection::vec, prelude::*};

use super::*;
use crate::wire::dhcp::Kind;

fn any_request() -> impl Strategy<Value = Request> {
    let kind = prop::sample::select(vec![
        Kind::Discover,
        Kind::Request,
        Kind::Decline,
        Kind::Release,
        Kind::Inform,
        Kind::Offer,
    ]);
    let address = prop_oneof![
        Just(Ipv4Addr::UNSPECIFIED),
        Just(OWN),
        (48_u8..62).prop_map(|last| Ipv4Addr::new(10, 20, 0, last)),
        any::<[u8; 4]>().prop_map(Ipv4Addr::from),
    ];
    let code = prop_oneof![
        Just(code::REQUESTED),
        Just(code::SERVER_ID),
        Just(code::CLIENT_ID),
        Just(code::ASKED),
        Just(code::RELAY),
        Just(code::MAX_SIZE),
        Just(code::CLASS),
        1_u8..255
    ];
    let content = prop_oneof![
        address.clone().prop_map(|address| address.octets().to_vec()),
        vec(any::<u8>(), 0..300)
    ];
    let options = vec((code, content), 0..5);
    (kind, 0_u32..20, any::<u32>(), any::<bool>(), address.clone(), address, options).prop_map(
        |(kind, number, xid, broadcast, ciaddr, giaddr, options)| Request {
            broadcast,
            ciaddr,
            giaddr,
            options,
            ..Request::new(kind, mac(number), xid)
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Whatever is sent in whatever order: no address has two holders, and none is given away that must not be.
    #[test]
    fn no_address_is_given_twice(requests in vec(any_request(), 1..60)) {
        let mut bench = Bench::new();
        bench.list(mac(3), "10.20.0.53");
        for request in requests {
            bench.now += 1;
            bench.hear(&request);
            for lease in bench.state.leases.values().filter(|lease| lease.is_active(bench.time())) {
                prop_assert_ne!(lease.address, OWN);
                prop_assert!((50..60).contains(&lease.address.octets()[3]), "{:?}", lease);
                prop_assert!(lease.address != ip("10.20.0.53") || lease.mac == mac(3), "{:?}", lease);
            }
        }
    }
}

#[test]
fn ten_thousand_mutations_and_still_serving() {
    let mut bench = Bench::new();
    let originals = [
        Request::discover(mac(1), 1)
            .option(code::CLASS, *b"Cisco Systems, Inc. IP Phone CP-7961G\0"),
        Request::select(mac(1), 1, ip("10.20.0.50"), OWN).option(code::ASKED, [1, 3, 66, 150]),
        Request::extend(mac(1), 1, ip("10.20.0.50")).relayed(ip("10.20.0.1")),
    ];
    // A small generator of our own: the same run each time, from a seed that is in the text.
    let mut seed = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = |below: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        usize::try_from(seed % below as u64).unwrap()
    };
    for turn in 0..10_000 {
        let mut bytes = originals[turn % 3].encode();
        for _ in 0..=random(8) {
            let at = random(bytes.len());
            bytes[at] = u8::try_from(random(256)).unwrap();
        }
        bytes.truncate(bytes.len() - random(60));
        if Message::request(&bytes).is_ok() {
            bench.receive(&bytes, (ip("10.20.0.1"), 67), OWN, &[(OWN, 24)]);
        }
    }
    bench.now = 100_000;
    let address = bench.lease(mac(77));
    assert!((50..60).contains(&address.octets()[3]));
    assert!(bench.state.phones.len() < 2000, "invented phones fill no memory");
}
