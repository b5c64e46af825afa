//! Which address a bench has, and whether the interface is fit for one. Decides; changes nothing.

use std::{fs, net::Ipv4Addr, str::FromStr};

use crate::{
    cli::exit::{Exit, Failure},
    domain::Mac,
    net::Interface,
};

/// The largest network that is given out: a bench has no more than 65,000 phones.
const WIDEST: u8 = 16;

/// The smallest network with room for a phone.
const NARROWEST: u8 = 30;

/// Where a bench is unless said otherwise: seldom used, so that a laptop's other networks are elsewhere.
const USUAL: Net = Net { network: Ipv4Addr::new(10, 99, 0, 0), prefix: 24 };

/// Capabilities by their bits (capabilities(7)).
const NEEDED: [(u32, &str); 3] =
    [(10, "CAP_NET_BIND_SERVICE"), (12, "CAP_NET_ADMIN"), (13, "CAP_NET_RAW")];

/// A network.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Net {
    network: Ipv4Addr,
    prefix: u8,
}

/// Where a bench stands.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Ground {
    /// The interface, as it was found.
    pub interface: Interface,
    /// Our address.
    pub address: Ipv4Addr,
    /// The prefix length of its network.
    pub prefix: u8,
    /// True if the interface has to be given that address.
    pub given: bool,
}

impl FromStr for Net {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let form = || format!("a network with /{WIDEST} to /{NARROWEST}, such as {USUAL}");
        let (network, prefix) = text.split_once('/').ok_or_else(form)?;
        let network: Ipv4Addr = network.parse().map_err(|_| form())?;
        let prefix: u8 = prefix.parse().map_err(|_| form())?;
        let net = Self { network: masked(network, prefix), prefix };
        let nobody = net.network.is_loopback()
            || net.network.is_multicast()
            || net.network.is_link_local()
            || matches!(net.network.octets()[0], 0 | 240..);
        if !(WIDEST..=NARROWEST).contains(&prefix) || nobody {
            return Err(form());
        }
        if net.network != network {
            return Err(format!("{network} lies within a network: {net}"));
        }
        Ok(net)
    }
}

impl std::fmt::Display for Net {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.network, self.prefix)
    }
}

impl Net {
    fn contains(self, address: Ipv4Addr) -> bool {
        masked(address, self.prefix) == self.network
    }

    /// The first address that a station may have.
    fn first(self) -> Ipv4Addr {
        Ipv4Addr::from(u32::from(self.network) + 1)
    }
}

fn masked(address: Ipv4Addr, prefix: u8) -> Ipv4Addr {
    Ipv4Addr::from(u32::from(address) & !u32::MAX.checked_shr(prefix.into()).unwrap_or(0))
}

impl Ground {
    /// Finds the address of a bench on that interface: its own if it has one, else the first of `net`.
    ///
    /// # Errors
    ///
    /// [`Exit::Config`] for an interface on which there can be no bench.
    pub fn choose(all: &[Interface], name: &str, net: Option<Net>) -> Result<Self, Failure> {
        let interface = find(all, name)?;
        // What a machine gives itself in want of a server (RFC 3927) is no network for phones.
        let own = interface.addresses.iter().find(|(address, _)| !address.is_link_local());
        let ground = |address, prefix, given| {
            Ok(Self { interface: interface.clone(), address, prefix, given })
        };
        let refused = |text: String| Failure::new(Exit::Config, text);
        if let Some((address, prefix)) = own.copied() {
            if prefix > NARROWEST {
                let text = format!("{name} has {address}/{prefix}, which has no room for phones");
                return Err(refused(text).help(format!(
                    "give it a network, or take the address away: ip address del {address}/{prefix} dev {name}"
                )));
            }
            if net.is_some_and(|net| !net.contains(address) || net.prefix != prefix) {
                let text = format!("{name} has {address}/{prefix} already, and keeps it");
                return Err(refused(text).help("leave --net out to serve that network"));
            }
            return ground(address, prefix, false);
        }
        let net = net.unwrap_or(USUAL);
        let elsewhere = all.iter().filter(|other| other.name != name).find_map(|other| {
            let mut addresses = other.addresses.iter();
            let meets = |address: Ipv4Addr, prefix: u8| {
                net.contains(address) || masked(net.network, prefix) == masked(address, prefix)
            };
            addresses.find(|(address, prefix)| meets(*address, *prefix)).map(|one| (other, one))
        });
        if let Some((other, (address, prefix))) = elsewhere {
            let text = format!("{net} meets {address}/{prefix} on {}", other.name);
            return Err(refused(text).help("choose another network: --net 192.168.50.0/24"));
        }
        ground(net.first(), net.prefix, true)
    }

