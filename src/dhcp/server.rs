//! The driver: one task per port, which takes in what comes and goes from round to round.

use std::{
    convert::Infallible,
    net::{Ipv4Addr, SocketAddrV4},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::watch,
    task::yield_now,
    time::{MissedTickBehavior, interval, sleep},
};

use crate::{
    domain::{Batch, Timestamp},
    net::Inbox,
    provision::Service,
    telemetry::Counters,
    wire::dhcp::Kind,
};

use super::{
    DhcpError,
    arrival::To,
    conflict::Unproven,
    desk::{Desk, Place, wanted},
    offers::Offers,
    pending::{Pending, Transaction},
    port::{Port, Presence},
    ring::Ring,
    round::{ROUND, go_round},
};

/// The longest datagram that is read whole; a longer one has lost its last options.
const LONGEST: usize = 4096;

/// How often an interface is looked at again. One that was made anew gets a new socket this late at most, and phones
/// send a DISCOVER again after four seconds.
const REFRESH: Duration = Duration::from_secs(1);

/// How long a port rests after the system refused to read, so that a dead interface does not eat a processor.
const REST: Duration = Duration::from_millis(100);

/// A bound DHCP server.
#[derive(Debug)]
pub struct Dhcp {
    /// Where it serves; a place without a port is waited for.
    ports: Vec<(Place, Option<Port>)>,
    shared: Arc<Shared>,
}

/// What is done at the start about an interface that is not there or has no address.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Late {
    /// It is an error: whoever typed it is there to correct it.
    #[default]
    Refuse,
    /// It is waited for: at boot, interfaces come when they come.
    Wait,
}

#[derive(Debug)]
pub(super) struct Shared {
    pub service: Arc<Service>,
    pub counters: Counters,
    offers: Mutex<Offers>,
}

/// Why a port is served no more.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum End {
    /// It was to stop.
    Stopped,
    /// Its interface is gone.
    Gone,
}

/// What is due to one datagram, ready to be carried out.
pub(super) enum Due {
    Nothing,
    Send(Parcel),
    /// An offer, once the wire has nothing against it.
    Prove(Box<Unproven>),
    Commit {
        batch: Batch,
        parcel: Option<Parcel>,
        transaction: Transaction,
    },
}

/// A reply with its way.
#[derive(Debug)]
pub(super) struct Parcel {
    pub bytes: Vec<u8>,
    pub to: To,
    pub from: Ipv4Addr,
    pub kind: Kind,
    pub xid: u32,
}

/// A datagram, who sent it, and which of our addresses it was sent to.
pub(super) type Came<'a> = (&'a [u8], SocketAddrV4, Ipv4Addr);

impl Dhcp {
    /// Binds the interfaces and the relay listener of the settings.
    ///
    /// # Errors
    ///
    /// [`DhcpError`], naming the interface and the cure; one that may come later is none with [`Late::Wait`].
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub fn bind(service: Arc<Service>, counters: Counters, late: Late) -> Result<Self, DhcpError> {
        let places = wanted(&service.provisioner().settings().dhcp);
        let offers = Mutex::new(Offers::new());
        let shared = Arc::new(Shared { service, counters, offers });
        let mut ports = Vec::new();
        for place in places {
            let port = match place.open() {
                Ok(port) => Some(port),
                Err(error) if late == Late::Wait && error.may_pass() => {
                    shared.waits_for(&place, &error);
                    None
                }
                Err(error) => return Err(error),
            };
            ports.push((place, port));
        }
        Ok(Self { ports, shared })
    }

    /// Serves until `stop` turns true, then sends the replies that still wait for the disk. Follows the settings: an
    /// interface that they name anew is served as soon as it is there, one that they drop is left.
    pub async fn serve(self, mut stop: watch::Receiver<bool>) {
        let Self { ports, shared } = self;
        let mut replaced = shared.service.replaced();
        let mut desk = Desk::new(shared);
        for (place, port) in ports {
            desk.attend(place, port);
        }
        desk.follow();
        loop {
            // All three are cancel-safe.
            tokio::select! {
                () = stopped(&mut stop) => break,
                Ok(()) = replaced.changed() => desk.follow(),
                // One that breaks would leave its phones without a word: better none, and started anew.
                broken = desk.ended() => if broken { break },
            }
        }
        desk.close().await;
    }
}

