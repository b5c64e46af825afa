//! The driver: datagrams in, verdicts carried out, one task per port.

use std::{
    collections::HashSet,
    future::Future,
    net::{Ipv4Addr, SocketAddrV4},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::watch,
    task::JoinSet,
    time::{MissedTickBehavior, interval, sleep},
};

use crate::{
    domain::{Batch, Change, Commit, Mac, Timestamp},
    provision::{ClientKind, Service},
    store::CommitError,
    telemetry::Counters,
    wire::dhcp::{Kind, Message, Reply, code},
};

use super::{
    DhcpError,
    arrival::{Arrival, To},
    conflict::{Question, Unproven, prove},
    desk::{Desk, Place, wanted},
    offers::Offers,
    port::{Port, Presence},
    responder::{Responder, Verdict},
};

/// The longest datagram that is read whole; a longer one has lost its last options.
const LONGEST: usize = 4096;

/// The most replies of a port that wait for the disk. One more waits in the socket, and clients send again.
const MAX_PENDING: usize = 4096;

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

/// What a client sends again unchanged when the answer is late.
pub(super) type Transaction = (Mac, u32, Kind);

/// A reply with its way.
#[derive(Debug)]
pub(super) struct Parcel {
    bytes: Vec<u8>,
    to: To,
    from: Ipv4Addr,
    kind: Kind,
    xid: u32,
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
    let mut pending = Pending::default();
    let mut buffer = vec![0; LONGEST];
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
            heard = port.hear() => match heard {
                Ok(Some(arp)) => shared.heard(&arp),
                Ok(None) => {}
                Err(error) => {
                    tracing::debug!(%error, port = port.name, "can't hear ARP");
                    sleep(REST).await;
                }
            },
            received = port.recv(&mut buffer), if pending.has_room() => match received {
                Ok((length, peer, local)) => {
                    let due = shared.isolated(&port, (&buffer[..length], peer, local), None);
                    carry_out(&port, &shared, due, &mut pending).await;
                }
                Err(error) => {
                    shared.counters.count("dhcp", "receive-failed");
                    tracing::debug!(%error, port = port.name, "can't receive");
                    sleep(REST).await;
                }
            },
        }
    };
    while !pending.is_empty() {
        pending.one().await;
    }
    end
}

/// Waits until it is time to stop, or nobody is left who could say so. Cancel-safe.
pub(super) async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

async fn carry_out(port: &Arc<Port>, shared: &Arc<Shared>, due: Due, pending: &mut Pending) {
    match due {
        Due::Nothing => {}
        Due::Send(parcel) => send(port, &shared.counters, &parcel).await,
        Due::Prove(offer) => {
            // The same DISCOVER again finds its offer made, and is answered at once: one that waits is enough.
            let transaction = (offer.asker, offer.parcel.xid, Kind::Discover);
            pending.push(transaction, prove(Arc::clone(port), Arc::clone(shared), *offer));
        }
        Due::Commit { batch, parcel, transaction } => {
            if pending.waits(transaction) {
                // The same REQUEST again while its lease is on its way to the disk: one ACK will do.
                shared.counters.count("dhcp", "repeated");
                return;
            }
            // Queued here, in the order of the datagrams; only the waiting is somebody else's.
            let fact = shared.service.commit(batch);
            let (port, counters) = (Arc::clone(port), shared.counters.clone());
            pending.push(transaction, async move { settle(fact, parcel, &port, &counters).await });
        }
    }
}

/// Waits until a batch is fact, then sends the reply; if it does not become fact, nothing leaves.
async fn settle(
    fact: impl Future<Output = Result<Arc<Commit>, CommitError>>,
    parcel: Option<Parcel>,
    port: &Port,
    counters: &Counters,
) {
    match fact.await {
        Ok(_) => {
            if let Some(parcel) = parcel {
                send(port, counters, &parcel).await;
            }
        }
        Err(CommitError::Taken(claim)) => {
            // Another client was faster. This one asks again, and learns it then.
            counters.count("dhcp", "taken");
            tracing::debug!(?claim, "no ACK");
        }
        Err(error) => {
            counters.count("dhcp", "not-committed");
            tracing::debug!(%error, "no ACK");
        }
    }
}

pub(super) async fn send(port: &Port, counters: &Counters, parcel: &Parcel) {
    counters.count("dhcp", name(parcel.kind));
    if let Err(error) = port.send(&parcel.bytes, parcel.to, parcel.from).await {
        counters.count("dhcp", "send-failed");
        tracing::debug!(%error, to = ?parcel.to, port = port.name, "can't send");
    }
}

/// Replies that wait for the disk.
#[derive(Debug, Default)]
struct Pending {
    tasks: JoinSet<Transaction>,
    transactions: HashSet<Transaction>,
}

