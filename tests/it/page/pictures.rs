//! Pictures of every page, for eyes: light and dark, wide and narrow, full and empty. `.ci/screenshots` runs this.

use std::{env, fs, path::PathBuf};

use fantoccini::Locator;

use super::{access, board, every, lab::Lab};
use crate::{browser::Browser, http::Bench};

/// The four looks of each page.
const LOOKS: &[(&str, u32)] = &[("light", 1280), ("dark", 1280), ("light", 390), ("dark", 390)];

/// A picture is cut below this many pixels: a list of 10,000 phones is no picture.
const TALLEST: u64 = 3000;

struct Album {
    browser: Browser,
    folder: PathBuf,
}

impl Album {
    /// The page as it is shown, in one look, in whole.
    async fn take(&self, name: &str, (scheme, width): (&str, u32)) {
        let height = self.browser.value("return document.documentElement.scrollHeight").await;
        let height = height.as_u64().unwrap_or(0).clamp(900, TALLEST);
        self.browser.dress(scheme, width, height).await;
        let picture = self.browser.client.screenshot().await.unwrap();
        let side = if width < 760 { "narrow" } else { "wide" };
        fs::write(self.folder.join(format!("{name}-{side}-{scheme}.png")), picture).unwrap();
    }

    /// A page in all looks, once it says that it is there.
    async fn page(&self, name: &str, address: &str, is_there: &str) {
        for look in LOOKS {
            self.browser.dress(look.0, look.1, 900).await;
            self.browser.client.goto(address).await.unwrap();
            self.browser.until(is_there).await;
            // What a page reads by itself is there, or said to be missing.
            self.browser
                .until("return !/Reading the|Looking …|reading the/.test(document.body.innerText)")
                .await;
            // A bench shows as many places as it says that it has phones.
            self.browser
                .until(
                    "const slots = document.getElementById('slots');
                     return !slots || slots.children.length > 0 || !document.getElementById('none').hidden",
                )
                .await;
            // Web fonts there are none; what moves has come to rest two frames after the last change.
            self.browser
                .until("return document.getAnimations().every((it) => it.playState !== 'running')")
                .await;
            self.take(name, *look).await;
        }
    }
}

const LIVE: &str = "return document.getElementById('live').dataset.is === 'live'";

/// A page's path as the beginning of a file's name.
fn name_of(path: &str) -> String {
    let name = path.trim_matches('/').replace('/', "-");
    if name.is_empty() { "board".to_owned() } else { name }
}

/// A phone that has what it should have, and nothing is wrong with it.
fn is_healthy(phone: &serde_json::Value) -> bool {
    phone["stage"] == "configured"
        && phone["entry"]["location"] == "healthy"
        && phone["findings"].as_array().is_some_and(Vec::is_empty)
}

/// What a page is like after something was done on it: in each look, the page, what is done, and when that is done.
async fn worked(album: &Album, base: &str, phone: &str) {
    let shown = "return document.querySelectorAll('main [data-mac]').length > 0";
    let scans = |text: &str| {
        format!(
            "document.getElementById('scan').value = '{text}';
             document.getElementById('scanning').requestSubmit();"
        )
    };
    let taken = "return !!document.getElementById('light').dataset.light";
    let open = |name: &str| {
        format!(
            "for (const one of document.querySelectorAll('.acts details')) one.open = one.innerText.startsWith('{name}');"
        )
    };
    let cases = [
        ("board-tiles", "/", "document.getElementById('as-tiles').click()".to_owned(), shown),
        (
            "board-nothing-fits",
            "/?q=xyzzy",
            String::new(),
            "return !document.getElementById('none').hidden",
        ),
        ("bench-green", "/bench/1", scans("2200-48400-025"), taken),
        ("bench-amber", "/bench/1", scans("00:26:99:1a:b0:0e"), taken),
        ("bench-red", "/bench/1", scans("FCH2443D9R4"), taken),
        ("phone-edit", &format!("/phones/{phone}"), open("Edit"), "return true"),
        ("phone-replace", &format!("/phones/{phone}"), open("Replace"), "return true"),
        (
            "phone-file",
            &format!("/phones/{phone}"),
            "document.querySelector('#files-list button').click()".to_owned(),
            "return !!document.querySelector('#file pre')",
        ),
    ];
    for (name, path, does, done) in cases {
        for look in LOOKS {
            album.browser.dress(look.0, look.1, 900).await;
            album.browser.client.goto(&format!("{base}{path}")).await.unwrap();
            album.browser.until(LIVE).await;
            let there = "return !document.getElementById('slots')?.matches(':empty') && !/reading the|Looking …/.test(document.body.innerText)";
            album.browser.until(there).await;
            album.browser.value(&does).await;
            album.browser.until(done).await;
            album.take(name, *look).await;
        }
        album.browser.value("localStorage.clear()").await;
    }
}

