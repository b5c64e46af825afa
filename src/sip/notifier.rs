//! The task that tells phones to come again: one socket for all of them, and the only clock in this module.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4},
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{
    net::UdpSocket,
    sync::{mpsc, watch},
    time::{sleep, sleep_until},
};

use crate::{
    domain::{Mac, Reply, Timestamp},
    provision::{Next, Order, Resync, Service},
    wire::sip::{Answer, PORT},
};

use super::calls::{Calls, Led, Outcome, Sending};

/// Phones that may wait to be told; one more is told [`crate::provision::Called::Later`]. More than a bench holds.
const QUEUE: usize = 1024;

/// The least time from one phone to the next, also where an operator wants many at once: switches and file servers feel
/// a burst.
const GAP: Duration = Duration::from_millis(20);

/// The longest answer that is read whole.
const LONGEST: usize = 4096;

/// How long the socket rests after the system refused to read, so that a dead interface does not eat a processor.
const REST: Duration = Duration::from_millis(100);

/// The way to the notifier, for [`Service::join_resync`].
#[derive(Clone, Debug)]
pub struct Orders(mpsc::Sender<Order>);

impl Resync for Orders {
    fn resync(&self, order: Order) -> bool {
        self.0.try_send(order).is_ok()
    }
}

/// Tells phones to come again.
#[derive(Debug)]
pub struct Notifier {
    service: Arc<Service>,
    orders: mpsc::Receiver<Order>,
    calls: Calls,
    /// Bound when the first phone is told: until then no port is open.
    socket: Option<UdpSocket>,
    /// When the next phone may be told.
    free: Instant,
}

/// What there is to do.
enum Work {
    Order(Order),
    Heard(io::Result<(usize, SocketAddr)>),
    Time,
    Stop,
}

impl Notifier {
    /// A notifier, and the way to it.
    #[must_use]
    pub fn new(service: Arc<Service>) -> (Self, Orders) {
        let (send, orders) = mpsc::channel(QUEUE);
        let (calls, free) = (Calls::default(), Instant::now());
        (Self { service, orders, calls, socket: None, free }, Orders(send))
    }

    /// Tells phones until `stop` turns true. What is under way then is given up: nobody waits half a minute for it.
    pub async fn serve(mut self, mut stop: watch::Receiver<bool>) {
        let mut buffer = vec![0; LONGEST];
        let mut begun = Box::pin(self.service.recalls.begun());
        loop {
            let now = Instant::now();
            let (turn, due) = self.turn(now);
            if let Some(phone) = turn {
                let called = self.service.resync(phone);
                self.service.recalls.turned(phone, &called);
                continue;
            }
            let idle = due.is_none();
            let due = due.unwrap_or(now).into();
            let room = now >= self.free && self.calls.has_room();
            // All of them are cancel-safe: an order and a datagram are taken whole or not at all, and a notice of a run
            // that came meanwhile is kept by whoever gave it.
            let work = tokio::select! {
                _ = stop.wait_for(|stop| *stop) => Work::Stop,
                Some(order) = self.orders.recv(), if room => Work::Order(order),
                heard = receive(self.socket.as_ref(), &mut buffer) => Work::Heard(heard),
                () = &mut begun => {
                    begun = Box::pin(self.service.recalls.begun());
                    Work::Time
                }
                () = sleep_until(due), if !idle => Work::Time,
            };
            match work {
                Work::Stop => return,
                Work::Order(order) => self.begin(order).await,
                Work::Heard(Ok((length, peer))) => self.heard(&buffer[..length], peer.ip()).await,
                Work::Heard(Err(error)) => {
                    tracing::debug!(%error, "can't receive answers of phones");
                    sleep(REST).await;
                }
                Work::Time => {}
            }
            self.tick().await;
        }
    }

    /// The phone of a run whose turn it is, and when there is something to do next.
    fn turn(&self, now: Instant) -> (Option<Mac>, Option<Instant>) {
        // A full house waits for one to leave, which an answer or a timer brings about.
        let next =
            if self.calls.has_room() { self.service.recalls.next(now) } else { Next::Nothing };
        let pace = (now < self.free).then_some(self.free);
        let timers = self.calls.next();
        match next {
            Next::Phone(phone) => (Some(phone), None),
            Next::At(at) => (None, [Some(at), pace, timers].into_iter().flatten().min()),
            Next::Nothing => (None, [pace, timers].into_iter().flatten().min()),
        }
    }

    async fn begin(&mut self, order: Order) {
        // Asked for twice while it is at it: one answer is enough for both.
        if self.calls.has(order.phone) {
            return;
        }
        let phone = order.phone;
        let event = order.event.clone();
        let local = match self.local(order.address).await {
            Ok(local) => local,
            Err(error) => {
                let reply = Reply::Unsent { text: error.to_string() };
                return self.report(Outcome { phone, event, reply });
            }
        };
        let now = Instant::now();
        self.free = now + GAP;
        tracing::info!(%phone, address = %order.address, event, "asks a phone to come again");
        let sending = self.calls.begin(order, local, now, &mut fresh);
        if let Err(error) = self.send(&sending).await
            && let Some(outcome) = self.calls.fail(phone, error.to_string())
        {
            self.report(outcome);
        }
    }

    /// The address that a phone sees us by, with the port that answers come to.
    async fn local(&mut self, phone: Ipv4Addr) -> io::Result<SocketAddrV4> {
        if self.socket.is_none() {
            self.socket = Some(UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).await?);
        }
        let port = self.socket.as_ref().map_or(Ok(0), |it| it.local_addr().map(|at| at.port()))?;
        // A socket that is connected and sends nothing: the kernel tells the way that it would take.
        let probe = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).await?;
        probe.connect((phone, PORT)).await?;
        match probe.local_addr()?.ip() {
            IpAddr::V4(own) => Ok(SocketAddrV4::new(own, port)),
            IpAddr::V6(_) => Err(io::ErrorKind::AddrNotAvailable.into()),
        }
    }

    async fn send(&self, (octets, peer): &Sending) -> io::Result<()> {
        let socket = self.socket.as_ref().ok_or(io::ErrorKind::NotConnected)?;
        socket.send_to(octets, peer).await.map(|_| ())
    }

    async fn heard(&mut self, datagram: &[u8], peer: IpAddr) {
        let Some(answer) = Answer::decode(datagram) else {
            self.service.counters.count("resync", "not-an-answer");
            return;
        };
        match self.calls.answer(answer, peer, Instant::now(), &mut fresh) {
            Led::Nowhere => {}
            // What is lost here is sent again by its timer.
            Led::Again(sending) => drop(self.send(&sending).await),
            Led::End(outcome) => self.report(outcome),
        }
    }

    /// Sends again what is due, and gives up what nobody answered.
    async fn tick(&mut self) {
        let (again, over) = self.calls.due(Instant::now());
        for sending in again {
            // The next one may get through.
            drop(self.send(&sending).await);
        }
        for outcome in over {
            self.report(outcome);
        }
    }

    fn report(&self, Outcome { phone, event, reply }: Outcome) {
        tracing::info!(%phone, %reply, "a phone was asked to come again");
        self.service.answered(phone, event, reply, Timestamp::now());
    }
}

/// Waits for a datagram; for ever where there is no socket yet.
async fn receive(socket: Option<&UdpSocket>, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
    match socket {
        Some(socket) => socket.recv_from(buffer).await,
        None => std::future::pending().await,
    }
}

/// 128 bits that nobody guesses.
fn fresh() -> String {
    format!("{:032x}", rand::random::<u128>())
}
