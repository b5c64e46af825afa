//! A closed loop of HTTP requests from many addresses, on the second core.

use std::{
    net::{Ipv4Addr, SocketAddr},
    rc::Rc,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    task::LocalSet,
};

/// What is asked.
pub struct Plan {
    pub address: SocketAddr,
    /// Each from an address of its own.
    pub connections: usize,
    /// False for a connection for each request.
    pub keep: bool,
    pub time: Duration,
    /// Paths; each connection asks for every so-manieth.
    pub names: Vec<String>,
}

/// How it went.
#[derive(Debug, Default)]
pub struct Score {
    pub done: u32,
    pub failed: u32,
    time: Duration,
    /// How long each request took, in microseconds.
    each: Vec<u32>,
}

impl Score {
    /// Requests a second.
    pub fn rate(&self) -> f64 {
        f64::from(self.done) / self.time.as_secs_f64()
    }

    /// Milliseconds.
    pub fn percentile(&self, percent: usize) -> f64 {
        let at = (self.each.len() * percent / 100).min(self.each.len().saturating_sub(1));
        self.each.get(at).map_or(f64::NAN, |micros| f64::from(*micros) / 1e3)
    }
}

impl Plan {
    /// Runs it, in a thread of its own that is bound to the second core.
    pub fn run(self) -> Score {
        let thread = std::thread::spawn(|| {
            bind_to_second_core();
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            LocalSet::new().block_on(&runtime.unwrap(), self.load())
        });
        thread.join().unwrap()
    }

    async fn load(self) -> Score {
        let plan = Rc::new(self);
        let began = Instant::now();
        let each = (0..plan.connections).map(|number| {
            let plan = Rc::clone(&plan);
            tokio::task::spawn_local(async move { plan.converse(number, began).await })
        });
        let tasks: Vec<_> = each.collect();
        let mut score = Score::default();
        for task in tasks {
            let one = task.await.unwrap();
            score.done += one.done;
            score.failed += one.failed;
            score.each.extend(one.each);
        }
        score.time = began.elapsed();
        score.each.sort_unstable();
        score
    }

    async fn converse(&self, number: usize, began: Instant) -> Score {
        let mut score = Score::default();
        let close = if self.keep { "" } else { "Connection: close\r\n" };
        let mine = self.names.iter().skip(number).step_by(self.connections);
        let requests: Vec<_> = mine
            .map(|name| format!("GET {name} HTTP/1.1\r\nHost: ringup\r\n{close}\r\n").into_bytes())
            .collect();
        let mut buffer = vec![0; 64 << 10];
        let mut stream = None;
        for request in requests.iter().cycle() {
            let asked = Instant::now();
            if asked.duration_since(began) > self.time {
                break;
            }
            let open = match stream.take() {
                Some(open) => open,
                None => self.connect(number).await,
            };
            match ask(open, request, &mut buffer).await {
                Some(open) if self.keep => stream = Some(open),
                Some(_) => {}
                None => score.failed += 1,
            }
            score.done += 1;
            score.each.push(u32::try_from(asked.elapsed().as_micros()).unwrap_or(u32::MAX));
        }
        score
    }

    async fn connect(&self, number: usize) -> TcpStream {
        let socket = TcpSocket::new_v4().unwrap();
        let [high, low] = u16::try_from(number).unwrap().to_be_bytes();
        // Without it each address has 28,000 connections a minute.
        socket.set_reuseaddr(true).unwrap();
        socket.bind((Ipv4Addr::new(127, 1, high, low), 0).into()).unwrap();
        let stream = socket.connect(self.address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        stream
    }
}

/// One request and its whole answer; none if that is no 200 with a body of the length that it says.
async fn ask(mut stream: TcpStream, request: &[u8], buffer: &mut [u8]) -> Option<TcpStream> {
    stream.write_all(request).await.ok()?;
    let mut filled = 0;
    loop {
        let read = stream.read(&mut buffer[filled..]).await.ok()?;
        filled += read;
        let head = buffer[..filled].windows(4).position(|four| four == b"\r\n\r\n");
        if let Some(head) = head {
            let text = std::str::from_utf8(&buffer[..head]).ok()?;
            let length = text.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                let is_it = name.eq_ignore_ascii_case("content-length");
                is_it.then(|| value.trim().parse::<usize>().ok())?
            })?;
            let good = text.starts_with("HTTP/1.1 200") && length > 0;
            while good && filled < head + 4 + length {
                let more =
                    stream.read(&mut buffer[filled..]).await.ok().filter(|more| *more > 0)?;
                filled += more;
            }
            return good.then_some(stream);
        }
        if read == 0 {
            return None;
        }
    }
}

/// By taskset(1): binding a thread has no safe form here.
fn bind_to_second_core() {
    let id = std::fs::read_link("/proc/thread-self").unwrap();
    let id = id.file_name().unwrap().to_str().unwrap().to_owned();
    let mut taskset = std::process::Command::new("taskset");
    let status = taskset.args(["-cp", "1", &id]).stdout(std::process::Stdio::null()).status();
    assert!(status.unwrap().success());
}
