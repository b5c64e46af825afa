//! Where the lab takes place: loopback addresses, free ports, and a directory that is gone afterwards.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Write as _},
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, UdpSocket},
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{
    config::{
        Appliance, Dhcp, DhcpMode, Http, Protocol, ReadyWhen, Registrar, Settings, Site, Srtp,
        Subnet, Tftp,
    },
    profile::shipped_files,
    sim::{self, MAKES},
};

use super::cast::Part;

/// Where the lab's appliance answers phones.
pub(super) const SERVER: Ipv4Addr = Ipv4Addr::new(127, 20, 0, 1);

/// The load that the phones of [`Network::Upgrade`] are to run; it is there.
pub(super) const LOAD: &str = "SIP45.9-4-2SR3-1S";

/// The load that the phones of [`Network::Stale`] are to run; it is not there.
const MISSING_LOAD: &str = "SIP42.9-4-2SR3-1S";

/// The file that lists its parts.
pub(super) const MISSING_LOAD_LIST: &str = "SIP42.9-4-2SR3-1S.loads";

/// A load of the same network whose list is there and whose parts are not.
const PARTIAL_LOAD: &str = "SIP41.9-4-2SR3-1S";

/// Bytes of an own file that is longer than a 7960 reads: more than 8 KB, as operators' reports have it.
const LONG: usize = 9000;

/// How many seconds every stage may take in a lab: a minute and more elsewhere, and nobody waits that long for a demonstration.
const PATIENCE: u32 = 5;

/// Bytes of a make-believe load: long enough to be seen on its way.
const LOAD_LENGTH: usize = 768 * 1024;

/// The networks of the lab: each a subnet and a site of its own.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Network {
    /// Most phones.
    Main,
    /// Phones of a site that waits until they are registered.
    Calls,
    /// A data network that phones are to leave for VLAN 20; its site has SRTP on and waits for registrations.
    Data,
    /// Phones that speak Skinny.
    Skinny,
    /// Phones whose site wants another load.
    Upgrade,
    /// Phones whose site wants a load that is not there.
    Stale,
    /// One address in all, and that one is reserved.
    Full,
}

impl Network {
    const ALL: [Self; 7] =
        [Self::Main, Self::Calls, Self::Data, Self::Skinny, Self::Upgrade, Self::Stale, Self::Full];

    const fn site(self) -> &'static str {
        match self {
            Self::Main => "default",
            Self::Calls => "calls",
            Self::Data => "data",
            Self::Skinny => "skinny",
            Self::Upgrade => "upgrade",
            Self::Stale => "stale",
            Self::Full => "full",
        }
    }

    /// Network address and prefix length: the lab's 127.20.0.0/16, cut up.
    const fn network(self) -> (Ipv4Addr, u8) {
        match self {
            Self::Main => (Ipv4Addr::new(127, 20, 0, 0), 18),
            Self::Calls => (Ipv4Addr::new(127, 20, 64, 0), 19),
            Self::Data => (Ipv4Addr::new(127, 20, 96, 0), 19),
            Self::Skinny => (Ipv4Addr::new(127, 20, 128, 0), 19),
            Self::Upgrade => (Ipv4Addr::new(127, 20, 160, 0), 19),
            Self::Stale => (Ipv4Addr::new(127, 20, 192, 0), 19),
            Self::Full => (Ipv4Addr::new(127, 20, 224, 0), 19),
        }
    }

    /// The address of the `number`th relay: in the upper half of the network, the pool is in the lower one.
    pub(super) fn relay(self, number: u32) -> Ipv4Addr {
        let (network, prefix) = self.network();
        let half = 1 << (31 - u32::from(prefix));
        Ipv4Addr::from(u32::from(network) + half + number % (half / 2))
    }

    /// The one address of [`Network::Full`], and the first of the others.
    pub(super) fn only_address(self) -> Ipv4Addr {
        Ipv4Addr::from(u32::from(self.network().0) + 10)
    }

    fn subnet(self) -> Subnet {
        let (network, prefix) = self.network();
        let first = self.only_address();
        let half = 1 << (31 - u32::from(prefix));
        let last =
            if self == Self::Full { first } else { Ipv4Addr::from(u32::from(network) + half - 1) };
        Subnet {
            network,
            prefix,
            site: self.site().to_owned(),
            pool: vec![(first, last)],
            router: vec![SERVER],
            dns: Vec::new(),
            ntp: vec![SERVER],
            domain: None,
            search: Vec::new(),
            routes: Vec::new(),
            lease_time: Duration::from_mins(30),
            servers: vec![SERVER],
            voice_vlan: (self == Self::Data).then_some(20),
            option_82: crate::config::Option82::default(),
            admit: crate::config::Admit::default(),
            options: Vec::new(),
            for_family: BTreeMap::new(),
        }
    }

    fn settings(self) -> Site {
        let firmware = match self {
            Self::Main | Self::Calls | Self::Data | Self::Skinny | Self::Full => BTreeMap::new(),
            Self::Upgrade => BTreeMap::from([("7965".to_owned(), LOAD.to_owned())]),
            Self::Stale => table(&[
                ("7942", MISSING_LOAD),
                ("7961", PARTIAL_LOAD),
                ("T46S", "T46S-66.86.0.15.rom"),
            ]),
        };
        let floor =
            if self == Self::Stale { table(&[("T54W", "96.86.0.100")]) } else { table(&[]) };
        let waits = matches!(self, Self::Calls | Self::Data);
        Site {
            firmware_floor: floor,
            ready_when: if waits { ReadyWhen::Registered } else { ReadyWhen::Configured },
            srtp: if self == Self::Data { Srtp::Required } else { Srtp::Off },
            protocol: if self == Self::Skinny { Protocol::Sccp } else { Protocol::Sip },
            servers: vec![Registrar { address: "192.0.2.10".to_owned(), port: None }],
            time_zone: Some("Europe/Paris".to_owned()),
            firmware,
            ..Site::default()
        }
    }
}

