//! One HTTP/1 connection from its first byte to its last.

use std::{error::Error, time::Duration};

use hyper::{Request, Response, body::Incoming, server::conn::http1, service::HttpService};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::watch,
    time::{Instant, sleep_until},
};

use crate::domain::Outcome;

use super::meter::{Meter, Metered};

/// The most octets of a request's line and headers; what is longer gets 431.
const MAX_HEADERS: usize = 8 * 1024;

/// How long a peer may take for a request's headers, and how long a kept-alive connection may wait for the next one.
const HEADERS_WITHIN: Duration = Duration::from_secs(10);

/// How long a connection with a request under way may stand still.
const PATIENCE: Duration = Duration::from_mins(1);

/// How long answers under way may go on once the appliance stops.
const DRAIN: Duration = Duration::from_secs(10);

/// Serves one connection until the peer or the appliance ends it.
///
/// What is under way when it stands still ends as timed out; what is under way when the drain is over, as failed.
/// Everything else that is left in the meter was aborted by the peer.
pub async fn converse<I, S>(io: I, service: S, meter: Meter, mut stop: watch::Receiver<bool>)
where
    I: AsyncRead + AsyncWrite + Unpin,
    S: HttpService<Incoming>,
    S::ResBody: 'static,
    <S::ResBody as hyper::body::Body>::Error: Into<Box<dyn Error + Send + Sync>>,
    S::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let io = TokioIo::new(Metered::new(io, meter.clone()));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS_WITHIN)
        .max_buf_size(MAX_HEADERS)
        .serve_connection(io, service);
    let mut connection = std::pin::pin!(connection);
    let mut deadline: Option<Instant> = None;
    loop {
        let over = deadline.unwrap_or_else(Instant::now);
        // Every branch may be dropped at any time: the connection is pinned outside, the others hold no state.
        tokio::select! {
            ended = connection.as_mut() => {
                if let Err(fault) = ended {
                    tracing::debug!(%fault, "connection ended early");
                }
                return;
            }
            () = meter.stalled(PATIENCE) => return meter.end_all(&Outcome::TimedOut),
            () = asked_to_stop(&mut stop), if deadline.is_none() => {
                deadline = Some(Instant::now() + DRAIN);
                connection.as_mut().graceful_shutdown();
            }
            () = sleep_until(over), if deadline.is_some() => {
                return meter.end_all(&Outcome::Failed { text: "the appliance stopped".to_owned() });
            }
        }
    }
}

/// Resolves once the appliance stops, or nobody is left who could say so.
pub async fn asked_to_stop(stop: &mut watch::Receiver<bool>) {
    // An error means that the sender is gone, which ends the appliance as well.
    let _ = stop.wait_for(|stop| *stop).await;
}

/// What a service of this module answers.
pub type Answered<B> = Result<Response<B>, std::convert::Infallible>;

/// What a service of this module is asked.
pub type Asked = Request<Incoming>;
