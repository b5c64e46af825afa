//! Batches on the bench over real transfers and real ends: only the last byte seals, and `kill -9` loses nothing.

use std::{
    fs,
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    thread,
};

use serde_json::{Value, json};

use crate::{
    reload::{Places, Slow, fetch},
    run::{Home, PATIENCE, Serving, call, happened, until},
};

const SITE: &str = "[site.default]\nserver = [{ address = \"10.20.0.5\" }]\n\
    [site.default.staging]\nserver = [{ address = \"10.99.0.1\" }]\n";

const CISCO: &str = "00:1e:7a:c4:10:22";
const CISCO_FILE: &str = "SEP001E7AC41022.cnf.xml";
const YEALINK: &str = "00:15:65:aa:bb:cc";
const YEALINK_FILE: &str = "001565aabbcc.cfg";

/// More than the buffers of a socket take, so that a reader who leaves is noticed.
const LARGE: usize = 24 << 20;

/// An appliance with a batch of these phones, one entry a line: MAC, model, number.
fn staged<'a>(home: &'a Home, phones: &[(&str, &str, &str)]) -> Serving<'a> {
    let serving = home.serve(&[]);
    let rows = phones.iter().map(|(mac, model, number)| format!("{mac},{model},{number}\n"));
    serving.import(&format!("mac,model,number\n{}", rows.collect::<String>()));
    post(&serving, "/api/v1/batches", &json!({ "name": "Monday", "operator": "Anna" }));
    for (mac, ..) in phones {
        post(&serving, "/api/v1/batches/1/phones", &json!({ "mac": mac }));
    }
    serving
}

fn post(serving: &Serving<'_>, path: &str, body: &Value) -> Value {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let (status, answer) = serving.try_call("POST", path, "application/json", &body).unwrap();
    assert!((200..300).contains(&status), "{path}: {status} {answer}");
    serde_json::from_str(&answer).unwrap()
}

fn row(serving: &Serving<'_>, mac: &str) -> Value {
    let batch = serving.json("/api/v1/batches/1");
    let rows = batch["phones"].as_array().unwrap();
    rows.iter().find(|row| row["mac"] == mac).cloned().unwrap()
}

fn is_sealed(serving: &Serving<'_>, mac: &str) -> bool {
    row(serving, mac)["sealed"].is_string()
}

fn sealed(serving: &Serving<'_>, mac: &str) {
    until(&format!("seal on {mac}"), || is_sealed(serving, mac).then_some(()));
}

/// How many transfers of a phone ended like this.
fn ended(serving: &Serving<'_>, mac: &str, outcome: &str) -> usize {
    let phone = serving.phone(mac);
    let transfers = phone["transfers"].as_array().cloned().unwrap_or_default();
    transfers
        .iter()
        .filter(|one| one["outcome"].as_str().is_some_and(|it| it.starts_with(outcome)))
        .count()
}

#[test]
fn a_tftp_transfer_that_breaks_off_seals_nothing() {
    let places = Places::new();
    let home = Home::new(&places.settings(SITE));
    let serving = staged(&home, &[(CISCO, "7961G", "4012")]);
    // Its staging file to the last byte, and one more transfer that begins before the hand-over and ends after it.
    let staging = Slow::begin(places.tftp, CISCO_FILE).finish();
    until("configured", || row(&serving, CISCO)["ready"].is_string().then_some(()));
    let early = Slow::begin(places.tftp, CISCO_FILE);
    post(&serving, "/api/v1/batches/1/hand-over", &Value::Null);
    assert_eq!(early.finish(), staging);
    until("the second transfer", || (ended(&serving, CISCO, "complete") == 2).then_some(()));
    assert!(!is_sealed(&serving, CISCO), "what it has is the staging file");

    // The phone gives up after a block, as one does that is switched off by its power supply's plug.
    let broken = Slow::begin(places.tftp, CISCO_FILE);
    broken.socket.send_to(b"\0\x05\0\0going away\0", broken.server).unwrap();
    until("the transfer that broke off", || (ended(&serving, CISCO, "aborted") == 1).then_some(()));
    assert!(!is_sealed(&serving, CISCO), "a block is not the file");
    // All but the acknowledgement of the last block: nobody knows that it arrived.
    let says = row(&serving, CISCO)["says"].clone();
    assert!(says.as_str().unwrap().contains("restart it to seal it"), "{says}");

    Slow::begin(places.tftp, CISCO_FILE).finish();
    sealed(&serving, CISCO);
    assert_eq!(row(&serving, CISCO)["light"], "green");
    assert_eq!(serving.stop(), Some(0), "{}", home.log());
}

/// Asks for a file and leaves after its first bytes.
fn leave(address: SocketAddr, name: &str) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(stream, "GET /{name} HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    let mut some = [0; 1024];
    stream.read_exact(&mut some).unwrap();
    assert!(some.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&some));
}

