//! What the appliance tells: all phones at first, then each that changes, for as long as somebody listens.

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
    time::Duration,
};

use axum::body::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Request, Response, StatusCode, body::Incoming, header};
use serde_json::Value;
use tokio::{
    sync::mpsc,
    time::{sleep, timeout},
};

use crate::cli::{
    client::{Query, open},
    output::{list, text},
};

use super::sse::Decoder;

/// Time between two attempts to reach an appliance that is gone.
const AGAIN: Duration = Duration::from_secs(1);

/// How long an appliance may be silent. It sends a heartbeat every 15 s.
const SILENCE: Duration = Duration::from_secs(40);

/// How long one page of the list may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// How often phones are asked for of which time alone may change what is said: that makes no event.
const UNSETTLED: Duration = Duration::from_secs(10);

/// News under way to the terminal; when they are full the appliance waits with the next, and sends each phone once.
pub const UNDER_WAY: usize = 256;

/// What there is to tell.
#[derive(Debug)]
pub enum News {
    /// The connection is there.
    Live,
    /// Something came, if only a heartbeat.
    Heard,
    /// A phone as it is now, or that it is forgotten.
    Phone(Box<Value>),
    /// These are all phones: what is not among them is gone.
    All(HashSet<String>),
    /// The connection is gone, and why.
    Lost(String),
}

/// Whoever listened is gone.
struct Unheard;

/// Why a connection ended.
enum End {
    Unheard,
    Lost(String),
}

impl From<Unheard> for End {
    fn from(_: Unheard) -> Self {
        Self::Unheard
    }
}

impl From<String> for End {
    fn from(why: String) -> Self {
        Self::Lost(why)
    }
}

/// Follows an appliance, through its restarts too. Ends with whoever listens.
pub struct Feed {
    socket: PathBuf,
    news: mpsc::Sender<News>,
}

impl Feed {
    /// The feed of the appliance behind `socket`.
    pub fn new(socket: PathBuf, news: mpsc::Sender<News>) -> Self {
        Self { socket, news }
    }

    /// Follows it.
    pub async fn run(self) {
        loop {
            let why = match self.follow().await {
                Ok(()) => "the appliance ended it".to_owned(),
                Err(End::Unheard) => return,
                Err(End::Lost(why)) => why,
            };
            if self.tell(News::Lost(why)).await.is_err() {
                return;
            }
            tokio::select! {
                () = sleep(AGAIN) => {}
                () = self.news.closed() => return,
            }
        }
    }

    async fn tell(&self, news: News) -> Result<(), Unheard> {
        self.news.send(news).await.map_err(|_| Unheard)
    }

    /// One connection to its end. Listening begins before the list is read, so that nothing falls between the two.
    async fn follow(&self) -> Result<(), End> {
        let stream = timeout(PATIENCE, get(&self.socket, "/api/v1/events?only=phone&brief=true"));
        let mut stream = stream.await.map_err(|_| "no answer".to_owned())??.into_body();
        self.tell(News::Live).await?;
        let all = self.load(&Query::default().with("brief", "true")).await?;
        self.tell(News::All(all)).await?;
        let mut decoder = Decoder::default();
        let mut unsettled = tokio::time::interval(UNSETTLED);
        unsettled.tick().await;
        loop {
            let frame = tokio::select! {
                // A frame that is half there stays with the connection: nothing is lost with this future.
                frame = timeout(SILENCE, stream.frame()) => frame,
                _ = unsettled.tick() => {
                    let query = Query::default().with("brief", "true").with("unsettled", "true");
                    self.load(&query).await?;
                    continue;
                }
                () = self.news.closed() => return Err(End::Unheard),
            };
            let Some(frame) = frame.map_err(|_| "nothing was heard for 40 s".to_owned())? else {
                return Ok(());
            };
            let frame = frame.map_err(|error| error.to_string())?;
            self.tell(News::Heard).await?;
            let Some(piece) = frame.data_ref() else { continue };
            for event in decoder.take(piece).map_err(|error| error.to_string())? {
                if event.name == "phone" {
                    let phone = serde_json::from_str(&event.data).map_err(|it| it.to_string())?;
                    self.tell(News::Phone(Box::new(phone))).await?;
                }
            }
        }
    }

    /// Reads a list page by page, and tells which phones were in it.
    async fn load(&self, query: &Query) -> Result<HashSet<String>, End> {
        let mut all = HashSet::new();
        let mut after = String::new();
        loop {
            let page = query.clone().with("limit", "500").with("after", &after);
            let read = async {
                let answer = get(&self.socket, &page.on("/api/v1/phones")).await?;
                let body = answer.into_body().collect().await.map_err(|it| it.to_string())?;
                serde_json::from_slice::<Value>(&body.to_bytes()).map_err(|it| it.to_string())
            };
            let page = timeout(PATIENCE, read).await.map_err(|_| "no answer".to_owned())??;
            for phone in list(&page, "/items") {
                all.insert(text(phone, "/mac"));
                self.tell(News::Phone(Box::new(phone.clone()))).await?;
            }
            let next = text(&page, "/next");
            // A list that does not move on would never end.
            if next.is_empty() || next == after {
                return Ok(all);
            }
            after = next;
        }
    }
}

async fn get(socket: &Path, path: &str) -> Result<Response<Incoming>, String> {
    let request =
        Request::get(path).header(header::HOST, "localhost").body(Full::<Bytes>::default());
    let answer = open(socket, request.map_err(|error| error.to_string())?).await?;
    match answer.status() {
        StatusCode::OK => Ok(answer),
        status => Err(format!("the appliance answered {status}")),
    }
}
