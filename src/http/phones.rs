//! The phones' ports: files by HTTP, from the one resolver.

use std::{
    net::{IpAddr, SocketAddr},
    ops::Range,
    sync::Arc,
};

use hyper::{
    HeaderMap, Method, Response, StatusCode,
    header::{self, HeaderName, HeaderValue},
    service::service_fn,
};
use percent_encoding::percent_decode_str;
use tokio::{net::TcpListener, sync::watch};

use crate::{
    domain::{Carrier, Timestamp},
    profile::Seen,
    provision::{Opened, Request, Service, Why, mac_in_query},
    telemetry::Counters,
};

use super::{
    HttpError,
    body::{Answer, Sending},
    connection::{Answered, Asked, converse},
    listen::{self, Guest},
    meter::Meter,
    range::{Part, has, part},
    seats::Seats,
};

/// Connections on all phones' ports together.
const MAX_CONNECTIONS: usize = 4096;

/// Connections of one peer. Phones behind one NAT address share it; each needs one.
const MAX_OF_ONE_PEER: usize = 64;

/// The phones' ports, bound and not yet serving.
#[derive(Debug)]
pub struct Phones {
    listeners: Vec<TcpListener>,
    service: Arc<Service>,
    counters: Counters,
    seats: Seats,
}

impl Phones {
    /// Binds all addresses.
    ///
    /// # Errors
    ///
    /// The first address that can't be bound, with the cure.
    pub fn bind(
        listen: &[SocketAddr],
        service: Arc<Service>,
        counters: Counters,
    ) -> Result<Self, HttpError> {
        let seats = Seats::new(MAX_CONNECTIONS, MAX_OF_ONE_PEER);
        Ok(Self { listeners: listen::bind(listen)?, service, counters, seats })
    }

    /// Binds more addresses; all connections count together.
    ///
    /// # Errors
    ///
    /// As [`Phones::bind`].
    pub fn beside(&self, listen: &[SocketAddr]) -> Result<Self, HttpError> {
        let (service, counters) = (Arc::clone(&self.service), self.counters.clone());
        Ok(Self { listeners: listen::bind(listen)?, service, counters, seats: self.seats.clone() })
    }

    /// Where it listens, with the ports that the kernel chose.
    #[must_use]
    pub fn addresses(&self) -> Vec<SocketAddr> {
        listen::addresses(&self.listeners)
    }

    /// Serves until `stop` turns true, then finishes what is under way (10 s at most) and returns.
    pub async fn serve(self, stop: watch::Receiver<bool>) {
        self.serve_until(stop.clone(), stop).await;
    }

    /// The same, but nobody new is let in once `close` turns true; who is in may stay until `stop`.
    pub async fn serve_until(self, close: watch::Receiver<bool>, stop: watch::Receiver<bool>) {
        let (service, counters, ending) = (self.service, self.counters.clone(), stop.clone());
        let serve = move |guest: Guest| {
            let (service, counters, stop) =
                (Arc::clone(&service), counters.clone(), ending.clone());
            async move {
                let Guest { stream, peer, local, seat } = guest;
                let meter = Meter::new();
                let line = Line { service, counters, peer, local, meter: meter.clone() };
                let answer = service_fn(|asked| {
                    let line = &line;
                    async move { Answered::Ok(line.answer(&asked).await) }
                });
                converse(stream, answer, meter, stop).await;
                drop(seat);
            }
        };
        let ends = [close, stop];
        listen::accept(self.listeners, self.seats, (self.counters, "http"), ends, serve).await;
    }
}

/// One phone's connection.
struct Line {
    service: Arc<Service>,
    counters: Counters,
    peer: IpAddr,
    local: IpAddr,
    meter: Meter,
}

impl Line {
    async fn answer(&self, asked: &Asked) -> Response<Answer> {
        match *asked.method() {
            Method::GET | Method::HEAD => self.file(asked).await,
            // What phones upload (logs, overrides, core dumps) has no place to go; the body is never read.
            Method::PUT | Method::POST => {
                self.counters.count("http", "upload-refused");
                closing(plain(StatusCode::FORBIDDEN, "uploads are not taken\n"))
            }
            _ => {
                self.counters.count("http", "method-refused");
                let mut response = plain(StatusCode::METHOD_NOT_ALLOWED, "GET and HEAD only\n");
                put(&mut response, header::ALLOW, "GET, HEAD");
                closing(response)
            }
        }
    }

    async fn file(&self, asked: &Asked) -> Response<Answer> {
        if !self.meter.has_room() {
            self.counters.count("http", "pipeline-full");
            return closing(plain(StatusCode::SERVICE_UNAVAILABLE, "too many requests at once\n"));
        }
        let name = percent_decode_str(asked.uri().path()).decode_utf8_lossy();
        let seen = seen(asked);
        let request = Request {
            name: &name,
            peer: self.peer,
            local: self.local,
            carrier: Carrier::Http,
            seen: &seen,
        };
        let now = Timestamp::now();
        if asked.method() == Method::HEAD {
            return self.head(&request, now);
        }
        if let Some(unchanged) = self.unchanged(&request, asked.headers(), now) {
            return unchanged;
        }
        match self.service.open(&request, now).await {
            Ok((opened, delivery)) => {
                self.counters.count("http", "opened");
                let wanted = wanted(asked.headers(), &opened);
                let begin = |part: Range<u64>| {
                    let ticket = self.meter.begin(delivery, part.clone(), opened.length);
                    Answer::File(Sending::new(opened.body.clone(), part, ticket))
                };
                response(&name, &opened, wanted, begin)
            }
            Err(refusal) => self.refused(&refusal.why),
        }
    }

