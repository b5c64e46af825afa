//! Tests of what lease files mean, and of which leases can be taken over.

use proptest::prelude::*;

use super::*;
use crate::{
    config::{Settings, Subnet},
    domain::{Change, Commit, Entry, Lease},
    store::State,
};

const NOW: &str = "2026-11-20T14:00:00Z";

const DHCPD: &str = r#"# The format of this file is documented in the dhcpd.leases(5) manual page.
# All times in this file are in UTC (GMT), not your local timezone.
authoring-byte-order little-endian;
server-duid "\000\001\000\001\"x";

lease 10.20.1.1 {
  starts 5 2026/11/20 08:00:00;
  ends 5 2026/11/20 09:00:00;
  binding state active;
  hardware ethernet 00:15:65:00:00:01;
}
lease 10.20.1.1 {
  starts 5 2026/11/20 13:00:00;
  ends 5 2026/11/20 15:00:00;
  binding state active;
  next binding state free;
  hardware ethernet 00:15:65:00:00:01;
  uid "\001\000\025e\000\000\001";
  set vendor-class-identifier = "a } ; # {";
  on expiry { log(info, "x"); }
  client-hostname "phone";
}
lease 10.20.1.2 {
  starts epoch 1795179600; # Fri Nov 20 13:00:00 2026
  ends never;
  binding state active;
  hardware ethernet 00:15:65:00:00:02;
  uid 00:73:6e:6f:6d;
}
lease 10.20.1.3 {
  ends 5 2026/11/20 15:00:00;
  binding state free;
  hardware ethernet 00:15:65:00:00:03;
}
"#;

const KEA: &str = "address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state,user_context,pool_id
10.20.1.1,00:15:65:00:00:01,01:00:15:65:00:00:01,7200,1795186800,1,0,0,,0,,0
10.20.1.2,00:15:65:00:00:02,,4294967295,1795186800,1,0,0,a&#x2cb,0,{ \"x\": 1 },0
10.20.1.3,00:15:65:00:00:03,,7200,1795186800,1,0,0,,0,,0
address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state,user_context,pool_id
10.20.1.3,00:15:65:00:00:03,,0,1795186800,1,0,0,,0,,0
10.20.1.4,00:15:65:00:00:04,,7200,1795186800,1,0,0,,1,,0
x
";

const DNSMASQ: &str = "1795186800 00:15:65:00:00:01 10.20.1.1 phone 01:00:15:65:00:00:01
0 00:15:65:00:00:02 10.20.1.2 * *
1795186800 06-00:15:65:00:00:03 10.20.1.3 * *
1795186800 00:15:65:00:00:04
duid 00:01:00:01
1795186800 1 fd00::1 * 00:01
";

/// What a file says, a line a record.
fn shown(text: &str) -> String {
    let document = match read(text.as_bytes()) {
        Ok(document) => document,
        Err(why) => return why.to_string(),
    };
    let mut lines = vec![document.format.as_str().to_owned()];
    lines.extend(document.records.iter().map(|(address, record)| {
        let mac = record.mac.map_or("-".to_owned(), |mac| mac.to_string());
        let key = record.key().map_or("-".to_owned(), |key| format!("{key:?}"));
        let until = match record.until {
            Until::Time(at) => at.to_string(),
            Until::Never => "never".to_owned(),
        };
        let ended = record.ended.unwrap_or("active");
        format!("{}: {address} {mac} {key} {until} {ended}", record.line)
    }));
    lines.extend(document.faults.iter().map(|(line, reason)| format!("{line}: {reason}")));
    lines.join("\n")
}

