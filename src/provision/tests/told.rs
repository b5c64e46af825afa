//! DHCP explained, case by case: who the phone is, how the settings are, what is said of it.

use super::*;
use crate::{
    config::Admit,
    domain::{Event, Ground, Origin, What},
    provision::{Told, ToldOption},
};

const PHONE: &str = "02:00:00:00:00:01";
const OWN: Ipv4Addr = Ipv4Addr::new(10, 20, 0, 2);

fn told(settings: Settings, changes: Vec<Change>, heard: &[(u8, String)]) -> Told {
    let mut state = State::default();
    state.apply(&Commit { number: 1, changes });
    let nowhere = Path::new("/nonexistent");
    let (library, _) = Library::load(nowhere, nowhere);
    let provisioner =
        Provisioner::new(Arc::new(settings), catalog(), Arc::new(library), View::new(state));
    let heard = (!heard.is_empty()).then_some((Ipv4Addr::new(10, 20, 0, 9), heard));
    provisioner.told(mac(PHONE), OWN, heard, now())
}

fn entry(model: &str) -> Change {
    let entry = Entry { model: model.to_owned(), ..Entry::default() };
    Change::Listed(mac(PHONE), Box::new(entry))
}

fn asks(codes: &str) -> Change {
    let (vendor, family, model, firmware, mac_shown) = (None, None, None, None, None);
    let (from, value, at) = (Origin::Option55, codes.to_owned(), now());
    Change::Showed(
        mac(PHONE),
        Ground { from, value, vendor, family, model, firmware, mac: mac_shown, at },
    )
}

fn leased(address: [u8; 4]) -> Change {
    let what = What::Informed { address: address.into() };
    Change::Happened(mac(PHONE), Event { at: now(), what })
}

fn mode(mode: DhcpMode) -> Settings {
    let mut settings = settings();
    settings.dhcp.mode = mode;
    settings
}

#[test]
fn in_words() {
    let check =
        |settings: Settings, changes: Vec<Change>, heard: &[(u8, String)], expected: &str| {
            assert_eq!(told(settings, changes, heard).text, expected);
        };
    let here = || leased([10, 20, 0, 51]);
    let serve = || mode(DhcpMode::Serve);
    check(
        serve(),
        vec![entry("VVX 410"), here()],
        &[],
        "It looks for its server in option 160, then option 66. It is sent option 160, so it goes to http://10.20.0.2/.",
    );
    check(
        serve(),
        vec![entry("7961"), here()],
        &[],
        "It looks for its server in option 150, then option 66. It is sent option 150, so it goes to 10.20.0.2.",
    );
    check(
        serve(),
        vec![entry(""), here()],
        &[],
        "What it is made by is not known yet, so neither is what it reads. It is sent what most phones understand.",
    );
    check(
        serve(),
        vec![entry("7961"), leased([192, 0, 2, 1])],
        &[],
        "It looks for its server in option 150, then option 66. No subnet in the settings is known to be its own yet.",
    );
    let mut listed = serve();
    listed.dhcp.subnets[0].admit = Admit::Listed;
    check(
        listed,
        vec![here()],
        &[],
        "What it is made by is not known yet, so neither is what it reads. It gets no address here: `admit` leaves it out.",
    );
    check(
        mode(DhcpMode::Observe),
        vec![entry("VVX 410"), here()],
        &[(66, "http://10.0.0.7/".to_owned())],
        "It looks for its server in option 160, then option 66. 10.20.0.9 sends it option 66, so it goes to \
         http://10.0.0.7/.",
    );
    check(
        mode(DhcpMode::Observe),
        vec![entry("VVX 410"), here()],
        &[(150, "10.0.0.7".to_owned())],
        "It looks for its server in option 160, then option 66. 10.20.0.9, which answers here, sends it none of these.",
    );
    check(
        mode(DhcpMode::Off),
        vec![entry("VVX 410"), here()],
        &[],
        "It looks for its server in option 160, then option 66. Another server gives addresses here, and what it sends \
         is not known.",
    );
}

#[test]
fn option_by_option() {
    let told = told(
        mode(DhcpMode::Serve),
        vec![entry("7961"), asks("1,66,6,3,15,150,35"), leased([10, 20, 0, 51])],
        &[],
    );
    assert_eq!(told.asked.as_deref(), Some(&[1, 66, 6, 3, 15, 150, 35][..]));
    let of = |code: u8| told.options.iter().find(|option| option.code == code);
    let server = of(150).unwrap();
    assert_eq!((server.text.as_str(), server.asked), ("10.20.0.2", true));
    let by = of(54).unwrap();
    assert_eq!((by.text.as_str(), by.asked, by.name), ("10.20.0.2", false, "DHCP server"));
    assert!(of(42).is_none(), "time servers go to those who ask");
    let codes: Vec<_> = told.honours.iter().map(ToldOption::called).collect();
    assert_eq!((codes.join(" "), told.uses), ("option 150 option 66".to_owned(), Some(0)));
}

#[test]
fn nothing_is_taken_where_nothing_is_sent() {
    let strange = vec![entry("7961"), leased([192, 0, 2, 1])];
    let told = told(mode(DhcpMode::Serve), strange, &[]);
    assert_eq!((told.options.len(), told.uses), (0, None));
    assert!(told.honours.iter().all(|option| option.text.is_empty()), "{:?}", told.honours);
}

#[test]
fn what_another_server_would_have_to_send() {
    let mut settings = mode(DhcpMode::Off);
    settings.dhcp.subnets.clear();
    let told = told(settings, vec![entry("7961"), leased([10, 20, 0, 51])], &[]);
    assert_eq!((told.options.len(), told.uses), (0, None));
    let texts: Vec<_> = told.honours.iter().map(|option| option.text.as_str()).collect();
    assert_eq!(texts, ["10.20.0.2", "10.20.0.2"]);
}