/// Serves one port until it is to stop or its interface is gone.
pub(super) async fn listen(
    port: Arc<Port>,
    shared: Arc<Shared>,
    mut stop: watch::Receiver<bool>,
) -> End {
    let (mut ring, mut inbox) = (Ring::new(), Inbox::new(ROUND, LONGEST));
    let mut pending = Pending::default();
    let mut refresh = interval(REFRESH);
    refresh.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let end = loop {
        // Every branch may be dropped at its await: none has taken anything by then.
        tokio::select! {
            () = stopped(&mut stop) => break End::Stopped,
            () = pending.one(), if !pending.is_empty() => {}
            _ = refresh.tick() => match port.refresh() {
                Presence::Here => {
                    shared.notice(&port.name, None);
                    shared.notice_conflicts(Timestamp::now());
                }
                Presence::Idle(text) => shared.notice(&port.name, Some(text)),
                Presence::Gone => break End::Gone,
            },
            // Also while the disk is behind: who asks again meanwhile replaces what he asked before.
            received = port.receive(&mut inbox) => match received {
                Ok(_) => shared.take_in(&inbox, &mut ring),
                Err(error) => {
                    shared.counters.count("dhcp", "receive-failed");
                    tracing::debug!(%error, port = port.name, "can't receive");
                    sleep(REST).await;
                }
            },
            // The next round, when all the others have had their say.
            () = yield_now(), if !ring.is_empty() && pending.has_room() => {}
        }
        if !ring.is_empty() && pending.has_room() {
            go_round(&port, &shared, (&mut ring, &mut inbox), &mut pending).await;
        }
    };
    while !pending.is_empty() {
        pending.one().await;
    }
    end
}

/// Takes in the ARP of a port as it comes, as long as nobody drops it: in a task of its own, because silence counts as
/// proof, and must not be that of somebody who is busy.
pub(super) async fn hear(port: Arc<Port>, shared: Arc<Shared>) -> Infallible {
    loop {
        match port.hear().await {
            Ok(Some(arp)) => shared.heard(&arp),
            Ok(None) => {}
            Err(error) => {
                tracing::debug!(%error, port = port.name, "can't hear ARP");
                sleep(REST).await;
            }
        }
    }
}

/// Waits until it is time to stop, or nobody is left who could say so. Cancel-safe.
pub(super) async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

pub(super) async fn send(port: &Port, counters: &Counters, parcel: &Parcel) {
    send_all(port, counters, std::slice::from_ref(parcel)).await;
}

/// Sends replies in this order; what the system does not take of them costs the others nothing.
pub(super) async fn send_all(port: &Port, counters: &Counters, parcels: &[Parcel]) {
    for parcel in parcels {
        counters.count("dhcp", name(parcel.kind));
    }
    let replies = parcels.iter().map(|it| (&it.bytes[..], it.to, it.from));
    let (lost, error) = port.send_all(replies).await;
    for _ in 0..lost {
        counters.count("dhcp", "send-failed");
    }
    if let Some(error) = error {
        tracing::debug!(%error, lost, port = port.name, "can't send");
    }
}

impl Shared {
    /// What was promised. Locked before the state is read, wherever both are.
    pub(super) fn offers(&self) -> MutexGuard<'_, Offers> {
        self.offers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The counter's name.
pub(super) const fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::Discover => "discover",
        Kind::Offer => "offer",
        Kind::Request => "request",
        Kind::Decline => "decline",
        Kind::Ack => "ack",
        Kind::Nak => "nak",
        Kind::Release => "release",
        Kind::Inform => "inform",
    }
}