#[test]
fn files_of_three_servers() {
    let check = |text: &str, expected: &str| assert_eq!(shown(text), expected);
    check(
        DHCPD,
        "ISC dhcpd\n\
         12: 10.20.1.1 00:15:65:00:00:01 0101001565000001 2026-11-20T15:00:00Z active\n\
         23: 10.20.1.2 00:15:65:00:00:02 0100736e6f6d never active\n\
         30: 10.20.1.3 00:15:65:00:00:03 00001565000003 2026-11-20T15:00:00Z free",
    );
    check(
        KEA,
        "Kea\n\
         2: 10.20.1.1 00:15:65:00:00:01 0101001565000001 2026-11-20T15:00:00Z active\n\
         3: 10.20.1.2 00:15:65:00:00:02 00001565000002 never active\n\
         6: 10.20.1.3 00:15:65:00:00:03 00001565000003 2026-11-20T15:00:00Z released\n\
         7: 10.20.1.4 00:15:65:00:00:04 00001565000004 2026-11-20T15:00:00Z declined\n\
         8: the first column is no IPv4 address",
    );
    check(
        DNSMASQ,
        "dnsmasq\n\
         1: 10.20.1.1 00:15:65:00:00:01 0101001565000001 2026-11-20T15:00:00Z active\n\
         2: 10.20.1.2 00:15:65:00:00:02 00001565000002 never active\n\
         3: 10.20.1.3 - - 2026-11-20T15:00:00Z active\n\
         4: this line is cut short",
    );
    check("# The format of this file …\n", "ISC dhcpd");
    check("\n \n", "there is nothing in it");
    check("mac,model\n", "this is no lease file of ISC dhcpd, Kea (memfile) or dnsmasq");
    check(
        "address,duid,valid_lifetime\n",
        "these are leases of IPv6 addresses: phones get IPv4 addresses from ringup",
    );
    check("lease 10.20.1.1 {\n ends never;", "ISC dhcpd\n1: a lease without an address or a block");
}

fn settings() -> Settings {
    let mut settings = Settings::default();
    settings.dhcp.subnets = vec![Subnet {
        network: [10, 20, 0, 0].into(),
        prefix: 16,
        site: "default".to_owned(),
        pool: vec![([10, 20, 1, 1].into(), [10, 20, 1, 250].into())],
        router: vec![[10, 20, 1, 9].into()],
        dns: Vec::new(),
        ntp: Vec::new(),
        domain: None,
        search: Vec::new(),
        routes: Vec::new(),
        lease_time: std::time::Duration::from_hours(24),
        servers: Vec::new(),
        voice_vlan: None,
        option_82: crate::config::Option82::Relay,
        admit: crate::config::Admit::All,
        options: Vec::new(),
        for_family: BTreeMap::new(),
    }];
    settings
}

fn mac(text: &str) -> Mac {
    text.parse().unwrap()
}

/// A state in which 02:…:aa holds 10.20.1.5, and 10.20.1.6 is reserved for 02:…:bb.
fn state() -> State {
    let held = Lease {
        address: [10, 20, 1, 5].into(),
        client: ClientKey::hardware(mac("0200000000aa")),
        mac: mac("0200000000aa"),
        since: Timestamp::UNIX_EPOCH,
        until: "2026-11-20T16:00:00Z".parse().unwrap(),
    };
    let entry = Entry { address: Some([10, 20, 1, 6].into()), ..Entry::default() };
    let changes = vec![Change::Leased(held), Change::Listed(mac("0200000000bb"), Box::new(entry))];
    let mut state = State::default();
    state.apply(&Commit { number: 1, changes });
    state
}

