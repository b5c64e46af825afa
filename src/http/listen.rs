//! Listening sockets: bound with a cure for what goes wrong, and accepted from within limits.

use std::{
    future::Future,
    io,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
};

use crate::{net::listening, telemetry::Counters};

use super::{
    HttpError,
    connection::asked_to_stop,
    seats::{Seat, Seats},
};

/// How long to wait after an accept that failed (usually: no file descriptor left) before the next.
const RESPITE: Duration = Duration::from_millis(100);

/// Binds every address.
///
/// # Errors
///
/// The first that can't be bound, with the cure.
pub fn bind(addresses: &[SocketAddr]) -> Result<Vec<TcpListener>, HttpError> {
    addresses
        .iter()
        .map(|address| one(*address).map_err(|fault| HttpError::new(address, &fault)))
        .collect()
}

fn one(address: SocketAddr) -> io::Result<TcpListener> {
    TcpListener::from_std(listening(address)?)
}

/// The addresses that listeners are bound to, with the ports that the kernel chose.
pub fn addresses(listeners: &[TcpListener]) -> Vec<SocketAddr> {
    listeners.iter().filter_map(|listener| listener.local_addr().ok()).collect()
}

/// A connection that was let in.
pub struct Guest {
    /// The socket.
    pub stream: TcpStream,
    /// The far end.
    pub peer: IpAddr,
    /// The address that was asked.
    pub local: IpAddr,
    /// Its seat: hold it as long as the connection lives.
    pub seat: Seat,
}

/// Accepts on all listeners until either of `ends` turns true, then waits for the connections to end.
///
/// A connection without a seat is closed and counted under `part`; so is an accept that failed.
pub async fn accept<F>(
    listeners: Vec<TcpListener>,
    seats: Seats,
    (counters, part): (Counters, &'static str),
    ends: [watch::Receiver<bool>; 2],
    converse: impl Fn(Guest) -> F + Clone + Send + 'static,
) where
    F: Future<Output = ()> + Send + 'static,
{
    let mut doors = JoinSet::new();
    for listener in listeners {
        let (seats, counters, ends) = (seats.clone(), counters.clone(), ends.clone());
        doors.spawn(door(listener, seats, counters, part, ends, converse.clone()));
    }
    while doors.join_next().await.is_some() {}
}

async fn door<F>(
    listener: TcpListener,
    seats: Seats,
    counters: Counters,
    part: &'static str,
    [mut close, mut stop]: [watch::Receiver<bool>; 2],
    converse: impl Fn(Guest) -> F,
) where
    F: Future<Output = ()> + Send + 'static,
{
    let mut guests = JoinSet::new();
    loop {
        // Accept and join are cancel-safe: neither loses a connection or a result when another branch wins.
        tokio::select! {
            () = asked_to_stop(&mut close) => break,
            () = asked_to_stop(&mut stop) => break,
            Some(_) = guests.join_next(), if !guests.is_empty() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => match guest(stream, peer, &seats) {
                    Some(guest) => { guests.spawn(converse(guest)); }
                    None => counters.count(part, "connection-without-seat"),
                },
                Err(fault) => {
                    tracing::debug!(%fault, "can't accept");
                    counters.count(part, "accept-failed");
                    tokio::time::sleep(RESPITE).await;
                }
            },
        }
    }
    drop(listener);
    while guests.join_next().await.is_some() {}
}

fn guest(stream: TcpStream, peer: SocketAddr, seats: &Seats) -> Option<Guest> {
    let peer = peer.ip().to_canonical();
    let seat = seats.take(peer)?;
    let local = stream.local_addr().ok()?.ip().to_canonical();
    // Small answers leave at once; without it the last one waits for an acknowledgement.
    stream.set_nodelay(true).ok()?;
    Some(Guest { stream, peer, local, seat })
}
