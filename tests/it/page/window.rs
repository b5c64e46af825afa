//! The auto-registration window on the page: opened for some minutes, watched while it lets a phone in, closed.

use std::sync::Arc;

use fantoccini::Locator;
use ringup::{config::NumberRange, provision::Provisioner};

use super::super::{
    browser::Browser,
    http::{Bench, mac},
};

const STRANGER: &str = "00:04:f2:aa:bb:01";

fn with_numbers() -> Bench {
    let bench = Bench::new(&[]);
    let now = bench.service.provisioner();
    let mut settings = (**now.settings()).clone();
    settings.auto_registration.numbers = Some(NumberRange { first: 4100, last: 4109, width: 4 });
    let (catalog, library) = (Arc::clone(now.catalog()), Arc::clone(now.library()));
    let view = bench.service.view.clone();
    bench.service.replace(Provisioner::new(Arc::new(settings), catalog, library, view));
    bench
}

#[test]
fn a_window_is_opened_lets_a_phone_in_and_is_closed() {
    let bench = with_numbers();
    bench.runtime.block_on(async {
        let browser = Browser::start().await;
        let page = format!("http://{}/auto-registration", bench.operators);
        browser.client.goto(&page).await.unwrap();
        browser.until("return document.getElementById('live').textContent === 'live'").await;
        let is = |open: bool| format!("return document.querySelector('.state').dataset.open === '{open}'");
        let left = |count: u32| format!("return document.querySelector('.left').dataset.left === '{count}'");
        let ask = || bench.get("/0004f2aabb01.cfg", "").status;
        browser.until(&is(false)).await;
        browser.until(&left(10)).await;
        assert_eq!(ask(), 404, "closed");

        let minutes = browser.client.find(Locator::Id("minutes")).await.unwrap();
        minutes.clear().await.unwrap();
        minutes.send_keys("5\n").await.unwrap();
        browser.until(&is(true)).await;
        browser.until("return /^[45]:\\d\\d$/.test(document.querySelector('[data-until]').textContent)").await;
        let shown = bench.api("GET", "/api/v1/auto-registration", "").json();
        let until: ringup::domain::Timestamp = shown["until"].as_str().unwrap().parse().unwrap();
        let open = until.duration_since(ringup::domain::Timestamp::now()).as_secs();
        assert!((240..=300).contains(&open), "{open} s");

        browser.value("window.sameDocument = true").await;
        assert_eq!(ask(), 200, "open");
        let row = format!("return document.querySelector('#admitted tr[data-mac=\"{STRANGER}\"] .number')?.innerText === '4100'");
        browser.until(&row).await;
        browser.until(&left(9)).await;
        let same = browser.value("return window.sameDocument").await;
        assert_eq!(same, true, "nothing was loaded again");
        let entry = bench.service.view.read().phones[&mac(STRANGER)].entry.clone().unwrap();
        assert_eq!(entry.lines[0].number, "4100");

        browser.client.find(Locator::Id("close")).await.unwrap().click().await.unwrap();
        browser.until(&is(false)).await;
        assert_eq!(browser.console().await, [""; 0]);
        browser.end().await;
    });
}

#[test]
fn minutes_are_as_good_as_a_moment() {
    let bench = with_numbers();
    let put = |body: &str| {
        let answer = bench.api("PUT", "/api/v1/auto-registration", body);
        (answer.status, answer.json()["detail"].as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(put(r#"{"enabled":true,"minutes":90}"#).0, 200);
    let shown = bench.api("GET", "/api/v1/auto-registration", "").text();
    assert_eq!(put(&shown).0, 200, "what was shown can be sent back: {shown}");
    let check = |body: &str, expected: &str| {
        let (status, detail) = put(body);
        assert!(status == 400 && detail.contains(expected), "{body}: {status} {detail}");
    };
    check(r#"{"enabled":true,"minutes":0}"#, "from 1 to 10080");
    check(r#"{"enabled":true,"minutes":10081}"#, "from 1 to 10080");
    check(r#"{"enabled":true,"minutes":5,"until":"2030-01-01T00:00:00Z"}"#, "either");
}
