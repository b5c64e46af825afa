//! The board: what it shows of a phone, what the address bar holds, who is not back, and long lists.

use std::{
    io::{Read, Write},
    net::{Ipv4Addr, TcpStream},
    time::Duration,
};

use fantoccini::Locator;
use ringup::domain::{
    Asked, Carrier, Change, Event, Granted, Mac, Origin, Outcome, Required, Role, Timestamp, What,
};
use serde_json::Value;

use crate::{
    browser::Browser,
    http::{Bench, entry, happened, mac, showed},
};

fn phone(number: u16) -> Mac {
    let [a, b] = number.to_be_bytes();
    Mac::new([0, 4, 0xf2, 1, a, b]).unwrap()
}

/// A boot to the last byte of its own file that began so many seconds ago and took twenty.
fn boot(number: u16, ago: i64, whole: bool) -> Vec<Change> {
    let at =
        |second: i64| Timestamp::from_second(Timestamp::now().as_second() - ago + second).unwrap();
    let [a, b] = number.to_be_bytes();
    let leased = What::Leased {
        address: Ipv4Addr::new(10, 20, a, b),
        until: Timestamp::MAX,
        granted: Granted::Selected,
    };
    let asked = Asked {
        name: format!("{}.cfg", phone(number).lower()),
        role: Role::Own,
        carrier: Carrier::Http,
        required: Some(Required { slot: 0, of: 1 }),
        first: true,
    };
    let ended = What::Ended {
        asked,
        bytes: 9,
        length: 9,
        outcome: Outcome::Complete,
        etag: String::new(),
        normal: false,
        source: String::new(),
    };
    let steps = [(0, What::discovered(None)), (2, leased), (20, ended)];
    let steps = steps.into_iter().take(if whole { 3 } else { 2 });
    steps
        .map(|(second, what)| Change::Happened(phone(number), Event { at: at(second), what }))
        .collect()
}

fn listed(number: u16) -> Change {
    let entry = entry("VVX 410", &format!("{}", 4000 + number), "Desk");
    Change::Listed(phone(number), Box::new(entry))
}

async fn open(bench: &Bench, path: &str) -> Browser {
    let browser = Browser::start().await;
    browser.client.goto(&format!("http://{}{path}", bench.operators)).await.unwrap();
    browser.until("return document.getElementById('live').textContent === 'live'").await;
    browser
}

fn shown(text: &str) -> String {
    format!("return document.getElementById('shown').textContent === '{text}'")
}

async fn click(browser: &Browser, css: &str) {
    browser.client.find(Locator::Css(css)).await.unwrap().click().await.unwrap();
}

/// Two hours ago 24 phones on two switches had booted; a minute ago the power came back, and most came up.
pub(super) fn power_cut(bench: &Bench) {
    for number in 0..24 {
        let plug = format!("sw-{} | {}", number / 12, number % 12 + 1);
        let mut changes =
            vec![listed(number), showed(phone(number), Origin::Option82, &plug, None)];
        changes.extend(boot(number, 7200, true));
        bench.commit(changes);
    }
    for number in 0..17 {
        bench.commit(boot(number, 60, number != 3));
    }
}

#[test]
fn who_is_not_back_after_a_power_cut() {
    let bench = Bench::new(&[]);
    power_cut(&bench);
    let outage = bench.api("GET", "/api/v1/outage", "").json();
    let group = &outage["groups"][0];
    assert_eq!((&outage["expected"], &outage["back"]), (&24.into(), &16.into()), "{outage}");
    assert_eq!((&group["switch"], &group["missing"]), (&"sw-1".into(), &7.into()), "{outage}");
    let page = bench.api("GET", "/api/v1/outage?limit=3", "").json();
    let next = page["next"].as_str().unwrap();
    let rest = bench.api("GET", &format!("/api/v1/outage?after={next}"), "").json();
    let count = |page: &Value| page["items"].as_array().unwrap().len();
    assert_eq!((count(&page), count(&rest)), (3, 5));
    assert_eq!(bench.api("GET", "/api/v1/outage?since=yesterday", "").status, 400);
    bench.runtime.block_on(async {
        let browser = open(&bench, "/").await;
        browser.until(&shown("24 phones")).await;
        click(&browser, "#away").await;
        browser.until(&shown("8 of 24 phones")).await;
        let text = browser.text().await;
        for said in ["16 of 24 back", "7 missing, 1 on their way", "default sw-1", "5 of 12 back"] {
            assert!(text.contains(said), "{said} is not in:\n{text}");
        }
        // Who was ready when the power went is not called so now.
        let says = |said: &str| {
            format!(
                "return Array.from(document.querySelectorAll('#rows tr'), (row) => row.innerText)
                     .filter((text) => text.includes('{said}')).length"
            )
        };
        assert_eq!(browser.value(&says("not back: nothing was heard of it since")).await, 7);
        assert_eq!(browser.value(&says("ready")).await, 0);
        click(&browser, "#as-tiles").await;
        browser
            .until("return document.querySelectorAll('#tiles [data-flag=missing]').length === 7")
            .await;
        click(&browser, "#as-rows").await;
        click(&browser, "#groups button[data-switch='sw-1']").await;
        browser.until(&shown("7 of 24 phones")).await;
        // One of them comes back: it leaves the view by itself.
        bench.service.journal.commit(boot(20, 30, true).into()).await.unwrap();
        browser.until(&shown("6 of 24 phones")).await;
        let query = browser.value("return location.search").await;
        assert_eq!(query, "?site=default&away=1&switch=sw-1");
        assert_eq!(browser.console().await, [""; 0]);
        browser.end().await;
    });
}

