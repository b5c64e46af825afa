//! The service over a real store: admissions and records that are fact.

use std::collections::BTreeSet;

use tokio::task::JoinSet;

use crate::{
    domain::{Batch, Event, Granted, Outcome, Stage, What},
    store::Store,
    telemetry::Counters,
};

use super::{super::Service, *};

pub(super) struct Bench {
    pub(super) service: Arc<Service>,
    directory: tempfile::TempDir,
}

pub(super) async fn bench(settings: Settings, changes: Vec<Change>) -> Bench {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).unwrap();
    store.journal.commit(Batch::from(changes)).await.unwrap();
    let library = Arc::new(Library::default());
    let resolver = Provisioner::new(Arc::new(settings), catalog(), library, store.view.clone());
    let service =
        Service::start(resolver, store.journal, store.view, store.feed, Counters::default());
    Bench { service: Arc::new(service), directory }
}

/// Opens a file as a carrier does and delivers it whole; the outcome in a few words.
async fn fetch(service: &Service, peer: [u8; 4], name: &str) -> String {
    let local = [10, 20, 0, 2].into();
    let request = Request { name, peer: peer.into(), local, carrier: Carrier::Tftp, seen: &[] };
    match service.open(&request, now()).await {
        Ok((opened, delivery)) => {
            delivery.finish(Outcome::Complete);
            told(&Ok(opened))
        }
        Err(refusal) => told(&Err(refusal)),
    }
}

