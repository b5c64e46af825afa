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

    /// Loads the page anew.
    async fn anew(self) -> Self {
        self.browser.client.refresh().await.unwrap();
        self.browser
            .until("return document.getElementById('count').textContent.includes('to go')")
            .await;
        Self { browser: self.browser, taken: 0 }
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

    /// Notes the pitches of what is to be heard, instead of ears.
    async fn listen(&self) {
        let spy = "window.heard = []; const Real = window.AudioContext;
            window.AudioContext = class extends Real { createOscillator() {
                const tone = super.createOscillator(), start = tone.start.bind(tone);
                tone.start = (at) => { window.heard.push(tone.frequency.value); start(at); };
                return tone; } }";
        self.browser.value(spy).await;
    }

    /// Goes on by the keyboard until this has the focus.
    async fn reach(&self, what: &str) {
        for _ in 0..40 {
            let is_there = format!("return document.activeElement.matches('{what}')");
            if self.browser.value(&is_there).await == true {
                return;
            }
            self.focused().await.send_keys(&char::from(Key::Tab).to_string()).await.unwrap();
        }
        panic!("the keyboard does not get to {what}");
    }

    /// What the page asks before it goes on, and the answer to that.
    async fn asked(&mut self, sure: bool) -> String {
        let asked = loop {
            if let Ok(text) = self.browser.client.get_alert_text().await {
                break text;
            }
        };
        let client = &self.browser.client;
        if sure { client.accept_alert().await } else { client.dismiss_alert().await }.unwrap();
        self.taken += 1;
        let taken =
            format!("return document.getElementById('scan').dataset.taken === '{}'", self.taken);
        self.browser.until(&taken).await;
        asked
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
        scanner.listen().await;
        // A listed phone: known, in its slot.
        scanner.scan("SEP0004F2AABB01").await;
        scanner.shows("amber", "expected VVX 411, label ok, not seen yet").await;
        assert_eq!(scanner.text("count").await, "MAC 1 of 3, 2 to go");
        // It boots: the light follows without a touch.
        let boots = happened(mac(LISTED), What::discovered(None));
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
        scanner.scan("RINGUP LIST").await;
        assert_eq!(row(LISTED)["phone"]["entry"]["model"], "VVX401", "by the carton's word");
        scanner.scan("RINGUP UNDO").await;
        assert_eq!(row(LISTED)["phone"]["entry"]["model"], "VVX 411");
        scanner.focused().await.send_keys(&char::from(Key::Escape).to_string()).await.unwrap();
        scanner.scan(THIRD).await;
        scanner.press(&char::from(Key::F2).to_string()).await;
        assert_eq!(row(THIRD)["phone"]["entry"], json!({}));
        // The same by a barcode, for who has no hand free; taken back, and done once more.
        scanner.scan("RINGUP UNDO").await;
        assert_eq!(row(THIRD)["phone"], serde_json::Value::Null);
        scanner.scan(THIRD).await;
        scanner.scan("RINGUP LIST").await;
        assert_eq!(row(THIRD)["phone"]["entry"], json!({}));
        // A second number is taken, and seen to be taken.
        scanner.scan("4014").await;
        scanner.scan("4015").await;
        scanner.shows("amber", "4014 is now 4015").await;
        scanner.scan("RINGUP UNDO").await;
        assert_eq!(row(THIRD)["phone"]["entry"]["number"], "4014");
        // What may be the serial number is asked about.
        scanner.scan("2112345678").await;
        scanner.shows("amber", "Is 2112345678 the number?").await;
        assert_eq!(row(THIRD)["phone"]["entry"]["number"], "4014");
        scanner.scan("2112345678").await;
        assert_eq!(row(THIRD)["phone"]["entry"]["number"], "2112345678");
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
        scanner.scan("RINGUP UNDO").await;
        assert_eq!((&row(LISTED)["phone"]["entry"]["number"], &row(LISTED)["slot"]), (&"4012".into(), &1.into()));
        assert_eq!(row("00:04:f2:aa:bb:04"), serde_json::Value::Null);
        // What is no phone is said so.
        scanner.scan("FCH2443D9R4").await;
        scanner.shows("red", "is the serial number").await;
        let heard = scanner.browser.value("return [...new Set(window.heard)].sort()").await;
        assert_eq!(heard, json!([1320, 150, 190, 620, 880]), "low is bad, high is good");
        assert_eq!(scanner.focused().await.attr("id").await.unwrap().as_deref(), Some("scan"));
        assert_eq!(scanner.browser.console().await, [""; 0]);
        scanner.browser.end().await;
    });
}

