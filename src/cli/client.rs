//! The API as commands use it: over the socket of a running appliance, else by the same routes in this process.

use std::{
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use axum::body::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Method, Request, Response, StatusCode, body::Incoming, header};
use hyper_util::rt::TokioIo;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use tokio::{
    net::UnixStream,
    runtime::{Builder, Runtime},
    time::timeout,
};

use crate::config::{Appliance, Settings};

use super::{
    exit::{Exit, Failure},
    here::Here,
    output::text,
};

/// Where the system's service listens; the state directory that goes with it is the default one.
const SYSTEM_SOCKET: &str = "/run/ringup/api.sock";

/// How long an appliance may take for one answer; an import of 10,000 rows takes seconds.
const PATIENCE: Duration = Duration::from_mins(1);

/// What stays as it is in a part of a path or query.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A way to the API, trusted as whoever may open the socket or the store.
#[derive(Debug)]
pub struct Client {
    runtime: Runtime,
    way: Way,
}

#[derive(Debug)]
enum Way {
    Socket(PathBuf),
    Here(Box<Here>),
}

impl Client {
    /// Finds a running appliance on the state directory of `settings`, else opens that directory itself.
    ///
    /// # Errors
    ///
    /// A store that can't be opened, or that a process without a socket holds.
    pub fn connect(settings: Settings) -> Result<Self, Failure> {
        // A second thread, so that what the store does in the background goes on between calls.
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let way = runtime.block_on(Way::find(settings))?;
        Ok(Self { runtime, way })
    }

    /// Finds a running appliance on the state directory of `settings`, and nothing else.
    ///
    /// # Errors
    ///
    /// [`Exit::Unavailable`] if none runs there.
    pub fn running(settings: &Settings) -> Result<Self, Failure> {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let socket = runtime.block_on(appliance(settings))?;
        Ok(Self { runtime, way: Way::Socket(socket) })
    }

    /// The bytes at a path.
    ///
    /// # Errors
    ///
    /// The problem that the API answers, or that it can't be reached.
    pub fn get(&self, path: &str) -> Result<Bytes, Failure> {
        self.send(Method::GET, path, "", Bytes::new())
    }

    /// The JSON at a path.
    ///
    /// # Errors
    ///
    /// As [`Self::get`].
    pub fn json(&self, path: &str) -> Result<Value, Failure> {
        parse(&self.get(path)?)
    }

    /// All items of a list, page by page.
    ///
    /// # Errors
    ///
    /// As [`Self::get`].
    pub fn items(&self, path: &str, query: &Query) -> Result<Vec<Value>, Failure> {
        let mut items = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let mut page = query.clone().with("limit", "1000");
            if let Some(after) = &after {
                page = page.with("after", after);
            }
            let mut answer = self.json(&page.on(path))?;
            if let Some(Value::Array(more)) = answer.get_mut("items").map(Value::take) {
                items.extend(more);
            }
            let next = Some(text(&answer, "/next")).filter(|next| !next.is_empty());
            // A list that does not move on would never end.
            if next.is_none() || next == after {
                return Ok(items);
            }
            after = next;
        }
    }

    /// Sends a body and takes the answer's.
    ///
    /// # Errors
    ///
    /// As [`Self::get`].
    pub fn send(
        &self,
        method: Method,
        path: &str,
        kind: &str,
        body: Bytes,
    ) -> Result<Bytes, Failure> {
        let (status, body) = self.ask(method, path, kind, body)?;
        if status.is_success() || is_verdict(status, &body) {
            Ok(body)
        } else {
            Err(problem(status, &body))
        }
    }

    /// Sends a body and takes whatever comes back.
    ///
    /// # Errors
    ///
    /// That nothing came.
    pub fn ask(
        &self,
        method: Method,
        path: &str,
        kind: &str,
        body: Bytes,
    ) -> Result<(StatusCode, Bytes), Failure> {
        let mut request =
            Request::builder().method(method).uri(path).header(header::HOST, "localhost");
        if !kind.is_empty() {
            request = request.header(header::CONTENT_TYPE, kind);
        }
        let request = request
            .body(Full::new(body))
            .map_err(|error| Failure::new(Exit::Usage, format!("{path}: {error}")))?;
        self.runtime.block_on(async {
            timeout(PATIENCE, self.way.call(request)).await.unwrap_or_else(|_| {
                let text = format!("no answer within {} s", PATIENCE.as_secs());
                Err(Failure::new(Exit::Unavailable, text))
            })
        })
    }

    /// Sends JSON and takes JSON.
    ///
    /// # Errors
    ///
    /// As [`Self::get`].
    pub fn exchange(&self, method: Method, path: &str, body: &Value) -> Result<Value, Failure> {
        parse(&self.send(method, path, "application/json", Bytes::from(body.to_string()))?)
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        if let Way::Here(here) = &self.way {
            here.close();
        }
    }
}