fn table(rows: &[(&str, &str)]) -> BTreeMap<String, String> {
    rows.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

/// A family's profile in which each stage may take no longer than [`PATIENCE`].
fn impatient(profile: &str) -> String {
    let stages =
        ["discovered", "leased", "asking", "defaulted", "configured", "registering", "restart"];
    let own = stages.map(|stage| format!("{stage} = {PATIENCE}\n")).concat();
    let mut inside = false;
    let (old, kept): (Vec<&str>, Vec<&str>) = profile.lines().partition(|line| {
        inside = if line.starts_with('[') { *line == "[patience]" } else { inside };
        inside
    });
    let reboots = old.into_iter().find(|line| line.starts_with("reboots")).unwrap_or_default();
    format!("{}\n\n[patience]\n{own}{reboots}\n", kept.join("\n"))
}

/// The lab's directory. Dropping it removes everything in it.
#[derive(Debug)]
pub(super) struct Bench {
    root: PathBuf,
}

impl Bench {
    /// Makes the directory, for this user only, with the files that the phones of `parts` need.
    pub(super) fn make(parts: &[Part]) -> io::Result<Self> {
        let root = std::env::temp_dir().join(format!("ringup-lab-{}", std::process::id()));
        fs::DirBuilder::new().mode(0o700).create(&root)?;
        let bench = Self { root };
        for folder in ["state", "profiles", "files", "firmware"] {
            fs::create_dir(bench.root.join(folder))?;
        }
        bench.fill(parts)?;
        Ok(bench)
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.root
    }

    fn fill(&self, parts: &[Part]) -> io::Result<()> {
        let load = [&b"ringup lab: not a real load\n"[..], &vec![0; LOAD_LENGTH]].concat();
        let firmware = self.root.join("firmware");
        fs::write(firmware.join(format!("{LOAD}.loads")), &load)?;
        let parts_of = format!("jar41sip.{PARTIAL_LOAD}.sbn\ncnu41.{PARTIAL_LOAD}.sbn\n");
        fs::write(firmware.join(format!("{PARTIAL_LOAD}.loads")), parts_of)?;
        for make in MAKES {
            self.hurry(make.family)?;
        }
        for part in ["2345-12670-001", "2345-12500-001", "3111-48450-001"] {
            fs::write(firmware.join(format!("{part}.sip.ld")), &load)?;
        }
        let files = self.root.join("files");
        for part in parts.iter().filter(|part| part.broken) {
            let name = format!("SEP{}.cnf.xml.j2", part.mac.upper());
            fs::write(files.join(name), "<device>{{ nobody_knows_this }}</device>\n")?;
        }
        for part in parts.iter().filter(|part| part.long) {
            let name = format!("SIP{}.cnf", part.mac.upper());
            fs::write(files.join(name), "# ringup lab: too long\n".repeat(LONG / 23 + 1))?;
        }
        // The layout of the oldest phones' file is nobody's to invent: operators bring their own, and so does the lab.
        for part in parts.iter().filter(|part| part.listed == Some("7935") && !part.bare) {
            let name = format!("SEP{}.cnf", part.mac.upper());
            let mut file = fs::File::create(self.root.join("files").join(name))?;
            file.write_all(b"ringup lab: stands for a file that CallManager built\n")?;
        }
        Ok(())
    }

    /// Puts an impatient profile of a family over the shipped one.
    fn hurry(&self, family: &str) -> io::Result<()> {
        let folder = self.root.join("profiles").join(family);
        fs::create_dir_all(&folder)?;
        let shipped = shipped_files(family);
        let profile = shipped.iter().find(|(name, _)| name == "profile.toml");
        profile.map_or(Ok(()), |(name, text)| fs::write(folder.join(name), impatient(text)))
    }

    /// Settings for an appliance in it.
    pub(super) fn settings(&self, ports: &Ports) -> Settings {
        let sites = Network::ALL.map(|network| (network.site().to_owned(), network.settings()));
        Settings {
            appliance: Appliance {
                state: self.root.join("state"),
                profiles: self.root.join("profiles"),
                files: self.root.join("files"),
                firmware: self.root.join("firmware"),
                ..Appliance::default()
            },
            dhcp: Dhcp {
                mode: DhcpMode::Serve,
                subnets: Network::ALL.map(Network::subnet).to_vec(),
                relay_listen: Some(ports.dhcp),
                ..Dhcp::default()
            },
            tftp: Tftp { listen: vec![ports.tftp] },
            http: Http {
                phones: vec![ports.http, ports.cisco_http],
                operators: vec![ports.operators],
                ..Http::default()
            },
            sites: BTreeMap::from(sites),
            ..Settings::default()
        }
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        // Nobody can do more about it than the operator, who sees it in the temporary directory.
        if let Err(error) = fs::remove_dir_all(&self.root) {
            tracing::warn!(%error, path = %self.root.display(), "can't remove the lab's directory");
        }
    }
}

/// Where everything listens.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ports {
    dhcp: SocketAddr,
    tftp: SocketAddr,
    http: SocketAddr,
    cisco_http: SocketAddr,
    operators: SocketAddr,
}