#[test]
fn the_address_bar_holds_the_filter() {
    let bench = Bench::new(&[]);
    for number in 0..30 {
        let mut changes = vec![listed(number)];
        if number % 3 == 0 {
            changes.extend(boot(number, 5, false));
        }
        bench.commit(changes);
    }
    bench.runtime.block_on(async {
        let browser = open(&bench, "/").await;
        browser.until(&shown("30 phones")).await;
        click(&browser, "button[data-stage=leased]").await;
        let filter = browser.client.find(Locator::Id("filter")).await.unwrap();
        filter.send_keys("401").await.unwrap();
        browser.until(&shown("3 of 30 phones")).await;
        assert_eq!(browser.value("return location.search").await, "?stage=leased&q=401");
        click(&browser, "#rows a").await;
        browser.until("return location.pathname.startsWith('/phones/')").await;
        browser.client.back().await.unwrap();
        browser.until(&shown("3 of 30 phones")).await;
        assert_eq!(browser.value("return document.getElementById('filter').value").await, "401");
        let pressed = "return document.querySelector('button[data-stage=leased]').ariaPressed";
        assert_eq!(browser.value(pressed).await, "true");
        browser.end().await;
        let shared = open(&bench, "/?stage=leased&q=401&model=VVX+410&site=default").await;
        shared.until(&shown("3 of 30 phones")).await;
        let model = shared.value("return document.getElementById('model').value").await;
        assert_eq!(model, "VVX 410");
        shared.end().await;
        let other = open(&bench, "/?q=nobody").await;
        other.until("return !document.getElementById('none').hidden").await;
        click(&other, "#clear").await;
        other.until(&shown("30 phones")).await;
        assert_eq!(other.value("return location.search").await, "");
        other.end().await;
    });
}

#[test]
fn a_row_tells_what_differs_and_where_it_is() {
    let bench = Bench::new(&[]);
    let (label, real) = (mac("00:04:f2:aa:bb:02"), mac("00:04:f2:aa:bb:20"));
    bench.commit(vec![Change::Listed(label, Box::new(entry("VVX 410", "4012", "Front desk")))]);
    let class = "PolycomVVX-VVX_410";
    let mut poly = showed(real, Origin::Option60, class, Some("VVX 410"));
    if let Change::Showed(_, ground) = &mut poly {
        ground.vendor = Some("Poly".to_owned());
    }
    let port = showed(real, Origin::Option82, "sw-3 | Gi1/0/7", None);
    bench.commit(vec![poly, port, happened(real, What::discovered(None))]);
    bench.runtime.block_on(async {
        let browser = open(&bench, "/").await;
        browser.until(&shown("2 phones")).await;
        let row = async |mac: Mac| {
            let script = format!("return document.querySelector('tr[data-mac=\"{mac}\"]').innerText");
            browser.value(&script).await.as_str().unwrap().to_owned()
        };
        let (wrong, seen) = (row(label).await, row(real).await);
        assert!(wrong.contains(&format!("label {label}")), "{wrong}");
        assert!(wrong.contains(&format!("seen {real}")), "{wrong}");
        assert!(seen.contains("sw-3 · Gi1/0/7") && seen.contains("15 %"), "{seen}");
        assert!(seen.contains("looks for a DHCP server"), "{seen}");
        let order = "return Array.from(document.querySelectorAll('#rows tr'), (row) => row.dataset.mac).join()";
        let api = bench.api("GET", "/api/v1/phones?brief=true", "").json();
        let phones = api["items"].as_array().unwrap();
        assert_eq!(phones.iter().map(|phone| &phone["rank"]).collect::<Vec<_>>(), [0, 0]);
        assert_eq!(phones[1]["identity"]["grounds"], Value::Array(Vec::new()), "brief");
        assert_eq!(browser.value(order).await, format!("{real},{label}"), "by label: the MAC, then 4012");
        assert_eq!(browser.console().await, [""; 0]);
        browser.end().await;
    });
}

