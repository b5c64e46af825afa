//! The operators' page in a real Chromium: live without a reload, and deaf to what phones try to run in it.

mod access;
mod bench;
mod board;
mod every;
mod import;
mod lab;
mod leases;
mod login;
mod phone;
mod pictures;
mod tail;
mod waves;
mod window;

use std::net::Ipv4Addr;

use fantoccini::Locator;
use ringup::domain::{Batch, Change, Granted, Mac, Origin, Timestamp, What};
use serde_json::{Value, json};

use super::{
    browser::Browser,
    http::{Bench, batches::call, entry, happened, mac, showed},
};

const DESK: &str = "00:04:f2:aa:bb:01";

fn leased(address: Ipv4Addr) -> What {
    What::Leased { address, until: Timestamp::MAX, granted: Granted::Selected }
}

#[test]
fn a_row_appears_and_changes_without_a_reload() {
    let bench = Bench::new(&[]);
    bench.runtime.block_on(async {
        let browser = Browser::start().await;
        browser.client.goto(&format!("http://{}/", bench.operators)).await.unwrap();
        browser.until("return document.getElementById('live').textContent === 'live'").await;
        browser.until("return !document.getElementById('empty').hidden").await;
        browser.value("window.sameDocument = true").await;

        let commit = |changes: Batch| bench.service.journal.commit(changes);
        let list = Change::Listed(mac(DESK), Box::new(entry("VVX 410", "4012", "Front desk")));
        commit(list.into()).await.unwrap();
        let stage = |stage: &str| {
            format!(
                "const row = document.querySelector('tr[data-mac=\"{DESK}\"]');
                 return row && row.querySelector('.stage').textContent === '{stage}'"
            )
        };
        browser.until(&stage("silent")).await;
        commit(happened(mac(DESK), What::discovered(None)).into()).await.unwrap();
        browser.until(&stage("discovered")).await;
        commit(happened(mac(DESK), leased(Ipv4Addr::new(10, 20, 0, 51))).into()).await.unwrap();
        browser.until(&stage("leased")).await;
        let text = browser.text().await;
        for shown in ["4012 Front desk", DESK, "10.20.0.51", "leased 10.20.0.51", "1 phone"] {
            assert!(text.contains(shown), "{shown} is not in:\n{text}");
        }
        assert_eq!(
            browser.value("return window.sameDocument").await,
            true,
            "nothing was loaded again"
        );
        assert_eq!(
            browser
                .value("return document.querySelector('[data-stage=leased] .count').textContent")
                .await,
            "1"
        );

        commit(Change::Forgotten(mac(DESK)).into()).await.unwrap();
        browser.until("return document.querySelectorAll('#rows tr').length === 0").await;
        assert_eq!(browser.console().await, [""; 0]);
        browser.end().await;
    });
}

#[test]
fn the_filter_and_the_stages_narrow_the_table() {
    let bench = Bench::new(&[]);
    for n in 0..30 {
        let mac = Mac::new([0, 4, 0xf2, 0, 1, n]).unwrap();
        let mut changes =
            vec![Change::Listed(mac, Box::new(entry("VVX 410", &format!("41{n:02}"), "Desk")))];
        if n % 3 == 0 {
            changes.push(happened(mac, leased(Ipv4Addr::new(10, 20, 0, n))));
        }
        bench.commit(changes);
    }
    bench.runtime.block_on(async {
        let browser = Browser::start().await;
        browser.client.goto(&format!("http://{}/", bench.operators)).await.unwrap();
        let shown = |text: &str| {
            format!("return document.getElementById('shown').textContent === '{text}'")
        };
        browser.until(&shown("30 phones")).await;
        let filter = browser.client.find(Locator::Id("filter")).await.unwrap();
        filter.send_keys("4107").await.unwrap();
        browser.until(&shown("1 of 30 phones")).await;
        filter.clear().await.unwrap();
        browser.until(&shown("30 phones")).await;
        let chip = Locator::Css("button[data-stage=leased]");
        browser.client.find(chip).await.unwrap().click().await.unwrap();
        browser.until(&shown("10 of 30 phones")).await;
        browser.end().await;
    });
}

