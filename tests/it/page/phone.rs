//! A phone's own page in a real Chromium: repairs at one press, replacement, files, and a renewal that takes nothing away.

use std::net::Ipv4Addr;

use fantoccini::{Locator, key::Key};
use ringup::domain::{
    Asked, Carrier, Change, Event, Origin, Outcome, Role, Secret, Timestamp, What,
};
use serde_json::Value;

use super::{
    super::{
        browser::Browser,
        http::{Bench, entry, happened, mac, showed},
        resync::Phone,
    },
    DESK, leased,
};

const CISCO: &str = "00:1e:7a:c4:10:22";
const OTHER: &str = "00:1e:7a:c4:10:99";

impl Browser {
    async fn to_phone(&self, bench: &Bench, phone: &str) {
        let address = format!("http://{}/phones/{phone}", bench.operators);
        self.client.goto(&address).await.unwrap();
        self.until("return document.getElementById('live').textContent === 'live'").await;
    }

    /// Presses what a selector finds, once it is there.
    async fn press(&self, css: &str) {
        self.until(&format!("return document.querySelector(`{css}`)?.checkVisibility()")).await;
        let found = self.client.find(Locator::Css(css)).await.unwrap();
        found.click().await.unwrap_or_else(|error| panic!("{css}: {error}"));
    }

    async fn type_into(&self, css: &str, text: &str) {
        self.client.find(Locator::Css(css)).await.unwrap().send_keys(text).await.unwrap();
    }

    /// Waits until the page shows a text.
    async fn reads(&self, text: &str) {
        self.until(&format!("return document.body.innerText.includes({text:?})")).await;
    }
}

fn listed(phone: &str, model: &str) -> Change {
    Change::Listed(mac(phone), Box::new(entry(model, "4012", "Front desk")))
}

/// What a Cisco phone says that it is.
fn says(phone: &str, model: &str) -> Vec<Change> {
    let text = format!("Cisco Systems, Inc. IP Phone CP-{model}");
    vec![
        happened(mac(phone), What::discovered(None)),
        showed(mac(phone), Origin::Option60, &text, Some(model)),
    ]
}

/// The model that is listed for a phone; `None` if it is not listed.
fn model(bench: &Bench, phone: &str) -> Option<String> {
    let state = bench.service.view.read();
    Some(state.phones.get(&mac(phone))?.entry.as_ref()?.model.clone())
}

/// Runs with a browser, and looks at the console afterwards.
fn with_browser(bench: &Bench, test: impl AsyncFnOnce(&Browser)) {
    bench.runtime.block_on(async {
        let browser = Browser::start().await;
        test(&browser).await;
        assert_eq!(browser.console().await, [""; 0], "no violation of the policy, no error");
        browser.end().await;
    });
}

#[test]
fn a_wrong_model_is_repaired_at_one_press() {
    let bench = Bench::new(&[]);
    bench.commit(vec![listed(CISCO, "7970")]);
    bench.commit(says(CISCO, "7961"));
    with_browser(&bench, async |browser| {
        browser.to_phone(&bench, CISCO).await;
        browser.reads("listed as 7970, says it is a 7961").await;
        browser.press("button[data-accept=wrong-model]").await;
        browser.reads("Done: it is listed as 7961 now.").await;
        browser.until("return !document.querySelector('[data-accept]')").await;
        assert_eq!(model(&bench, CISCO).as_deref(), Some("7961"));
        let focus = "return document.activeElement.id";
        assert_eq!(browser.value(focus).await, "said", "whoever can't see hears what was done");
        browser.press("#said button").await;
        browser.reads("Taken back.").await;
        browser.reads("listed as 7970, says it is a 7961").await;
        assert_eq!(model(&bench, CISCO).as_deref(), Some("7970"));
    });
}

#[test]
fn what_somebody_else_did_is_not_taken_back() {
    let bench = Bench::new(&[]);
    bench.commit(vec![listed(CISCO, "7970")]);
    bench.commit(says(CISCO, "7961"));
    with_browser(&bench, async |browser| {
        browser.to_phone(&bench, CISCO).await;
        browser.press("button[data-accept=wrong-model]").await;
        browser.reads("Done").await;
        let list = ringup::domain::Batch { undoable: true, ..vec![listed(DESK, "VVX 410")].into() };
        bench.service.journal.commit(list).await.unwrap();
        browser.press("#said button").await;
        browser.reads("Not taken back: something else that can be taken back was done since").await;
        assert_eq!(model(&bench, DESK).as_deref(), Some("VVX 410"));
        // A refused call is the one thing that a browser itself writes down.
        assert!(browser.console().await.iter().all(|line| line.contains("409")));
    });
}