impl Way {
    async fn find(settings: Settings) -> Result<Self, Failure> {
        match Self::socket(&settings).await? {
            Some(socket) => Ok(Self::Socket(socket)),
            None => Ok(Self::Here(Box::new(Here::open(settings)?))),
        }
    }

    /// The socket of the appliance that runs on this state directory, if one does.
    async fn socket(settings: &Settings) -> Result<Option<PathBuf>, Failure> {
        let own = settings.appliance.state.join("api.sock");
        if answers(&own).await? {
            return Ok(Some(own));
        }
        let system = PathBuf::from(SYSTEM_SOCKET);
        // Another state directory is another appliance: its phones are not those of these settings.
        let usual = settings.appliance.state == Appliance::default().state;
        Ok((usual && answers(&system).await?).then_some(system))
    }

    async fn call(&self, request: Request<Full<Bytes>>) -> Result<(StatusCode, Bytes), Failure> {
        match self {
            Self::Socket(path) => over(path, request).await.map_err(|text| {
                let text = format!("the appliance at {} does not answer: {text}", path.display());
                Failure::new(Exit::Unavailable, text)
            }),
            Self::Here(here) => here.call(request).await,
        }
    }
}

/// The socket of the appliance that runs on the state directory of `settings`.
///
/// # Errors
///
/// [`Exit::Unavailable`] if none runs there.
pub async fn appliance(settings: &Settings) -> Result<PathBuf, Failure> {
    let nobody = || {
        let state = settings.appliance.state.display();
        Failure::new(Exit::Unavailable, format!("no ringup runs on {state}"))
            .help("start it: `ringup serve`, or systemctl start ringup")
    };
    Way::socket(settings).await?.ok_or_else(nobody)
}

/// True if somebody listens: a socket file that a killed appliance left behind refuses.
///
/// # Errors
///
/// [`Exit::Permission`] for one that is not for this user: saying so is better than opening a store that is in use.
async fn answers(path: &Path) -> Result<bool, Failure> {
    match UnixStream::connect(path).await {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            let text = format!("{}: permission denied", path.display());
            let help = "use `sudo`, or be a member of the group that the socket and its directory belong to";
            Err(Failure::new(Exit::Permission, text).help(help))
        }
        Err(_) => Ok(false),
    }
}

/// One request over the control socket; HTTP/1, one connection a request.
async fn over(path: &Path, request: Request<Full<Bytes>>) -> Result<(StatusCode, Bytes), String> {
    let response = open(path, request).await?;
    let status = response.status();
    let body = response.into_body().collect().await.map_err(|error| error.to_string())?;
    Ok((status, body.to_bytes()))
}

/// The same, answered with a body that may go on for as long as both ends live.
///
/// # Errors
///
/// What failed, in words.
pub async fn open(
    path: &Path,
    request: Request<Full<Bytes>>,
) -> Result<Response<Incoming>, String> {
    let stream = UnixStream::connect(path).await.map_err(|error| error.to_string())?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| error.to_string())?;
    tokio::spawn(connection);
    sender.send_request(request).await.map_err(|error| error.to_string())
}

fn parse(body: &[u8]) -> Result<Value, Failure> {
    if body.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_slice(body).map_err(|error| {
        Failure::new(Exit::Unavailable, format!("an answer that is no JSON: {error}"))
    })
}

