//! Leases with a filter, and pools drawn over time.

use std::{collections::BTreeMap, net::Ipv4Addr, sync::Arc, time::Duration};

use fantoccini::Locator;
use ringup::{
    config::{Admit, DhcpMode, Option82, Subnet},
    domain::{Change, ClientKey, Lease, Mac, Timestamp},
    provision::Provisioner,
};

use super::super::{
    browser::Browser,
    http::{Bench, entry},
};

fn bench() -> Bench {
    let bench = Bench::new(&[]);
    let now = bench.service.provisioner();
    let mut settings = (**now.settings()).clone();
    settings.dhcp.mode = DhcpMode::Serve;
    settings.dhcp.subnets.push(Subnet {
        network: Ipv4Addr::new(10, 20, 0, 0),
        prefix: 24,
        site: "default".to_owned(),
        pool: vec![(Ipv4Addr::new(10, 20, 0, 1), Ipv4Addr::new(10, 20, 0, 40))],
        router: Vec::new(),
        dns: Vec::new(),
        ntp: Vec::new(),
        domain: None,
        search: Vec::new(),
        routes: Vec::new(),
        lease_time: Duration::from_hours(1),
        servers: Vec::new(),
        voice_vlan: None,
        option_82: Option82::Relay,
        admit: Admit::All,
        options: Vec::new(),
        for_family: BTreeMap::new(),
    });
    let (catalog, library) = (Arc::clone(now.catalog()), Arc::clone(now.library()));
    let view = bench.service.view.clone();
    bench.service.replace(Provisioner::new(Arc::new(settings), catalog, library, view));
    bench
}

fn phone(n: u8) -> Mac {
    Mac::new([0, 4, 0xf2, 0, 1, n]).unwrap()
}

fn lease(n: u8, until: Timestamp) -> Change {
    let (address, mac) = (Ipv4Addr::new(10, 20, 0, n), phone(n));
    Change::Leased(Lease {
        address,
        client: ClientKey::hardware(mac),
        mac,
        since: Timestamp::now(),
        until,
    })
}

fn look(bench: &Bench) {
    let (provisioner, state) = (bench.service.provisioner(), bench.service.view.read());
    bench.service.pools.sample(provisioner.settings(), &state, Timestamp::now());
}

#[test]
fn leases_are_found_and_the_pool_is_drawn() {
    let bench = bench();
    look(&bench);
    for n in 1..=30 {
        let listed =
            Change::Listed(phone(n), Box::new(entry("VVX 410", &format!("40{n:02}"), "Desk")));
        let over = if n <= 3 { Timestamp::now() - Duration::from_hours(1) } else { Timestamp::MAX };
        bench.commit(vec![listed, lease(n, over)]);
    }
    look(&bench);
    bench.runtime.block_on(async {
        let browser = Browser::start().await;
        browser.client.goto(&format!("http://{}/leases", bench.operators)).await.unwrap();
        let rows = |count: usize| format!("return document.querySelectorAll('#leases tbody tr').length === {count}");
        browser.until(&rows(30)).await;
        let chart = browser.value("return document.querySelector('.chart').getAttribute('aria-label')").await;
        let chart = chart.to_string();
        assert!(chart.contains("27 in use now, 27 at most"), "{chart}");
        let line = browser.value("return document.querySelector('.chart .line').getAttribute('d')").await;
        let line = line.to_string();
        assert!(line.matches('V').count() >= 2, "it rose: {line}");

        let filter = browser.client.find(Locator::Id("filter")).await.unwrap();
        filter.send_keys("4007").await.unwrap();
        browser.until(&rows(1)).await;
        filter.clear().await.unwrap();
        browser.until(&rows(30)).await;
        browser.value("const which = document.getElementById('which'); which.value = 'false'; which.dispatchEvent(new Event('change'))").await;
        browser.until(&rows(3)).await;
        browser.value("const which = document.getElementById('which'); which.value = ''; which.dispatchEvent(new Event('change'))").await;
        // A lease that comes shows up by itself, and the pool counts it.
        bench.service.journal.commit(lease(31, Timestamp::MAX).into()).await.unwrap();
        browser.until(&rows(31)).await;
        browser.until("return document.querySelector('.used').textContent === '28'").await;
        assert_eq!(browser.console().await, [""; 0]);
        browser.end().await;
    });
}

#[test]
fn the_api_tells_pools_and_pages_leases() {
    let bench = bench();
    for n in 1..=5 {
        bench.commit(vec![lease(n, Timestamp::MAX)]);
    }
    look(&bench);
    let pool = bench.api("GET", "/api/v1/pools", "").json()["items"][0].clone();
    assert_eq!(
        (&pool["subnet"], &pool["used"], &pool["free"]),
        (&"10.20.0.0/24".into(), &5.into(), &35.into())
    );
    assert_eq!(pool["points"][0]["used"], 5);
    let first = bench.api("GET", "/api/v1/leases?limit=3", "").json();
    assert_eq!(
        (first["items"].as_array().unwrap().len(), &first["next"]),
        (3, &"10.20.0.3".into())
    );
    let rest = bench.api("GET", "/api/v1/leases?limit=3&after=10.20.0.3", "").json();
    assert_eq!(
        (rest["items"].as_array().unwrap().len(), &rest["next"]),
        (2, &serde_json::Value::Null)
    );
    let none = bench.api("GET", "/api/v1/leases?active=false", "").json();
    assert!(none["items"].as_array().unwrap().is_empty());
}
