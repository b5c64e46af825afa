//! A real Chromium, driven over `WebDriver`.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    os::unix::process::CommandExt,
    process::{Child, Command, Stdio},
    time::Duration,
};

use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};

/// How long the page may take to show something.
const PATIENCE: Duration = Duration::from_secs(30);

/// A browser of its own, with a profile of its own, gone when this is dropped.
pub struct Browser {
    driver: Child,
    port: u16,
    pub client: Client,
    _profile: tempfile::TempDir,
}

impl Browser {
    pub async fn start() -> Self {
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .expect("chromedriver is installed");
        let lines = BufReader::new(driver.stdout.take().unwrap()).lines();
        let port = lines
            .map_while(Result::ok)
            .find_map(|line| {
                line.split_once("successfully on port ")?.1.trim_end_matches('.').parse().ok()
            })
            .expect("chromedriver says where it listens");
        let profile = tempfile::tempdir().unwrap();
        let data = format!("--user-data-dir={}", profile.path().display());
        let arguments = [
            "--headless=new",
            "--no-sandbox",
            "--disable-dev-shm-usage",
            "--disable-gpu",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--no-first-run",
            "--window-size=1280,900",
            &data,
        ];
        let Value::Object(capabilities) = json!({
            "goog:chromeOptions": { "args": arguments },
            "goog:loggingPrefs": { "browser": "ALL" },
        }) else {
            unreachable!("an object")
        };
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&format!("http://127.0.0.1:{port}"))
            .await
            .expect("a session");
        Self { driver, port, client, _profile: profile }
    }

    /// Waits until a script's value is `true`.
    pub async fn until(&self, script: &str) {
        let waited = tokio::time::timeout(PATIENCE, async {
            let all = format!(
                "const done = arguments[0]; const check = () => {{ {script} }};
                const look = () => check() ? done(true) : setTimeout(look, 20); look();"
            );
            // A page that is left takes its scripts along: then the next one is asked.
            loop {
                match self.client.execute_async(&all, vec![]).await {
                    Err(error) if error.is_script_timeout() => {}
                    told => return told,
                }
            }
        });
        match waited.await {
            Ok(Ok(_)) => {}
            failed => panic!("{script}: {failed:?}\n{}", self.text().await),
        }
    }

    pub async fn text(&self) -> String {
        self.client.find(Locator::Css("body")).await.unwrap().text().await.unwrap()
    }

    pub async fn value(&self, script: &str) -> Value {
        self.client.execute(script, vec![]).await.unwrap()
    }

    /// Gives the page other properties by the developers' protocol, such as a dark colour scheme.
    pub async fn devtools(&self, command: &str, parameters: Value) {
        let body = json!({ "cmd": command, "params": parameters }).to_string();
        let answer = self.ask("goog/cdp/execute", &body).await;
        assert!(answer["value"]["error"].is_null(), "{command}: {answer}");
    }

    /// A window of this size, with the wish for a colour scheme.
    pub async fn dress(&self, scheme: &str, width: u32, height: u64) {
        let size =
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", size).await;
        let wish = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.devtools("Emulation.setEmulatedMedia", wish).await;
    }

    /// What the console says so far: refused scripts and styles among it.
    pub async fn console(&self) -> Vec<String> {
        let json = self.ask("se/log", r#"{"type":"browser"}"#).await;
        let entries = json["value"].as_array().expect("a log").iter();
        entries.map(|entry| entry["message"].to_string()).collect()
    }

    /// A command of the driver that the client does not know.
    async fn ask(&self, what: &str, body: &str) -> Value {
        let session = self.client.session_id().await.unwrap().unwrap();
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        let length = body.len();
        let head = format!(
            "POST /session/{session}/{what} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {length}\r\n"
        );
        stream.write_all(format!("{head}Connection: close\r\n\r\n{body}").as_bytes()).unwrap();
        // The driver keeps the connection, so the answer ends where its length says.
        let (mut lines, mut length) = (BufReader::new(stream), 0);
        loop {
            let mut line = String::new();
            lines.read_line(&mut line).unwrap();
            match line.to_lowercase().split_once("content-length:") {
                Some((_, value)) => length = value.trim().parse().unwrap(),
                None if line.trim().is_empty() => break,
                None => {}
            }
        }
        let mut answer = vec![0; length];
        lines.read_exact(&mut answer).unwrap();
        serde_json::from_slice(&answer).unwrap()
    }

    pub async fn end(self) {
        self.client.clone().close().await.unwrap();
    }
}

impl Drop for Browser {
    /// Ends the driver and the browser below it, also where a test failed: they share a process group.
    fn drop(&mut self) {
        let group = format!("-{}", self.driver.id());
        let _ = Command::new("kill").args(["-TERM", "--", &group]).status();
        let _ = self.driver.wait();
    }
}