/// A label in doubt is mended by one key, and that is taken back like all else.
#[test]
fn a_misread_label_is_mended_by_a_key() {
    let bench = ready();
    let said = happened(mac(NEW), What::discovered(None));
    let shows = super::super::http::showed(
        mac(NEW),
        ringup::domain::Origin::Option60,
        "Polycom-VVX411",
        Some("VVX411"),
    );
    bench.commit(vec![shows, said]);
    let state = || {
        let state = bench.service.view.read();
        let listed = |text: &str| state.phones.get(&mac(text)).is_some_and(|it| it.entry.is_some());
        let slots: Vec<_> =
            state.stagings[&1].phones.iter().map(|(mac, one)| (*mac, one.slot)).collect();
        (listed(LISTED), listed(NEW), slots)
    };
    bench.runtime.block_on(async {
        let mut scanner = Scanner::start(&bench).await;
        scanner.scan(LISTED).await;
        scanner.shows("red", "label doubtful: ").await;
        scanner.press(&char::from(Key::F7).to_string()).await;
        assert_eq!(state(), (false, true, vec![(mac(NEW), Some(1))]));
        scanner.scan("RINGUP UNDO").await;
        assert_eq!(state(), (true, false, vec![(mac(LISTED), Some(1))]));
        assert_eq!(scanner.browser.console().await, [""; 0]);
        scanner.browser.end().await;
    });
}

