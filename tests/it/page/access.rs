//! axe-core on every page, light and dark, wide and narrow: nothing that WCAG 2 A or AA forbids.

use std::{env, fmt::Write as _, fs, path::PathBuf};

use assert_cmd::Command;
use fantoccini::Locator;
use serde_json::Value;

use super::{every, lab::Lab};
use crate::{
    browser::Browser,
    run::{BINARY, Home},
};

/// The rules that are asked for: those of the standard at levels A and AA, not what axe-core holds for good practice.
const RUN: &str = "const done = arguments[0];
    const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
    axe.run(document, { runOnly: tags, resultTypes: ['violations'], preload: false }).then((found) => done(
      found.violations.flatMap(({ id, nodes }) => nodes.map((node) =>
        [id, node.target.join(' '), node.html.slice(0, 160), node.failureSummary]))),
      (error) => done([['axe', '', '', String(error)]]));";

/// The source of axe-core, where `.ci/setup` puts it.
fn axe() -> String {
    let cache = env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.unwrap_or_else(|| PathBuf::from(env::var_os("HOME").unwrap()).join(".cache"));
    let path = cache.join("ringup-tests/axe-core/axe.min.js");
    fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}; run .ci/setup", path.display()))
}

/// Lines that name page, rule and element, for each violation in the page that is shown.
async fn look(browser: &Browser, axe: &str, place: &str, violations: &mut String) {
    browser.client.execute(axe, vec![]).await.unwrap();
    let found = browser.client.execute_async(RUN, vec![]).await.unwrap();
    for violation in found.as_array().expect("a list") {
        let [rule, target, html, why] =
            [0, 1, 2, 3].map(|at| violation[at].as_str().unwrap_or_default());
        writeln!(violations, "{place}: {rule}: {target}\n    {html}\n    {why}").unwrap();
    }
}

/// Every page with phones on it, and those of phones in and out of trouble.
fn pages(lab: &Lab) -> Vec<String> {
    let phones = [
        lab.with("wrong-model"),
        lab.with("bad-label"),
        lab.phone("ready phone", |phone| phone["stage"] == "configured"),
        lab.phone("silent phone", |phone| phone["stage"] == "silent"),
    ];
    lab.batch(&phones);
    let listed = every::PAGES.iter().map(|(path, _)| (*path).to_owned());
    let listed = listed.filter(|path| !path.starts_with("/phones/"));
    listed.chain(phones.map(|mac| format!("/phones/{mac}"))).collect()
}

fn check(scheme: &str) {
    let axe = axe();
    let lab = Lab::start(24);
    let pages = pages(&lab);
    let mut violations = String::new();
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let browser = Browser::start().await;
        for width in [1280, 390] {
            browser.dress(scheme, width, 900).await;
            for path in every::SHEETS {
                browser.client.goto(&format!("http://{}{path}", lab.address)).await.unwrap();
                look(&browser, &axe, &format!("{path} {scheme} {width}"), &mut violations).await;
            }
            for path in &pages {
                browser.client.goto(&format!("http://{}{path}", lab.address)).await.unwrap();
                browser.until("return document.getElementById('live').dataset.is === 'live'").await;
                look(&browser, &axe, &format!("{path} {scheme} {width}"), &mut violations).await;
            }
            // What there is only after something was done: a verdict on each row, with repairs to tick.
            browser.client.goto(&format!("http://{}/import", lab.address)).await.unwrap();
            let text = browser.client.find(Locator::Id("text")).await.unwrap();
            text.send_keys("mac,model,number\nOOO4f2aabb02,VVX 410,4013\n1.57E+11,x,4014\n")
                .await
                .unwrap();
            browser
                .until("return document.querySelectorAll('#verdicts [data-line]').length === 2")
                .await;
            let place = format!("/import with a verdict, {scheme} {width}");
            look(&browser, &axe, &place, &mut violations).await;
        }
        browser.end().await;
    });
    assert!(violations.is_empty(), "\n{violations}");
}

#[test]
fn nothing_that_the_standard_forbids_in_light() {
    check("light");
}

#[test]
fn nothing_that_the_standard_forbids_in_dark() {
    check("dark");
}

/// Where [`with_password`] asks for it.
pub(super) const GUARDED: &str = "http://127.0.0.1:18979/login";

/// Settings of an appliance that asks for a password.
pub(super) fn with_password() -> Home {
    let word =
        Command::new(BINARY).arg("password").write_stdin("correct horse\n").output().unwrap();
    let hash = String::from_utf8(word.stdout).unwrap();
    Home::new(&format!(
        "[tftp]\nlisten = [\"127.0.0.1:16977\"]\n[http]\nphones = [\"127.0.0.1:18978\"]\n\
         operators = [\"127.0.0.1:18979\"]\npassword-hash = '{}'\n",
        hash.trim()
    ))
}

/// Whoever can't see is asked for the password too, and told that it was wrong.
#[test]
fn the_password_is_asked_for_within_the_standard() {
    let axe = axe();
    let home = with_password();
    let serving = home.serve(&[]);
    let mut violations = String::new();
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let browser = Browser::start().await;
        for (scheme, width) in [("light", 1280), ("dark", 390)] {
            browser.dress(scheme, width, 900).await;
            browser.client.goto(GUARDED).await.unwrap();
            look(&browser, &axe, &format!("/login {scheme}"), &mut violations).await;
            let field = browser.client.find(Locator::Id("password")).await.unwrap();
            field.send_keys("wrong\u{e007}").await.unwrap();
            browser.until("return document.body.innerText.includes('not the password')").await;
            look(&browser, &axe, &format!("/login refused {scheme}"), &mut violations).await;
        }
        browser.end().await;
    });
    assert!(violations.is_empty(), "\n{violations}");
    assert_eq!(serving.stop(), Some(0));
}

/// The check itself finds what is there to be found: a picture without words, and grey on grey.
#[test]
fn the_check_can_fail() {
    let axe = axe();
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let browser = Browser::start().await;
        let page = "data:text/html,<title>x</title><html lang=en><img src=x>\
            <p style='color:%23ccc;background:%23fff'>pale</p>";
        browser.client.goto(page).await.unwrap();
        let mut violations = String::new();
        look(&browser, &axe, "a bad page", &mut violations).await;
        for rule in ["a bad page: image-alt: img", "a bad page: color-contrast: p"] {
            assert!(violations.contains(rule), "{rule} is not in {violations}");
        }
        assert_eq!(browser.value("return typeof axe").await, Value::from("object"));
        browser.end().await;
    });
}
