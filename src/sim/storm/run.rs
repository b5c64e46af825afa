//! Runs a storm: every phone a task, all of them on one ground.

use std::{
    net::{Ipv4Addr, SocketAddrV4},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    task::JoinSet,
    time::{Instant, sleep_until},
};

use super::{
    super::{
        Network, Way,
        fetch::{Fetched, Loss},
    },
    Means, Outcome, Plan, StormError,
    ground::{Borrowed, Reach},
    hub::Hub,
    pace::{Dice, Pace},
    phone::{Life, Source},
    record::{Cause, Counts, Record},
};
use crate::net::Interface;

/// What all phones of a storm share.
#[derive(Debug)]
pub(super) struct Ground {
    pub hub: Hub,
    pub pace: Pace,
    pub reach: Arc<Reach>,
    pub source: Source,
    pub ports: Network,
    pub loss: Loss,
    pub began: Instant,
    records: Mutex<Vec<Record>>,
    dhcp: [AtomicU64; 3],
    files: [AtomicU64; 5],
}

impl Ground {
    /// Changes one phone's record.
    pub fn note(&self, at: usize, change: impl FnOnce(&mut Record)) {
        let mut records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(record) = records.get_mut(at) {
            change(record);
        }
    }

    /// A DHCP message leaves.
    pub fn dhcp(&self, again: bool) {
        self.dhcp[0].fetch_add(1, Ordering::Relaxed);
        self.dhcp[1].fetch_add(again.into(), Ordering::Relaxed);
    }

    /// A NAK came.
    pub fn nak(&self) {
        self.dhcp[2].fetch_add(1, Ordering::Relaxed);
    }

    /// A file was asked for, and this came of it.
    pub fn count(&self, fetched: &Fetched) {
        let (kind, bytes) = match fetched {
            Fetched::Got(bytes) => (1, bytes.len()),
            Fetched::Missed => (2, 0),
            Fetched::Failed => (3, 0),
        };
        self.files[0].fetch_add(1, Ordering::Relaxed);
        self.files[kind].fetch_add(1, Ordering::Relaxed);
        self.files[4].fetch_add(u64::try_from(bytes).unwrap_or(0), Ordering::Relaxed);
    }

    fn counts(&self) -> Counts {
        let [dhcp_sent, dhcp_resent, naks] =
            self.dhcp.each_ref().map(|count| count.load(Ordering::Relaxed));
        let [asked, got, missed, failed, bytes] =
            self.files.each_ref().map(|count| count.load(Ordering::Relaxed));
        let strangers = self.hub.strangers.load(Ordering::Relaxed);
        let held = self.pace.held();
        Counts { dhcp_sent, dhcp_resent, naks, strangers, asked, got, missed, failed, bytes, held }
    }
}

/// A storm that is under way. Dropping it switches every phone off and gives borrowed addresses back.
#[derive(Debug)]
pub struct Storm {
    ground: Arc<Ground>,
    plan: Plan,
    way: Way,
    tasks: JoinSet<()>,
}