    /// The headers of the answer to a GET, and no record: looking is not taking.
    fn head(&self, request: &Request<'_>, now: Timestamp) -> Response<Answer> {
        match self.service.peek(request, now) {
            Ok(opened) => response(request.name, &opened, Part::Whole, |_| Answer::empty()),
            Err(refusal) => self.refused(&refusal.why),
        }
    }

    /// 304 where the phone shows that it has these very bytes.
    ///
    /// A phone that is yet to be listed gets a file that depends on that, so it never has it already.
    fn unchanged(
        &self,
        request: &Request<'_>,
        headers: &HeaderMap,
        now: Timestamp,
    ) -> Option<Response<Answer>> {
        let mut tags = headers
            .get_all(header::IF_NONE_MATCH)
            .iter()
            .filter_map(|tag| tag.to_str().ok())
            .peekable();
        tags.peek()?;
        // A refusal is told, and recorded, by the open that follows.
        let opened =
            self.service.peek(request, now).ok().filter(|opened| opened.admit.is_none())?;
        tags.any(|tag| has(tag, &opened.etag)).then(|| {
            self.counters.count("http", "unchanged");
            self.service.unchanged(request, &opened, now);
            let mut response = Response::new(Answer::empty());
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            put(&mut response, header::ETAG, &format!("\"{}\"", opened.etag));
            response
        })
    }

    fn refused(&self, why: &Why) -> Response<Answer> {
        self.counters.count("http", "refused");
        plain(status(why), &format!("{why}\n"))
    }
}

// No wildcard arm: a new refusal does not compile until it has a code here.
fn status(why: &Why) -> StatusCode {
    match why {
        // Cisco's own server answers File Not Found to a phone that nobody listed; phones go on to their fallback.
        Why::NoSuchFile { .. }
        | Why::Missing { .. }
        | Why::Foreign { .. }
        | Why::NotListed { .. }
        | Why::NoNumbersLeft { .. }
        | Why::Incomplete { .. }
        | Why::Waits { .. } => StatusCode::NOT_FOUND,
        Why::NoLease { .. } | Why::NotItsAddress { .. } => StatusCode::FORBIDDEN,
        Why::Unrenderable { .. } => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// What a request shows about its sender: its User-Agent, and the MAC that some phones put into the query.
fn seen(asked: &Asked) -> Vec<Seen<'_>> {
    let agent = asked.headers().get(header::USER_AGENT);
    // Octets beyond ASCII are no fault: some phones write their site's name into it.
    let agent = agent.and_then(|agent| std::str::from_utf8(agent.as_bytes()).ok());
    let mac = asked.uri().query().and_then(mac_in_query);
    agent.map(Seen::UserAgent).into_iter().chain(mac.map(Seen::Prefix)).collect()
}

fn wanted(headers: &HeaderMap, opened: &Opened) -> Part {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    part(text(header::RANGE), text(header::IF_RANGE), &opened.etag, opened.length)
}

/// Builds the answer. `begin` makes the body; where no body leaves, it is not called and the delivery counts as aborted.
fn response(
    name: &str,
    opened: &Opened,
    wanted: Part,
    begin: impl FnOnce(Range<u64>) -> Answer,
) -> Response<Answer> {
    let length = opened.length;
    let (status, range) = match wanted {
        Part::Whole => (StatusCode::OK, 0..length),
        Part::Some(range) => (StatusCode::PARTIAL_CONTENT, range),
        Part::Beyond => {
            let mut response =
                plain(StatusCode::RANGE_NOT_SATISFIABLE, "the file ends before that range\n");
            put(&mut response, header::CONTENT_RANGE, &format!("bytes */{length}"));
            return response;
        }
    };
    let mut response = Response::new(begin(range.clone()));
    *response.status_mut() = status;
    put(&mut response, header::CONTENT_LENGTH, &(range.end - range.start).to_string());
    put(&mut response, header::CONTENT_TYPE, content_type(name));
    put(&mut response, header::ETAG, &format!("\"{}\"", opened.etag));
    put(&mut response, header::ACCEPT_RANGES, "bytes");
    if status == StatusCode::PARTIAL_CONTENT {
        let last = range.end.saturating_sub(1);
        put(
            &mut response,
            header::CONTENT_RANGE,
            &format!("bytes {}-{last}/{length}", range.start),
        );
    }
    response
}

fn content_type(name: &str) -> &'static str {
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    match extension.to_ascii_lowercase().as_str() {
        "xml" => "text/xml",
        "cfg" | "conf" => "text/plain",
        _ => "application/octet-stream",
    }
}

fn plain(status: StatusCode, text: &str) -> Response<Answer> {
    let mut response = Response::new(Answer::text(text.to_owned()));
    *response.status_mut() = status;
    put(&mut response, header::CONTENT_TYPE, "text/plain; charset=utf-8");
    response
}

/// The same, and the connection ends with it.
fn closing(mut response: Response<Answer>) -> Response<Answer> {
    put(&mut response, header::CONNECTION, "close");
    response
}

fn put(response: &mut Response<Answer>, name: HeaderName, value: &str) {
    // Values are made of numbers, fixed texts and entity tags; one that no header can carry is better left out.
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_types() {
        let check = |name: &str, expected: &str| assert_eq!(content_type(name), expected, "{name}");
        check("SEP001E7AC41022.cnf.xml", "text/xml");
        check("0004f2aabbcc.cfg", "text/plain");
        check("DIALPLAN.XML", "text/xml");
        check("SEP001E7AC41022.cnf", "application/octet-stream");
        check("no-extension", "application/octet-stream");
    }
}