#[test]
fn an_http_transfer_that_breaks_off_seals_nothing() {
    let places = Places::new();
    let home = Home::new(&places.settings(SITE));
    let filler = "# a line that a phone reads over\n".repeat(LARGE / 33);
    let template = format!("registrar = {{{{ servers[0].address }}}}\n{filler}");
    fs::write(home.path("files").join(format!("{YEALINK_FILE}.j2")), template).unwrap();
    let serving = staged(&home, &[(YEALINK, "T46S", "4013")]);
    let (_, body) = fetch(places.phones, YEALINK_FILE).unwrap();
    assert!(body.starts_with("registrar = 10.99.0.1\n"), "{}", &body[..40]);
    post(&serving, "/api/v1/batches/1/hand-over", &Value::Null);
    leave(places.phones, YEALINK_FILE);
    until("the transfer that broke off", || {
        (ended(&serving, YEALINK, "aborted") == 1).then_some(())
    });
    assert!(!is_sealed(&serving, YEALINK), "the first bytes are not the file");
    let (_, body) = fetch(places.phones, YEALINK_FILE).unwrap();
    assert!(body.starts_with("registrar = 10.20.0.5\n"), "{}", &body[..40]);
    sealed(&serving, YEALINK);

    // What is sealed is reported, and stays so.
    let closed = post(&serving, "/api/v1/batches/1/close", &Value::Null);
    assert_eq!((&closed["standing"], &closed["sealed"]), (&"closed".into(), &1.into()));
    let (_, csv) = serving.try_call("GET", "/api/v1/batches/1/report?format=csv", "", "").unwrap();
    let line = csv.lines().nth(1).unwrap();
    assert!(line.starts_with("\"1\",\"00:15:65:aa:bb:cc\",") && line.contains("\"4013\""), "{csv}");
    assert_eq!(serving.stop(), Some(0), "{}", home.log());
}

/// What a batch says of itself, without what time alone changes.
fn told(serving: &Serving<'_>) -> Value {
    let mut batch = serving.json("/api/v1/batches/1");
    for row in batch["phones"].as_array_mut().unwrap() {
        let row = row.as_object_mut().unwrap();
        row.retain(|name, _| !matches!(name.as_str(), "phone" | "light" | "says"));
    }
    batch
}

#[test]
fn a_batch_survives_kill_9_in_the_middle() {
    let places = Places::new();
    let home = Home::new(&places.settings(SITE));
    let serving = staged(&home, &[(CISCO, "7961G", "4012"), (YEALINK, "T46S", "4013")]);
    // Somebody scans on; the appliance is killed after the twentieth answer, whatever it does then.
    let socket = home.path("state/api.sock");
    let (told_of, answers) = std::sync::mpsc::channel();
    let scanning = thread::spawn(move || {
        for number in 0_u32..400 {
            let mac = format!("00:04:f2:00:{:02x}:{:02x}", number >> 8, number & 0xff);
            let body = json!({ "mac": mac, "number": (5000 + number).to_string() }).to_string();
            let answer =
                call(&socket, "POST", "/api/v1/batches/1/phones", "application/json", &body);
            let Some((200, answer)) = answer else { return };
            let answer: Value = serde_json::from_str(&answer).unwrap();
            told_of.send((mac, answer["slot"].clone(), answer["at"].clone())).unwrap();
        }
    });
    let mut acknowledged: Vec<_> = answers.iter().take(20).collect();
    serving.kill();
    acknowledged.extend(answers.iter());
    scanning.join().unwrap();
    let serving = home.serve(&[]);
    for (mac, slot, at) in &acknowledged {
        let row = row(&serving, mac);
        assert_eq!((&row["slot"], &row["at"], &row["by"]), (slot, at, &"Anna".into()), "{row}");
        assert!(row["phone"]["entry"]["number"].is_string(), "{row}");
    }

    // Handed over, one phone of two sealed, and killed again: it goes on where it was.
    post(&serving, "/api/v1/batches/1/hand-over", &Value::Null);
    Slow::begin(places.tftp, CISCO_FILE).finish();
    sealed(&serving, CISCO);
    let before = told(&serving);
    serving.kill();
    let serving = home.serve(&[]);
    assert_eq!(told(&serving), before);
    assert_eq!(before["standing"], "handed-over");
    assert!(
        fetch(places.phones, YEALINK_FILE).unwrap().1.contains("10.20.0.5"),
        "production values"
    );
    sealed(&serving, YEALINK);
    assert!(is_sealed(&serving, CISCO));
    happened(&serving, YEALINK, YEALINK_FILE);
    assert_eq!(serving.stop(), Some(0), "{}", home.log());
}