impl Storm {
    /// Switches the phones on, over the time that the plan says. Must be called within a tokio runtime.
    ///
    /// # Errors
    ///
    /// [`StormError`]: the server is too far away, there is no such interface, or the system says no.
    pub async fn begin(mut plan: Plan) -> Result<Self, StormError> {
        let reach = Reach::here(plan.anywhere).map_err(StormError::Interfaces)?;
        let server = *plan.server.ip();
        let (hub, way, source) = match plan.means.clone() {
            Means::Relay { address, take } => {
                if !reach.allows(server) {
                    return Err(StormError::Far(server));
                }
                let source = source(address, server, take)?;
                let socket = SocketAddrV4::new(server, plan.server.port());
                let hub = Hub::relay(address, socket, plan.loss).await;
                let (hub, way) = hub.map_err(|error| StormError::Relay(address, error))?;
                (hub, way, source)
            }
            Means::Interface(name) => {
                let found = Interface::find(&name).map_err(StormError::Interfaces)?;
                let found = found.ok_or_else(|| StormError::NoInterface(name.clone()))?;
                let hub = Hub::stations(found.index, server, plan.loss);
                let hub = hub.map_err(|error| StormError::Frames(name, error))?;
                (hub, Way::Station, Source::Borrowed(Borrowed::on(found.index)))
            }
        };
        for phone in &mut plan.phones {
            phone.subject.way = way;
        }
        let records =
            plan.phones.iter().map(|phone| Record { spoilt: phone.spoilt, ..Record::default() });
        let ground = Arc::new(Ground {
            hub,
            pace: Pace::new(plan.rate),
            reach: Arc::new(reach),
            source,
            ports: plan.ports,
            loss: plan.loss,
            began: Instant::now(),
            records: Mutex::new(records.collect()),
            dhcp: Default::default(),
            files: Default::default(),
        });
        let mut storm = Self { ground, plan, way, tasks: JoinSet::new() };
        storm.switch_on();
        Ok(storm)
    }

    fn switch_on(&mut self) {
        for (at, phone) in self.plan.phones.iter().cloned().enumerate() {
            let ground = Arc::clone(&self.ground);
            let seed = self.plan.seed.wrapping_add(u64::try_from(at).unwrap_or(0));
            let mut dice = Dice(seed.wrapping_mul(0x2545_f491_4f6c_dd1d));
            let on = ground.began + dice.time(self.plan.arrive);
            self.tasks.spawn(async move {
                sleep_until(on).await;
                Life { at, phone, ground: &ground, dice, kept: None }.live().await;
            });
        }
    }

    /// Returns when every phone is through. Cancel-safe: a phone that ended is counted in its record already.
    pub async fn through(&mut self) {
        while self.tasks.join_next().await.is_some() {}
    }

    /// How the phones reach DHCP: through a relay on port 67 or on another one, or as stations.
    #[must_use]
    pub const fn way(&self) -> Way {
        self.way
    }

    /// What became of the phones so far. Who is still at it is unfinished.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        let took = self.ground.began.elapsed();
        let mut records =
            self.ground.records.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let unfinished =
            |record: &&mut Record| record.done.is_none() && record.configured.is_none();
        for record in records.iter_mut().filter(unfinished) {
            let unheard = record.on.is_some() && record.offer.is_none() && record.leased.is_none();
            record.cause = Some(if unheard { Cause::NoOffer } else { Cause::Unfinished });
        }
        Outcome { phones: self.plan.phones.clone(), records, counts: self.ground.counts(), took }
    }

    /// How many phones are on, leased, configured, upgraded and through.
    #[must_use]
    pub fn progress(&self) -> [usize; 5] {
        let records = self.ground.records.lock().unwrap_or_else(PoisonError::into_inner);
        let count = |of: fn(&Record) -> Option<Duration>| {
            records.iter().filter(|record| of(record).is_some()).count()
        };
        [
            count(|record| record.on),
            count(|record| record.leased),
            count(|record| record.configured),
            count(|record| record.upgraded),
            count(|record| record.done),
        ]
    }
}

/// From where phones behind a relay ask for files.
fn source(relay: Ipv4Addr, server: Ipv4Addr, take: bool) -> Result<Source, StormError> {
    if relay.is_loopback() && server.is_loopback() {
        return Ok(Source::Leased);
    }
    if !take {
        return Ok(Source::Own(relay));
    }
    let all = Interface::all().map_err(StormError::Interfaces)?;
    let holder = all.into_iter().find(|found| found.addresses.iter().any(|(own, _)| *own == relay));
    let holder = holder
        .ok_or_else(|| StormError::Relay(relay, std::io::ErrorKind::AddrNotAvailable.into()))?;
    Ok(Source::Borrowed(Borrowed::on(holder.index)))
}
