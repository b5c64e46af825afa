//! The lab's view of the appliance: the operators' API, as any script would use it.

use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

use http_body_util::{BodyExt, Full, Limited};
use hyper::{Method, Request, body::Bytes, client::conn::http1, header};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::{net::TcpStream, time::timeout};

use crate::domain::Mac;

/// How long one exchange may take.
const LIMIT: Duration = Duration::from_secs(10);

/// How many bytes of an answer are read.
const MAX_ANSWER: usize = 16 << 20;

/// What went wrong with an exchange.
#[derive(Debug, thiserror::Error)]
pub(super) enum ApiError {
    /// No answer in time.
    #[error("no answer within {} s", LIMIT.as_secs())]
    Late,
    /// The connection broke.
    #[error(transparent)]
    Http(Box<dyn std::error::Error + Send + Sync>),
    /// A status that is no success.
    #[error("{status}: {text}")]
    Status {
        /// The status.
        status: hyper::StatusCode,
        /// What the answer said.
        text: String,
    },
}

/// What the API says about one phone, as far as the lab compares it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
pub(super) struct Seen {
    mac: String,
    /// The stage.
    pub(super) stage: String,
    findings: Vec<Kind>,
    diagnosis: Option<Told>,
}

#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
struct Told {
    cause: String,
}

#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
struct Kind {
    kind: String,
}

impl Seen {
    /// The cause of its diagnosis.
    pub(super) fn cause(&self) -> Option<&str> {
        self.diagnosis.as_ref().map(|told| told.cause.as_str())
    }

    /// The kinds of its findings.
    pub(super) fn findings(&self) -> Vec<&str> {
        self.findings.iter().map(|finding| finding.kind.as_str()).collect()
    }
}

#[derive(Deserialize)]
struct Page {
    items: Vec<Seen>,
    next: Option<String>,
}

/// The appliance, through its operators' port.
#[derive(Clone, Copy, Debug)]
pub(super) struct Api(pub(super) SocketAddr);

impl Api {
    /// Imports a list.
    pub(super) async fn import(&self, csv: String) -> Result<(), ApiError> {
        self.call(Method::POST, "/api/v1/phones/import", "text/csv", csv).await.map(drop)
    }

    /// Tells what became of a phone's registration, as its PBX would.
    pub(super) async fn registered(&self, mac: Mac, body: String) -> Result<(), ApiError> {
        let path = format!("/api/v1/phones/{mac}/registered");
        self.call(Method::POST, &path, "application/json", body).await.map(drop)
    }

    /// Opens the auto-registration window.
    pub(super) async fn open_window(&self) -> Result<(), ApiError> {
        let wanted = r#"{"enabled":true}"#.to_owned();
        let path = "/api/v1/auto-registration";
        self.call(Method::PUT, path, "application/json", wanted).await.map(drop)
    }

    /// Every phone, by MAC.
    pub(super) async fn phones(&self) -> Result<BTreeMap<Mac, Seen>, ApiError> {
        let mut phones = BTreeMap::new();
        let mut path = "/api/v1/phones?limit=500".to_owned();
        loop {
            let answer = self.call(Method::GET, &path, "", String::new()).await?;
            let page: Page =
                serde_json::from_slice(&answer).map_err(|e| ApiError::Http(e.into()))?;
            phones.extend(
                page.items.into_iter().filter_map(|seen| Some((seen.mac.parse().ok()?, seen))),
            );
            match page.next {
                Some(next) => path = format!("/api/v1/phones?limit=500&after={next}"),
                None => return Ok(phones),
            }
        }
    }

    async fn call(
        &self,
        method: Method,
        path: &str,
        kind: &str,
        body: String,
    ) -> Result<Bytes, ApiError> {
        // Dropping the exchange at the limit closes its connection: nothing of it is kept.
        let exchange = timeout(LIMIT, self.exchange(method, path, kind, body)).await;
        let (status, body) = exchange.map_err(|_| ApiError::Late)?.map_err(ApiError::Http)?;
        if status.is_success() {
            return Ok(body);
        }
        Err(ApiError::Status { status, text: String::from_utf8_lossy(&body).into_owned() })
    }

    async fn exchange(
        &self,
        method: Method,
        path: &str,
        kind: &str,
        body: String,
    ) -> Result<(hyper::StatusCode, Bytes), Box<dyn std::error::Error + Send + Sync>> {
        let stream = TcpStream::connect(self.0).await?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        let mut request = Request::builder().method(method).uri(path);
        request =
            request.header(header::HOST, self.0.to_string()).header(header::CONNECTION, "close");
        if !kind.is_empty() {
            request = request.header(header::CONTENT_TYPE, kind);
        }
        let request = request.body(Full::new(Bytes::from(body)))?;
        let answer = async {
            let response = sender.send_request(request).await?;
            let status = response.status();
            let body = Limited::new(response.into_body(), MAX_ANSWER).collect().await?.to_bytes();
            Ok::<_, Box<dyn std::error::Error + Send + Sync>>((status, body))
        };
        // The connection drives the answer and ends after it at the earliest; both are dropped together.
        let (answer, _) = tokio::join!(answer, connection);
        answer
    }
}
