//! `ringup bench IFACE`: a staging bench with nothing to set up, and nothing left behind.

mod ground;
mod loan;
mod screen;
mod setup;
mod wire;

use std::{
    env,
    fs::{self, File, TryLockError},
    future,
    net::{Ipv4Addr, SocketAddr},
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    time::Duration,
};

use jiff::tz::TimeZone;
use tokio::time::sleep;

use crate::{
    appliance::{Appliance, Late, Names, Place, Plan, Reread, Running},
    domain::{Purpose, StagingId, Timestamp},
    net::Interface,
};

use self::{
    ground::{Ground, Net},
    loan::Loan,
    screen::Screen,
    wire::Wire,
};
use super::{
    exit::{Exit, Failure},
    lab::{self, say},
    output,
    serve::{Stop, runtime},
    settings::{self, Ready},
};

/// The domain that phones of a bench are told: `internal` is nobody's on the internet, for ever (ICANN, July 2024).
const DOMAIN: &str = "bench.internal";

/// Exit code where a part of the appliance broke (`EX_SOFTWARE`).
const BROKEN: u8 = 70;

/// How long what still runs has to end once the bench is over.
const END: Duration = Duration::from_secs(2);

/// Options of `ringup bench`.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    sudo ringup bench eth1                        a switch with phones behind eth1, and nothing else\n  \
    sudo ringup bench eth1 --net 192.168.50.0/24  other addresses\n  \
    sudo ringup bench eth1 --name CiscoCM1        one more name that leads to the bench\n\n\
    An interface without an address gets the first of --net, and is brought up if it is down; both are undone at the \
    end, by ctrl-C, SIGTERM or a closed terminal, and after a crash by the next start. One that has an address keeps it, \
    and its network is served. It starts only where no other DHCP server answers, and ends where one turns up later.\n\n\
    Phones that nobody listed register themselves and get a number. Settings are read from --config, else from \
    ringup.toml in the bench's own directory, which is made there at the first start: sites, files, firmware, \
    auto-registration. What they say about DHCP and ports does not count on a bench.\n\n\
    Exit codes: 0 ended as asked, 64 usage, 66 no such settings, 69 another DHCP server or another bench, a port in use, \
    or the interface was lost, 70 a part of it broke, 74 input or output, 77 permission, 78 settings, or no such \
    interface.")]
pub struct Bench {
    /// The interface that leads to the phones.
    #[arg(value_name = "IFACE")]
    interface: String,
    /// The network of the bench, if the interface has no address: 10.99.0.0/24 unless given.
    #[arg(long, value_name = "NETWORK/PREFIX")]
    net: Option<Net>,
    /// Where the page is; else 127.0.0.1:8080, or the next port that is free.
    #[arg(long, value_name = "ADDRESS:PORT")]
    page: Option<SocketAddr>,
    /// The bench's directory.
    #[arg(long, value_name = "DIR", default_value = "ringup-bench")]
    state: PathBuf,
    /// Ends after this time: 30s, 2m.
    #[arg(long = "for", value_name = "TIME", value_parser = lab::time)]
    limit: Option<Duration>,
    /// One more name that the bench's name server knows; without an address it leads to the bench.
    #[arg(long = "name", value_name = "NAME[=ADDRESS]", value_parser = named)]
    names: Vec<(String, Option<Ipv4Addr>)>,
}

/// `NAME` or `NAME=ADDRESS`.
fn named(text: &str) -> Result<(String, Option<Ipv4Addr>), String> {
    let (name, address) = match text.split_once('=') {
        Some((name, address)) => (name, Some(address)),
        None => (text, None),
    };
    let read = |text: &str| text.parse().map_err(|_| format!("`{text}` is no IPv4 address"));
    let address = address.map(read).transpose()?;
    let mut names = Names::new(DOMAIN, Ipv4Addr::LOCALHOST).map_err(|error| error.to_string())?;
    names.add(name, Ipv4Addr::LOCALHOST).map_err(|error| error.to_string())?;
    Ok((name.to_owned(), address))
}

/// What a bench holds while it stands; dropped in this order, the interface is given back before the next may start.
struct Held {
    ground: Ground,
    _loan: Option<Loan>,
    _lock: File,
}