impl Ports {
    /// The lab's own ports where they are free, else any; `operators` is the user's wish.
    ///
    /// A port that is taken between this look and the appliance's own bind is told by the appliance.
    pub(super) fn choose(operators: SocketAddr) -> io::Result<Self> {
        let udp =
            |port| free(SERVER.into(), port, |address| UdpSocket::bind(address)?.local_addr());
        let tcp = |ip, port| free(ip, port, |address| TcpListener::bind(address)?.local_addr());
        Ok(Self {
            dhcp: udp(6767)?,
            tftp: udp(6969)?,
            http: tcp(SERVER.into(), 8069)?,
            cisco_http: tcp(SERVER.into(), 6970)?,
            operators: tcp(operators.ip(), operators.port())?,
        })
    }

    /// The same, as the phones see it.
    pub(super) const fn network(&self) -> sim::Network {
        let (tftp, http, cisco_http) = (self.tftp.port(), self.http.port(), self.cisco_http.port());
        sim::Network { dhcp: self.dhcp, tftp, http, cisco_http }
    }
}

fn free(
    ip: IpAddr,
    port: u16,
    bind: impl Fn(SocketAddr) -> io::Result<SocketAddr>,
) -> io::Result<SocketAddr> {
    bind(SocketAddr::new(ip, port)).or_else(|_| bind(SocketAddr::new(ip, 0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relays_lie_in_their_network_and_outside_its_pool() {
        for network in Network::ALL {
            let subnet = network.subnet();
            let (first, last) = subnet.pool[0];
            assert!(
                subnet.contains(first) && subnet.contains(last) && first <= last,
                "{network:?}"
            );
            for number in [1, 500, 5000] {
                let relay = network.relay(number);
                assert!(subnet.contains(relay) && relay > last, "{network:?} {relay}");
            }
        }
    }
}
