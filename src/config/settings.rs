//! Settings that hold together: what the rest of the program sees.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use crate::domain::{Secret, SiteName, Timestamp};

use super::Places;

/// All settings, checked as a whole. [`Default`] is what holds without a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Directories and history.
    pub appliance: Appliance,
    /// Addresses for phones.
    pub dhcp: Dhcp,
    /// Files by TFTP.
    pub tftp: Tftp,
    /// Files by HTTP; the operators' port.
    pub http: Http,
    /// Who gets secrets.
    pub secrets: Secrets,
    /// Phones that nobody listed.
    pub auto_registration: AutoRegistration,
    /// How new loads reach phones.
    pub firmware: Firmware,
    /// Sites by name, each complete: what it inherits from `default` is filled in. `default` is always there.
    pub sites: BTreeMap<SiteName, Site>,
}

/// `[appliance]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Appliance {
    /// Directory of the store; made if absent.
    pub state: PathBuf,
    /// Operator's profiles.
    pub profiles: PathBuf,
    /// Files by exact wire name.
    pub files: PathBuf,
    /// Firmware.
    pub firmware: PathBuf,
    /// How long the timeline is kept.
    pub history: Duration,
}

/// What ringup does with DHCP.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum DhcpMode {
    /// Answers.
    Serve,
    /// Listens only; another server answers.
    Observe,
    /// Neither.
    #[default]
    Off,
}

/// `[dhcp]`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Dhcp {
    /// What it does.
    pub mode: DhcpMode,
    /// Interfaces served; never empty unless off.
    pub interfaces: Vec<String>,
    /// NAK a client that nobody here knows and that asks for a wrong address.
    pub authoritative: bool,
    /// Offer addresses without asking the network first whether somebody uses them (`probe = false`).
    pub unprobed: bool,
    /// Subnets, none overlapping another.
    pub subnets: Vec<Subnet>,
    /// Where relayed messages are heard, for an appliance without interfaces of its own (`ringup lab`); never in a file.
    pub relay_listen: Option<SocketAddr>,
}

/// Who gets an address.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Admit {
    /// Everybody.
    #[default]
    All,
    /// What is known to be a phone, or listed.
    Phones,
    /// What is listed.
    Listed,
}

/// Whose option 82 is believed.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Option82 {
    /// A relay's: with giaddr set (RFC 3046).
    #[default]
    Relay,
    /// Also a snooping switch's, with giaddr zero.
    L2,
}

/// `[[dhcp.subnet]]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Subnet {
    /// Network address.
    pub network: Ipv4Addr,
    /// Prefix length, 1 to 30.
    pub prefix: u8,
    /// Site of its phones.
    pub site: SiteName,
    /// Ranges to lease from, first and last inclusive, `exclude` already taken out; sorted, not overlapping.
    pub pool: Vec<(Ipv4Addr, Ipv4Addr)>,
    /// Option 3.
    pub router: Vec<Ipv4Addr>,
    /// Option 6.
    pub dns: Vec<Ipv4Addr>,
    /// Option 42.
    pub ntp: Vec<Ipv4Addr>,
    /// Option 15.
    pub domain: Option<String>,
    /// Option 119.
    pub search: Vec<String>,
    /// Option 121: network, prefix length, router; the default route is added where it is sent.
    pub routes: Vec<(Ipv4Addr, u8, Ipv4Addr)>,
    /// Option 51.
    pub lease_time: Duration,
    /// What options 66, 150, 160 … carry; empty means the interface's own address.
    pub servers: Vec<Ipv4Addr>,
    /// VLAN that phones here are to move to.
    pub voice_vlan: Option<u16>,
    /// Whose option 82 is believed.
    pub option_82: Option82,
    /// Who gets an address.
    pub admit: Admit,
    /// Extra options as sent.
    pub options: Vec<RawOption>,
    /// Families that another server provisions, by family name (vendors are expanded).
    pub for_family: BTreeMap<String, ForFamily>,
}

impl Subnet {
    /// The subnet mask.
    #[must_use]
    pub fn mask(&self) -> Ipv4Addr {
        Ipv4Addr::from(u32::MAX.checked_shl(32 - u32::from(self.prefix)).unwrap_or(0))
    }

    /// True if `address` lies in it.
    #[must_use]
    pub fn contains(&self, address: Ipv4Addr) -> bool {
        u32::from(address) & u32::from(self.mask()) == u32::from(self.network)
    }
}

/// `for.FAMILY` of a subnet.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ForFamily {
    /// The servers that its options name instead of ours.
    pub servers: Vec<Ipv4Addr>,
}

/// An extra DHCP option, encoded.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RawOption {
    /// Code, 1 to 254.
    pub code: u8,
    /// Content as sent.
    pub bytes: Vec<u8>,
}

/// `[tftp]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Tftp {
    /// Where it listens.
    pub listen: Vec<SocketAddr>,
}

/// `[http]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Http {
    /// Where phones are served.
    pub phones: Vec<SocketAddr>,
    /// Where operators are served.
    pub operators: Vec<SocketAddr>,
    /// Argon2id hash of the operators' password, in PHC form.
    pub password_hash: Option<Secret>,
    /// A bearer token for scripts.
    pub token: Option<Secret>,
    /// Host names under which operators reach the page, besides its addresses and `localhost`.
    pub hosts: Vec<String>,
}

/// Who gets a phone's own file.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum PeerRule {
    /// `Lease` with serve and observe, `Any` with DHCP off.
    #[default]
    Auto,
    /// Only the address leased to that MAC.
    Lease,
    /// Whoever asks.
    Any,
}

/// `[secrets]`.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Secrets {
    /// Who gets a phone's own file.
    pub peer: PeerRule,
}

