//! The settings of a bench: an operator's, with the network of the bench.

use std::{
    collections::BTreeMap,
    fs, io,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{
    cli::exit::Failure,
    config::{Admit, Dhcp, DhcpMode, NumberRange, Option82, Settings, Subnet, Tftp},
};

use super::{DOMAIN, ground::Ground};

/// The bench's own settings, in its directory.
const FILE: &str = "ringup.toml";

/// A bench's leases are short: the next batch of phones needs the addresses.
const LEASE: Duration = Duration::from_mins(30);

/// What phones get that nobody listed, where the settings name no numbers.
const NUMBERS: NumberRange = NumberRange { first: 4000, last: 4999, width: 4 };

/// Where the page is looked for, in order.
const PAGES: std::ops::Range<u16> = 8080..8100;

/// What is written at the first start.
const FIRST: &str = "\
# Made by `ringup bench`, which reads it at each start (and `ringup reload` while it runs): sites and their values,
# auto-registration, directories. Interface, addresses and ports are the bench's own.
# Commands about the bench while it runs: ringup --config THIS-FILE phones list

[appliance]
state = \"state\"
profiles = \"profiles\"
files = \"files\"                  # files by exact wire name
firmware = \"firmware\"

[auto-registration]
enabled = true                   # a phone that nobody listed registers itself
numbers = \"4000-4999\"

# [[site.default.server]]        # where phones register
# address = \"10.99.0.5\"
";

/// Makes what a bench needs in its directory, and leaves alone what is there; the path of its settings.
///
/// # Errors
///
/// What the file system says.
pub(super) fn directory(root: &Path) -> Result<PathBuf, Failure> {
    for folder in ["profiles", "files", "firmware"] {
        let folder = root.join(folder);
        fs::create_dir_all(&folder).map_err(|error| Failure::file(&folder, &error))?;
    }
    let path = root.join(FILE);
    match fs::File::create_new(&path)
        .and_then(|mut file| io::Write::write_all(&mut file, FIRST.as_bytes()))
    {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(Failure::file(&path, &error)),
    }
    Ok(path)
}

/// Where the page is: as asked, else the first free port of loopback.
pub(super) fn page(asked: Option<SocketAddr>) -> SocketAddr {
    let candidates = || PAGES.map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    let free = |address: &SocketAddr| TcpListener::bind(address).is_ok();
    let usual = SocketAddr::from((Ipv4Addr::LOCALHOST, PAGES.start));
    asked.or_else(|| candidates().find(free)).unwrap_or(usual)
}

/// The settings of a bench: what was read counts, but for the network, the ports and the state.
pub(super) fn settings(
    mut settings: Settings,
    ground: &Ground,
    page: SocketAddr,
    state: &Path,
) -> Settings {
    let own = ground.address;
    state.clone_into(&mut settings.appliance.state);
    settings.dhcp = Dhcp {
        mode: DhcpMode::Serve,
        interfaces: vec![ground.interface.name.clone()],
        // Nobody else serves there. A phone that comes with the address of another network has to lose it at once.
        authoritative: true,
        unprobed: false,
        subnets: vec![subnet(ground)],
        relay_listen: None,
    };
    settings.tftp = Tftp { listen: vec![SocketAddr::from((own, 69))] };
    settings.http.phones = [80, 6970].map(|port| SocketAddr::from((own, port))).to_vec();
    settings.http.operators = vec![page];
    let window = &mut settings.auto_registration;
    if !window.enabled {
        // Phones that nobody listed are the ones that come to a bench.
        (window.enabled, window.until) = (true, None);
    }
    window.numbers.get_or_insert(NUMBERS);
    settings
}

fn subnet(ground: &Ground) -> Subnet {
    let own = vec![ground.address];
    Subnet {
        network: ground.network(),
        prefix: ground.prefix,
        site: "default".to_owned(),
        pool: ground.pool(),
        router: own.clone(),
        dns: own.clone(),
        ntp: own,
        domain: Some(DOMAIN.to_owned()),
        search: Vec::new(),
        routes: Vec::new(),
        lease_time: LEASE,
        servers: Vec::new(),
        voice_vlan: None,
        option_82: Option82::L2,
        admit: Admit::All,
        options: Vec::new(),
        for_family: BTreeMap::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{config, net::Interface};

    fn ground() -> Ground {
        let interface = Interface { name: "eth1".to_owned(), ..Interface::default() };
        Ground { interface, address: Ipv4Addr::new(10, 99, 0, 1), prefix: 24, given: true }
    }

    #[test]
    fn the_first_settings_are_sound_and_an_operators_stay() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().join("bench");
        let path = super::directory(&root).unwrap();
        let loaded = config::load(Some(&path)).unwrap();
        assert_eq!(
            (loaded.warnings.len(), loaded.settings.appliance.files),
            (0, root.join("files"))
        );
        assert_eq!(loaded.settings.auto_registration.numbers, Some(NUMBERS));
        fs::write(&path, "[appliance]\n").unwrap();
        super::directory(&root).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "[appliance]\n");
    }

    #[test]
    fn the_network_is_the_benchs_own_and_the_rest_is_not() {
        let mut read = Settings::default();
        read.appliance.files = "/srv/files".into();
        read.dhcp.interfaces = vec!["eth0".to_owned()];
        let page = SocketAddr::from((Ipv4Addr::LOCALHOST, 8081));
        let made = settings(read.clone(), &ground(), page, Path::new("here/state"));
        assert_eq!(made.appliance.files, Path::new("/srv/files"));
        assert_eq!(
            (made.dhcp.mode, &made.dhcp.interfaces[..]),
            (DhcpMode::Serve, &["eth1".to_owned()][..])
        );
        assert_eq!(made.tftp.listen, ["10.99.0.1:69".parse().unwrap()]);
        assert_eq!(made.http.operators, [page]);
        assert_eq!(
            (made.auto_registration.enabled, made.auto_registration.numbers),
            (true, Some(NUMBERS))
        );
        let numbers = NumberRange { first: 1, last: 9, width: 1 };
        read.auto_registration.numbers = Some(numbers);
        let made = settings(read, &ground(), page, Path::new("here/state"));
        assert_eq!(made.auto_registration.numbers, Some(numbers));
        let subnet = &made.dhcp.subnets[0];
        assert_eq!((subnet.lease_time.as_secs(), subnet.dns[0]), (1800, ground().address));
    }

    #[test]
    fn a_page_that_is_taken_moves_and_one_that_was_asked_does_not() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        assert_eq!(page(Some(taken)), taken);
        let held: Vec<_> =
            PAGES.take(3).map(|port| TcpListener::bind(("127.0.0.1", port))).collect();
        assert!(page(None).port() >= 8083 && PAGES.contains(&page(None).port()), "{held:?}");
    }
}