#[test]
fn a_long_list_is_shown_as_far_as_it_is_in_sight() {
    const COUNT: u16 = 3000;
    let bench = Bench::new(&[]);
    bench.commit((0..COUNT).map(listed).collect());
    // One that loops, with all that a row may have: it is no higher than the others.
    let why = "was refused for a reason that takes more than one line to tell ".repeat(3);
    for ago in [50, 40, 30, 20, 10, 5, 4] {
        bench.commit(boot(0, ago, false));
    }
    let nak = What::Nak { address: Ipv4Addr::new(10, 0, 0, 1), why };
    bench.commit(vec![
        happened(phone(0), nak),
        listed(1),
        showed(phone(1), Origin::Option82, "sw | 1", None),
    ]);
    bench.runtime.block_on(async {
        let browser = open(&bench, "/").await;
        browser.until(&shown("3000 phones")).await;
        let drawn = "return document.querySelectorAll('#rows tr, #tiles li').length";
        let few = async |most: i64| {
            let count = browser.value(drawn).await.as_i64().unwrap();
            assert!((5..most).contains(&count), "{count} in the document");
        };
        few(40).await;
        browser.until("return document.querySelector('#rows .flag') !== null").await;
        let heights =
            "return Array.from(document.querySelectorAll('#rows tr'), (row) => row.offsetHeight)";
        let heights = browser.value(heights).await;
        let same = heights.as_array().unwrap().iter().all(|height| *height == 74);
        assert!(same, "as high as the style sheet says: {heights}");
        browser.value("scrollTo(0, 1500 * 74)").await;
        browser
            .until("return document.querySelector('#rows').innerText.includes('5500 Desk')")
            .await;
        few(40).await;
        click(&browser, "#as-tiles").await;
        browser.until("return document.querySelectorAll('#tiles li').length > 0").await;
        few(150).await;
        browser.client.refresh().await.unwrap();
        browser.until(&shown("3000 phones")).await;
        browser.until("return !document.getElementById('tiles').hidden").await;
        // The keyboard: to the filter, and from there into the list.
        browser.value("document.activeElement.blur()").await;
        let body = browser.client.find(Locator::Css("body")).await.unwrap();
        body.send_keys("/").await.unwrap();
        assert_eq!(browser.value("return document.activeElement.id").await, "filter");
        let filter = browser.client.find(Locator::Id("filter")).await.unwrap();
        filter.send_keys("4007").await.unwrap();
        browser.until(&shown("1 of 3000 phones")).await;
        filter.send_keys("\u{e015}").await.unwrap();
        assert_eq!(browser.value("return document.activeElement.textContent").await, "4007 Desk");
        assert_eq!(browser.console().await, [""; 0]);
        browser.end().await;
    });
}

#[test]
fn figures_of_the_rollout() {
    let bench = Bench::new(&[]);
    bench.commit((0..20).map(listed).collect());
    for number in 0..12 {
        bench.commit(boot(number, 90, true));
    }
    let summary = bench.api("GET", "/api/v1/summary", "").json();
    assert_eq!((&summary["configured"], &summary["listed"]), (&12.into(), &20.into()), "{summary}");
    assert_eq!(summary["stages"]["silent"], 8);
    assert_eq!(summary["time_to_configured"]["p95"], 20.0, "{summary}");
    assert!(
        summary["forecast_all"].is_string() && summary["rate"].as_f64() > Some(5.0),
        "{summary}"
    );
    bench.runtime.block_on(async {
        let browser = open(&bench, "/").await;
        browser.until("return document.getElementById('p95').textContent === '20 s'").await;
        let width = "return Math.round(document.querySelector('#bar [data-stage=configured]').getAttribute('width'))";
        browser.until(&shown("20 phones")).await;
        assert_eq!(browser.value(width).await, 600);
        bench.service.journal.commit(boot(12, 30, true).into()).await.unwrap();
        browser.until("return document.getElementById('configured').textContent === '13 of 20'").await;
        assert_eq!(browser.value(width).await, 650, "the bar fills");
        assert_eq!(browser.console().await, [""; 0]);
        browser.end().await;
    });
}