#[test]
fn a_bad_label_is_repaired_at_one_press() {
    let (label, real) = ("00:04:f2:aa:bb:cb", "00:04:f2:aa:bb:c8");
    let bench = Bench::new(&[]);
    bench.commit(vec![listed(label, "VVX 410")]);
    let class = showed(mac(real), Origin::Option60, "Polycom-VVX410", Some("VVX410"));
    let seen = happened(mac(real), What::discovered(None));
    bench.commit(vec![seen, poly(class), happened(mac(real), leased(Ipv4Addr::new(10, 20, 0, 7)))]);
    with_browser(&bench, async |browser| {
        browser.to_phone(&bench, label).await;
        browser.reads("differs in one digit").await;
        browser.press("button[data-accept=bad-label]").await;
        browser.reads(&format!("The entry of {label} is this phone's now.")).await;
        let at = browser.client.current_url().await.unwrap();
        assert!(at.path().ends_with(real), "{at}");
        assert_eq!(model(&bench, real).as_deref(), Some("VVX 410"));
        browser.press("#said button").await;
        browser.reads("Taken back.").await;
        let at = browser.client.current_url().await.unwrap();
        assert!(at.path().ends_with(label), "{at}");
        assert_eq!((model(&bench, real), model(&bench, label)), (None, Some("VVX 410".to_owned())));
    });
}

/// The same ground as a Poly's.
fn poly(change: Change) -> Change {
    let Change::Showed(mac, mut ground) = change else { panic!("a ground") };
    ground.vendor = Some("Polycom".to_owned());
    Change::Showed(mac, ground)
}

#[test]
fn a_dead_phone_is_replaced_after_a_look() {
    let bench = Bench::new(&[]);
    bench.commit(vec![listed(CISCO, "7961")]);
    bench.commit(says(OTHER, "7911"));
    with_browser(&bench, async |browser| {
        browser.to_phone(&bench, CISCO).await;
        browser.press("#replace summary").await;
        browser.type_into("#replace-by", "FCH2443D9R4\n").await;
        browser.reads("serial number").await;
        browser.client.find(Locator::Id("replace-by")).await.unwrap().clear().await.unwrap();
        // A label as a scanner types it.
        browser.type_into("#replace-by", "MAC: 001E7AC41099\n").await;
        browser.reads("listed as 7961, says it is a 7911").await;
        let plan = browser.text().await;
        for said in ["4012 Front desk", "SIP passwords made anew: 1", OTHER] {
            assert!(plan.contains(said), "{said} is not in:\n{plan}");
        }
        assert_eq!(model(&bench, CISCO).as_deref(), Some("7961"), "a look changes nothing");
        browser.press("#replace-form [type=submit]").await;
        browser.reads(&format!("This phone took the place of {CISCO}.")).await;
        assert_eq!((model(&bench, CISCO), model(&bench, OTHER)), (None, Some("7911".to_owned())));
        browser.press("#said button").await;
        browser.reads("Taken back.").await;
        assert_eq!((model(&bench, CISCO), model(&bench, OTHER)), (Some("7961".to_owned()), None));
    });
}

#[test]
fn a_renewal_leaves_a_half_typed_form_alone() {
    let bench = Bench::new(&[]);
    bench.commit(vec![listed(CISCO, "7961")]);
    with_browser(&bench, async |browser| {
        browser.to_phone(&bench, CISCO).await;
        browser.press("#edit summary").await;
        browser.type_into("#edit-name", " and lo").await;
        let left = "document.getElementById('edit-name').setSelectionRange(3, 5); window.kept = \
            document.getElementById('edit-name')";
        browser.value(left).await;
        for last in 1..4 {
            let address = Ipv4Addr::new(10, 0, 0, last);
            let news = happened(mac(CISCO), What::Informed { address });
            bench.service.journal.commit(news.into()).await.unwrap();
            browser.reads(&format!("asked for options at {address}")).await;
        }
        // Somebody else edits it meanwhile.
        let mut changed = entry("7961", "4012", "Front desk");
        changed.note = "by the door".to_owned();
        let change = Change::Listed(mac(CISCO), Box::new(changed));
        bench.service.journal.commit(change.into()).await.unwrap();
        browser
            .until("return document.querySelector('dl').innerText.includes('by the door')")
            .await;
        let now = "const field = document.getElementById('edit-name'); return [field.value, \
            field === window.kept, document.activeElement === field, field.selectionStart, \
            document.getElementById('edit').open]";
        let expected = serde_json::json!(["Front desk and lo", true, true, 3, true]);
        assert_eq!(browser.value(now).await, expected);
        browser.type_into("#edit-name", "unge").await;
        browser.type_into("#edit-name", &Key::Enter.to_string()).await;
        browser.reads("Saved.").await;
        browser.until("return !document.getElementById('edit').open").await;
        let state = bench.service.view.read();
        let entry = state.phones[&mac(CISCO)].entry.clone().unwrap();
        assert!(entry.name().contains("unge"), "{}", entry.name());
        assert_eq!((entry.number(), entry.note.as_str()), ("4012", "by the door"));
        assert_eq!(entry.lines[0].sip_password.reveal(), "pw-4012", "masked is not changed");
    });
}