impl Pending {
    fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }

    fn has_room(&self) -> bool {
        self.tasks.len() < MAX_PENDING
    }

    fn waits(&self, transaction: Transaction) -> bool {
        self.transactions.contains(&transaction)
    }

    fn push(&mut self, transaction: Transaction, task: impl Future<Output = ()> + Send + 'static) {
        self.transactions.insert(transaction);
        self.tasks.spawn(async move {
            task.await;
            transaction
        });
    }

    /// Waits for one of them. Cancel-safe.
    async fn one(&mut self) {
        match self.tasks.join_next().await {
            Some(Ok(transaction)) => {
                self.transactions.remove(&transaction);
            }
            Some(Err(error)) => {
                tracing::error!(%error, "a reply broke");
                // Which one is not told; forgetting all costs at most an ACK too many.
                self.transactions.clear();
            }
            None => {}
        }
    }
}

impl Shared {
    /// What was promised. Locked before the state is read, wherever both are.
    pub(super) fn offers(&self) -> MutexGuard<'_, Offers> {
        self.offers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Handles one datagram so that nothing in it can hurt the next.
    pub(super) fn isolated(&self, port: &Port, came: Came<'_>, in_use: Option<Ipv4Addr>) -> Due {
        // What unwinding may leave half done is the offers, each of whose maps is right by itself.
        let handled = catch_unwind(AssertUnwindSafe(|| self.handle(port, came, in_use)));
        handled.unwrap_or_else(|_| {
            self.counters.count("dhcp", "panicked");
            Due::Nothing
        })
    }

    /// `in_use` is the address that it was to be offered, where somebody was found using it.
    fn handle(&self, port: &Port, came: Came<'_>, in_use: Option<Ipv4Addr>) -> Due {
        let (datagram, peer, local) = came;
        let message = match Message::request(datagram) {
            Ok(message) => message,
            Err(error) => {
                self.counters.count("dhcp", error.as_str());
                tracing::debug!(%error, %peer, port = port.name, "not a DHCP request");
                return Due::Nothing;
            }
        };
        self.counters.count("dhcp", name(message.kind()));
        let now = Timestamp::now();
        let own = port.own();
        let arrival = Arrival { message: &message, peer, local, own: &own, vlan: port.vlan() };
        let provisioner = self.service.provisioner();
        let client = provisioner.client(message.mac(), &arrival.seen(), now);
        if matches!(client.kind, ClientKind::NotPhone(_)) {
            self.counters.count("dhcp", "not-a-phone");
        }
        let mut offers = self.offers();
        let state = self.service.view.read();
        let mut responder =
            Responder { provisioner: &provisioner, state: &state, offers: &mut offers, now };
        let verdict = match in_use {
            Some(address) => responder.in_use(&arrival, &client, address),
            None => responder.decide(&arrival, &client),
        };
        drop(state);
        drop(offers);
        self.due(&arrival, datagram, verdict)
    }

    fn due(&self, arrival: &Arrival<'_>, datagram: &[u8], verdict: Verdict) -> Due {
        match verdict {
            Verdict::Answer { reply, changes, unproven: Some(address) } => {
                let Arrival { peer, local, .. } = *arrival;
                let question = Question { datagram: datagram.to_vec(), peer, local };
                let (asker, parcel) = (arrival.message.mac(), parcel(arrival, &reply));
                Due::Prove(Box::new(Unproven { question, asker, address, parcel, changes }))
            }
            Verdict::Answer { reply, changes, unproven: None } => {
                self.record(changes);
                Due::Send(parcel(arrival, &reply))
            }
            Verdict::Bind { reply, batch } => Due::Commit {
                batch,
                parcel: reply.map(|reply| parcel(arrival, &reply)),
                transaction: (arrival.message.mac(), arrival.message.xid(), arrival.message.kind()),
            },
            Verdict::Ignore { silence, changes } => {
                self.counters.count("dhcp", silence.as_str());
                self.record(changes);
                Due::Nothing
            }
        }
    }

    pub(super) fn record(&self, changes: Vec<Change>) {
        for change in changes {
            self.service.recorder.record(change);
        }
    }
}

fn parcel(arrival: &Arrival<'_>, reply: &Reply) -> Parcel {
    let own = reply.find(code::SERVER_ID).and_then(|octets| octets.first_chunk::<4>());
    // The address that a relay gives us in our place is not one that we can send from.
    let own = own.filter(|_| arrival.stand_in().is_none());
    let from = own.map_or(arrival.local, |octets| Ipv4Addr::from(*octets));
    let xid = arrival.message.xid();
    Parcel { xid, bytes: reply.encode(), to: arrival.reply_to(reply), from, kind: reply.kind() }
}

/// The counter's name.
const fn name(kind: Kind) -> &'static str {
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
