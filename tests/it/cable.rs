//! Two network namespaces and a cable between them: an appliance on one end, phones on the other.

use std::{
    process::{Command, Output, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

/// The appliance's address on the cable.
pub const SERVER: &str = "10.20.0.1";

/// Two namespaces joined by a veth pair called `eth1` on both ends. Dropping it removes both.
pub struct Cable {
    server: String,
    client: String,
}

impl Cable {
    /// Makes one; needs root.
    pub fn new() -> Self {
        let cable = Self { server: namespace("s"), client: namespace("c") };
        let Self { server, client } = &cable;
        ip(&[
            "-n", server, "link", "add", "eth1", "type", "veth", "peer", "name", "eth1", "netns",
            client,
        ]);
        for end in [server, client] {
            ip(&["-n", end, "link", "set", "eth1", "up"]);
        }
        ip(&["-n", server, "addr", "add", &format!("{SERVER}/16"), "dev", "eth1"]);
        cable
    }

    /// Words in front of a command that runs on the appliance's end.
    pub fn server(&self) -> [&str; 4] {
        ["ip", "netns", "exec", &self.server]
    }

    /// A command that runs on the phones' end.
    pub fn phone(&self, words: &[&str]) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.client]).args(words).stdin(Stdio::null());
        command
    }

    /// Runs a command on the phones' end; it has to succeed.
    pub fn run(&self, words: &[&str]) -> Output {
        let output = self.phone(words).output().unwrap();
        assert!(output.status.success(), "{words:?}: {output:?}");
        output
    }

    /// Plugs another phone in: its MAC, and no address.
    pub fn plug(&self, mac: &str) {
        for words in
            [&["addr", "flush", "dev", "eth1"][..], &["link", "set", "eth1", "address", mac]]
        {
            ip(&[&["-n", &self.client], words].concat());
        }
        ip(&["-n", &self.client, "link", "set", "eth1", "up"]);
    }

    /// Lays one more cable, up and without addresses, under this name on both ends.
    pub fn cable(&self, name: &str) {
        let Self { server, client } = self;
        let ends = ["type", "veth", "peer", "name", name, "netns", client];
        ip(&[&["-n", server, "link", "add", name][..], &ends].concat());
        for end in [server, client] {
            ip(&["-n", end, "link", "set", name, "up"]);
        }
    }

    /// Changes something about the links on the appliance's end: words of `ip`.
    pub fn at_server(&self, words: &[&str]) {
        ip(&[&["-n", &self.server], words].concat());
    }

    /// What `ip` shows of the appliance's end.
    pub fn shown_at_server(&self, words: &[&str]) -> String {
        let output = Command::new("ip").args(["-n", &self.server]).args(words).output().unwrap();
        assert!(output.status.success(), "ip {words:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Types an address in.
    pub fn address(&self, address: &str) {
        ip(&["-n", &self.client, "addr", "add", address, "dev", "eth1"]);
    }
}

impl Drop for Cable {
    fn drop(&mut self) {
        // The veth pair goes with the first of its ends.
        for end in [&self.server, &self.client] {
            let _ = Command::new("ip").args(["netns", "del", end]).status();
        }
    }
}

/// A switch between the two ends of a cable, with a third namespace on it where others serve. Dropping it removes all.
pub struct Switch {
    /// The appliance on one port, phones on another.
    pub cable: Cable,
    middle: String,
    others: String,
}

impl Switch {
    /// The other server's address.
    pub const OTHER: &str = "10.20.0.3";

    /// Makes one that sends every frame to every port, as a hub does; needs root.
    pub fn new() -> Self {
        let cable = Cable { server: namespace("s"), client: namespace("c") };
        let made = Self { cable, middle: namespace("b"), others: namespace("o") };
        let switch = &made.middle;
        // What is forgotten at once is never learned.
        ip(&["-n", switch, "link", "add", "br0", "type", "bridge", "ageing_time", "0"]);
        ip(&["-n", switch, "link", "set", "br0", "up"]);
        let ends = [("s", &made.cable.server), ("c", &made.cable.client), ("o", &made.others)];
        for (port, end) in ends {
            let peer = ["type", "veth", "peer", "name", "eth1", "netns", end];
            ip(&[&["-n", switch, "link", "add", port][..], &peer].concat());
            ip(&["-n", switch, "link", "set", port, "master", "br0"]);
            ip(&["-n", switch, "link", "set", port, "up"]);
            ip(&["-n", end, "link", "set", "eth1", "up"]);
        }
        for (end, address) in [(&made.cable.server, SERVER), (&made.others, Self::OTHER)] {
            ip(&["-n", end, "addr", "add", &format!("{address}/16"), "dev", "eth1"]);
        }
        made
    }

    /// Has the appliance's port hear what is for everybody and for itself only, as on an access port.
    pub fn hide_from_the_appliance(&self) {
        let hardware = Command::new("ip")
            .args(["netns", "exec", &self.cable.server, "cat", "/sys/class/net/eth1/address"])
            .output()
            .unwrap();
        let hardware = String::from_utf8(hardware.stdout).unwrap();
        let rules = format!(
            "table bridge access {{ chain forward {{ type filter hook forward priority 0; policy accept; \
             oifname \"s\" ether daddr & 01:00:00:00:00:00 == 00:00:00:00:00:00 \
             ether daddr != {} counter drop\n}}\n}}",
            hardware.trim()
        );
        let words = ["netns", "exec", &self.middle, "nft", &rules];
        ip(&words);
    }

    /// Pulls the appliance's plug, or puts it in again.
    pub fn plug_of_the_appliance(&self, is_in: bool) {
        ip(&["-n", &self.middle, "link", "set", "s", if is_in { "up" } else { "down" }]);
    }

    /// How many frames were hidden from the appliance so far.
    pub fn hidden(&self) -> u32 {
        let words = ["netns", "exec", &self.middle, "nft", "list", "ruleset"];
        let output = Command::new("ip").args(words).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let (_, rest) = text.split_once("counter packets ").unwrap();
        rest.split(' ').next().unwrap().parse().unwrap()
    }

    /// A command that runs where others serve.
    pub fn others(&self, words: &[&str]) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.others]).args(words).stdin(Stdio::null());
        command
    }
}

impl Drop for Switch {
    fn drop(&mut self) {
        for end in [&self.middle, &self.others] {
            let _ = Command::new("ip").args(["netns", "del", end]).status();
        }
    }
}

/// A new namespace, with its loopback up; its name.
fn namespace(end: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let name = format!("ringup-{}-{number}{end}", std::process::id());
    ip(&["netns", "add", &name]);
    ip(&["-n", &name, "link", "set", "lo", "up"]);
    name
}

fn ip(words: &[&str]) {
    let output = Command::new("ip").args(words).output().unwrap();
    assert!(output.status.success(), "ip {words:?}: {output:?}");
}