#[test]
fn passwords_are_shown_when_asked_for_twice_and_that_is_recorded() {
    let bench = Bench::new(&[]);
    let mut secret = entry("VVX 410", "4012", "Front desk");
    secret.lines[0].sip_password = Secret::new("s3cret-one".to_owned());
    bench.commit(vec![Change::Listed(mac(DESK), Box::new(secret))]);
    let revealed = || {
        let metrics = bench.api("GET", "/metrics", "").text();
        metrics.lines().any(|line| line.contains("secrets-revealed") && !line.ends_with(" 0"))
    };
    with_browser(&bench, async |browser| {
        browser.to_phone(&bench, DESK).await;
        let file = "0004f2aabb01-line.cfg";
        let shown = "return document.getElementById('file-text').textContent";
        browser.reads("Files it would get").await;
        browser.until("return document.querySelectorAll('#files-list tr').length > 2").await;
        browser.press(&format!("button[aria-label='Show {file}']")).await;
        browser
            .until("return document.getElementById('file-text').textContent.includes('4012')")
            .await;
        let text = browser.value(shown).await.to_string();
        assert!(text.contains("••••") && !text.contains("s3cret-one"), "{text}");
        assert!(!revealed());
        browser.press("#file-reveal").await;
        browser.press("#file-no").await;
        assert!(!browser.value(shown).await.to_string().contains("s3cret-one"));
        assert!(!revealed(), "asking is not looking");
        browser.press("#file-reveal").await;
        browser.press("#file-yes").await;
        let seen = "return document.getElementById('file-text').textContent.includes('s3cret-one')";
        browser.until(seen).await;
        assert!(revealed());
        browser.press(&format!("button[aria-label='Explain {file}']")).await;
        let by = "return [...document.querySelectorAll('#file-values tr')].some((row) => \
            row.innerText.includes('4012') && row.innerText.includes('entry'))";
        browser.until(by).await;
        assert!(!browser.text().await.contains("s3cret-one"), "masked again");
    });
}

fn asked(name: &str) -> Asked {
    let (carrier, role) = (Carrier::Tftp, Role::Extra);
    Asked { name: name.to_owned(), carrier, role, required: None, first: false }
}

/// A boot of long ago with a file of each kind, then a renewal.
fn boot(phone: &str) -> Vec<Change> {
    let gone = Outcome::Aborted { text: "enough".to_owned() };
    let ended = |name: &str, outcome: Outcome| What::Ended {
        asked: asked(name),
        bytes: 4,
        length: 4,
        outcome,
        etag: String::new(),
        normal: false,
        source: String::new(),
    };
    let address = Ipv4Addr::new(10, 20, 0, 51);
    let refused = |name: &str, normal| What::Refused {
        asked: asked(name),
        why: format!("there is no {name}"),
        normal,
    };
    let happened = [
        (0, What::discovered(None)),
        (2, What::Offered { address }),
        (60, leased(address)),
        (300, refused("CTL", true)),
        (400, What::Opened { asked: asked("whole.cnf"), length: 4 }),
        (900, ended("whole.cnf", Outcome::Complete)),
        (1000, What::Opened { asked: asked("half.cnf"), length: 4 }),
        (1400, ended("half.cnf", gone)),
        (1500, refused("<svg onload='window.pwned = 4'>", false)),
    ];
    let change = |(millis, what): (i64, What)| {
        let at = Timestamp::from_millisecond(1_700_000_000_000 + millis).unwrap();
        Change::Happened(mac(phone), Event { at, what })
    };
    happened.into_iter().map(change).collect()
}