async fn full(album: &Album, lab: &Lab) {
    let base = format!("http://{}", lab.address);
    let flagged = |flag: &'static str| lab.phone(flag, |phone| phone[flag] == true);
    let phones = [
        ("phone-wrong-model", lab.with("wrong-model")),
        ("phone-bad-label", lab.with("bad-label")),
        ("phone-healthy", lab.phone("healthy", is_healthy)),
        ("phone-looping", flagged("looping")),
        (
            "phone-silent",
            lab.phone("silent", |phone| phone["entry"]["location"] == "never powered on"),
        ),
    ];
    lab.batch(&phones.each_ref().map(|(_, mac)| mac.clone()));
    for path in every::SHEETS {
        let name = path.trim_start_matches("/api/v1/").split('?').next().unwrap_or_default();
        album.page(&name_of(name), &format!("{base}{path}"), "return true").await;
    }
    for (path, _) in every::PAGES.iter().filter(|(path, _)| !path.starts_with("/phones/")) {
        album.page(&name_of(path), &format!("{base}{path}"), LIVE).await;
    }
    for (name, mac) in phones {
        album.page(name, &format!("{base}/phones/{mac}"), LIVE).await;
    }
    worked(album, &base, &lab.with("wrong-model")).await;
    let list = "mac,model,number,name\nOOO4f2aabb02,VVX 410,4013,Bert\n0004f2aabb03,VVX 410,4019,\
        A name that is far longer than anybody would type into a directory of people and rooms\n\
        1.57E+11,x,4014,Cara\n";
    for look in LOOKS {
        album.browser.dress(look.0, look.1, 900).await;
        album.browser.client.goto(&format!("{base}/import")).await.unwrap();
        let text = album.browser.client.find(Locator::Id("text")).await.unwrap();
        text.send_keys(list).await.unwrap();
        album
            .browser
            .until("return document.querySelectorAll('#verdicts [data-line]').length === 3")
            .await;
        album.take("import-verdict", *look).await;
    }
}

/// Pages whose appliance is gone: what they show is old, and they say so.
async fn lost(album: &Album) {
    for (name, path) in [("lost-board", "/"), ("lost-bench", "/bench/1")] {
        let lab = Lab::start(12);
        lab.batch(&[lab.with("wrong-model")]);
        album.browser.client.goto(&format!("http://{}{path}", lab.address)).await.unwrap();
        album.browser.until(LIVE).await;
        album.browser.until("return document.querySelectorAll('main [data-mac]').length > 0").await;
        drop(lab);
        album.browser.until("return document.getElementById('live').dataset.is === 'lost'").await;
        for look in LOOKS {
            album.browser.dress(look.0, look.1, 900).await;
            album.take(name, *look).await;
        }
    }
}

/// Takes them all into the folder that `RINGUP_PICTURES` names.
#[test]
#[ignore = "makes pictures for eyes: .ci/screenshots"]
fn of_every_page() {
    let folder = PathBuf::from(env::var_os("RINGUP_PICTURES").expect("RINGUP_PICTURES=DIR"));
    fs::create_dir_all(&folder).unwrap();
    let lab = Lab::start(48);
    let (bench, dark) = (Bench::new(&[]), Bench::new(&[]));
    board::power_cut(&dark);
    let home = access::with_password();
    let serving = home.serve(&[]);
    bench.runtime.block_on(async {
        let album = Album { browser: Browser::start().await, folder };
        full(&album, &lab).await;
        lost(&album).await;
        for path in ["/", "/leases", "/events", "/firmware", "/phones/00:04:f2:aa:bb:01"] {
            let address = format!("http://{}{path}", bench.operators);
            album.page(&format!("empty-{}", name_of(path)), &address, "return true").await;
        }
        let morning = format!("http://{}/?away=1", dark.operators);
        let counted = "return /back since/.test(document.getElementById('back').textContent)";
        album.page("board-not-back", &morning, counted).await;
        let asked = "return !!document.getElementById('password')";
        album.page("login", access::GUARDED, asked).await;
        for look in LOOKS {
            let field = album.browser.client.find(Locator::Id("password")).await.unwrap();
            field.send_keys("wrong\u{e007}").await.unwrap();
            let said = "return document.body.innerText.includes('not the password')";
            album.browser.until(said).await;
            album.browser.dress(look.0, look.1, 900).await;
            album.take("login-wrong", *look).await;
        }
        album.browser.end().await;
    });
    assert_eq!(serving.stop(), Some(0));
}
