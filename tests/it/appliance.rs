//! The appliance as a whole: what it says when it can't start, and what strangers can't do to it.

use std::{
    env, fs,
    net::{SocketAddr, TcpListener, UdpSocket},
};

use rand::{Rng, RngExt, SeedableRng, rngs::StdRng};

use crate::{
    boot::lease,
    cable::{Cable, SERVER},
    run::{Home, Serving, until},
};

/// Starts it, waits for its end, and checks exit code and words: one line, and the cure in it.
fn refuses(settings: &str, code: i32, words: &[&str]) {
    let home = Home::new(settings);
    let mut child = home.spawn(&[]);
    let ended = until("end", || child.try_wait().unwrap());
    let said = home.log();
    assert_eq!(ended.code(), Some(code), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    for word in words {
        assert!(said.contains(word), "no `{word}` in: {said}");
    }
}

#[test]
fn a_port_in_use_is_told_with_its_cure() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let free = "[tftp]\nlisten = [\"127.0.0.1:16969\"]\n";
    let operators =
        format!("{free}[http]\nphones = [\"127.0.0.1:18069\"]\noperators = [\"{address}\"]\n");
    refuses(&operators, 69, &[&address, "stop "]);
    let taken = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let tftp = format!(
        "[tftp]\nlisten = [\"{address}\"]\n[http]\nphones = [\"127.0.0.1:18070\"]\noperators = [\"127.0.0.1:18071\"]\n"
    );
    refuses(&tftp, 69, &[&address, "stop "]);
}

#[test]
fn an_interface_that_is_not_there_is_told_with_its_cure() {
    let settings = "[dhcp]\nmode = \"serve\"\ninterfaces = [\"nowhere7\"]\n[[dhcp.subnet]]\nsubnet = \"10.99.0.0/24\"\n\
        [tftp]\nlisten = [\"127.0.0.1:16970\"]\n[http]\nphones = [\"127.0.0.1:18072\"]\noperators = [\"127.0.0.1:18073\"]\n";
    refuses(settings, 78, &["nowhere7"]);
}

#[test]
fn a_family_that_there_is_not_is_told_before_anything_runs() {
    let settings = "[dhcp]\nmode = \"serve\"\ninterfaces = [\"lo\"]\n[[dhcp.subnet]]\nsubnet = \"10.99.0.0/24\"\n\
        for.cisco-enterprize = { servers = [\"10.99.0.5\"] }\n";
    let home = Home::new(settings);
    let mut child = home.spawn(&[]);
    let ended = until("end", || child.try_wait().unwrap());
    let said = home.log();
    assert_eq!(ended.code(), Some(78), "{said}");
    assert!(said.contains("cisco-enterprize") && said.contains("did you mean"), "{said}");
}

