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
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = |end| format!("ringup-{}-{number}{end}", std::process::id());
        let cable = Self { server: name("s"), client: name("c") };
        let Self { server, client } = &cable;
        ip(&["netns", "add", server]);
        ip(&["netns", "add", client]);
        ip(&[
            "-n", server, "link", "add", "eth1", "type", "veth", "peer", "name", "eth1", "netns",
            client,
        ]);
        for end in [server, client] {
            ip(&["-n", end, "link", "set", "lo", "up"]);
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

fn ip(words: &[&str]) {
    let output = Command::new("ip").args(words).output().unwrap();
    assert!(output.status.success(), "ip {words:?}: {output:?}");
}