fn stage(service: &Service, phone: &str) -> Option<Stage> {
    service.view.read().phones.get(&mac(phone)).map(|phone| phone.boot.stage())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_number_a_phone_and_one_phone_a_number() {
    let bench = bench(registering(settings(), 4000, 4999), vec![]).await;
    let mut requests = JoinSet::new();
    for repeat in 0..4_u8 {
        for phone in 0..40_u8 {
            let service = Arc::clone(&bench.service);
            requests.spawn(async move {
                let name = format!("0015650000{phone:02x}.cfg");
                fetch(&service, [10, 20, repeat, phone], &name).await
            });
        }
    }
    while let Some(told) = requests.join_next().await {
        let told = told.unwrap();
        assert!(told.contains("from template yealink-desk/phone.cfg.j2"), "{told}");
    }
    let state = bench.service.view.read();
    let numbers: BTreeSet<_> = state
        .phones
        .values()
        .map(|phone| phone.entry.as_ref().unwrap().number().to_owned())
        .collect();
    assert_eq!((state.phones.len(), numbers.len(), state.numbers.len()), (40, 40, 40));
    assert_eq!(bench.service.counters.value("provision", "admitted"), 40);
}

#[tokio::test]
async fn a_number_outlives_its_entry() {
    let bench = bench(registering(settings(), 4000, 4000), vec![]).await;
    let fetch = async |name| fetch(&bench.service, [10, 20, 0, 9], name).await;
    let first = fetch("001565000001.cfg").await;
    assert!(first.ends_with("admits it as 4000"), "{first}");
    let none = "00:15:65:00:00:02 is not listed, and no number is left for it in 4000-4000";
    assert_eq!(fetch("001565000002.cfg").await, none);
    bench.service.journal.commit(Change::Unlisted(mac("001565000001")).into()).await.unwrap();
    assert_eq!(fetch("001565000002.cfg").await, none);
    assert_eq!(fetch("001565000001.cfg").await, first);
}

#[tokio::test]
async fn a_boot_is_on_record_and_survives() {
    let bench =
        bench(serving(), vec![listed("001565000001", "T46S", "1"), leased("001565000001", 51)])
            .await;
    let peer = [10, 20, 0, 51];
    fetch(&bench.service, peer, "y000000000066.cfg").await;
    fetch(&bench.service, peer, "001565000001.cfg").await;
    bench.service.drain().await;
    assert_eq!(stage(&bench.service, "001565000001"), Some(Stage::Configured));
    let Bench { service, directory } = bench;
    service.journal.close();
    drop(service);
    let store = Store::open(directory.path()).unwrap();
    let told: Vec<_> = store.journal.timeline(mac("001565000001"), 9).unwrap();
    let told: Vec<_> = told.iter().map(|(_, event)| event.what.to_string()).collect();
    assert_eq!(told.len(), 4, "{told:?}");
    assert_eq!(told[2], "asked for 001565000001.cfg by TFTP");
    let state = store.view.read();
    let phone = &state.phones[&mac("001565000001")];
    assert_eq!(phone.boot.stage(), Stage::Configured);
    assert!(
        phone.grounds.iter().any(|ground| ground.model.as_deref() == Some("T46S")),
        "{:?}",
        phone.grounds
    );
}

#[tokio::test]
async fn an_unchanged_file_configures() {
    let bench = bench(settings(), vec![listed("001565000001", "T46S", "1")]).await;
    let (peer, local) = ([10, 20, 0, 9].into(), [10, 20, 0, 2].into());
    let name = "001565000001.cfg";
    let request = Request { name, peer, local, carrier: Carrier::Http, seen: &[] };
    let opened = bench.service.peek(&request, now()).unwrap();
    bench.service.drain().await;
    assert_eq!(stage(&bench.service, "001565000001"), Some(Stage::Silent), "a look is no boot");
    bench.service.unchanged(&request, &opened, now());
    bench.service.drain().await;
    assert_eq!(stage(&bench.service, "001565000001"), Some(Stage::Configured));
}

#[tokio::test]
async fn who_goes_on_record() {
    let bench =
        bench(serving(), vec![leased("001565000001", 51), listed("001565000002", "", "2")]).await;
    fetch(&bench.service, [10, 20, 0, 51], "001565000001.cfg").await;
    fetch(&bench.service, [10, 20, 0, 99], "001565000002.cfg").await;
    fetch(&bench.service, [10, 20, 0, 99], "001565000003.cfg").await;
    fetch(&bench.service, [10, 20, 0, 51], "001565000004.cfg").await;
    bench.service.drain().await;
    let seen = |phone| stage(&bench.service, phone);
    assert_eq!(seen("001565000001"), Some(Stage::Asking), "not listed, at its own address");
    assert_eq!(seen("001565000002"), Some(Stage::Asking), "listed, at a strange address");
    assert_eq!((seen("001565000003"), seen("001565000004")), (None, None), "made up");
    assert_eq!(bench.service.counters.value("refused", "not-its-address"), 1);
}

#[tokio::test]
async fn an_address_that_was_typed_in_becomes_known() {
    let check = async |settings: Settings, peers: &[u8], names: &[&str], expected: Option<u8>| {
        let phone = "001565000001";
        let bench =
            bench(settings, vec![listed(phone, "T46S", "1"), leased("001565000002", 52)]).await;
        for (last, name) in peers.iter().zip(names.iter().cycle()) {
            fetch(&bench.service, [10, 20, 0, *last], name).await;
        }
        bench.service.drain().await;
        let state = bench.service.view.read();
        let address = state.phones[&mac(phone)].boot.address;
        assert_eq!(
            address,
            expected.map(|last| Ipv4Addr::new(10, 20, 0, last)),
            "{peers:?} {names:?}"
        );
        drop(state);
        let events = bench.service.journal.timeline(mac(phone), 99).unwrap();
        events.iter().filter(|(_, event)| matches!(event.what, What::Appeared { .. })).count()
    };
    let own = &["001565000001.cfg"][..];
    let extra = &["001565000001-local.cfg"][..];
    assert_eq!(check(settings(), &[9, 9, 9], own, Some(9)).await, 1);
    assert_eq!(check(settings(), &[9, 9, 7, 7, 9], own, Some(9)).await, 3);
    assert_eq!(check(settings(), &[9], extra, Some(9)).await, 1);
    // Where leases count, an own file that is withheld shows nothing, and neither does whoever has a lease of its own.
    assert_eq!(check(serving(), &[9], own, None).await, 0);
    assert_eq!(check(serving(), &[9], extra, Some(9)).await, 1);
    assert_eq!(check(serving(), &[52], extra, None).await, 0);
}

#[tokio::test]
async fn a_neighbour_begins_no_round_of_a_phones_boot() {
    let phone = "001e7ac41022";
    let changes = vec![listed(phone, "7961G", "1"), leased(phone, 51), leased("001565000009", 99)];
    let bench = bench(serving(), changes).await;
    let took = Event {
        at: now(),
        what: What::Leased {
            address: Ipv4Addr::new(10, 20, 0, 51),
            until: now() + Duration::from_hours(1),
            granted: Granted::Selected,
        },
    };
    bench.service.commit(Change::Happened(mac(phone), took).into()).await.unwrap();
    fetch(&bench.service, [10, 20, 0, 51], "SEP001E7AC41022.cnf.xml").await;
    // One with a lease of its own, and one without.
    for neighbour in [99, 98] {
        let peer = [10, 20, 0, neighbour];
        fetch(&bench.service, peer, "CTLSEP001E7AC41022.tlv").await;
        fetch(&bench.service, peer, "001e7ac41022-phone.cfg").await;
        fetch(&bench.service, peer, "nobody-knows-001e7ac41022.bin").await;
    }
    bench.service.drain().await;
    assert_eq!(stage(&bench.service, phone), Some(Stage::Configured));
    fetch(&bench.service, [10, 20, 0, 51], "CTLSEP001E7AC41022.tlv").await;
    bench.service.drain().await;
    assert_eq!(stage(&bench.service, phone), Some(Stage::Asking), "its own request begins one");
}

#[tokio::test]
async fn a_neighbour_says_nothing_about_a_phone() {
    let phone = "001e7ac41022";
    let changes = vec![listed(phone, "7961G", "1"), leased(phone, 51), leased("001565000009", 99)];
    let bench = bench(serving(), changes).await;
    fetch(&bench.service, [10, 20, 0, 51], "SEP001E7AC41022.cnf.xml").await;
    let agent = "FileTransport PolycomVVX-VVX_401-UA/6.4.7.4560 (SN:0004f2aabbcc) Type/Application";
    for neighbour in [99, 98] {
        for name in ["SEP001E7AC41022.cnf.xml", "{MAC}/SEP001E7AC41022.cnf.xml"] {
            let (peer, local) = ([10, 20, 0, neighbour].into(), [10, 20, 0, 2].into());
            let seen = &[Seen::UserAgent(agent)];
            let request = Request { name, peer, local, carrier: Carrier::Http, seen };
            assert!(bench.service.open(&request, now()).await.is_err(), "withheld");
        }
    }
    bench.service.drain().await;
    let state = bench.service.view.read();
    let record = &state.phones[&mac(phone)];
    let told: Vec<_> = record.grounds.iter().map(|ground| &*ground.value).collect();
    assert!(!told.contains(&agent), "{told:?}");
    let report = bench.service.provisioner().report(mac(phone), record, &state, now());
    let kinds: Vec<_> = report.findings.iter().map(|finding| finding.kind.as_str()).collect();
    assert_eq!(kinds, ["secret-withheld"]);
    drop(state);
}

#[tokio::test]
async fn made_up_phones_are_few_where_leases_count() {
    let bench = bench(serving(), vec![leased("001565000009", 99)]).await;
    for number in 0..1000 {
        for (peer, name) in [(99, "a"), (98, "b")] {
            let name = format!("{name}-0015650{number:05x}.bin");
            fetch(&bench.service, [10, 20, 0, peer], &name).await;
        }
    }
    bench.service.drain().await;
    let recorded = bench.service.view.read().phones.len();
    assert!((200..=300).contains(&recorded), "{recorded} phones from two addresses");
}

#[tokio::test]
async fn made_up_phones_are_few() {
    let bench = bench(settings(), vec![]).await;
    for number in 0..2000 {
        fetch(&bench.service, [10, 20, 0, 66], &format!("00156500{number:04x}.cfg")).await;
    }
    bench.service.drain().await;
    let recorded = bench.service.view.read().phones.len();
    assert!((200..=300).contains(&recorded), "{recorded} phones from one address");
}

#[tokio::test]
async fn what_was_learned_outlives_a_reload() {
    let bench = bench(settings(), vec![listed("0004f2aabbcc", "VVX 401", "1")]).await;
    let peer = [10, 20, 0, 9];
    fetch(&bench.service, peer, "0004f2aabbcc.cfg").await;
    let view = bench.service.view.clone();
    let library = Arc::new(Library::default());
    bench.service.replace(Provisioner::new(Arc::new(settings()), catalog(), library, view));
    let told = fetch(&bench.service, peer, "000000000000.cfg").await;
    assert_eq!(told, "common of 00:04:f2:aa:bb:cc from template poly-vvx/common-master.cfg.j2");
}

/// Who asks for another phone's file is told on his own page, once.
#[tokio::test]
async fn another_phones_file_is_a_mistake_of_the_asker() {
    let changes = vec![
        listed("001e7ac41022", "7961G", "4012"),
        leased("001e7ac41022", 51),
        listed("001e7ac41099", "7961G", "4013"),
        leased("001e7ac41099", 52),
    ];
    let mut settings = settings();
    settings.secrets.peer = crate::config::PeerRule::Lease;
    let bench = bench(settings, changes).await;
    for _ in 0..20 {
        fetch(&bench.service, [10, 20, 0, 52], "SEP001E7AC41022.cnf.xml").await;
    }
    bench.service.drain().await;
    let state = bench.service.view.read();
    let mistake = |phone: &str| state.phones[&mac(phone)].boot.mistake.clone();
    let found = mistake("001e7ac41099").unwrap();
    assert_eq!((&*found.name, found.of), ("SEP001E7AC41022.cnf.xml", mac("001e7ac41022")));
    assert_eq!(mistake("001e7ac41022"), None);
    drop(state);
    let events = bench.service.journal.timeline(mac("001e7ac41099"), 99).unwrap();
    let told =
        events.iter().filter(|(_, event)| matches!(event.what, What::Mistaken { .. })).count();
    assert_eq!(told, 1);
}
