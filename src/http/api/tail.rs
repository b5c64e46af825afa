//! What happens to all phones: the last events, and those to come.

use std::{cmp::Reverse, collections::VecDeque, convert::Infallible, sync::Arc, time::Duration};

use axum::{
    Extension, Json,
    extract::State,
    http::StatusCode,
    response::{
        IntoResponse,
        sse::{Event, Sse},
    },
};
use serde::{Deserialize, Serialize};
use tokio::{
    sync::{
        OwnedSemaphorePermit,
        broadcast::{
            Receiver,
            error::{RecvError, TryRecvError},
        },
        mpsc, watch,
    },
    time::sleep,
};
use tokio_stream::wrappers::ReceiverStream;
use utoipa::{IntoParams, ToSchema};

use crate::{
    domain::{Change, Commit, Mac, StagingChange, Timestamp, What},
    store,
};

use super::{
    super::{
        connection::asked_to_stop,
        operators::{Caller, Operators},
    },
    phones::MAX_LIMIT,
    problem::{Details, Params},
    stream::alive,
    timeline::EventView,
    view::moment,
};

/// Events unless asked otherwise.
const USUAL_LIMIT: usize = 200;

/// Phones whose timelines are looked through for the last events, those with the latest news first.
const MAX_LOOKED: usize = 512;

/// How long news is gathered: a storm of boots is a few messages a second and not thousands.
const GATHERED: Duration = Duration::from_millis(250);

/// The most events of one message; what is older is left out and counted.
const MAX_TOGETHER: usize = 250;

/// Entries of one commit that are told one by one; a list of more is one event.
const FEW: usize = 10;

/// Messages under way to one watcher. When they are full the feed runs ahead, and what was missed is counted.
const UNDER_WAY: usize = 4;

/// Which events.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// At most so many; 200 unless said, 1000 at most.
    limit: Option<usize>,
}

/// The last events.
#[derive(Debug, Serialize, ToSchema)]
pub struct RecentList {
    /// Oldest first.
    items: Vec<HappeningView>,
    /// Always null: it ends with now.
    next: Option<String>,
}

/// One thing that happened to one phone, or to the appliance.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct HappeningView {
    /// Whose event it is; null where it is nobody's in particular.
    mac: Option<String>,
    /// Number and name that are listed for it; empty for a stranger.
    label: String,
    /// True for what looks like a fault and is none.
    normal: bool,
    #[serde(flatten)]
    event: EventView,
}

/// Some events, and how many were left out because there were too many.
#[derive(Debug, Default, Serialize, ToSchema)]
struct Together {
    items: Vec<HappeningView>,
    missed: u64,
}

/// Lists the last events of all phones. They are those of the 512 phones with the latest news.
#[utoipa::path(get, path = "/api/v1/events/recent", tag = "events", params(Wanted),
    responses((status = 200, body = RecentList)))]
pub async fn recent(
    State(operators): State<Operators>,
    Params(wanted): Params<Wanted>,
) -> Result<Json<RecentList>, Details> {
    let limit = wanted.limit.unwrap_or(USUAL_LIMIT).clamp(1, MAX_LIMIT);
    let read = move || last(&operators, limit);
    let items = tokio::task::spawn_blocking(read)
        .await
        .map_err(|fault| Details::fault(fault.to_string()))??;
    Ok(Json(RecentList { items, next: None }))
}

fn last(operators: &Operators, limit: usize) -> Result<Vec<HappeningView>, store::StoreError> {
    let mut order: Vec<(Timestamp, Mac)> = {
        let state = operators.service.view.read();
        let seen = state.phones.iter().filter(|(_, phone)| phone.boot.is_seen());
        seen.map(|(mac, phone)| (phone.boot.last_at, *mac)).collect()
    };
    order.sort_unstable_by(|one, other| other.cmp(one));
    let mut events = Vec::new();
    for (last_at, mac) in order.into_iter().take(MAX_LOOKED) {
        // Whoever comes now had his last event before all of those that will be told.
        if events.len() >= limit {
            events.sort_by_key(|(at, ..): &(Timestamp, _, _, _)| Reverse(*at));
            events.truncate(limit);
            if events.last().is_some_and(|(at, ..)| last_at < *at) {
                break;
            }
        }
        let own = operators.service.journal.timeline(mac, limit)?;
        events.extend(own.into_iter().map(|(commit, event)| (event.at, commit, mac, event)));
    }
    events.sort_by_key(|(at, commit, ..)| (*at, *commit));
    let surplus = events.len().saturating_sub(limit);
    let state = operators.service.view.read();
    let events = events.into_iter().skip(surplus);
    Ok(events
        .map(|(_, commit, mac, event)| HappeningView {
            mac: Some(mac.to_string()),
            label: label(&state, mac),
            normal: is_normal(&event.what),
            event: EventView::new(commit, &event),
        })
        .collect())
}

