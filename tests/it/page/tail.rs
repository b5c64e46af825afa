//! The events of the whole appliance: those of before, those to come, filtered and held.

use std::net::Ipv4Addr;

use fantoccini::Locator;
use ringup::domain::{Batch, Change, Granted, Mac, Timestamp, What};

use super::super::{
    browser::Browser,
    http::{Bench, entry, happened},
};

fn phone(n: u8) -> Mac {
    Mac::new([0, 4, 0xf2, 0, 1, n]).unwrap()
}

fn leased(n: u8) -> Change {
    let address = Ipv4Addr::new(10, 20, 0, n);
    happened(phone(n), What::Leased { address, until: Timestamp::MAX, granted: Granted::Selected })
}

#[test]
fn events_come_by_themselves_and_wait_while_paused() {
    let bench = Bench::new(&[]);
    for n in 1..=3 {
        bench.commit(vec![Change::Listed(
            phone(n),
            Box::new(entry("VVX 410", &format!("401{n}"), "Desk")),
        )]);
        bench.commit(vec![happened(phone(n), What::discovered(None)), leased(n)]);
    }
    bench.runtime.block_on(async {
        let browser = Browser::start().await;
        browser.client.goto(&format!("http://{}/events", bench.operators)).await.unwrap();
        let lines = |count: usize| format!("return document.querySelectorAll('#tail li').length === {count}");
        browser.until(&lines(6)).await;
        browser.until("return document.getElementById('live').textContent === 'live'").await;
        let commit = |changes: Vec<Change>| bench.service.journal.commit(Batch::from(changes));
        commit(vec![leased(4)]).await.unwrap();
        browser.until(&lines(7)).await;
        let newest = "return document.querySelector('#tail li').innerText.includes('leased 10.20.0.4')";
        browser.until(newest).await;

        let filter = browser.client.find(Locator::Id("filter")).await.unwrap();
        filter.send_keys("4012 leased").await.unwrap();
        browser.until(&lines(1)).await;
        filter.clear().await.unwrap();
        browser.until(&lines(7)).await;

        browser.value("document.activeElement.blur()").await;
        browser.client.find(Locator::Css("body")).await.unwrap().send_keys("p").await.unwrap();
        browser.until("return document.getElementById('pause').getAttribute('aria-pressed') === 'true'").await;
        commit(vec![leased(5), leased(6)]).await.unwrap();
        browser.until("return document.getElementById('shown').textContent === 'paused, 2 new'").await;
        browser.until(&lines(7)).await;
        browser.client.find(Locator::Id("pause")).await.unwrap().click().await.unwrap();
        browser.until(&lines(9)).await;

        // A long list is one event; the storm behind it is cut and counted.
        let list = (10..60).map(|n| Change::Listed(phone(n), Box::new(entry("VVX 410", "", "Desk"))));
        commit(list.collect()).await.unwrap();
        browser.until("return document.querySelector('#tail li').innerText.includes('50 entries of the list were changed')").await;
        let storm = (0..2000).map(|_| happened(phone(7), What::discovered(None)));
        commit(storm.collect()).await.unwrap();
        browser.until("return document.getElementById('shown').textContent.includes('1750 left out in a storm')").await;
        browser.until(&lines(200)).await;
        assert_eq!(browser.console().await, [""; 0]);
        browser.end().await;
    });
}

#[test]
fn the_last_events_are_the_last_ones_of_all_phones() {
    let bench = Bench::new(&[]);
    for n in 1..=20 {
        bench.commit(vec![happened(phone(n), What::discovered(None))]);
        bench.commit(vec![leased(n)]);
    }
    bench.commit(vec![happened(phone(2), What::Released { address: Ipv4Addr::new(10, 20, 0, 2) })]);
    let recent = bench.api("GET", "/api/v1/events/recent?limit=4", "").json();
    let told: Vec<String> = recent["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| format!("{} {}", item["mac"].as_str().unwrap(), item["kind"].as_str().unwrap()))
        .collect();
    let [nineteen, twenty, two] = [19, 20, 2].map(|n| phone(n).to_string());
    assert_eq!(
        told,
        [
            format!("{nineteen} leased"),
            format!("{twenty} discovered"),
            format!("{twenty} leased"),
            format!("{two} released")
        ]
    );
}