/// Resident memory of a process, in KiB.
fn resident(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// How many things a part of the appliance has counted so far.
fn counted(serving: &Serving<'_>, part: &str) -> u64 {
    let (_, metrics) = serving.try_call("GET", "/metrics", "", "").unwrap();
    let lines = metrics.lines().filter(|line| line.contains(&format!("part=\"{part}\"")));
    lines.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum()
}

#[test]
fn ten_thousand_hostile_datagrams_change_nothing() {
    let cable = Cable::new();
    let home = Home::new(
        "[dhcp]\nmode = \"serve\"\ninterfaces = [\"eth1\"]\n[[dhcp.subnet]]\nsubnet = \"10.20.0.0/16\"\n\
         pool = [\"10.20.1.1-10.20.1.250\"]\n[[site.default.server]]\naddress = \"10.20.0.5\"\n",
    );
    let serving = home.serve(&cable.server());
    serving.import("mac,model,number\n001E7AC41022,7961G,4012\n");
    cable.plug("00:1e:7a:c4:10:22");
    cable.address("10.20.0.2/16");
    let own = env::current_exe().unwrap().display().to_string();
    let send = |count: &str| {
        let words = [&*own, "--exact", "appliance::send_hostile", "--ignored"];
        let sent = cable.phone(&words).env("RINGUP_DATAGRAMS", count).output().unwrap();
        assert!(sent.status.success(), "{sent:?}");
        // Queues are served in order: once both ports answer, all of it was read. 68 is a File Not Found that came.
        let fetched = cable.phone(&["curl", "-sS", "tftp://10.20.0.1/nothing"]).output().unwrap();
        assert_eq!(fetched.status.code(), Some(68), "{fetched:?}");
        lease(&cable, &home, "Cisco Systems, Inc. IP Phone CP-7961G");
    };
    send("1000");
    let lines = home.log().lines().count();
    let before = resident(serving.pid());
    send("9000");
    let after = resident(serving.pid());
    for part in ["dhcp", "tftp"] {
        let read = counted(&serving, part);
        assert!(read > 9000, "{read} datagrams were read by {part}: the kernel dropped the rest");
    }
    println!("{before} KiB after 1,000, {after} KiB after 10,000");
    let more = home.log().lines().count() - lines;
    assert!(after.saturating_sub(before) < 2048, "grew from {before} to {after} KiB");
    assert!(more <= 2, "{more} log lines: {}", home.log());
    // Without the strangers' address: a phone's own file goes to the address that is leased to it.
    cable.plug("00:1e:7a:c4:10:22");
    lease(&cable, &home, "Cisco Systems, Inc. IP Phone CP-7961G");
    let fetched = cable.run(&["curl", "-sS", "tftp://10.20.0.1/SEP001E7AC41022.cnf.xml"]);
    assert!(String::from_utf8_lossy(&fetched.stdout).contains("4012"), "{fetched:?}");
    assert_eq!(serving.stop(), Some(0), "{}", home.log());
}

/// Not a test: runs in the phones' namespace and sends garbage to both UDP ports.
#[test]
#[ignore = "runs only inside the namespace that the test above makes"]
fn send_hostile() {
    let count: u32 = env::var("RINGUP_DATAGRAMS").unwrap().parse().unwrap();
    let mut random = StdRng::seed_from_u64(u64::from(count));
    let socket = UdpSocket::bind("10.20.0.2:0").unwrap();
    let ports = [67, 69].map(|port| format!("{SERVER}:{port}").parse::<SocketAddr>().unwrap());
    for number in 0..count {
        for (port, garbage) in
            ports.iter().zip([dhcp(&mut random, number), tftp(&mut random, number)])
        {
            // A full queue on the way is the network's business.
            let _ = socket.send_to(&garbage, port);
        }
        if number.is_multiple_of(64) {
            // Leaves the receiver a chance to read: the point is what it does with them, not what the kernel drops.
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
    }
}

/// A DHCP message with something wrong: lengths that lie, lost ends, options within options, or plain noise.
fn dhcp(random: &mut StdRng, number: u32) -> Vec<u8> {
    let mut message = vec![0; 236];
    random.fill_bytes(&mut message);
    if number.is_multiple_of(5) {
        message.truncate(random.random_range(0..236));
        return message;
    }
    message[..3].copy_from_slice(&[1, 1, random.random()]);
    message.extend([99, 130, 83, 99]);
    if number.is_multiple_of(2) {
        message.extend([53, 1, random.random_range(0..20)]);
    }
    let mut options = vec![0; random.random_range(0..600)];
    random.fill_bytes(&mut options);
    message.extend(options);
    message
}

/// A TFTP packet with something wrong.
fn tftp(random: &mut StdRng, number: u32) -> Vec<u8> {
    let mut packet = vec![0; random.random_range(0..700)];
    random.fill_bytes(&mut packet);
    match number % 4 {
        0 => packet,
        1 => [&[0, 1][..], &packet].concat(),
        2 => [&[0, random.random_range(0..9)][..], &packet].concat(),
        _ => b"\0\x01../../../../etc/passwd\0octet\0blksize\099999999999999999999\0".to_vec(),
    }
}
