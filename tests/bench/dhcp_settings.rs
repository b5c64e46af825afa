//! The same service said in each server's own words: one range, leases of 24 hours, eight options, and nobody asks the
//! wire first but the appliance. Logging is as little as each can do.

use std::{fmt::Write as _, fs, path::Path};

use crate::phones::{SERVER, wire::INTERFACE};

/// Which addresses are given.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Range {
    network: &'static str,
    mask: &'static str,
    pub prefix: u8,
    first: &'static str,
    last: &'static str,
}

/// 65,536 addresses.
pub const RANGE: Range = Range {
    network: "10.40.0.0",
    mask: "255.254.0.0",
    prefix: 15,
    first: "10.40.1.0",
    last: "10.41.0.255",
};

/// Room for as many phones as there are in any plan.
pub const WIDE: Range = Range { mask: "255.252.0.0", prefix: 14, last: "10.43.255.250", ..RANGE };

/// The appliance: writes its settings, and says where they are.
pub fn ringup(folder: &Path, range: Range, probe: bool) -> String {
    let Range { network, prefix, first, last, .. } = range;
    let directory = folder.display();
    let mut text = format!(
        "[appliance]\nstate = \"{directory}/state\"\nfiles = \"{directory}/files\"\n\
         firmware = \"{directory}/firmware\"\n\
         [dhcp]\nmode = \"serve\"\ninterfaces = [\"{INTERFACE}\"]\n"
    );
    if !probe {
        text.push_str("probe = false\n");
    }
    let text = text
        + &format!(
            "[[dhcp.subnet]]\nsubnet = \"{network}/{prefix}\"\npool = [\"{first}-{last}\"]\n\
             router = [\"{SERVER}\"]\ndns = [\"{SERVER}\"]\ndomain = \"voice.example\"\nntp = [\"{SERVER}\"]\n\
             lease-time = \"24h\"\nservers = [\"{SERVER}\", \"10.40.0.2\"]\noptions = [\n\
             {{ code = 67, text = \"boot.cfg\" }},\n{{ code = 160, text = \"http://{SERVER}/\" }},\n]\n\
             [tftp]\nlisten = [\"{SERVER}:69\"]\n\
             [http]\nphones = [\"{SERVER}:80\", \"{SERVER}:6970\"]\noperators = [\"127.0.0.1:8080\"]\n\
             [[site.default.server]]\naddress = \"{SERVER}\"\n"
        );
    let config = folder.join("ringup.toml");
    fs::write(&config, text).unwrap();
    config.display().to_string()
}

/// Kea with its lease file, which it appends to and never syncs.
pub fn kea(folder: &Path, range: Range, threads: bool) -> Vec<String> {
    let Range { network, prefix, first, last, .. } = range;
    let directory = folder.display();
    let mut options = String::new();
    for (name, data) in [
        ("routers", "10.40.0.1"),
        ("domain-name-servers", "10.40.0.1"),
        ("domain-name", "voice.example"),
        ("ntp-servers", "10.40.0.1"),
        ("tftp-server-name", "10.40.0.1"),
        ("boot-file-name", "boot.cfg"),
        ("boot-servers", "10.40.0.1, 10.40.0.2"),
        ("boot-url", "http://10.40.0.1/"),
    ] {
        let comma = if options.is_empty() { "" } else { "," };
        write!(options, "{comma} {{ \"name\": \"{name}\", \"data\": \"{data}\" }}").unwrap();
    }
    let text = format!(
        r#"{{ "Dhcp4": {{
    "interfaces-config": {{ "interfaces": ["{INTERFACE}"], "dhcp-socket-type": "raw" }},
    "lease-database": {{ "type": "memfile", "persist": true, "name": "{directory}/leases.csv" }},
    "multi-threading": {{ "enable-multi-threading": {threads}, "thread-pool-size": 2 }},
    "valid-lifetime": 86400,
    "loggers": [ {{ "name": "kea-dhcp4", "severity": "ERROR", "output_options": [ {{ "output": "stdout" }} ] }} ],
    "option-def": [
        {{ "name": "boot-servers", "code": 150, "type": "ipv4-address", "array": true }},
        {{ "name": "boot-url", "code": 160, "type": "string" }}
    ],
    "option-data": [ {options} ],
    "subnet4": [ {{ "id": 1, "subnet": "{network}/{prefix}", "pools": [ {{ "pool": "{first} - {last}" }} ] }} ]
}} }}"#
    );
    let config = folder.join("kea.json");
    fs::write(&config, text).unwrap();
    let own = |name: &str| format!("{name}={directory}");
    let mut words: Vec<String> = vec!["env".to_owned()];
    words.extend(["KEA_PIDFILE_DIR", "KEA_LOCKFILE_DIR", "KEA_DHCP_DATA_DIR"].map(own));
    words.extend(["kea-dhcp4", "-c", &config.display().to_string()].map(str::to_owned));
    words
}

/// ISC dhcpd, which syncs each lease before its ACK.
pub fn isc(folder: &Path, range: Range) -> Vec<String> {
    let Range { network, mask, first, last, .. } = range;
    let text = format!(
        "option boot-servers code 150 = array of ip-address;\noption boot-url code 160 = text;\n\
         ping-check false;\nauthoritative;\nddns-update-style none;\n\
         default-lease-time 86400;\nmax-lease-time 86400;\n\
         subnet {network} netmask {mask} {{\n  range {first} {last};\n  option routers {SERVER};\n\
         \x20 option domain-name-servers {SERVER};\n  option domain-name \"voice.example\";\n\
         \x20 option ntp-servers {SERVER};\n  option tftp-server-name \"{SERVER}\";\n\
         \x20 option bootfile-name \"boot.cfg\";\n  option boot-servers {SERVER}, 10.40.0.2;\n\
         \x20 option boot-url \"http://{SERVER}/\";\n}}\n"
    );
    let config = folder.join("dhcpd.conf");
    fs::write(&config, text).unwrap();
    fs::write(folder.join("leases"), "").unwrap();
    let (config, leases) = (config.display(), folder.join("leases"));
    let words = format!(
        "dhcpd -4 -f -q --no-pid -user root -group root -cf {config} -lf {} {INTERFACE}",
        leases.display()
    );
    words.split(' ').map(str::to_owned).collect()
}

/// dnsmasq, which writes its whole lease file for each lease.
pub fn dnsmasq(folder: &Path, range: Range) -> Vec<String> {
    let Range { mask, first, last, .. } = range;
    let leases = folder.join("leases");
    let words = format!(
        "dnsmasq --keep-in-foreground --conf-file=/dev/null --port=0 --user=root --pid-file= --no-ping --quiet-dhcp \
         --interface={INTERFACE} --dhcp-authoritative --dhcp-lease-max=200000 --dhcp-leasefile={} \
         --dhcp-range={first},{last},{mask},24h --dhcp-option=3,{SERVER} --dhcp-option=6,{SERVER} \
         --dhcp-option=15,voice.example --dhcp-option=42,{SERVER} --dhcp-option=66,{SERVER} \
         --dhcp-option=67,boot.cfg --dhcp-option=150,{SERVER},10.40.0.2 --dhcp-option=160,http://{SERVER}/",
        leases.display()
    );
    words.split_whitespace().map(str::to_owned).collect()
}