#[test]
fn a_boot_is_drawn_and_told() {
    let bench = Bench::new(&[]);
    bench.commit(vec![listed(CISCO, "7961")]);
    bench.commit(boot(CISCO));
    with_browser(&bench, async |browser| {
        browser.to_phone(&bench, CISCO).await;
        let bars = browser
            .value("return [...document.querySelectorAll('svg.waterfall g')].map((bar) => bar.className.baseVal).join()")
            .await;
        assert_eq!(bars, "bar good,bar normal,bar good,bar bad,bar bad");
        // Each bar where it belongs: the fourth one begins at 1000 of 1500 ms and lasts 400.
        let place = browser
            .value(
                "const drawing = document.querySelector('svg.waterfall').getBoundingClientRect();
                const bar = document.querySelectorAll('svg.waterfall .length')[3].getBoundingClientRect();
                return [bar.left - drawing.left, bar.width].map((x) => Math.round(x / drawing.width * 15))",
            )
            .await;
        assert_eq!(place, serde_json::json!([10, 4]));
        let said = browser
            .value("return document.querySelector('svg.waterfall').getAttribute('aria-labelledby').split(' ').map((id) => document.getElementById(id).textContent).join(' ')")
            .await;
        let said = said.as_str().unwrap().to_owned();
        for told in ["5 exchanges in 1.5 s", "tftp CTL: from +300 ms, not there, normal."] {
            assert!(said.contains(told), "{told} is not in {said}");
        }
        let text = browser.text().await;
        for told in ["has whole.cnf (4 bytes)", "asked for CTL, which it can do without", "+60 ms"]
        {
            assert!(text.contains(told), "{told} is not in:\n{text}");
        }
        assert_eq!(browser.value("return window.pwned ?? null").await, Value::Null);
    });
}

#[test]
fn the_timeline_goes_back_to_the_beginning() {
    let bench = Bench::new(&[]);
    let phone = mac(CISCO);
    bench.commit(vec![listed(CISCO, "7961")]);
    let at = |n: u8| happened(phone, What::Released { address: Ipv4Addr::new(10, 1, 1, n) });
    // Several in one commit: a page may end in the middle of it.
    for ten in 0..25 {
        bench.commit((0..10).map(|one| at(ten * 10 + one)).collect());
    }
    let page = |query: &str| {
        bench.api("GET", &format!("/api/v1/phones/{CISCO}/events?limit=97{query}"), "").json()
    };
    let (mut seen, mut query) = (Vec::new(), String::new());
    loop {
        let page = page(&query);
        let texts = page["items"].as_array().unwrap().iter();
        let mut texts: Vec<_> = texts.map(|it| it["text"].as_str().unwrap().to_owned()).collect();
        texts.append(&mut seen);
        seen = texts;
        let Some(next) = page["next"].as_str() else { break };
        query = format!("&before={next}");
    }
    let all: Vec<_> = (0..250).map(|n| format!("released 10.1.1.{n}")).collect();
    assert_eq!(seen, all, "each once and in order");
    let wrong = bench.api("GET", &format!("/api/v1/phones/{CISCO}/events?before=x"), "");
    assert_eq!(wrong.status, 400, "{}", wrong.text());

    with_browser(&bench, async |browser| {
        browser.to_phone(&bench, CISCO).await;
        browser.value("window.sameDocument = true").await;
        let count =
            |n: usize| format!("return document.querySelectorAll('.timeline li').length === {n}");
        browser.until(&count(200)).await;
        assert!(!browser.text().await.contains("released 10.1.1.49\n"));
        browser.press("#timeline a[data-part]").await;
        browser.until(&count(50)).await;
        browser.reads("released 10.1.1.0").await;
        // What comes in meanwhile does not throw the reader out of the past.
        bench.service.journal.commit(at(255).into()).await.unwrap();
        bench.service.journal.commit(listed(CISCO, "7970").into()).await.unwrap();
        browser.until("return document.querySelector('dl').innerText.includes('7970')").await;
        browser.until(&count(50)).await;
        browser.press("#timeline a[data-part]").await;
        browser.reads("released 10.1.1.255").await;
        assert_eq!(browser.value("return window.sameDocument").await, true);
    });
}