impl Bench {
    /// Runs the bench to its end.
    ///
    /// Exit codes: as its help says.
    #[must_use]
    pub fn run(&self, config: Option<&Path>) -> u8 {
        let runtime = match runtime() {
            Ok(runtime) => runtime,
            Err(error) => return told(&Failure::new(Exit::Io, format!("ringup bench: {error}"))),
        };
        let ended = runtime.block_on(self.stand(config));
        runtime.shutdown_timeout(END);
        ended.unwrap_or_else(|failure| told(&failure))
    }

    async fn stand(&self, config: Option<&Path>) -> Result<u8, Failure> {
        // First of all, so that no signal finds an interface that nobody gives back.
        let mut stop = Stop::listen().and_hangup();
        let (path, ready, held) = tokio::select! {
            prepared = self.prepare(config) => prepared?,
            // What was prepared so far is undone by being dropped.
            () = stop.asked() => return Ok(Exit::Ok.code()),
        };
        let greeting = self.greeting(&path);
        let mut running = self.start(path, ready, &held.ground)?;
        let batch = open_batch(&running).await?;
        say(&format!("\n{}", running.summary()));
        say(&format!("Batch {batch} is open: scan phones into it at /bench/{batch} of the page."));
        say(&greeting);
        let code = self.watch(&mut running, &held.ground, &mut stop).await;
        tokio::select! {
            () = running.stop() => {}
            // Once more means now; what was acknowledged is on disk already.
            () = stop.asked() => {}
        }
        code
    }

    /// Everything up to the certainty that nobody else serves there; the settings with their path.
    async fn prepare(&self, config: Option<&Path>) -> Result<(PathBuf, Ready, Held), Failure> {
        let found = ground::interfaces()?;
        // Before anything is written: a name mistyped leaves nothing behind.
        ground::find(&found, &self.interface)?;
        wire::whole(&self.interface)?;
        ground::capable()?;
        let lock = self.lock()?;
        let own = setup::directory(&self.state)?;
        let path = config.map_or(own, Path::to_owned);
        let ready = settings::sound(Some(&path))?;
        if let Some(text) = loan::settle(&self.state) {
            say(&text);
        }
        // What was left behind is gone now.
        let mut ground = Ground::choose(&ground::interfaces()?, &self.interface, self.net)?;
        if let Some(text) = wire::warning(&ground) {
            output::note(&text);
        }
        let loan = Loan::take(&self.state, &ground)?;
        if let Some(loan) = &loan {
            say(&format!("{}; undone at the end", loan.told()));
        }
        ground.interface = wire::linked(&self.interface).await?;
        say(&format!("looking for another DHCP server on {} …", self.interface));
        wire::alone(&ground.interface).await?;
        Ok((path, ready, Held { ground, _loan: loan, _lock: lock }))
    }

    /// Makes the directory and keeps a second bench out of it.
    fn lock(&self) -> Result<File, Failure> {
        let path = self.state.join("bench.lock");
        let mut builder = fs::DirBuilder::new();
        // Its files hold the phones' passwords.
        builder.recursive(true).mode(0o700);
        builder.create(&self.state).map_err(|error| Failure::file(&self.state, &error))?;
        let lock = File::create(&path).map_err(|error| Failure::file(&path, &error))?;
        match lock.try_lock() {
            Ok(()) => Ok(lock),
            Err(TryLockError::WouldBlock) => {
                let text = format!("another bench runs in {}", self.state.display());
                Err(Failure::new(Exit::Unavailable, text)
                    .help("end it first, or give this one a --state of its own"))
            }
            Err(TryLockError::Error(error)) => Err(Failure::file(&path, &error)),
        }
    }

    fn start(&self, path: PathBuf, ready: Ready, ground: &Ground) -> Result<Running, Failure> {
        let page = setup::page(self.page);
        let state = self.state.join("state");
        let over = {
            let ground = ground.clone();
            move |settings| setup::settings(settings, &ground, page, &state)
        };
        let settings = over(ready.loaded.settings);
        let reread = Reread::new(move || {
            let mut fresh = settings::fresh(Some(&path))?;
            fresh.loaded.settings = over(fresh.loaded.settings);
            Ok(fresh)
        });
        let plan = Plan {
            settings,
            written: ready.loaded.written,
            path: ready.loaded.path,
            families: Some((ready.catalog, ready.profiles)),
            warnings: ready.problems,
            late: Late::Refuse,
            services: Some(self.services(ground)?),
            reread: Some(reread),
        };
        Appliance::run(plan)
            .map_err(|error| Failure::new(Exit::of(error.exit_code()), error.to_string()))
    }