/// A reload of the page loses nothing of what can be taken back.
#[test]
fn undo_outlives_a_reload() {
    let bench = ready();
    bench.runtime.block_on(async {
        let mut scanner = Scanner::start(&bench).await;
        scanner.scan(NEW).await;
        scanner.scan("4013").await;
        scanner.press(&char::from(Key::F8).to_string()).await;
        scanner = scanner.anew().await;
        scanner.scan("RINGUP UNDO").await;
        scanner.shows("amber", "leaving a slot free").await;
        scanner.scan("RINGUP UNDO").await;
        scanner.shows("amber", &format!("scan of {NEW}")).await;
        let number = |bench: &Bench| {
            let state = bench.service.view.read();
            let known = state.phones.get(&mac(NEW)).and_then(|phone| phone.entry.clone());
            known.map(|entry| entry.number().to_owned())
        };
        assert_eq!(number(&bench), None, "its entry is gone");
        scanner = scanner.anew().await;
        scanner.scan("RINGUP UNDO").await;
        assert!(bench.service.view.read().stagings[&1].phones.is_empty(), "and so is its scan");
        scanner.scan("RINGUP UNDO").await;
        scanner.shows("amber", "nothing is left to take back").await;
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

/// Nobody is moved by counting on; a batch is renamed, handed over and sealed, all of it by keys.
#[test]
fn a_batch_is_handed_over_by_keys() {
    let bench = ready();
    let listed = entry("VVX 410", "4012", "Front desk");
    bench.commit(vec![Change::Listed(mac(LISTED), Box::new(listed))]);
    call(&bench, "POST", "", &json!({ "name": "Spares" }));
    call(
        &bench,
        "POST",
        "/1/phones",
        &json!({ "mac": NEW, "slot": 3, "number": "4013", "model": "VVX 411" }),
    );
    bench.runtime.block_on(async {
        let mut scanner = Scanner::start(&bench).await;
        assert!(scanner.browser.text().await.contains("Also open: Spares"));
        scanner.press(&char::from(Key::F8).to_string()).await;
        scanner.scan(LISTED).await;
        scanner.shows("amber", "Slot 2").await;
        // Slot 3 is taken, so the next one goes behind it.
        assert_eq!(scanner.text("next").await, "next slot 4");
        let key = |key: Key| char::from(key).to_string();
        scanner.reach("summary").await;
        scanner.focused().await.send_keys(&key(Key::Enter)).await.unwrap();
        scanner.reach("#purpose [name=operator]").await;
        scanner.press(&format!("-Lena{}", char::from(Key::Enter))).await;
        assert!(scanner.text("who").await.ends_with("-Lena"), "{}", scanner.text("who").await);
        assert_eq!(scanner.focused().await.attr("id").await.unwrap().as_deref(), Some("scan"));
        // What was never seen is asked about, and no means no.
        scanner.reach("#hand-over").await;
        for sure in [false, true] {
            scanner.focused().await.send_keys(&key(Key::Enter)).await.unwrap();
            assert_eq!(
                scanner.asked(sure).await,
                "Of 2 phones: 2 never seen.\n\nHand over all the same?"
            );
            if !sure {
                assert_eq!(scanner.text("standing").await, "open");
                scanner.reach("#hand-over").await;
            }
        }
        assert_eq!(scanner.text("standing").await, "handed over");
        assert!(scanner.text("restart").await.contains("Restart each phone"));
        // What the phone of slot 2 fetches now is production; its tile says so by itself.
        for name in ["/0004f2aabb01.cfg", "/0004f2aabb01-line.cfg"] {
            bench.get(name, "");
        }
        let tile = format!("const tile = document.querySelector('[data-mac=\"{LISTED}\"]')");
        let sealed = "return tile.dataset.light === 'green' && tile.innerText.endsWith('sealed')";
        scanner.browser.until(&format!("{tile}; {sealed}")).await;
        assert_eq!(scanner.text("ready").await, "1 configured, 1 sealed");
        assert_eq!(scanner.browser.console().await, [""; 0]);
        scanner.browser.end().await;
    });
}

/// From three metres away nothing says that scans are taken while they are not.
#[test]
fn without_a_connection_nobody_is_told_to_scan() {
    let bench = ready();
    let address = bench.operators;
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let scanner = runtime.block_on(Scanner::start(&bench));
    let said = "return [getComputedStyle(document.getElementById('light'), '::after').content, \
        document.getElementById('light').innerText].join()";
    let text = || runtime.block_on(scanner.browser.value(said)).to_string();
    assert!(text().contains("Ready to scan") && !text().contains("No connection"), "{}", text());
    let bench = bench.again_at(address, || {
        let lost = "return document.getElementById('live').dataset.is === 'lost'";
        runtime.block_on(scanner.browser.until(lost));
        assert!(
            !text().contains("Ready to scan") && text().contains("No connection"),
            "{}",
            text()
        );
    });
    let live = "return document.getElementById('live').dataset.is === 'live'";
    runtime.block_on(scanner.browser.until(live));
    assert!(text().contains("Ready to scan"), "{}", text());
    runtime.block_on(scanner.browser.end());
    drop(bench);
}

/// An UNDO that ends half way is gone on with; one that is refused twice does not stand before those below it.
#[test]
fn an_undo_that_ends_half_way_is_taken_up_again() {
    let bench = ready();
    let break_off = "let count = 0; const real = window.real ??= window.fetch;
        window.fetch = (path, what) => (what?.method === 'DELETE' && ++count === arguments[0])
          ? Promise.reject(new TypeError('Failed to fetch')) : real(path, what);";
    let refuse = "window.fetch = (path, what) => what?.method === 'DELETE'
        ? Promise.resolve(new Response('{\"detail\":\"it is closed\"}', { status: 409, headers: { 'content-type': 'application/json' } }))
        : window.real(path, what);";
    let state = || {
        let state = bench.service.view.read();
        let listed = state.phones.get(&mac(NEW)).is_some_and(|phone| phone.entry.is_some());
        (listed, state.stagings[&1].phones.len())
    };
    bench.runtime.block_on(async {
        let mut scanner = Scanner::start(&bench).await;
        scanner.scan(LISTED).await;
        scanner.scan("2200-48400-025").await;
        scanner.scan(NEW).await;
        assert_eq!(state(), (true, 2));
        scanner.browser.client.execute(break_off, vec![2.into()]).await.unwrap();
        scanner.scan("RINGUP UNDO").await;
        scanner.shows("red", "Not done: RINGUP UNDO").await;
        assert_eq!(state(), (false, 2), "its entry is gone, and it is in the batch still");
        scanner.scan("RINGUP UNDO").await;
        scanner.shows("amber", &format!("scan of {NEW}")).await;
        assert_eq!(state(), (false, 1));

        scanner.press(&char::from(Key::F8).to_string()).await;
        scanner.scan(NEW).await;
        scanner.browser.value(refuse).await;
        scanner.scan("RINGUP UNDO").await;
        scanner.shows("red", "it is closed").await;
        scanner.scan("RINGUP UNDO").await;
        scanner.shows("red", "given up: it is closed").await;
        scanner.scan("RINGUP UNDO").await;
        scanner.shows("amber", "leaving a slot free").await;
        assert_eq!(scanner.browser.console().await, [""; 0]);
        scanner.browser.end().await;
    });
}

/// What the keys do, the buttons do as well: a telephone engineer with a tablet has no F keys.
#[test]
fn the_bench_by_touch() {
    let bench = ready();
    bench.runtime.block_on(async {
        let mut scanner = Scanner::start(&bench).await;
        let failed =
            || bench.service.view.read().stagings[&1].phones[&mac(LISTED)].failed.is_some();
        scanner.scan(LISTED).await;
        for (button, taken, says) in [
            ("fail", 2, "failed on the bench"),
            ("undo", 3, "putting"),
            ("next-slot", 4, "the next phone goes here"),
            ("replace", 5, "takes the place of"),
        ] {
            let button = scanner.browser.client.find(Locator::Id(button)).await.unwrap();
            button.click().await.unwrap();
            let done =
                format!("return document.getElementById('scan').dataset.taken === '{taken}'");
            scanner.browser.until(&done).await;
            let said = scanner.text("light").await;
            assert!(said.contains(says), "{said}");
            assert_eq!(failed(), taken == 2, "{says}");
        }
        scanner.taken = 5;
        scanner.scan(NEW).await;
        let phones = bench.service.view.read().stagings[&1].phones.clone();
        assert_eq!(phones.keys().copied().collect::<Vec<_>>(), [mac(NEW)]);
        assert_eq!(scanner.focused().await.attr("id").await.unwrap().as_deref(), Some("scan"));
        scanner.browser.end().await;
    });
}