/// Pages that take nothing hold nobody up: commits go on, and the page that wakes is told what is so by then.
#[test]
fn sleeping_pages_hold_nobody_up() {
    let bench = Bench::new(&[]);
    bench.commit((0..500).map(listed).collect());
    let sleep = |_| {
        let mut stream = TcpStream::connect(bench.operators).unwrap();
        let host = bench.operators;
        write!(stream, "GET /api/v1/events?only=phone HTTP/1.1\r\nHost: {host}\r\n\r\n").unwrap();
        let mut head = [0; 15];
        stream.read_exact(&mut head).unwrap();
        assert_eq!(head, *b"HTTP/1.1 200 OK");
        stream
    };
    let mut asleep: Vec<TcpStream> = (0..20).map(sleep).collect();
    let mut last = 0;
    // Far more than the sockets between hold.
    for round in 0..60 {
        last = bench.commit((0..500).flat_map(|number| boot(number, 600 - round, true)).collect());
    }
    let mut woken = asleep.pop().unwrap();
    woken.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let (mut text, mut part) = (Vec::new(), [0; 8192]);
    let wanted = format!("id: {last}\n");
    while !text.windows(wanted.len()).any(|one| one == wanted.as_bytes()) {
        let count = woken.read(&mut part).expect("the woken page is told");
        assert_ne!(count, 0, "the stream ended");
        text.extend_from_slice(&part[..count]);
    }
    let told = text.windows(4).filter(|one| one == b"id: ").count();
    assert!(told < 25_000, "what changed often is told once: {told}");
}

/// A link may carry anything: what it looks for is cut before it is looked for in ten thousand phones.
#[test]
fn a_link_with_a_huge_filter_is_cut() {
    let bench = Bench::new(&[]);
    bench.commit(vec![listed(1), listed(2)]);
    let query = format!("?q=4001+{}&model={}&finding=%3Cb%3E", "a+".repeat(2000), "m".repeat(3000));
    bench.runtime.block_on(async {
        let browser = Browser::start().await;
        browser.client.goto(&format!("http://{}/{query}", bench.operators)).await.unwrap();
        browser.until("return document.body.innerText.includes('0 of 2 phones')").await;
        let longest = "return Math.max(...['filter', 'model', 'finding']
            .map((id) => document.getElementById(id).value.length))";
        assert_eq!(browser.value(longest).await, 200);
        assert_eq!(browser.value("return document.querySelectorAll('main b').length").await, 0);
        let wider = "return document.documentElement.scrollWidth > innerWidth";
        assert_eq!(browser.value(wider).await, false);
        browser.client.find(Locator::Id("clear")).await.unwrap().click().await.unwrap();
        browser.until("return document.body.innerText.includes('2 phones')").await;
        assert_eq!(browser.value("return location.search").await, "");
        assert_eq!(browser.console().await, [""; 0]);
        browser.end().await;
    });
}

#[test]
fn nothing_of_a_phone_is_cut_or_moves_the_page_aside() {
    let bench = Bench::new(&[]);
    let (label, real) = (mac("00:04:f2:aa:bb:02"), mac("00:04:f2:aa:bb:20"));
    bench.commit(vec![Change::Listed(label, Box::new(entry("VVX 410", "4012", "Front desk")))]);
    let word = "W".repeat(240);
    let poly = showed(real, Origin::Option60, &word, Some(&word));
    let lease = Ipv4Addr::new(192, 168, 100, 200);
    let why = "say `next-server` or `W`".to_owned();
    let nak = What::Nak { address: lease, why };
    let granted = Granted::Selected;
    let there = What::Leased { address: lease, until: Timestamp::MAX, granted };
    let events = [What::discovered(None), there, nak];
    bench.commit(vec![poly]);
    for what in events {
        bench.commit(vec![happened(real, what)]);
    }
    bench.runtime.block_on(async {
        let browser = open(&bench, "/").await;
        browser.dress("light", 1200, 900).await;
        browser.until(&shown("2 phones")).await;
        let cut = "return Array.from(document.querySelectorAll('#rows :is(.mac, .bare, .address, .stage)'))
            .filter((one) => one.scrollWidth > one.clientWidth).map((one) => one.textContent)";
        assert_eq!(browser.value(cut).await, serde_json::json!([]));
        let marked = "return Array.from(document.querySelectorAll('#rows code'), (one) => one.textContent)";
        assert!(browser.value(marked).await.to_string().contains("next-server"));
        assert!(!browser.text().await.contains('`'));
        let wide = "const page = document.scrollingElement; return [page, ...document.querySelectorAll('section')]
            .filter((one) => one.scrollWidth > one.clientWidth).map((one) => one.id || one.textContent.slice(0, 80))";
        assert_eq!(browser.value(wide).await, serde_json::json!([]));
        for (phone, width) in [(real, 1200), (real, 390), (label, 390)] {
            let address = format!("http://{}/phones/{phone}", bench.operators);
            browser.dress("light", width, 900).await;
            browser.client.goto(&address).await.unwrap();
            browser.until("return document.getElementById('live').textContent === 'live'").await;
            assert_eq!(browser.value(wide).await, serde_json::json!([]), "{phone} at {width}");
            assert!(!browser.text().await.contains('`'));
        }
        assert_eq!(browser.console().await, [""; 0]);
        browser.end().await;
    });
}
