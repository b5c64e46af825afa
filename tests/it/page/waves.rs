//! Waves of firmware on the page: paused, let go on, and told to go beyond the first phones, by its buttons.

use std::sync::Arc;

use fantoccini::Locator;
use ringup::{
    config::Firmware,
    domain::{Change, wave::Place},
    provision::Provisioner,
};
use serde_json::Value;

use super::{
    super::http::{Bench, entry, mac},
    *,
};

const LOAD: &str = "5.9.4.3247";
const PHONES: [&str; 3] = ["00:04:f2:aa:bb:01", "00:04:f2:aa:bb:02", "00:04:f2:aa:bb:03"];

/// Three phones that are to run another load, one of them first.
fn with_waves() -> Bench {
    let bench = Bench::new(&[]);
    let now = bench.service.provisioner();
    let mut settings = (**now.settings()).clone();
    settings.firmware = Firmware { wave: Some(1), canary: Some(1), ..Firmware::default() };
    for site in settings.sites.values_mut() {
        site.firmware.insert("poly-vvx".to_owned(), LOAD.to_owned());
    }
    let (catalog, library) = (Arc::clone(now.catalog()), Arc::clone(now.library()));
    let view = bench.service.view.clone();
    bench.service.replace(Provisioner::new(Arc::new(settings), catalog, library, view));
    let listed = PHONES
        .map(|phone| Change::Listed(mac(phone), Box::new(entry("VVX 410", "4012", "Front desk"))));
    bench.commit(listed.into());
    bench
}

/// The first phone has a place.
fn first() -> Change {
    let place = Place { load: LOAD.to_owned(), since: Timestamp::now(), round: 1, done: None };
    Change::Placed(mac(PHONES[0]), Some(Box::new(place)))
}

#[test]
fn waves_are_braked_by_buttons() {
    let bench = with_waves();
    let waves = || bench.api("GET", "/api/v1/firmware/waves", "").json();
    bench.runtime.block_on(async {
        let browser = Browser::start().await;
        browser.client.goto(&format!("http://{}/firmware", bench.operators)).await.unwrap();
        browser.until("return document.getElementById('live').dataset.is === 'live'").await;
        browser.value("window.sameDocument = true").await;
        let cell = |standing: &str, count: u32| {
            let cell = format!("#waves tr[data-load=\"{LOAD}\"] [data-standing={standing}]");
            format!("return document.querySelector('{cell}').textContent.startsWith('{count}')")
        };
        let press = async |button: &str| {
            browser.until(&format!("return !!document.querySelector('{button}')")).await;
            browser.client.find(Locator::Css(button)).await.unwrap().click().await.unwrap();
        };
        browser.until(&cell("waiting", 3)).await;

        press("[data-brake=pause]").await;
        browser.until("return document.querySelector('#waves').dataset.paused === 'true'").await;
        assert!(browser.text().await.contains("Paused: nobody else is told to take a load."));
        assert_eq!(waves()["paused"], true);
        press("[data-brake=resume]").await;
        browser.until("return document.querySelector('#waves').dataset.paused === 'false'").await;
        assert_eq!(waves()["paused"], false);

        // The first one was told; the rest waits for a word.
        bench.service.journal.commit(first().into()).await.unwrap();
        browser.until(&cell("under-way", 1)).await;
        browser
            .until(
                "return document.querySelector('#waves').innerText.includes('waits for your word')",
            )
            .await;
        press("#waves [data-next]").await;
        browser.until("return !document.querySelector('#waves [data-next]')").await;
        assert_eq!(waves()["items"][0]["canary_out"], false);
        assert_eq!(browser.value("return window.sameDocument").await, true, "drawn anew in place");
        let fault = browser.value("return document.getElementById('fault').hidden").await;
        assert_eq!(fault, Value::Bool(true));
        assert_eq!(browser.console().await, [""; 0]);
        browser.end().await;
    });
}

/// What a button is refused is said beside it.
#[test]
fn a_load_that_nobody_wants_any_more_is_said() {
    let bench = with_waves();
    bench.runtime.block_on(async {
        let browser = Browser::start().await;
        bench.service.journal.commit(first().into()).await.unwrap();
        browser.client.goto(&format!("http://{}/firmware", bench.operators)).await.unwrap();
        browser.until("return !!document.querySelector('#waves [data-next]')").await;
        browser.value("document.querySelector('[data-next]').dataset.next = 'gone'").await;
        browser
            .client
            .find(Locator::Css("#waves [data-next]"))
            .await
            .unwrap()
            .click()
            .await
            .unwrap();
        browser.until("return !document.getElementById('fault').hidden").await;
        let said = browser.client.find(Locator::Id("fault")).await.unwrap().text().await.unwrap();
        assert_eq!(said, "no site wants a load called `gone`");
        browser.end().await;
    });
}
