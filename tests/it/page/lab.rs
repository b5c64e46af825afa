//! `ringup lab` behind a browser: simulated phones that boot over DHCP, TFTP and HTTP while the page is open.

use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
    process::{Child, Command, Stdio},
};

use fantoccini::Locator;
use serde_json::Value;

use crate::{
    browser::Browser,
    http::call,
    run::{BINARY, until},
};

/// A lab of its own, ended when this is dropped.
pub struct Lab {
    child: Child,
    pub address: SocketAddr,
}

impl Lab {
    pub fn start(phones: u16) -> Self {
        let mut child = Command::new(BINARY)
            .args(["lab", "--phones", &phones.to_string(), "--operators", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut lines = lines.map_while(Result::ok);
        let page = lines.find_map(|line| Some(line.split_once("page  http://")?.1.to_owned()));
        let address = page.expect("it says where its page is").trim_matches('/').parse().unwrap();
        Self { child, address }
    }

    pub fn json(&self, path: &str) -> Value {
        call(self.address, "GET", path, "").json()
    }

    /// The first phone that is as wanted, once there is one.
    pub fn phone(&self, what: &str, is_it: impl Fn(&Value) -> bool) -> String {
        until(what, || {
            let list = self.json("/api/v1/phones?limit=1000");
            let found = list["items"].as_array()?.iter().find(|phone| is_it(phone))?;
            Some(found["mac"].as_str()?.to_owned())
        })
    }

    /// The first phone with this finding, once there is one.
    pub fn with(&self, finding: &str) -> String {
        self.phone(finding, |phone| {
            phone["findings"]
                .as_array()
                .is_some_and(|all| all.iter().any(|it| it["kind"] == finding))
        })
    }
}

impl Lab {
    /// Opens the first batch and scans these phones in.
    pub fn batch(&self, phones: &[String]) {
        let batch = r#"{"name":"Monday","operator":"Anna","planned":40}"#;
        assert_eq!(call(self.address, "POST", "/api/v1/batches", batch).status, 201);
        for mac in phones {
            let phone = format!("{{\"mac\":\"{mac}\"}}");
            let answer = call(self.address, "POST", "/api/v1/batches/1/phones", &phone);
            assert!(answer.status < 300, "{mac}: {}", answer.text());
        }
    }
}

impl Drop for Lab {
    /// Asked to end, it removes its throw-away state.
    fn drop(&mut self) {
        let pid = self.child.id().to_string();
        let _ = Command::new("kill").args(["-TERM", &pid]).status();
        let _ = self.child.wait();
    }
}

#[test]
fn simulated_phones_come_up_while_the_page_is_open() {
    let lab = Lab::start(12);
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let browser = Browser::start().await;
        browser.client.goto(&format!("http://{}/", lab.address)).await.unwrap();
        browser.until("return document.getElementById('live').dataset.is === 'live'").await;
        browser.value("window.sameDocument = true").await;
        browser.until("return document.body.innerText.includes('configured')").await;
        let wrong = lab.with("wrong-model");
        browser.until(&format!("return !!document.querySelector('[data-mac=\"{wrong}\"]')")).await;
        assert_eq!(browser.value("return window.sameDocument").await, true);

        // What the finding proposes, at one press; the phone says no other model afterwards.
        browser.client.goto(&format!("http://{}/phones/{wrong}", lab.address)).await.unwrap();
        let button = "button[data-accept=wrong-model]";
        browser.until(&format!("return !!document.querySelector('{button}')")).await;
        browser.client.find(Locator::Css(button)).await.unwrap().click().await.unwrap();
        browser.until("return document.body.innerText.includes('Done: it is listed as')").await;
        browser.until(&format!("return !document.querySelector('{button}')")).await;
        assert_eq!(browser.console().await, [""; 0]);
        browser.end().await;
    });
}