#[test]
fn verdicts() {
    let now = NOW.parse().unwrap();
    let check = |lines: &str, expected: &str| {
        let planned = plan(&read(lines.as_bytes()).unwrap(), &state(), &settings(), now);
        let rows: Vec<_> = planned
            .rows
            .iter()
            .map(|row| format!("{} {}", row.verdict.as_str(), row.reason).trim_end().to_owned())
            .collect();
        assert_eq!(rows.join("\n"), expected, "{lines}");
        let changes = planned.batch.as_ref().map_or(0, |batch| batch.changes.len());
        assert_eq!(changes, planned.count(Verdict::Imported));
        let claims = planned.batch.as_ref().map_or(0, |batch| batch.claims.len());
        assert_eq!(claims, changes, "every address is claimed");
        if let Some(batch) = planned.batch {
            state().admits(&batch).unwrap();
        }
    };
    check("1795186800 00:15:65:00:00:01 10.20.1.1 * *", "imported");
    check("0 00:15:65:00:00:01 10.20.1.1 * *", "imported");
    check("1795180000 00:15:65:00:00:01 10.20.1.1 * *", "skipped expired");
    check("1795186800 00:15:65:00:00:01 10.30.1.1 * *", "skipped on none of the subnets here");
    check(
        "1795186800 00:15:65:00:00:01 10.20.1.5 * *",
        "refused 02:00:00:00:00:aa holds it here already",
    );
    check(
        "1795186800 00:15:65:00:00:01 10.20.1.6 * *",
        "refused the address is reserved for 02:00:00:00:00:bb",
    );
    check("1795186800 02:00:00:00:00:bb 10.20.1.6 * *", "imported");
    check(
        "1795186800 02:00:00:00:00:bb 10.20.1.7 * *",
        "imported its entry reserves 10.20.1.6: it moves there at its next start",
    );
    check("1795186800 02:00:00:00:00:aa 10.20.1.5 * *", "same");
    check("1795199999 02:00:00:00:00:aa 10.20.1.5 * *", "imported");
    check(
        "1795186800 02:00:00:00:00:aa 10.20.1.7 * *",
        "refused its holder has 10.20.1.5 here already",
    );
    check(
        "1795186800 00:15:65:00:00:01 10.20.1.9 * *",
        "refused the address belongs to the network itself",
    );
    check(
        "1795186800 00:15:65:00:00:01 10.20.255.255 * *",
        "refused the address belongs to the network itself",
    );
    check(
        "1795186800 00:15:65:00:00:01 10.20.2.1 * *",
        "refused outside the pools of its subnet: widen one, or list the phone with this address",
    );
    check(
        "1795186800 06-00:15:65:00:00:01 10.20.1.1 * *",
        "refused its holder has no Ethernet address",
    );
    check(
        "1795186800 00:15:65:00:00:01 10.20.1.1 * *\n1795186900 00:15:65:00:00:01 10.20.1.2 * *",
        "skipped the same client has a later lease of 10.20.1.2\nimported",
    );
    // The loader and the application of one phone may call themselves differently: that is two clients.
    check(
        "1795186800 00:15:65:00:00:01 10.20.1.1 * *\n1795186900 00:15:65:00:00:01 10.20.1.2 * 01:00:15:65:00:00:01",
        "imported\nimported",
    );
}

#[test]
fn without_subnets_nothing_is_taken() {
    let document = read(DNSMASQ.as_bytes()).unwrap();
    let planned = plan(&document, &State::default(), &Settings::default(), NOW.parse().unwrap());
    assert_eq!(planned.batch, None);
    assert!(planned.rows[0].reason.contains("no [[dhcp.subnet]]"));
}

/// A sample with some octets replaced, cut out or doubled.
fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let sample = prop_oneof![Just(DHCPD), Just(KEA), Just(DNSMASQ)];
    (sample, proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..4_u8), 0..12))
        .prop_map(|(sample, edits)| {
            let mut bytes = sample.as_bytes().to_vec();
            for (index, byte, kind) in edits {
                if bytes.is_empty() {
                    break;
                }
                let at = index.index(bytes.len());
                match kind {
                    0 => bytes[at] = byte,
                    1 => bytes.truncate(at),
                    2 => drop(bytes.remove(at)),
                    _ => bytes.insert(at, b"\"\\{};\n,"[usize::from(byte % 7)]),
                }
            }
            bytes
        })
}

proptest! {
    #[test]
    fn any_octets_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = read(&bytes);
    }

    #[test]
    fn mutated_files_never_panic_and_plans_hold(bytes in mutated()) {
        if let Ok(document) = read(&bytes) {
            let planned = plan(&document, &state(), &settings(), NOW.parse().unwrap());
            if let Some(batch) = planned.batch {
                prop_assert!(state().admits(&batch).is_ok());
            }
        }
    }
}
