//! `/api/v1/events`: server-sent events from the feed, resumable across connections and restarts.

use std::{
    collections::{BTreeMap, HashMap},
    convert::Infallible,
    net::Ipv4Addr,
    sync::Arc,
    time::Duration,
};

use axum::{
    Extension,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{
        IntoResponse,
        sse::{Event, KeepAlive, Sse},
    },
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::{
    OwnedSemaphorePermit,
    broadcast::error::{RecvError, TryRecvError},
    mpsc, watch,
};
use tokio_stream::wrappers::ReceiverStream;
use utoipa::IntoParams;

use crate::domain::{Change, Commit, FindingKind, Mac, StagingId, Timestamp};

use super::{
    super::{
        connection::asked_to_stop,
        operators::{Caller, Operators},
    },
    batch_view::BatchView,
    problem::{Details, Params, switch},
    view::{FindingView, LeaseView, PhoneView},
};

/// Time between signs of life, well within a proxy's usual minute.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// Events under way to one watcher. When they are full the stream waits, the feed runs ahead, and what was missed is
/// sent again from the state.
const UNDER_WAY: usize = 64;

/// Commits taken together: a phone that changed in several of them is sent once.
const AT_A_TIME: usize = 1024;

/// Which events, and how much of each.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct Chosen {
    /// Only events of this kind: phone, finding, lease or import.
    only: Option<String>,
    /// Phones without evidence and transfers (their lists are empty).
    #[serde(deserialize_with = "switch")]
    brief: bool,
}

/// What an event stream sends, ended or not.
type Ended = Result<(), mpsc::error::SendError<Result<Event, Infallible>>>;

/// Streams what becomes fact.
///
/// Each event is one thing as it is now: `phone`, `finding` (new ones of a phone), `lease`, `import`, `batch`. Its `id`
/// is the number of the commit that changed it. With `Last-Event-ID`, everything that changed since comes first; after a
/// commit that changed several things, those of that very commit come again, because the connection may have ended
/// between them. A phone that was forgotten is `{"mac":…,"forgotten":true}`; that is not repeated after a resume. Where
/// nothing else came for 15 s, an `alive` without a number does.
#[utoipa::path(get, path = "/api/v1/events", tag = "events",
    params(Chosen, ("Last-Event-ID" = Option<u64>, Header, description = "Number of the last commit that arrived")),
    responses((status = 200, content_type = "text/event-stream"), (status = 503, body = Details)))]
pub async fn events(
    State(operators): State<Operators>,
    caller: Option<Extension<Caller>>,
    Params(chosen): Params<Chosen>,
    headers: HeaderMap,
) -> Result<impl IntoResponse, Details> {
    let Ok(permit) = Arc::clone(&operators.streams).try_acquire_owned() else {
        return Err(Details::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "too many event streams are open",
        ));
    };
    let from = match headers.get("last-event-id") {
        None => None,
        Some(id) => {
            let id = id.to_str().ok().and_then(|id| id.trim().parse().ok());
            Some(id.ok_or_else(|| Details::bad("Last-Event-ID is no commit number"))?)
        }
    };
    let (sender, receiver) = mpsc::channel(UNDER_WAY);
    let watcher = Watcher { operators, sender, chosen, known: HashMap::new(), last: 0 };
    tokio::spawn(watcher.run(from, caller.map(|Extension(caller)| caller.stop), permit));
    Ok(Sse::new(ReceiverStream::new(receiver)).keep_alive(alive()))
}

/// What is sent where nothing else was for a while. An event, for a browser hides comments from its page, which could
/// then not tell a quiet appliance from a cable that is pulled.
pub fn alive() -> KeepAlive {
    KeepAlive::new().interval(HEARTBEAT).event(Event::default().event("alive").data("{}"))
}

/// One event stream. Its task ends when the watcher goes, or the appliance stops.
struct Watcher {
    operators: Operators,
    sender: mpsc::Sender<Result<Event, Infallible>>,
    chosen: Chosen,
    /// Findings sent, by phone; phones without any are not in here, so it is never larger than the state.
    known: HashMap<Mac, Vec<FindingKind>>,
    last: u64,
}

/// Resolves when the appliance stops. A router without an appliance around it has nobody who would say so.
async fn stopped(stop: Option<watch::Receiver<bool>>) {
    match stop {
        Some(mut stop) => asked_to_stop(&mut stop).await,
        None => std::future::pending().await,
    }
}

