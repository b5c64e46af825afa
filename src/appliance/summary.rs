//! What is served where, in one block that is read at the start.

use std::{fmt, net::SocketAddr, path::Path};

use crate::{
    config::{Dhcp, DhcpMode, PeerRule, Settings, Subnet},
    domain::Timestamp,
};

use super::Running;

/// How many subnets and problems are told in full; the rest is a number.
const SHOWN: usize = 8;

/// Displays what a running appliance serves where.
#[derive(Debug)]
pub struct Summary<'a>(pub(super) &'a Running);

impl fmt::Display for Summary<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Running { core, operators, phones, tftp, services, socket, .. } = self.0;
        let settings = &*core.settings;
        writeln!(f, "ringup {}", env!("CARGO_PKG_VERSION"))?;
        row(f, "DHCP", &dhcp(&settings.dhcp))?;
        row(f, "TFTP", &listed(tftp))?;
        row(f, "HTTP", &format!("{} (phones)", listed(phones)))?;
        if !services.is_empty() {
            row(f, "answers", &format!("who asks for {}", services.join(" and ")))?;
        }
        for address in operators {
            row(f, "page", &format!("http://{address}/"))?;
        }
        row(f, "commands", &socket.display().to_string())?;
        let secrets = secrets(settings);
        row(f, "secrets", secrets)?;
        for notice in core.service.notices.texts().iter().filter(|notice| *notice != secrets) {
            row(f, "NOTE", notice)?;
        }
        row(f, "state", &self.state())?;
        row(f, "profiles", &self.profiles())?;
        if let Some(aside) = &core.set_aside {
            let text =
                format!("could not be read and is now {}; this one starts empty", aside.display());
            row(f, "OLD STATE", &text)?;
        }
        for problem in core.problems.iter().take(SHOWN) {
            writeln!(f, "{problem}")?;
        }
        let more = core.problems.len().saturating_sub(SHOWN);
        if more > 0 { writeln!(f, "{more} more: `ringup check` tells them") } else { Ok(()) }
    }
}

impl Summary<'_> {
    fn state(&self) -> String {
        let now = Timestamp::now();
        let state = self.0.core.service.view.read();
        let listed = state.phones.values().filter(|phone| phone.entry.is_some()).count();
        let leases = state.leases.values().filter(|lease| lease.is_active(now)).count();
        let path = self.0.core.settings.appliance.state.display();
        format!("{path}: {listed} phones listed, {leases} leases")
    }

    fn profiles(&self) -> String {
        let provisioner = self.0.core.service.provisioner();
        let (mut served, mut known) = (0, 0);
        provisioner.catalog().families().for_each(|family| {
            known += 1;
            served += usize::from(family.provisions);
        });
        let problems = match self.0.core.problems.len() {
            0 => "no problems".to_owned(),
            1 => "1 problem".to_owned(),
            several => format!("{several} problems"),
        };
        format!("{served} families served, {} recognized only, {problems}", known - served)
    }
}

fn row(f: &mut fmt::Formatter<'_>, name: &str, text: &str) -> fmt::Result {
    text.lines().enumerate().try_for_each(|(number, line)| {
        let name = if number == 0 { name } else { "" };
        writeln!(f, "  {name:<10} {line}")
    })
}

fn listed(addresses: &[SocketAddr]) -> String {
    if addresses.is_empty() {
        return "off".to_owned();
    }
    addresses.iter().map(SocketAddr::to_string).collect::<Vec<_>>().join(", ")
}

fn dhcp(dhcp: &Dhcp) -> String {
    let what = match dhcp.mode {
        DhcpMode::Off => return "off: another server gives addresses".to_owned(),
        DhcpMode::Observe => "another server gives addresses; observes",
        DhcpMode::Serve => "serves",
    };
    let interfaces = dhcp.interfaces.iter().cloned();
    let relays = dhcp.relay_listen.map(|address| format!("relays at {address}"));
    let whom = interfaces.chain(relays).collect::<Vec<_>>().join(", ");
    let mut lines = vec![format!("{what} {whom}")];
    lines.extend(dhcp.subnets.iter().take(SHOWN).map(subnet));
    let more = dhcp.subnets.len().saturating_sub(SHOWN);
    if more > 0 {
        lines.push(format!("and {more} more subnets"));
    }
    lines.join("\n")
}

fn subnet(subnet: &Subnet) -> String {
    let Subnet { network, prefix, site, pool, .. } = subnet;
    let range = |(first, last): &(_, _)| format!("{first}-{last}");
    let pool = match &*pool.iter().map(range).collect::<Vec<_>>().join(", ") {
        "" => "reserved addresses only".to_owned(),
        ranges => format!("pool {ranges}"),
    };
    format!("{network}/{prefix} ({site}), {pool}")
}

/// Says that a store could not be read and where it is.
pub(super) fn set_aside(aside: &Path) -> String {
    format!(
        "the old state could not be read and is now {}; this one started empty",
        aside.display()
    )
}

/// Who gets a phone's own file where leases tell whose it is.
pub(super) const LEASED: &str = "a phone's own file goes to the address that is leased to it only";

/// Says who gets a phone's own file, where that is not only the phone: the page shows notices as warnings, and that all
/// is as it should be is no news there.
pub(super) fn notice(settings: &Settings) -> Option<String> {
    let secrets = secrets(settings);
    (secrets != LEASED).then(|| secrets.to_owned())
}

/// Says who gets a phone's own file.
pub(super) fn secrets(settings: &Settings) -> &'static str {
    let any = "a phone's own file goes to whoever asks for it by name";
    match (settings.secrets.peer, settings.dhcp.mode) {
        (PeerRule::Lease, _) | (PeerRule::Auto, DhcpMode::Serve | DhcpMode::Observe) => LEASED,
        (PeerRule::Any, _) => any,
        (PeerRule::Auto, DhcpMode::Off) => {
            "DHCP is off, so a phone's own file goes to whoever asks for it by name"
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[test]
    fn who_gets_secrets_is_said() {
        let check = |peer, mode, text: &str| {
            let mut settings = Settings::default();
            (settings.secrets.peer, settings.dhcp.mode) = (peer, mode);
            assert!(secrets(&settings).contains(text), "{peer:?} {mode:?}");
        };
        check(PeerRule::Auto, DhcpMode::Serve, "leased to it only");
        check(PeerRule::Auto, DhcpMode::Observe, "leased to it only");
        check(PeerRule::Auto, DhcpMode::Off, "DHCP is off");
        check(PeerRule::Any, DhcpMode::Serve, "whoever asks");
        check(PeerRule::Lease, DhcpMode::Off, "leased to it only");
    }

    #[test]
    fn dhcp_tells_where_and_what() {
        assert!(dhcp(&Dhcp::default()).starts_with("off"));
        let on = Dhcp {
            mode: DhcpMode::Serve,
            interfaces: vec!["eth1".to_owned()],
            subnets: vec![],
            relay_listen: Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 6767))),
            ..Dhcp::default()
        };
        assert_eq!(dhcp(&on), "serves eth1, relays at 127.0.0.1:6767");
    }
}