    /// The network's first address.
    pub fn network(&self) -> Ipv4Addr {
        masked(self.address, self.prefix)
    }

    /// All other addresses of the network, in ranges; of a very large network those near ours.
    pub fn pool(&self) -> Vec<(Ipv4Addr, Ipv4Addr)> {
        let prefix = self.prefix.max(WIDEST);
        let own = u32::from(self.address);
        let network = u32::from(masked(self.address, prefix));
        let last = network | u32::MAX.checked_shr(prefix.into()).unwrap_or(0);
        let ranges = [(network + 1, own.saturating_sub(1)), (own.saturating_add(1), last - 1)];
        let some = ranges.into_iter().filter(|(first, last)| first <= last);
        some.map(|(first, last)| (first.into(), last.into())).collect()
    }
}

/// Every interface.
///
/// # Errors
///
/// [`Exit::Io`].
pub(super) fn interfaces() -> Result<Vec<Interface>, Failure> {
    Interface::all().map_err(|error| Failure::new(Exit::Io, format!("the interfaces: {error}")))
}

/// The interface of that name, if phones can be behind it.
///
/// # Errors
///
/// [`Exit::Config`].
pub(super) fn find<'a>(all: &'a [Interface], name: &str) -> Result<&'a Interface, Failure> {
    let Some(interface) = all.iter().find(|interface| interface.name == name) else {
        let there: Vec<&str> = all.iter().map(|interface| interface.name.as_str()).collect();
        let text = format!("there is no interface {name}; there are: {}", there.join(", "));
        return Err(Failure::new(Exit::Config, text));
    };
    if Mac::new(interface.hardware).is_err() {
        return Err(Failure::new(
            Exit::Config,
            format!("{name} is no Ethernet: no phone is behind it"),
        )
        .help("`ringup lab` shows simulated phones without any network"));
    }
    Ok(interface)
}

/// Whether this process may do what a bench has to.
///
/// # Errors
///
/// [`Exit::Permission`], with what is missing.
pub(super) fn capable() -> Result<(), Failure> {
    // Where nothing can be read, the system says itself what it does not allow.
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let missing = missing(&status);
    if missing.is_empty() {
        return Ok(());
    }
    let text = format!("no permission for a bench: {} missing", missing.join(", "));
    Err(Failure::new(Exit::Permission, text).help(
        "run it with sudo, or once: setcap cap_net_admin,cap_net_raw,cap_net_bind_service=+ep on \
         the program; `ringup lab` needs none of them",
    ))
}