/// What changed, with the number of the last commit that changed it.
#[derive(Default)]
struct Dirty {
    phones: HashMap<Mac, u64>,
    leases: HashMap<Ipv4Addr, u64>,
    /// Commits with changes of the inventory: entries listed, entries removed.
    imports: BTreeMap<u64, (usize, usize)>,
    batches: HashMap<StagingId, u64>,
    last: u64,
}

impl Watcher {
    async fn run(
        mut self,
        from: Option<u64>,
        stop: Option<watch::Receiver<bool>>,
        _permit: OwnedSemaphorePermit,
    ) {
        let gone = self.sender.clone();
        // Dropping the watch half way loses nothing: the stream ends with it, and the next one resumes by number.
        tokio::select! {
            ended = self.watch(from) => drop(ended),
            () = gone.closed() => {}
            () = stopped(stop) => {}
        }
    }

    async fn watch(&mut self, from: Option<u64>) -> Ended {
        // Listening begins before the state is read, so that nothing falls between the two.
        let mut news = self.operators.service.feed.watch();
        match from {
            Some(id) => self.catch_up(id).await?,
            None => self.last = self.operators.service.view.read().commit,
        }
        loop {
            let mut dirty = Dirty::default();
            match news.recv().await {
                Ok(commit) => dirty.add(&commit),
                Err(RecvError::Closed) => return Ok(()),
                Err(RecvError::Lagged(_)) => {
                    self.catch_up(self.last).await?;
                    continue;
                }
            }
            let mut lagged = false;
            for _ in 1..AT_A_TIME {
                match news.try_recv() {
                    Ok(commit) => dirty.add(&commit),
                    Err(TryRecvError::Lagged(_)) => lagged = true,
                    Err(TryRecvError::Empty | TryRecvError::Closed) => break,
                }
            }
            if lagged {
                self.catch_up(self.last).await?;
            } else if dirty.last > self.last {
                let already = self.last;
                dirty.phones.retain(|_, number| *number > already);
                dirty.leases.retain(|_, number| *number > already);
                dirty.imports.retain(|number, _| *number > already);
                self.tell(dirty).await?;
            }
        }
    }

    /// Sends everything that changed after commit `id`, out of the state: no history is needed for it.
    async fn catch_up(&mut self, id: u64) -> Ended {
        let dirty = {
            let state = self.operators.service.view.read();
            // A number from another life of the state directory means nothing here.
            let id = if id > state.commit { 0 } else { id };
            // The connection may have ended between the things of one commit: then they come again.
            let changed = |mac: Mac| Some((mac, state.phones.get(&mac)?.changed));
            let from_id = || state.changed_since(id.saturating_sub(1)).filter_map(changed);
            let several = from_id().nth(1).is_some_and(|(_, second)| second == id);
            let is_due = |changed: u64| changed > id || several && changed == id;
            let phones: HashMap<_, _> = from_id().filter(|(_, changed)| is_due(*changed)).collect();
            let leases = state
                .leases
                .iter()
                .filter_map(|(address, lease)| Some((*address, *phones.get(&lease.mac)?)))
                .collect();
            let batches = state.stagings.iter().filter(|(_, one)| is_due(one.changed));
            let batches = batches.map(|(batch, one)| (*batch, one.changed)).collect();
            Dirty { phones, leases, imports: BTreeMap::new(), batches, last: state.commit }
        };
        self.tell(dirty).await
    }

    /// Sends what changed, in the order of the commits, so that whoever resumes at any of them loses nothing.
    async fn tell(&mut self, mut dirty: Dirty) -> Ended {
        {
            let (state, last) = (self.operators.service.view.read(), self.last);
            let changed = state.stagings.iter().filter(|(_, one)| one.changed > last);
            dirty.batches.extend(changed.map(|(id, one)| (*id, one.changed)));
        }
        let mut order: Vec<(u64, Thing)> = Vec::new();
        order.extend(
            dirty.leases.into_iter().map(|(address, number)| (number, Thing::Lease(address))),
        );
        order.extend(dirty.phones.into_iter().map(|(mac, number)| (number, Thing::Phone(mac))));
        order.extend(
            dirty.imports.into_iter().map(|(number, counts)| (number, Thing::Import(counts))),
        );
        order.extend(dirty.batches.into_iter().map(|(id, number)| (number, Thing::Batch(id))));
        order.sort_unstable();
        for (number, thing) in order {
            match thing {
                Thing::Lease(address) => self.lease(number, address).await?,
                Thing::Phone(mac) => self.phone(number, mac).await?,
                Thing::Batch(id) => self.batch(number, id).await?,
                Thing::Import((listed, unlisted)) => {
                    let data = json!({ "commit": number, "listed": listed, "unlisted": unlisted });
                    self.send(number, "import", &data).await?;
                }
            }
            self.last = number;
        }
        self.last = self.last.max(dirty.last);
        Ok(())
    }