#[test]
fn what_phones_say_is_text_and_runs_nowhere() {
    let bench = Bench::new(&[]);
    let script = "<script>window.pwned = 1</script>";
    let image = "<img src=x onerror='window.pwned = 2'>";
    let named = "<svg onload='window.pwned = 3'>";
    let evil = mac(DESK);
    bench.commit(vec![
        showed(evil, Origin::Option60, script, Some(image)),
        showed(evil, Origin::Option12, image, None),
        showed(evil, Origin::UserAgent, script, None),
        happened(evil, What::Nak { address: Ipv4Addr::new(10, 0, 0, 1), why: named.to_owned() }),
    ]);
    let mut listed = entry("VVX 410", "4012", script);
    listed.note = image.to_owned();
    bench.commit(vec![Change::Listed(mac("00:04:f2:aa:bb:02"), Box::new(listed))]);
    call(&bench, "POST", "", &json!({ "name": script, "operator": image, "planned": 40 }));
    call(&bench, "POST", "/1/phones", &json!({ "mac": DESK }));
    bench.runtime.block_on(async {
        let browser = Browser::start().await;
        browser.client.goto(&format!("http://{}/", bench.operators)).await.unwrap();
        browser.until("return document.querySelectorAll('#rows tr').length === 2").await;
        let text = browser.text().await;
        for shown in [image, named, script] {
            assert!(text.contains(shown), "{shown} is not in:\n{text}");
        }
        for phone in [DESK, "00:04:f2:aa:bb:02"] {
            browser
                .client
                .goto(&format!("http://{}/phones/{phone}", bench.operators))
                .await
                .unwrap();
            browser.until("return document.getElementById('live').textContent === 'live'").await;
            let text = browser.text().await;
            assert!(text.contains(script), "{text}");
            // The page renews itself when its phone changes; what it brings in is as harmless.
            let again =
                happened(mac(phone), What::Informed { address: Ipv4Addr::new(10, 0, 0, 9) });
            bench.service.journal.commit(again.into()).await.unwrap();
            browser
                .until("return document.querySelector('main').textContent.includes('10.0.0.9')")
                .await;
            // The only drawings are the appliance's own, and nothing in them listens.
            let foreign = "return document.querySelectorAll('main script, main img, main svg:not(.waterfall), \
                main [onload], main [onerror]').length";
            assert_eq!(browser.value(foreign).await, 0);
            assert_eq!(browser.value("return window.pwned ?? null").await, Value::Null);
        }
        // Wherever else they may be named.
        for (path, _) in every::PAGES.iter().filter(|(path, _)| !path.starts_with("/phones/")) {
            browser.client.goto(&format!("http://{}{path}", bench.operators)).await.unwrap();
            browser.until("return document.getElementById('live').textContent === 'live'").await;
            if *path == "/events" {
                browser.until("return document.body.innerText.includes('<svg onload=')").await;
            }
            let foreign = "return document.querySelectorAll('main script, main img, main [onload], \
                main [onerror]').length";
            assert_eq!(browser.value(foreign).await, 0, "{path}");
            assert_eq!(browser.value("return window.pwned ?? null").await, Value::Null, "{path}");
        }
        // What is printed carries names too.
        for path in every::SHEETS {
            browser.client.goto(&format!("http://{}{path}", bench.operators)).await.unwrap();
            let foreign = "return document.querySelectorAll('script, main img, [onload], [onerror]').length";
            assert_eq!(browser.value(foreign).await, 0, "{path}");
            assert_eq!(browser.value("return window.pwned ?? null").await, Value::Null, "{path}");
            if path.contains("/report") {
                let text = browser.text().await;
                assert!(text.contains(script) && text.contains(image), "{text}");
            }
        }
        assert_eq!(browser.console().await, [""; 0], "no violation of the policy, no error");
        browser.end().await;
    });
}

#[test]
fn a_lost_connection_is_shown_and_mended() {
    let bench = Bench::new(&[]);
    let address = bench.operators;
    // The browser's session lives on a runtime of its own, so that it sees its appliance go and come back.
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let browser = runtime.block_on(Browser::start());
    let is = |what: &str| format!("return document.getElementById('live').dataset.is === '{what}'");
    runtime.block_on(browser.client.goto(&format!("http://{address}/"))).unwrap();
    runtime.block_on(browser.until(&is("live")));
    let bench = bench.again_at(address, || {
        runtime.block_on(browser.until(&is("lost")));
        let said = runtime.block_on(browser.text());
        assert!(said.contains("connection lost, trying again"), "{said}");
        let heard = "return /^last heard (now|\\d+ s ago)$/.test(document.getElementById('live').dataset.heard)";
        runtime.block_on(browser.until(heard));
    });
    bench.commit(vec![Change::Listed(mac(DESK), Box::new(entry("VVX 410", "4012", "Front desk")))]);
    runtime.block_on(async {
        browser.until(&is("live")).await;
        browser.until("return document.querySelectorAll('#rows tr').length === 1").await;
        browser.end().await;
    });
}

/// A laptop that slept, a cable that was pulled: the connection seems open and says nothing.
#[test]
fn silence_is_a_lost_connection() {
    let bench = Bench::new(&[]);
    bench.runtime.block_on(async {
        let browser = Browser::start().await;
        browser.client.goto(&format!("http://{}/", bench.operators)).await.unwrap();
        browser.until("return document.getElementById('live').dataset.is === 'live'").await;
        // While it slept for a minute the clock went on, and the page noted nothing.
        let sleep =
            "const live = document.getElementById('live'), now = Date.now; window.said = [];
            new MutationObserver(() => said.push(`${live.dataset.is} ${live.dataset.heard}`))
              .observe(live, { attributes: true, attributeFilter: ['data-is', 'data-heard'] });
            Date.now = () => now() + 60000;";
        browser.value(sleep).await;
        browser.until("return said.some((one) => one.startsWith('lost last heard 6'))").await;
        browser.until("return said.length > 0 && live.dataset.is === 'live'").await;
        let listed = Change::Listed(mac(DESK), Box::new(entry("VVX 410", "4012", "Front desk")));
        bench.service.journal.commit(listed.into()).await.unwrap();
        browser.until("return document.querySelectorAll('#rows tr').length === 1").await;
        assert_eq!(browser.console().await, [""; 0]);
        browser.end().await;
    });
}
