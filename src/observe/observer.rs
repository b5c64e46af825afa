//! The driver: frames in, verdicts carried out, one task per interface.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    sync::watch,
    task::JoinSet,
    time::{MissedTickBehavior, interval, sleep},
};

use crate::{domain::Timestamp, provision::Service, telemetry::Counters};

use super::{
    ObserveError,
    desk::{Desk, wanted},
    memory::Memory,
    overheard::Overheard,
    port::Port,
    watcher::Verdict,
};

/// The longest frame that is read whole; a longer one is cut, and its checks fail.
const LONGEST: usize = 4096;

/// The most leases of an interface that wait for the disk. One more frame waits in the socket, and when that is full
/// the kernel drops: the next renewal or ARP tells it again.
const MAX_PENDING: usize = 4096;

/// How often an interface is looked at again.
const REFRESH: Duration = Duration::from_secs(1);

/// How long an interface rests after the system refused to read, so that a dead one does not eat a processor.
const REST: Duration = Duration::from_millis(100);

/// Interfaces that are open and not listened to yet.
#[derive(Debug)]
pub struct Observer {
    ports: Vec<Port>,
    shared: Arc<Shared>,
}

#[derive(Debug)]
pub(super) struct Shared {
    pub service: Arc<Service>,
    counters: Counters,
    memory: Mutex<Memory>,
}

impl Observer {
    /// Opens the interfaces of the settings, or none where they say something else than to observe. With `wait`, one that
    /// is not there yet is waited for.
    ///
    /// # Errors
    ///
    /// [`ObserveError`], naming the interface and the cure.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub fn open(
        service: Arc<Service>,
        counters: Counters,
        wait: bool,
    ) -> Result<Self, ObserveError> {
        let names = wanted(&service.provisioner().settings().dhcp);
        let open = |name: String| match Port::open(&name) {
            Err(ObserveError::NoSuchInterface { .. }) if wait => Ok(Port::awaited(name)),
            opened => opened,
        };
        let ports = names.into_iter().map(open).collect::<Result<_, _>>()?;
        let memory = Mutex::new(Memory::new());
        Ok(Self { ports, shared: Arc::new(Shared { service, counters, memory }) })
    }

    /// Listens until `stop` turns true, then waits for the leases that are on their way to the disk. Follows the
    /// settings: an interface that they name anew is listened to as soon as it is there, one that they drop is left.
    pub async fn serve(self, mut stop: watch::Receiver<bool>) {
        let Self { ports, shared } = self;
        let mut replaced = shared.service.replaced();
        let mut desk = Desk::new(shared);
        for port in ports {
            desk.attend(port);
        }
        desk.follow();
        loop {
            // All three are cancel-safe.
            tokio::select! {
                () = stopped(&mut stop) => break,
                Ok(()) = replaced.changed() => desk.follow(),
                // What is heard on the others is half the truth: better none, and started anew.
                broken = desk.ended() => if broken { break },
            }
        }
        desk.close().await;
    }
}

/// Listens to one interface until it is to be left.
pub(super) async fn listen(mut port: Port, shared: Arc<Shared>, mut stop: watch::Receiver<bool>) {
    let mut pending = JoinSet::new();
    let mut buffer = vec![0; LONGEST];
    let mut refresh = interval(REFRESH);
    refresh.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        // Every branch may be dropped at its await: none has taken anything by then.
        tokio::select! {
            () = stopped(&mut stop) => break,
            Some(_) = pending.join_next() => {}
            _ = refresh.tick() => {
                let deaf = port.refresh();
                shared.notice(&port.name, deaf);
            }
            heard = port.recv(&mut buffer), if pending.len() < MAX_PENDING => match heard {
                Ok(heard) => {
                    let verdict = shared.isolated(&port, &buffer[..heard.length], heard.summed);
                    if let Some(verdict) = verdict {
                        shared.carry_out(verdict, &mut pending);
                    }
                }
                Err(error) => {
                    shared.counters.count("observe", "receive-failed");
                    tracing::debug!(%error, interface = port.name, "can't receive");
                    sleep(REST).await;
                }
            },
        }
    }
    while pending.join_next().await.is_some() {}
    shared.service.notices.set(&about(&port.name), None);
}

/// What notices about an interface are kept under.
fn about(interface: &str) -> String {
    format!("observe {interface}")
}

/// Waits until it is time to stop, or nobody is left who could say so. Cancel-safe.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

impl Shared {
    /// Puts on the page, or takes off it, why nothing is heard on an interface; each change goes to the log once.
    fn notice(&self, interface: &str, deaf: Option<String>) {
        let told = deaf.clone();
        if self.service.notices.set(&about(interface), deaf) {
            if let Some(text) = told {
                tracing::warn!("{text}");
            } else {
                tracing::info!("DHCP is observed on {interface} now");
            }
        }
    }

    /// Handles one frame so that nothing in it can hurt the next; `None` for what can't be read.
    fn isolated(&self, port: &Port, frame: &[u8], summed: bool) -> Option<Verdict> {
        // What unwinding may leave half done is the memory, each of whose maps is right by itself.
        let handled = catch_unwind(AssertUnwindSafe(|| self.handle(port, frame, summed)));
        handled.unwrap_or_else(|_| {
            self.counters.count("observe", "panicked");
            None
        })
    }

    fn handle(&self, port: &Port, frame: &[u8], summed: bool) -> Option<Verdict> {
        let overheard = match Overheard::read(frame, summed) {
            Ok(overheard) => overheard,
            Err(unread) => {
                self.counters.count("observe", unread.as_str());
                tracing::debug!(?unread, interface = port.name, "not read");
                return None;
            }
        };
        let provisioner = self.service.provisioner();
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        let ours = |address| port.is_ours(address);
        Some(overheard.decide(&ours, &provisioner, &mut memory, Timestamp::now()))
    }

    fn carry_out(&self, verdict: Verdict, pending: &mut JoinSet<()>) {
        match verdict {
            Verdict::Commit(changes) => {
                self.counters.count("observe", "committed");
                // Queued here, in the order of the frames; only the waiting is somebody else's.
                let fact = self.service.commit(changes.into());
                let counters = self.counters.clone();
                pending.spawn(async move {
                    if let Err(error) = fact.await {
                        counters.count("observe", "not-committed");
                        tracing::debug!(%error, "a lease is not on record");
                    }
                });
            }
            Verdict::Record(changes) => {
                self.counters.count("observe", "recorded");
                for change in changes {
                    self.service.recorder.record(change);
                }
            }
            Verdict::Ignore(silence) => self.counters.count("observe", silence.as_str()),
        }
    }
}