/// Streams what happens to all phones as it becomes fact, gathered four times a second.
///
/// Each event is `happened`: `{"items":[…],"missed":n}`, oldest first; `missed` counts what a storm left out.
#[utoipa::path(get, path = "/api/v1/events/tail", tag = "events",
    responses((status = 200, content_type = "text/event-stream"), (status = 503, body = Details)))]
pub async fn tail(
    State(operators): State<Operators>,
    caller: Option<Extension<Caller>>,
) -> Result<impl IntoResponse, Details> {
    let Ok(permit) = Arc::clone(&operators.streams).try_acquire_owned() else {
        let text = "too many event streams are open";
        return Err(Details::new(StatusCode::SERVICE_UNAVAILABLE, text));
    };
    let (sender, receiver) = mpsc::channel(UNDER_WAY);
    // Listening begins before the answer leaves, so that whoever has it misses nothing from then on.
    let news = operators.service.feed.watch();
    let stop = caller.map(|Extension(caller)| caller.stop);
    tokio::spawn(follow(operators, news, sender, stop, permit));
    Ok(Sse::new(ReceiverStream::new(receiver)).keep_alive(alive()))
}

type Sender = mpsc::Sender<Result<Event, Infallible>>;

async fn follow(
    operators: Operators,
    news: Receiver<Arc<Commit>>,
    sender: Sender,
    stop: Option<watch::Receiver<bool>>,
    _permit: OwnedSemaphorePermit,
) {
    let gone = sender.clone();
    let stopped = async {
        match stop {
            Some(mut stop) => asked_to_stop(&mut stop).await,
            None => std::future::pending().await,
        }
    };
    // What is dropped half way is not told any more: whoever comes back reads the last events first.
    tokio::select! {
        () = pass_on(operators, news, sender) => {}
        () = gone.closed() => {}
        () = stopped => {}
    }
}

async fn pass_on(operators: Operators, mut news: Receiver<Arc<Commit>>, sender: Sender) {
    loop {
        let mut together = Gathered::default();
        match news.recv().await {
            Ok(commit) => together.add(&commit),
            Err(RecvError::Lagged(missed)) => together.missed += missed,
            Err(RecvError::Closed) => return,
        }
        sleep(GATHERED).await;
        loop {
            match news.try_recv() {
                Ok(commit) => together.add(&commit),
                Err(TryRecvError::Lagged(missed)) => together.missed += missed,
                Err(TryRecvError::Empty | TryRecvError::Closed) => break,
            }
        }
        let together = together.told(&operators);
        if together.items.is_empty() && together.missed == 0 {
            continue;
        }
        let data = serde_json::to_string(&together).unwrap_or_default();
        if sender.send(Ok(Event::default().event("happened").data(data))).await.is_err() {
            return;
        }
    }
}

/// News of a quarter of a second, the newest at most.
#[derive(Default)]
struct Gathered {
    items: VecDeque<HappeningView>,
    missed: u64,
}

impl Gathered {
    fn add(&mut self, commit: &Commit) {
        let listed = commit.changes.iter().filter(|change| is_of_the_list(change)).count();
        if listed > FEW {
            let text = format!("{listed} entries of the list were changed");
            self.push(None, own(commit.number, "list", text), false);
        }
        for change in &commit.changes {
            match change {
                Change::Happened(mac, event) => {
                    let normal = is_normal(&event.what);
                    self.push(Some(*mac), EventView::new(commit.number, event), normal);
                }
                change if is_of_the_list(change) && listed > FEW => {}
                change => {
                    if let Some((kind, text)) = told(change) {
                        self.push(change.phone(), own(commit.number, kind, text), false);
                    }
                }
            }
        }
    }