/// A range of directory numbers, inclusive, both of the same width (leading zeros count).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct NumberRange {
    /// The first.
    pub first: u64,
    /// The last.
    pub last: u64,
    /// Digits of each number.
    pub width: usize,
}

/// `[auto-registration]`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AutoRegistration {
    /// Off by default, as on Cisco's server.
    pub enabled: bool,
    /// Closes by itself.
    pub until: Option<Timestamp>,
    /// The range to take from, unless the site has its own.
    pub numbers: Option<NumberRange>,
}

/// `[firmware]`: how new loads reach phones.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Firmware {
    /// How many phones at a time see a new load in their configuration; `None`: all.
    pub wave: Option<usize>,
    /// How many phones take a load before an operator is asked; `None`: nobody is asked.
    pub canary: Option<usize>,
    /// Loads older than the one that a phone runs are offered, too.
    pub allow_downgrade: bool,
}

/// What carries SIP.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Transport {
    /// UDP.
    #[default]
    Udp,
    /// TCP.
    Tcp,
    /// TLS.
    Tls,
}

/// Whether media is encrypted.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Srtp {
    /// Never.
    #[default]
    Off,
    /// If the other side can.
    Offered,
    /// Always.
    Required,
}

/// What phones that can do both speak.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Protocol {
    /// SIP.
    #[default]
    Sip,
    /// Skinny.
    Sccp,
}

/// When a phone counts as ready.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum ReadyWhen {
    /// It has its configuration.
    #[default]
    Configured,
    /// It is registered.
    Registered,
}

/// A SIP registrar or call manager.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Registrar {
    /// Address or host name.
    pub address: String,
    /// Port; `None` means the protocol's own (5060, 5061, SCCP 2000).
    pub port: Option<u16>,
}

/// `[site.NAME.failover]`: Poly's optional behaviours of Engineering Advisory 66546. The defaults are the advisory's.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Failover {
    /// Register with the secondary before using it.
    pub re_register_on: bool,
    /// Drop registrations with the failed server.
    pub fail_registration_on: bool,
    /// Signal only with a registered server.
    pub only_signal_with_registered: bool,
    /// `newRequests`, `DNSTTL`, `registration` or `duration`.
    pub fail_back_mode: String,
    /// Seconds, 0 or 60 to 65,535; counts with `duration` only.
    pub fail_back_timeout: u16,
}

/// `[site.NAME]`, complete with what it inherits.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Site {
    /// What carries SIP.
    pub sip_transport: Transport,
    /// Whether media is encrypted.
    pub srtp: Srtp,
    /// What phones that can do both speak.
    pub protocol: Protocol,
    /// One IANA name.
    pub time_zone: Option<String>,
    /// Time servers for templates; empty means the subnet's.
    pub ntp: Vec<String>,
    /// Password of the phones' own pages and menus.
    pub admin_password: Option<Secret>,
    /// When a phone counts as ready.
    pub ready_when: ReadyWhen,
    /// Numbers for auto-registration, instead of the common range.
    pub numbers: Option<NumberRange>,
    /// Registrars in order.
    pub servers: Vec<Registrar>,
    /// Outbound proxies in order.
    pub outbound_proxies: Vec<Registrar>,
    /// Poly's failover behaviours; `None` leaves the phones at their own defaults.
    pub failover: Option<Failover>,
    /// Wanted load per model or family name.
    pub firmware: BTreeMap<String, String>,
    /// The oldest firmware that phones may run, per model or family name.
    pub firmware_floor: BTreeMap<String, String>,
    /// Values merged last in the family's own form, by family, vendor or model name, each as the operator wrote it.
    pub extra: BTreeMap<String, BTreeMap<String, String>>,
    /// Values for templates.
    pub var: BTreeMap<String, String>,
    /// For each key of the site (kebab-case): the name of the site whose table set it. Absent: nobody did.
    pub set_by: BTreeMap<String, SiteName>,
    /// Where they were set.
    pub places: Places,
    /// The same site for phones whose batch is open; `None` where nothing differs.
    pub staging: Option<Box<Site>>,
    /// In a [`Site::staging`], the keys that its own table set.
    pub staged: BTreeSet<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            appliance: Appliance::default(),
            dhcp: Dhcp::default(),
            tftp: Tftp::default(),
            http: Http::default(),
            secrets: Secrets::default(),
            auto_registration: AutoRegistration::default(),
            firmware: Firmware::default(),
            sites: BTreeMap::from([("default".to_owned(), Site::default())]),
        }
    }
}

impl Default for Appliance {
    fn default() -> Self {
        Self {
            state: "/var/lib/ringup".into(),
            profiles: "/etc/ringup/profiles".into(),
            files: "/etc/ringup/files".into(),
            firmware: "/var/lib/ringup/firmware".into(),
            history: Duration::from_hours(90 * 24),
        }
    }
}

impl Default for Tftp {
    fn default() -> Self {
        Self { listen: vec![SocketAddr::from(([0, 0, 0, 0], 69))] }
    }
}

impl Default for Http {
    fn default() -> Self {
        Self {
            phones: vec![
                SocketAddr::from(([0, 0, 0, 0], 80)),
                SocketAddr::from(([0, 0, 0, 0], 6970)),
            ],
            operators: vec![SocketAddr::from(([127, 0, 0, 1], 8080))],
            password_hash: None,
            token: None,
            hosts: Vec::new(),
        }
    }
}

impl Default for Failover {
    fn default() -> Self {
        Self {
            re_register_on: false,
            fail_registration_on: false,
            only_signal_with_registered: true,
            fail_back_mode: "newRequests".to_owned(),
            fail_back_timeout: 3600,
        }
    }
}
