//! The real binary, started and asked as an operator would: by its settings, its control socket and its signals.

use std::{
    fs,
    io::{Read, Write},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;

/// The binary under test.
pub const BINARY: &str = env!("CARGO_BIN_EXE_ringup");

/// How long anything that a test waits for may take.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Waits for a thing itself, not for a time.
pub fn until<T>(what: &str, mut is_there: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(thing) = is_there() {
            return thing;
        }
        assert!(began.elapsed() < PATIENCE, "still no {what} after {PATIENCE:?}");
        std::thread::yield_now();
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

/// A directory for one appliance: settings, state, files, firmware and what it wrote to stderr.
pub struct Home(pub tempfile::TempDir);

impl Home {
    /// Makes one, with `settings` behind an `[appliance]` table of its own directories.
    pub fn new(settings: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().display();
        let own = format!(
            "[appliance]\nstate = \"{path}/state\"\nprofiles = \"{path}/profiles\"\nfiles = \"{path}/files\"\n\
             firmware = \"{path}/firmware\"\n{settings}"
        );
        for folder in ["profiles", "files", "firmware"] {
            fs::create_dir(directory.path().join(folder)).unwrap();
        }
        fs::write(directory.path().join("ringup.toml"), own).unwrap();
        Self(directory)
    }

    /// A path in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// What the appliance wrote to stderr so far.
    pub fn log(&self) -> String {
        fs::read_to_string(self.path("stderr")).unwrap_or_default()
    }

    /// Starts `ringup serve`, behind `prefix` (`ip netns exec NAME`), and waits until its control socket answers.
    pub fn serve(&self, prefix: &[&str]) -> Serving<'_> {
        self.answering(self.spawn(prefix))
    }

    /// Starts `ringup bench` with these words and this directory as its own, behind `prefix`; waits as [`Home::serve`].
    pub fn bench(&self, prefix: &[&str], words: &[&str]) -> Serving<'_> {
        self.answering(self.spawn_bench(prefix, words))
    }

    /// Starts `ringup bench` and waits for nothing.
    pub fn spawn_bench(&self, prefix: &[&str], words: &[&str]) -> Child {
        let state = self.0.path().to_str().unwrap();
        let words = [prefix, &[BINARY, "bench"], words, &["--state", state]].concat();
        let log =
            || fs::OpenOptions::new().create(true).append(true).open(self.path("stderr")).unwrap();
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).stdin(Stdio::null()).stdout(log()).stderr(log());
        command.spawn().unwrap()
    }

    fn answering(&self, child: Child) -> Serving<'_> {
        let mut serving = Serving { home: self, child };
        until("answer on the control socket", || {
            let ended = serving.child.try_wait().unwrap();
            assert!(ended.is_none(), "ended with {ended:?}: {}", self.log());
            serving.try_call("GET", "/healthz", "", "").filter(|(status, _)| *status == 200)
        });
        serving
    }

    /// Starts it and waits for nothing.
    pub fn spawn(&self, prefix: &[&str]) -> Child {
        let words: Vec<&str> = prefix.iter().copied().chain([BINARY]).collect();
        Command::new(words[0])
            .args(&words[1..])
            .arg("--config")
            .arg(self.path("ringup.toml"))
            .arg("serve")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(self.path("stderr")).unwrap())
            .spawn()
            .unwrap()
    }
}

/// A running appliance. Dropping it kills it.
pub struct Serving<'a> {
    home: &'a Home,
    child: Child,
}

impl Serving<'_> {
    /// Its process, for `/proc`.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// `kill -9`, at once.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to stop and tells its exit code.
    pub fn stop(mut self) -> Option<i32> {
        signal(self.pid(), "TERM");
        until("end after SIGTERM", || self.child.try_wait().unwrap()).code()
    }

    /// Waits until it ends by itself and tells its exit code.
    pub fn ended(mut self) -> Option<i32> {
        until("end by itself", || self.child.try_wait().unwrap()).code()
    }

    /// JSON from the API.
    pub fn json(&self, path: &str) -> Value {
        let (status, body) = self.try_call("GET", path, "", "").unwrap_or_default();
        assert_eq!(status, 200, "{path}: {body}");
        serde_json::from_str(&body).unwrap()
    }

    /// One phone from the API; null if it is not known.
    pub fn phone(&self, mac: &str) -> Value {
        let (status, body) =
            self.try_call("GET", &format!("/api/v1/phones/{mac}"), "", "").unwrap_or_default();
        if status == 404 { Value::Null } else { serde_json::from_str(&body).unwrap() }
    }

    /// Imports a list; everything in it has to be taken.
    pub fn import(&self, csv: &str) {
        let (status, body) =
            self.try_call("POST", "/api/v1/phones/import", "text/csv", csv).unwrap_or_default();
        assert_eq!(status, 200, "{body}");
    }

    /// One exchange over the control socket; `None` if it broke.
    pub fn try_call(
        &self,
        method: &str,
        path: &str,
        kind: &str,
        body: &str,
    ) -> Option<(u16, String)> {
        call(&self.home.path("state/api.sock"), method, path, kind, body)
    }
}

impl Drop for Serving<'_> {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One exchange over a control socket; `None` if it broke.
pub fn call(
    socket: &Path,
    method: &str,
    path: &str,
    kind: &str,
    body: &str,
) -> Option<(u16, String)> {
    let mut stream = UnixStream::connect(socket).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    let length = body.len();
    let kind = if kind.is_empty() { String::new() } else { format!("Content-Type: {kind}\r\n") };
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{kind}Content-Length: {length}\r\n\r\n{body}"
    )
    .ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok()?;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let chunked = head.to_ascii_lowercase().contains("transfer-encoding: chunked");
    Some((status, if chunked { unchunked(body) } else { body.to_owned() }))
}

/// The content of a chunked body.
fn unchunked(mut body: &str) -> String {
    let mut content = String::new();
    while let Some((size, rest)) = body.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).unwrap_or(0);
        if size == 0 {
            break;
        }
        content.push_str(&rest[..size]);
        body = &rest[size + 2..];
    }
    content
}

/// Sends a signal to one process, by its number.
pub fn signal(pid: u32, name: &str) {
    let done = Command::new("kill").arg(format!("-{name}")).arg(pid.to_string()).status().unwrap();
    assert!(done.success());
}

/// What happened to a phone so far, one sentence an event.
pub fn timeline(serving: &Serving<'_>, mac: &str) -> Vec<String> {
    let events = serving.json(&format!("/api/v1/phones/{mac}/events"));
    let items = events["items"].as_array().unwrap();
    items.iter().map(|event| event["text"].as_str().unwrap_or_default().to_owned()).collect()
}

/// Waits until a phone's timeline has a sentence with these words.
pub fn happened(serving: &Serving<'_>, mac: &str, what: &str) {
    until(&format!("`{what}` of {mac}"), || {
        // Nobody has heard of it before its first packet.
        if serving.phone(mac).is_null() {
            return None;
        }
        timeline(serving, mac).iter().any(|text| text.contains(what)).then_some(())
    });
}