#[test]
fn a_paragraph_for_the_ticket() {
    let bench = Bench::new(&[]);
    bench.commit(vec![listed(CISCO, "7970")]);
    bench.commit(says(CISCO, "7961"));
    let ticket = bench.api("GET", &format!("/api/v1/phones/{CISCO}/ticket"), "");
    assert!(ticket.head.to_lowercase().contains("content-type: text/plain"), "{}", ticket.head);
    let text = ticket.text();
    assert!(!text.contains('\n') && !text.contains("pw-4012"), "{text}");
    for told in [
        "4012 Front desk",
        CISCO,
        "listed as 7970, says it is a 7961",
        "Stage discovered",
        "IP Phone CP-7961",
    ] {
        assert!(text.contains(told), "{told} is not in {text}");
    }
    with_browser(&bench, async |browser| {
        browser.to_phone(&bench, CISCO).await;
        browser.press("#copy").await;
        browser.reads("Copied for the ticket.").await;
        // A browser that lets no page copy: the text is there to be copied by hand.
        let deaf = "Object.defineProperty(navigator, 'clipboard', { value: undefined }); document.execCommand = () => false";
        browser.value(deaf).await;
        browser.press("#copy").await;
        let by_hand = "const area = document.getElementById('ticket-text'); return area.checkVisibility() && \
            area.value.includes('4012 Front desk') && area.selectionEnd === area.value.length && \
            document.activeElement === area";
        browser.until(by_hand).await;
    });
}

#[test]
fn a_phone_that_is_forgotten_is_gone_after_a_second_word() {
    let bench = Bench::new(&[]);
    bench.commit(vec![listed(CISCO, "7961")]);
    with_browser(&bench, async |browser| {
        browser.to_phone(&bench, CISCO).await;
        browser.press("#forget summary").await;
        assert!(model(&bench, CISCO).is_some(), "opening it does nothing");
        browser.press("#forget [data-close]").await;
        browser.press("#forget summary").await;
        browser.press("#forget [type=submit]").await;
        browser.until("return location.pathname === '/'").await;
        assert!(!bench.service.view.read().phones.contains_key(&mac(CISCO)));
    });
}

#[test]
fn nothing_runs_over_the_edge_of_a_narrow_screen() {
    let bench = Bench::new(&[]);
    bench.commit(vec![listed(CISCO, "7970")]);
    bench.commit(says(CISCO, "7961"));
    bench.commit(boot(CISCO));
    with_browser(&bench, async |browser| {
        browser.client.set_window_size(390, 844).await.unwrap();
        assert_eq!(browser.value("return innerWidth").await, 390);
        browser.to_phone(&bench, CISCO).await;
        browser.press("#edit summary").await;
        browser.until("return document.querySelectorAll('#files-list tr').length > 2").await;
        let wide = "return [...document.querySelectorAll('body, main, section, .acts, svg.waterfall')].filter((it) => \
            it.scrollWidth > it.clientWidth + 1).map((it) => it.outerHTML.slice(0, 80))";
        assert_eq!(browser.value(wide).await, serde_json::json!([]));
    });
}

#[test]
fn a_phone_is_made_to_come_again_at_one_press() {
    let (mut bench, desk) = (Bench::new(&[]), Phone::at(40));
    bench.asks();
    bench.commit(vec![
        listed(DESK, "VVX 410"),
        happened(mac(DESK), What::discovered(None)),
        happened(mac(DESK), What::Appeared { address: desk.address }),
    ]);
    let address = [127, 0, 66, 41].into();
    bench.commit(vec![
        listed(CISCO, "7961"),
        happened(mac(CISCO), What::discovered(None)),
        happened(mac(CISCO), What::Appeared { address }),
    ]);
    with_browser(&bench, async |browser| {
        browser.to_phone(&bench, DESK).await;
        browser.press("#resync").await;
        browser.reads("It has 32 s to answer.").await;
        let end = desk.will("403 Forbidden");
        browser
            .until("return document.querySelector('#recalled')?.dataset.reply === 'refused'")
            .await;
        assert!(end.join().unwrap().starts_with("NOTIFY sip:4012@127.0.66.40:5060 "));
        browser.reads("it refused (403): it listens to its registrar alone").await;
        browser.reads("restart it by its power").await;
        let end = Phone::at(40).will("200 OK");
        browser.press("#resync").await;
        browser
            .until("return document.querySelector('#recalled')?.dataset.reply === 'accepted'")
            .await;
        end.join().unwrap();
        // It comes: what was said of it is over.
        let comes = happened(mac(DESK), What::discovered(None));
        bench.service.journal.commit(comes.into()).await.unwrap();
        browser.until("return !document.querySelector('#recalled')").await;
        // Nothing reaches this one, and it says why instead.
        browser.to_phone(&bench, CISCO).await;
        browser.reads("To make it come again, restart it by hand: its family follows its call manager alone").await;
        browser.until("return !document.querySelector('#resync')").await;
    });
}
