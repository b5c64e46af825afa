//! The bench by keystrokes only, as a scanner types them.

use fantoccini::{Locator, elements::Element, key::Key};
use ringup::domain::{Change, What};
use serde_json::json;

use super::{
    super::http::{Bench, batches::call, entry, happened, mac},
    *,
};

const LISTED: &str = "00:04:f2:aa:bb:01";
const NEW: &str = "00:04:f2:aa:bb:02";
const THIRD: &str = "00:04:f2:aa:bb:03";

/// A browser on the page of a batch, and how many scans were taken so far.
struct Scanner {
    browser: Browser,
    taken: usize,
}

impl Scanner {
    async fn start(bench: &Bench) -> Self {
        let browser = Browser::start().await;
        browser.client.goto(&format!("http://{}/bench/1", bench.operators)).await.unwrap();
        browser.until("return document.getElementById('live').textContent === 'live'").await;
        browser
            .until("return document.getElementById('count').textContent.includes('to go')")
            .await;
        Self { browser, taken: 0 }
    }

    async fn focused(&self) -> Element {
        self.browser.client.active_element().await.unwrap()
    }

    /// Types into whatever has the focus, and waits until that was dealt with.
    async fn press(&mut self, keys: &str) {
        self.focused().await.send_keys(keys).await.unwrap();
        self.taken += 1;
        let taken = self.taken;
        self.browser
            .until(&format!("return document.getElementById('scan').dataset.taken === '{taken}'"))
            .await;
    }

    async fn scan(&mut self, text: &str) {
        self.press(&format!("{text}{}", char::from(Key::Enter))).await;
    }

    async fn shows(&self, light: &str, says: &str) {
        let value =
            self.browser.value("return document.getElementById('light').dataset.light").await;
        let text =
            self.browser.client.find(Locator::Id("light")).await.unwrap().text().await.unwrap();
        assert!(value == light && text.contains(says), "{value}: {text}; expected {light}: {says}");
    }

    async fn text(&self, id: &str) -> String {
        self.browser.client.find(Locator::Id(id)).await.unwrap().text().await.unwrap()
    }
}

fn ready() -> Bench {
    let bench = Bench::new(&[]);
    let listed = entry("VVX 411", "4012", "Front desk");
    bench.commit(vec![Change::Listed(mac(LISTED), Box::new(listed))]);
    let given = json!({ "name": "Monday", "operator": "Anna", "planned": 3 });
    assert_eq!(call(&bench, "POST", "", &given).status, 201);
    bench
}

#[test]
fn a_batch_is_filled_by_keystrokes_only() {
    let bench = ready();
    let row = |mac: &str| {
        let batch = call(&bench, "GET", "/1", &serde_json::Value::Null).json();
        let rows = batch["phones"].as_array().unwrap();
        rows.iter().find(|row| row["mac"] == mac).cloned().unwrap_or_default()
    };
    bench.runtime.block_on(async {
        let mut scanner = Scanner::start(&bench).await;
        // A listed phone: known, in its slot.
        scanner.scan("SEP0004F2AABB01").await;
        scanner.shows("amber", "expected VVX 411, label ok, not seen yet").await;
        assert_eq!(scanner.text("count").await, "MAC 1 of 3, 2 to go");
        // It boots: the light follows without a touch.
        let boots = happened(mac(LISTED), What::Discovered { relay: None });
        bench.service.journal.commit(boots.into()).await.unwrap();
        scanner
            .browser
            .until("return document.getElementById('says').textContent.endsWith('label ok, discovered')")
            .await;
        // A stranger, a slot further on, becomes an entry by its number.
        scanner.scan("RINGUP NEXT SLOT").await;
        scanner.scan("00Ö04ÖF2ÖAAÖBBÖ02").await;
        scanner.shows("amber", "not listed").await;
        assert!(scanner.text("layout").await.contains("German"), "the scanner's keyboard is named");
        scanner.scan("4013").await;
        scanner.shows("amber", "not seen yet").await;
        assert_eq!((row(NEW)["slot"].clone(), row(NEW)["phone"]["entry"]["number"].clone()), (3.into(), "4013".into()));
        // Taken back, step by step.
        scanner.scan("RINGUP UNDO").await;
        assert_eq!(row(NEW)["phone"], serde_json::Value::Null);
        scanner.press(&char::from(Key::F9).to_string()).await;
        assert_eq!(row(NEW), serde_json::Value::Null);
        // A carton's part number is the model of what follows; one key lists what nobody listed.
        scanner.scan("2200-48400-025").await;
        scanner.shows("green", "VVX401").await;
        scanner.scan(NEW).await;
        assert_eq!(row(NEW)["phone"]["entry"]["model"], "VVX401");
        scanner.scan(LISTED).await;
        scanner.shows("red", "the carton says VVX401, and it is listed as VVX 411").await;
        scanner.focused().await.send_keys(&char::from(Key::Escape).to_string()).await.unwrap();
        scanner.scan(THIRD).await;
        scanner.press(&char::from(Key::F2).to_string()).await;
        assert_eq!(row(THIRD)["phone"]["entry"], json!({}));
        // Put aside, and replaced.
        scanner.scan("RINGUP FAIL").await;
        scanner.shows("red", "failed on the bench").await;
        scanner.scan("RINGUP UNDO").await;
        assert_eq!(row(THIRD)["failed"], serde_json::Value::Null);
        scanner.scan(LISTED).await;
        scanner.scan("RINGUP REPLACE").await;
        scanner.scan("00:04:f2:aa:bb:04").await;
        let replaced = row("00:04:f2:aa:bb:04");
        assert_eq!((&replaced["phone"]["entry"]["number"], &replaced["slot"]), (&"4012".into(), &1.into()));
        assert_eq!(row(LISTED), serde_json::Value::Null);
        // What is no phone is said so.
        scanner.scan("FCH2443D9R4").await;
        scanner.shows("red", "is the serial number").await;
        assert_eq!(scanner.focused().await.attr("id").await.unwrap().as_deref(), Some("scan"));
        assert_eq!(scanner.browser.console().await, [""; 0]);
        scanner.browser.end().await;
    });
}

#[test]
fn a_batch_is_opened_and_its_sheets_are_clean() {
    let bench = ready();
    let mut evil = entry("VVX 401", "4014", "<script>window.pwned = 1</script>");
    evil.model = "<img src=x onerror='window.pwned = 2'>".to_owned();
    bench.commit(vec![Change::Listed(mac(NEW), Box::new(evil))]);
    call(&bench, "POST", "/1/phones", &json!({ "mac": NEW }));
    bench.runtime.block_on(async {
        let browser = Browser::start().await;
        let page = |path: &str| format!("http://{}{path}", bench.operators);
        browser.client.goto(&page("/bench")).await.unwrap();
        browser.until("return document.getElementById('live').textContent === 'live'").await;
        let typed = format!("Tuesday{}", char::from(Key::Enter));
        browser.client.active_element().await.unwrap().send_keys(&typed).await.unwrap();
        browser.until("return location.pathname === '/bench/2'").await;
        for path in
            ["/bench/commands", "/bench/1", "/api/v1/batches/1/report", "/api/v1/batches/1/labels"]
        {
            browser.client.goto(&page(path)).await.unwrap();
            browser.until("return document.querySelector('main').textContent.length > 40").await;
            assert_eq!(browser.value("return window.pwned ?? null").await, Value::Null, "{path}");
        }
        assert!(browser.text().await.contains("<script>"), "shown as text");
        assert_eq!(browser.console().await, [""; 0]);
        browser.end().await;
    });
}