/// The capabilities that are needed and that a `/proc/PID/status` does not have.
fn missing(status: &str) -> Vec<&'static str> {
    let line = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    let Some(has) = line.and_then(|line| u64::from_str_radix(line.trim(), 16).ok()) else {
        return Vec::new();
    };
    let lacks = NEEDED.into_iter().filter(|(bit, _)| has & (1 << bit) == 0);
    lacks.map(|(_, name)| name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interface(name: &str, addresses: &[&str]) -> Interface {
        let read = |text: &&str| {
            let (address, prefix) = text.split_once('/').unwrap();
            (address.parse().unwrap(), prefix.parse().unwrap())
        };
        let hardware = if name == "lo" { [0; 6] } else { [2, 0, 0, 0, 0, 1] };
        let addresses = addresses.iter().map(read).collect();
        Interface { name: name.to_owned(), hardware, addresses, ..Interface::default() }
    }

    /// `10.99.0.1/24 given` or `… kept`, or what is said instead.
    fn chosen(addresses: &[&str], others: &[&str], net: Option<&str>) -> String {
        let all = [
            interface("lo", &["127.0.0.1/8"]),
            interface("eth0", others),
            interface("eth1", addresses),
        ];
        match Ground::choose(&all, "eth1", net.map(|net| net.parse().unwrap())) {
            Ok(ground) => {
                let how = if ground.given { "given" } else { "kept" };
                format!("{}/{} {how}", ground.address, ground.prefix)
            }
            Err(failure) => {
                assert_eq!(failure.exit, Exit::Config);
                failure.text.lines().next().unwrap().to_owned()
            }
        }
    }

    #[test]
    fn which_address() {
        let check = |addresses: &[&str], others: &[&str], net: Option<&str>, expected: &str| {
            assert_eq!(
                chosen(addresses, others, net),
                expected,
                "{addresses:?} {others:?} {net:?}"
            );
        };
        check(&[], &["192.168.1.7/24"], None, "10.99.0.1/24 given");
        check(&[], &[], Some("192.168.50.0/28"), "192.168.50.1/28 given");
        check(&["169.254.3.4/16"], &[], None, "10.99.0.1/24 given");
        check(&["192.168.7.9/24", "10.1.1.1/24"], &[], None, "192.168.7.9/24 kept");
        check(&["169.254.3.4/16", "192.168.7.9/24"], &[], None, "192.168.7.9/24 kept");
        check(&["10.99.0.7/24"], &[], Some("10.99.0.0/24"), "10.99.0.7/24 kept");
        let keeps = "eth1 has 192.168.7.9/24 already, and keeps it";
        check(&["192.168.7.9/24"], &[], Some("10.99.0.0/24"), keeps);
        let narrow = "eth1 has 10.1.1.1/32, which has no room for phones";
        check(&["10.1.1.1/32"], &[], None, narrow);
        // The network itself, a larger one around it, a smaller one in it.
        check(&[], &["10.99.0.9/24"], None, "10.99.0.0/24 meets 10.99.0.9/24 on eth0");
        check(&[], &["10.1.2.3/8"], None, "10.99.0.0/24 meets 10.1.2.3/8 on eth0");
        check(&[], &["10.99.0.200/30"], None, "10.99.0.0/24 meets 10.99.0.200/30 on eth0");
    }

    #[test]
    fn which_interface() {
        let all = [interface("lo", &[]), interface("eth0", &[])];
        let text = |name: &str| Ground::choose(&all, name, None).unwrap_err().text;
        assert!(text("eth7").contains("there are: lo, eth0"));
        assert!(text("lo").contains("no Ethernet"));
    }

    #[test]
    fn what_phones_get() {
        let check = |address: [u8; 4], prefix: u8, expected: &str| {
            let interface = Interface::default();
            let ground = Ground { interface, address: address.into(), prefix, given: true };
            let pool: Vec<String> =
                ground.pool().iter().map(|(first, last)| format!("{first}-{last}")).collect();
            assert_eq!(pool.join(" "), expected);
        };
        check([10, 99, 0, 1], 24, "10.99.0.2-10.99.0.254");
        check([10, 99, 0, 254], 24, "10.99.0.1-10.99.0.253");
        check([10, 99, 0, 77], 24, "10.99.0.1-10.99.0.76 10.99.0.78-10.99.0.254");
        check([10, 99, 0, 1], 30, "10.99.0.2-10.99.0.2");
        check([10, 99, 0, 1], 8, "10.99.0.2-10.99.255.254");
    }

    #[test]
    fn networks_as_typed() {
        let check = |text: &str, expected: bool| {
            assert_eq!(text.parse::<Net>().is_ok(), expected, "{text}");
        };
        check("10.99.0.0/24", true);
        check("172.16.0.0/16", true);
        check("192.168.1.4/30", true);
        for wrong in [
            "10.99.0.1/24",
            "10.0.0.0/8",
            "10.0.0.0/31",
            "10.0.0.0",
            "x/24",
            "10.0.0.0/x",
            "127.0.0.0/16",
            "224.0.0.0/16",
            "169.254.0.0/16",
            "0.0.0.0/16",
            "255.255.0.0/16",
        ] {
            check(wrong, false);
        }
    }

    #[test]
    fn what_is_missing() {
        let check =
            |status: &str, expected: &[&str]| assert_eq!(missing(status), expected, "{status}");
        check("Name:\tringup\nCapEff:\t000001ffffffffff\n", &[]);
        check(
            "CapEff:\t0000000000000000\n",
            &["CAP_NET_BIND_SERVICE", "CAP_NET_ADMIN", "CAP_NET_RAW"],
        );
        check("CapEff:\t0000000000002400\n", &["CAP_NET_ADMIN"]);
        check("", &[]);
    }
}
