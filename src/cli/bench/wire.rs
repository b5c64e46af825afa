//! The wire of a bench: whether it has a link, and whether somebody else serves DHCP on it, before and all the time.

use std::{fs, io, time::Duration};

use tokio::time::{Instant, interval, sleep};

use crate::{
    cli::{
        exit::{Exit, Failure},
        lab::say,
    },
    dhcp::{Other, other_server},
    net::Interface,
};

use super::{ground::Ground, now};

/// How often the interface is looked at.
const LOOK: Duration = Duration::from_secs(1);

/// How long a link may take before it is said that there is none: speeds are negotiated for some seconds.
const SILENT: Duration = Duration::from_secs(4);

/// When the wire is asked for another server again: a switch lets nothing through for 30 s after a link came up, unless
/// it was told that no switch is there (spanning tree, IEEE 802.1D: twice a forward delay of 15 s).
const AGAIN: Duration = Duration::from_secs(35);

/// And ever after: cables are moved.
const EVER: Duration = Duration::from_mins(5);

/// What is odd about the interface and no reason not to go on.
pub(super) fn warning(ground: &Ground) -> Option<String> {
    let routes = fs::read_to_string("/proc/self/net/route").unwrap_or_default();
    let name = &ground.interface.name;
    leads_out(&routes, name).then(|| {
        format!(
            "warning: the default route of this machine leads through {name}: if that is an office's network, end \
             this bench and use a switch of its own"
        )
    })
}

/// True if the kernel's table of routes has a default route through the interface.
fn leads_out(routes: &str, name: &str) -> bool {
    routes.lines().any(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        matches!(words[..], [interface, "00000000", _, _, _, _, _, "00000000", ..] if interface == name)
    })
}

/// Refuses an interface whose frames go elsewhere: the port of a bridge or a part of a bond.
///
/// # Errors
///
/// [`Exit::Config`], naming what to use instead.
pub(super) fn whole(name: &str) -> Result<(), Failure> {
    let Ok(master) = fs::read_link(format!("/sys/class/net/{name}/master")) else { return Ok(()) };
    let master = master.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let text = format!("{name} is a part of {master}, which has all that comes in");
    Err(Failure::new(Exit::Config, text).help(format!("ringup bench {master}")))
}

/// Waits for a link; nobody can answer before, so nothing is certain. The interface as it is then.
///
/// # Errors
///
/// [`Exit::Unavailable`] if it is gone.
pub(super) async fn linked(name: &str) -> Result<Interface, Failure> {
    let began = Instant::now();
    let mut told = false;
    let mut looks = interval(Duration::from_millis(100));
    loop {
        looks.tick().await;
        let found = now(name)?.ok_or_else(|| gone(name))?;
        if found.link {
            return Ok(found);
        }
        if !told && began.elapsed() >= SILENT {
            told = true;
            say(&format!("{name} has no link: plug its cable in, or switch the bench's switch on"));
        }
    }
}

/// Makes sure that nobody else serves DHCP there.
///
/// # Errors
///
/// [`Exit::Unavailable`] if somebody does.
pub(super) async fn alone(interface: &Interface) -> Result<(), Failure> {
    match other_server(interface).await {
        Ok(None) => Ok(()),
        Ok(Some(other)) => Err(refused(&interface.name, other)),
        Err(error) => {
            let exit = match error.kind() {
                io::ErrorKind::PermissionDenied => Exit::Permission,
                _ => Exit::Io,
            };
            let text = format!("{} can't be asked for other DHCP servers: {error}", interface.name);
            Err(Failure::new(exit, text))
        }
    }
}

fn refused(name: &str, other: Other) -> Failure {
    let Other { server, offered } = other;
    let text = format!(
        "another DHCP server answers on {name}: {server} (it offers {offered}); two of them break the network"
    );
    Failure::new(Exit::Unavailable, text).help(
        "a bench needs a switch of its own; beside another server there is `mode = \"observe\"`, and \
         `ringup dhcp-snippet` tells that server about phones",
    )
}

fn gone(name: &str) -> Failure {
    Failure::new(Exit::Unavailable, format!("{name} is gone"))
}

/// The wire while the bench stands.
#[derive(Debug)]
pub(super) struct Wire<'a> {
    ground: &'a Ground,
    /// True as long as there is a link.
    link: bool,
    /// When the wire is asked next.
    next: Instant,
}

impl<'a> Wire<'a> {
    /// A wire that was just asked.
    pub fn new(ground: &'a Ground) -> Self {
        Self { ground, link: true, next: Instant::now() + AGAIN }
    }

    /// Watches the wire until the bench can't stand on it any more, and tells why.
    pub async fn lost(mut self) -> Failure {
        loop {
            sleep(LOOK).await;
            if let Err(failure) = self.look().await {
                return failure;
            }
        }
    }

    async fn look(&mut self) -> Result<(), Failure> {
        let Ground { interface, address, prefix, .. } = self.ground;
        let name = &interface.name;
        let found = now(name)?.filter(|found| found.index == interface.index);
        let found = found.ok_or_else(|| gone(name))?;
        if !found.addresses.contains(&(*address, *prefix)) {
            let text = format!("{name} has lost {address}/{prefix}: another program manages it");
            return Err(Failure::new(Exit::Unavailable, text)
                .help(format!("with NetworkManager: nmcli device set {name} managed no")));
        }
        if found.link != self.link {
            self.link = found.link;
            say(&format!(
                "{name} {}",
                if found.link { "has a link again" } else { "has lost its link" }
            ));
            // It may be another wire now.
            self.next = Instant::now();
        }
        if !self.link || Instant::now() < self.next {
            return Ok(());
        }
        self.next = Instant::now() + EVER;
        match alone(&found).await {
            // A link that was lost meanwhile is seen at the next look.
            Err(failure) if failure.exit == Exit::Io => Ok(()),
            asked => asked,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn default_routes() {
        const ROUTES: &str = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n\
            wlan0\t00000000\t0101A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0\n\
            eth1\t0000630A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n\
            tun0\t00000000\t00000000\t0001\t0\t0\t0\t00000080\t0\t0\t0\n";
        let check =
            |name: &str, expected: bool| assert_eq!(leads_out(ROUTES, name), expected, "{name}");
        check("wlan0", true);
        check("eth1", false);
        check("tun0", false);
        check("wlan", false);
    }
}