    fn services(&self, ground: &Ground) -> Result<Place, Failure> {
        let usage = |error| Failure::new(Exit::Usage, format!("--name: {error}"));
        let mut names = Names::new(DOMAIN, ground.address).map_err(usage)?;
        for (name, address) in &self.names {
            names.add(name, address.unwrap_or(ground.address)).map_err(usage)?;
        }
        let (address, prefix) = (ground.address, ground.prefix);
        Ok(Place { interface: self.interface.clone(), address, prefix, names })
    }

    fn greeting(&self, config: &Path) -> String {
        let config = config.display();
        let end = self.limit.map_or("ctrl-C ends it".to_owned(), |limit| {
            format!("it ends after {} s", limit.as_secs())
        });
        format!(
            "Every phone is admitted; one that nobody listed registers itself and gets a number.\n\
             Settings: {config}. Firmware and files: {}.\n\
             Plug phones in and watch them on the page; {end}.\n",
            self.state.display()
        )
    }

    /// Shows phones until it is time to end; tells with which code.
    async fn watch(
        &self,
        running: &mut Running,
        ground: &Ground,
        stop: &mut Stop,
    ) -> Result<u8, Failure> {
        let screen = Screen::new(running.core.service.clone(), Timestamp::now());
        let limit = async {
            match self.limit {
                Some(limit) => sleep(limit).await,
                None => future::pending().await,
            }
        };
        // All of them only watch; nothing is lost with those that are dropped.
        tokio::select! {
            () = stop.asked() => Ok(Exit::Ok.code()),
            () = limit => Ok(Exit::Ok.code()),
            () = screen.show() => Ok(Exit::Ok.code()),
            failure = Wire::new(ground).lost() => Err(failure),
            name = running.failed() => {
                output::note(&format!("{name} has ended although nobody asked it to: stopping"));
                Ok(BROKEN)
            }
        }
    }
}

/// The batch that phones are scanned into: the one that an earlier bench left open, else a new one.
async fn open_batch(running: &Running) -> Result<StagingId, Failure> {
    let service = &running.core.service;
    let (id, batch) = {
        let state = service.view.read();
        let open = state.stagings.iter().rev().find(|(_, one)| one.end.is_none());
        if let Some((id, _)) = open {
            return Ok(*id);
        }
        let now = Timestamp::now();
        let name = now.to_zoned(TimeZone::system()).strftime("Bench %Y-%m-%d %H:%M").to_string();
        // Whoever calls it by sudo is who stands there.
        let operator = ["SUDO_USER", "USER"].into_iter().find_map(|name| env::var(name).ok());
        let purpose = Purpose {
            name,
            operator: operator.unwrap_or_default(),
            by_plugging: true,
            ..Purpose::default()
        };
        let opened = service.provisioner().open_staging(&state, purpose, now);
        opened.map_err(|error| Failure::new(Exit::Data, format!("no batch: {error}")))?
    };
    let committed = service.commit(batch).await;
    committed.map_err(|error| Failure::new(Exit::Io, format!("no batch: {error}")))?;
    Ok(id)
}

fn told(failure: &Failure) -> u8 {
    output::note(&failure.text);
    failure.exit.code()
}

/// The interface as it is now.
fn now(name: &str) -> Result<Option<Interface>, Failure> {
    Interface::find(name).map_err(|error| Failure::new(Exit::Io, format!("{name}: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_as_typed() {
        let check = |text: &str, expected: Option<(&str, Option<[u8; 4]>)>| {
            let expected =
                expected.map(|(name, address)| (name.to_owned(), address.map(Into::into)));
            assert_eq!(named(text).ok(), expected, "{text}");
        };
        check("CiscoCM1", Some(("CiscoCM1", None)));
        check("pbx.example=10.99.0.5", Some(("pbx.example", Some([10, 99, 0, 5]))));
        check("pbx.example=pbx", None);
        check("pbx.example=", None);
    }
}