    async fn lease(&mut self, number: u64, address: Ipv4Addr) -> Ended {
        let now = Timestamp::now();
        let lease = self
            .operators
            .service
            .view
            .read()
            .leases
            .get(&address)
            .map(|lease| LeaseView::new(lease, now));
        match lease {
            Some(lease) => self.send(number, "lease", &lease).await,
            None => Ok(()),
        }
    }

    /// A batch without its phones: those have events of their own.
    async fn batch(&mut self, number: u64, id: StagingId) -> Ended {
        let found = self
            .operators
            .service
            .view
            .read()
            .stagings
            .get(&id)
            .map(|staging| BatchView::of(id, staging));
        match found {
            Some(batch) => self.send(number, "batch", &batch).await,
            None => Ok(()),
        }
    }

    /// A phone, and the entry that was meant for it: what is said of that one depends on this one being here.
    async fn phone(&mut self, number: u64, mac: Mac) -> Ended {
        self.one(number, mac).await?;
        let meant = {
            let provisioner = self.operators.service.provisioner();
            let state = self.operators.service.view.read();
            provisioner.listed_for(&state, mac)
        };
        match meant {
            Some(listed) => self.one(number, listed).await,
            None => Ok(()),
        }
    }

    async fn one(&mut self, number: u64, mac: Mac) -> Ended {
        let found = {
            let provisioner = self.operators.service.provisioner();
            let (state, now) = (self.operators.service.view.read(), Timestamp::now());
            state.phones.get(&mac).map(|phone| {
                let report = provisioner.report(mac, phone, &state, now);
                (PhoneView::new(mac, phone, &report, false), report)
            })
        };
        let Some((view, report)) = found else {
            self.known.remove(&mac);
            return self
                .send(number, "phone", &json!({ "mac": mac.to_string(), "forgotten": true }))
                .await;
        };
        let view = if self.chosen.brief { view.brief() } else { view };
        self.send(number, "phone", &view).await?;
        let before = self.known.remove(&mac).unwrap_or_default();
        for finding in report.findings.iter().filter(|finding| !before.contains(&finding.kind)) {
            self.send(number, "finding", &FindingView::new(Some(mac), finding)).await?;
        }
        if !report.findings.is_empty() {
            self.known.insert(mac, report.findings.iter().map(|finding| finding.kind).collect());
        }
        Ok(())
    }

    async fn send(&self, number: u64, name: &str, thing: &impl Serialize) -> Ended {
        if self.chosen.only.as_deref().is_some_and(|only| only != name) {
            return Ok(());
        }
        // JSON has no line breaks of its own, so an event is always one data line.
        let data = serde_json::to_string(thing).unwrap_or_default();
        self.sender.send(Ok(Event::default().id(number.to_string()).event(name).data(data))).await
    }
}

/// What an event is about. The order within one commit: address, phone, list, batch.
#[derive(Eq, Ord, PartialEq, PartialOrd)]
enum Thing {
    Lease(Ipv4Addr),
    Phone(Mac),
    Import((usize, usize)),
    Batch(StagingId),
}

impl Dirty {
    fn add(&mut self, commit: &Commit) {
        let (mut listed, mut unlisted) = (0, 0);
        for change in &commit.changes {
            if let Some(mac) = change.phone() {
                self.phones.insert(mac, commit.number);
            }
            match change {
                Change::Leased(lease) => {
                    self.leases.insert(lease.address, commit.number);
                }
                Change::Released { address, .. } => {
                    self.leases.insert(*address, commit.number);
                }
                Change::Listed(..) => listed += 1,
                Change::Unlisted(_) => unlisted += 1,
                Change::Happened(..)
                | Change::Showed(..)
                | Change::Forgotten(_)
                | Change::Quarantined(_)
                | Change::Numbered(..)
                // What becomes of phones changes batches too: the state knows which.
                | Change::Window(_)
                | Change::Placed(..)
                | Change::Braked(_)
                | Change::Staging(..) => {}
            }
        }
        if listed + unlisted > 0 {
            self.imports.insert(commit.number, (listed, unlisted));
        }
        self.last = commit.number;
    }
}
