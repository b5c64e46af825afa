//! What replies of one kind of phone have in common is made once: nobody may see a difference.

use std::sync::OnceLock;

use proptest::prelude::*;

use super::*;
use crate::{
    dhcp::replies::Replies,
    wire::dhcp::{Kind, Reply},
};

const CLASSES: [&str; 6] =
    ["Cisco Systems, Inc. IP Phone CP-7961G", "Polycom-VVX401", "yealink", "MSFT 5.0", "snom", ""];

/// Asked for by real phones, and by nobody.
const ASKED: [&[u8]; 6] = [
    &[],
    &[1, 3, 6, 15, 42, 66, 150],
    &[1, 66, 6, 3, 15, 150, 35],
    &[150, 119, 121, 28, 3, 1],
    &[43, 160, 132, 125, 2],
    &[1; 300],
];

/// A subnet with everything, one with little, and one that is a copy of the first but for its number.
fn settings() -> Settings {
    let mut rich = subnet("10.20.0.0/24", ("10.20.0.50", "10.20.0.250"));
    rich.router = vec![ip("10.20.0.1")];
    rich.dns = vec![ip("10.20.0.7"), ip("10.20.0.8")];
    rich.domain = Some("voice.example".to_owned());
    rich.search = vec!["a.example".to_owned(), "b.example".to_owned()];
    rich.routes = vec![(ip("10.0.0.0"), 8, ip("10.20.0.1"))];
    rich.voice_vlan = Some(20);
    let poor = subnet("10.21.0.0/24", ("10.21.0.50", "10.21.0.250"));
    let twin = Subnet { voice_vlan: Some(21), ..rich.clone() };
    let mut settings = Settings::default();
    settings.dhcp.subnets = vec![rich, poor, twin];
    settings
}

fn resolver() -> Provisioner {
    static CATALOG: OnceLock<Arc<Catalog>> = OnceLock::new();
    let catalog = CATALOG.get_or_init(|| Arc::new(Catalog::load(None).0));
    let view = View::new(State::default());
    Provisioner::new(Arc::new(settings()), Arc::clone(catalog), Arc::default(), view)
}

/// One that has answered everybody before.
fn old_hand() -> &'static Provisioner {
    static OLD: OnceLock<Provisioner> = OnceLock::new();
    OLD.get_or_init(resolver)
}

/// A message with what decides about its reply.
type Ask = ((usize, usize, usize, u16), (bool, bool, bool, bool), u32);

fn ask() -> impl Strategy<Value = Ask> {
    let picks =
        (0..CLASSES.len(), 0..ASKED.len(), 0_usize..3, prop_oneof![Just(0_u16), 300..1600_u16]);
    (picks, any::<(bool, bool, bool, bool)>(), any::<u32>())
}

fn replies(provisioner: &Provisioner, ask: &Ask) -> Vec<Reply> {
    let ((class, asked, subnet, size), (relayed, named, in_vlan, identified), xid) = *ask;
    let mut request = Request::discover(mac(xid), xid)
        .option(code::CLASS, CLASSES[class].as_bytes())
        .option(code::ASKED, ASKED[asked])
        .option(code::MAX_SIZE, size.to_be_bytes());
    if named {
        request = request.option(code::FQDN, *b"\0\0\0sep.voice");
    }
    if identified {
        request = request.option(code::CLIENT_ID, vec![7; usize::from(size % 256)]);
    }
    if relayed {
        request = request.option(code::RELAY, [11, 4, 10, 20, 0, 9]);
        request = Request { giaddr: ip("10.20.0.1"), ..request };
    }
    let bytes = request.encode();
    let message = Message::request(&bytes).unwrap();
    let (own, vlan) = (&[(OWN, 24)][..], in_vlan.then_some(20));
    let peer = SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 68);
    let arrival = Arrival { message: &message, peer, local: OWN, own, vlan };
    let now = Timestamp::from_second(1_800_000_000).unwrap();
    let client = provisioner.client(message.mac(), &arrival.seen(), now);
    let replies = Replies { provisioner, arrival: &arrival, client: &client };
    let subnet = &provisioner.settings().dhcp.subnets[subnet];
    let address = Ipv4Addr::from(xid);
    vec![
        replies.grant(Kind::Offer, subnet, address),
        replies.grant(Kind::Ack, subnet, address),
        replies.inform(subnet),
    ]
}

proptest! {
    #[test]
    fn a_reply_is_the_same_octets_for_the_first_and_the_thousandth(asks in prop::collection::vec(ask(), 1..20)) {
        for ask in &asks {
            let encoded = |from: &Provisioner| replies(from, ask).iter().map(Reply::encode).collect::<Vec<_>>();
            let fresh = encoded(&resolver());
            prop_assert_eq!(&encoded(old_hand()), &fresh, "{:?}", ask);
            prop_assert_eq!(&encoded(old_hand()), &fresh, "again: {:?}", ask);
        }
    }
}