/// True for a list that was refused with a verdict on every row: that is an answer, not a failure.
fn is_verdict(status: StatusCode, body: &[u8]) -> bool {
    status == StatusCode::UNPROCESSABLE_ENTITY
        && serde_json::from_slice::<Value>(body).is_ok_and(|value| value.get("rows").is_some())
}

/// The title and detail of an RFC 9457 answer.
pub fn problem(status: StatusCode, body: &[u8]) -> Failure {
    let value: Value = serde_json::from_slice(body).unwrap_or_default();
    let (title, detail) = (text(&value, "/title"), text(&value, "/detail"));
    // `Not Found:` before a sentence that says what was not found is noise to a reader who sees no HTTP.
    let repeats = Some(title.as_str()) == status.canonical_reason() && !detail.is_empty();
    let title = if repeats { String::new() } else { title };
    let text = match (title.as_str(), detail.as_str()) {
        ("", "") => format!("the appliance answered {status}"),
        (title, "") => title.to_owned(),
        ("", detail) => detail.to_owned(),
        (title, detail) => format!("{title}: {detail}"),
    };
    let exit = match status {
        StatusCode::NOT_FOUND => Exit::NoInput,
        // A filter that there is not is the command line's fault, not that of data.
        StatusCode::BAD_REQUEST if text.starts_with("there is no such ") => Exit::Usage,
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Exit::Permission,
        status if status.is_client_error() => Exit::Data,
        _ => Exit::Unavailable,
    };
    Failure::new(exit, text)
}

/// One part of a path, with what a path can't carry escaped.
pub fn part(text: &str) -> String {
    utf8_percent_encode(text, PLAIN).to_string()
}

/// The query of a request.
#[derive(Clone, Debug, Default)]
pub struct Query(Vec<(String, String)>);

impl Query {
    /// Adds one pair.
    pub fn with(mut self, key: &str, value: &str) -> Self {
        self.0.push((key.to_owned(), value.to_owned()));
        self
    }

    /// Adds one pair if there is a value.
    pub fn maybe(self, key: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.with(key, value),
            None => self,
        }
    }

    /// Adds `key=true` if so.
    pub fn flag(self, key: &str, yes: bool) -> Self {
        if yes { self.with(key, "true") } else { self }
    }

    /// `path` with this query.
    pub fn on(&self, path: &str) -> String {
        let pairs: Vec<String> =
            self.0.iter().map(|(key, value)| format!("{}={}", part(key), part(value))).collect();
        if pairs.is_empty() { path.to_owned() } else { format!("{path}?{}", pairs.join("&")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries() {
        let query = Query::default().with("q", "a b&c").maybe("site", None).flag("dry-run", true);
        assert_eq!(query.on("/x"), "/x?q=a%20b%26c&dry-run=true");
        assert_eq!(Query::default().flag("x", false).on("/x"), "/x");
        assert_eq!(part("firmware/a.bin"), "firmware%2Fa.bin");
    }

    #[test]
    fn problems_as_the_api_tells_them() {
        let check = |status: u16, body: &str, exit, text: &str| {
            let failure = problem(StatusCode::from_u16(status).unwrap(), body.as_bytes());
            assert_eq!((failure.exit, failure.text.as_str()), (exit, text));
        };
        check(
            404,
            r#"{"title":"no such phone","detail":"00:1e:7a:c4:10:22"}"#,
            Exit::NoInput,
            "no such phone: 00:1e:7a:c4:10:22",
        );
        check(
            404,
            r#"{"title":"Not Found","detail":"no family has a file named x"}"#,
            Exit::NoInput,
            "no family has a file named x",
        );
        check(404, r#"{"title":"Not Found"}"#, Exit::NoInput, "Not Found");
        check(422, r#"{"title":"2 rows refused"}"#, Exit::Data, "2 rows refused");
        let unknown = r#"{"title":"Bad Request","detail":"there is no such site; known are a"}"#;
        check(400, unknown, Exit::Usage, "there is no such site; known are a");
        check(403, "", Exit::Permission, "the appliance answered 403 Forbidden");
        check(503, "x", Exit::Unavailable, "the appliance answered 503 Service Unavailable");
    }
}
