//! `kill -9` at random points, fifty times: nothing that was acknowledged is ever missing.

use std::{
    collections::BTreeMap,
    env,
    io::{BufRead, BufReader},
    net::{Ipv4Addr, SocketAddr, UdpSocket},
    process::{Child, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use rand::{RngExt, SeedableRng, rngs::StdRng};

use crate::{
    cable::{Cable, SERVER},
    run::{Home, Serving, call},
};

const KILLS: u32 = 50;

const RELAY: Ipv4Addr = Ipv4Addr::new(10, 20, 0, 2);

const SETTINGS: &str = r#"
[dhcp]
mode = "serve"
interfaces = ["eth1"]
[[dhcp.subnet]]
subnet = "10.20.0.0/16"
pool = ["10.20.16.1-10.20.255.250"]
"#;

/// What was acknowledged: MAC to number, and MAC to address.
#[derive(Clone, Default)]
struct Acknowledged {
    entries: Arc<Mutex<BTreeMap<String, String>>>,
    leases: Arc<Mutex<BTreeMap<String, String>>>,
}

#[test]
fn nothing_acknowledged_is_missing_after_fifty_kills() {
    let seed = env::var("RINGUP_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok())
        .unwrap_or_else(rand::random);
    println!("RINGUP_SEED={seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let cable = Cable::new();
    cable.address(&format!("{RELAY}/16"));
    let home = Home::new(SETTINGS);
    let acknowledged = Acknowledged::default();
    let _phones = Phones::start(&cable, acknowledged.clone());
    for round in 0..KILLS {
        let serving = home.serve(&cable.server());
        assert!(!home.log().contains("OLD STATE"), "round {round}: {}", home.log());
        // A sample of all that came before; everything of the last round is checked.
        check(&serving, &acknowledged, round + 1 == KILLS, &mut random);
        let killed = Arc::new(AtomicBool::new(false));
        let importer = import(&home, round, acknowledged.clone(), Arc::clone(&killed));
        // How long it lives is the point of the test, so real time passes.
        thread::sleep(Duration::from_millis(random.random_range(5..250)));
        serving.kill();
        killed.store(true, Ordering::Relaxed);
        importer.join().unwrap();
    }
    let serving = home.serve(&cable.server());
    check(&serving, &acknowledged, true, &mut random);
    let entries = acknowledged.entries.lock().unwrap().len();
    let leases = acknowledged.leases.lock().unwrap().len();
    println!("{entries} entries and {leases} leases after {KILLS} kills");
    assert!(
        entries > 100 && leases > 100,
        "{entries} entries, {leases} leases: the test saw too little"
    );
    assert_eq!(serving.stop(), Some(0), "{}", home.log());
}

/// Imports three phones at a time until the appliance is gone.
fn import(
    home: &Home,
    round: u32,
    acknowledged: Acknowledged,
    killed: Arc<AtomicBool>,
) -> thread::JoinHandle<()> {
    let socket = home.path("state/api.sock");
    thread::spawn(move || {
        for number in 0_u32.. {
            let rows: Vec<(String, String)> = (0..3)
                .map(|row| {
                    let [_, a, b, c] = (round * 30_000 + number * 3 + row).to_be_bytes();
                    let mac = format!("00:21:a0:{a:02x}:{b:02x}:{c:02x}");
                    (mac, format!("{:07}", round * 30_000 + number * 3 + row))
                })
                .collect();
            let lines: Vec<String> =
                rows.iter().map(|(mac, number)| format!("{mac},7961G,{number}\n")).collect();
            let csv = format!("mac,model,number\n{}", lines.concat());
            match call(&socket, "POST", "/api/v1/phones/import", "text/csv", &csv) {
                Some((200, _)) => acknowledged.entries.lock().unwrap().extend(rows),
                Some((status, body)) => panic!("{status}: {body}"),
                None if killed.load(Ordering::Relaxed) => return,
                // The connection broke and the flag is not up yet: the next try fails at once, or works.
                None => thread::yield_now(),
            }
        }
    })
}

fn check(serving: &Serving<'_>, acknowledged: &Acknowledged, all: bool, random: &mut StdRng) {
    let leases = acknowledged.leases.lock().unwrap().clone();
    let told = items(serving, "/api/v1/leases");
    let held: BTreeMap<&str, &str> = told
        .iter()
        .filter_map(|lease| Some((lease["mac"].as_str()?, lease["address"].as_str()?)))
        .collect();
    for (mac, address) in &leases {
        assert_eq!(held.get(mac.as_str()), Some(&address.as_str()), "the lease of {mac}");
    }
    let entries = acknowledged.entries.lock().unwrap().clone();
    let every = if all { 1 } else { entries.len() / 20 + 1 };
    let from = random.random_range(0..every);
    let last = entries.keys().rev().take(6);
    for mac in entries.keys().skip(from).step_by(every).chain(last) {
        let phone = serving.phone(mac);
        assert_eq!(phone["entry"]["number"], entries[mac].as_str(), "the entry of {mac}: {phone}");
    }
}

/// Every item of a list, page by page.
fn items(serving: &Serving<'_>, path: &str) -> Vec<serde_json::Value> {
    let mut items = Vec::new();
    let mut page = serving.json(&format!("{path}?limit=500"));
    loop {
        items.extend(page["items"].as_array().unwrap().iter().cloned());
        match page["next"].as_str() {
            Some(next) => page = serving.json(&format!("{path}?limit=500&after={next}")),
            None => return items,
        }
    }
}

/// Phones behind a relay, in a process of their own on the other end of the cable.
struct Phones(Child);

impl Phones {
    fn start(cable: &Cable, acknowledged: Acknowledged) -> Self {
        let own = env::current_exe().unwrap().display().to_string();
        let words = [&*own, "--exact", "kill::lease_until_killed", "--ignored", "--nocapture"];
        let mut child = cable.phone(&words).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                if let Some((mac, address)) =
                    line.strip_prefix("leased ").and_then(|l| l.split_once(' '))
                {
                    acknowledged.leases.lock().unwrap().insert(mac.to_owned(), address.to_owned());
                }
            }
        });
        Self(child)
    }
}

impl Drop for Phones {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Not a test: what [`Phones`] runs in the phones' namespace. Leases one address after another and tells each ACK.
#[test]
#[ignore = "runs only inside the namespace that the test above makes"]
fn lease_until_killed() {
    let socket = UdpSocket::bind((RELAY, 67)).unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    let server: SocketAddr = format!("{SERVER}:67").parse().unwrap();
    for number in 1_u32.. {
        let [_, a, b, c] = number.to_be_bytes();
        let mac = [0x00, 0x04, 0xf2, a, b, c];
        let Some(address) = exchange(&socket, server, mac, number, 1, &[]) else { continue };
        let wish = [&[50, 4][..], &address.octets(), &[54, 4], &[10, 20, 0, 1]].concat();
        if let Some(address) = exchange(&socket, server, mac, number, 3, &wish) {
            println!("leased 00:04:f2:{a:02x}:{b:02x}:{c:02x} {address}");
        }
    }
}

/// One message through the relay and the address in its answer; `None` if none comes soon.
fn exchange(
    socket: &UdpSocket,
    server: SocketAddr,
    mac: [u8; 6],
    xid: u32,
    kind: u8,
    more: &[u8],
) -> Option<Ipv4Addr> {
    let mut message = vec![0; 236];
    message[..4].copy_from_slice(&[1, 1, 6, 1]);
    message[4..8].copy_from_slice(&xid.to_be_bytes());
    message[24..28].copy_from_slice(&RELAY.octets());
    message[28..34].copy_from_slice(&mac);
    message.extend([99, 130, 83, 99, 53, 1, kind]);
    message.extend(more);
    message.push(255);
    // While the appliance is down the kernel answers with an error, which is as good as silence.
    socket.send_to(&message, server).ok()?;
    let mut answer = [0; 1500];
    let until = Instant::now() + Duration::from_millis(200);
    while Instant::now() < until {
        let Ok((length, _)) = socket.recv_from(&mut answer) else { return None };
        let fits = length > 243 && answer[4..8] == xid.to_be_bytes() && answer[240..242] == [53, 1];
        if fits && answer[242] == kind * 2 - u8::from(kind == 3) {
            return Some(Ipv4Addr::new(answer[16], answer[17], answer[18], answer[19]));
        }
    }
    None
}