    fn push(&mut self, mac: Option<Mac>, event: EventView, normal: bool) {
        if self.items.len() == MAX_TOGETHER {
            self.items.pop_front();
            self.missed += 1;
        }
        let text = mac.map(|mac| mac.to_string());
        self.items.push_back(HappeningView { mac: text, label: String::new(), normal, event });
    }

    fn told(self, operators: &Operators) -> Together {
        let state = operators.service.view.read();
        let mut items: Vec<_> = self.items.into();
        for item in &mut items {
            let mac = item.mac.as_deref().and_then(|mac| mac.parse().ok());
            item.label = mac.map(|mac| label(&state, mac)).unwrap_or_default();
        }
        Together { items, missed: self.missed }
    }
}

const fn is_of_the_list(change: &Change) -> bool {
    matches!(change, Change::Listed(..) | Change::Unlisted(_))
}

/// An event that no timeline keeps.
fn own(commit: u64, kind: &'static str, text: String) -> EventView {
    let data = serde_json::Value::Object(serde_json::Map::new());
    EventView { commit, at: moment(Timestamp::now()), kind, text, data }
}

/// What an operator or a phone did that is on no phone's record.
fn told(change: &Change) -> Option<(&'static str, String)> {
    Some(match change {
        Change::Listed(_, entry) => {
            let number = entry.lines.first().map_or("", |line| line.number.as_str());
            let what = format!("is listed: {number} {}", entry.model);
            ("list", what.trim_end_matches([' ', ':']).to_owned())
        }
        Change::Unlisted(_) => ("list", "is not listed any more".to_owned()),
        Change::Forgotten(_) => ("list", "was forgotten".to_owned()),
        Change::Quarantined(aside) => {
            ("set-aside", format!("{} is set aside: somebody was found using it", aside.address))
        }
        Change::Window(Some(window)) if window.enabled => {
            ("window", "auto-registration was opened".to_owned())
        }
        Change::Window(_) => ("window", "auto-registration was closed".to_owned()),
        Change::Placed(_, Some(place)) if place.done.is_some() => {
            ("firmware", format!("runs {} now", place.load))
        }
        Change::Placed(_, Some(place)) => ("firmware", format!("may take {}", place.load)),
        Change::Placed(_, None) => ("firmware", "gave its place in the wave back".to_owned()),
        Change::Braked(brake) if brake.paused => ("firmware", "the waves were paused".to_owned()),
        Change::Braked(_) => ("firmware", "the waves go on".to_owned()),
        Change::Staging(id, change) => {
            let what = match **change {
                StagingChange::Opened { .. } => "was opened",
                StagingChange::HandedOver(_) => "was handed over",
                StagingChange::TakenBack => "is staged again",
                StagingChange::Closed { .. } => "was closed",
                StagingChange::Described(_)
                | StagingChange::Scanned { .. }
                | StagingChange::Settled(..)
                | StagingChange::Placed(..)
                | StagingChange::Removed(_)
                | StagingChange::Failed(..)
                | StagingChange::Solved(..)
                | StagingChange::Produced { .. } => return None,
            };
            ("batch", format!("batch {id} {what}"))
        }
        // What happened is told by itself; evidence, leases and numbers come with what happened.
        Change::Happened(..)
        | Change::Showed(..)
        | Change::Leased(_)
        | Change::Released { .. }
        | Change::Numbered(..) => return None,
    })
}

fn is_normal(what: &What) -> bool {
    matches!(what, What::Refused { normal: true, .. } | What::Ended { normal: true, .. })
}

fn label(state: &store::State, mac: Mac) -> String {
    let entry = state.phones.get(&mac).and_then(|phone| phone.entry.as_deref());
    let line = entry.and_then(|entry| entry.lines.first());
    line.map(|line| format!("{} {}", line.number, line.name).trim().to_owned()).unwrap_or_default()
}
