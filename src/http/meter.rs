//! What the kernel has taken of each answer: the bridge between hyper's buffers and the boot record.

use std::{
    collections::VecDeque,
    io,
    ops::Range,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, sleep_until},
};

use crate::{domain::Outcome, provision::Delivery};

/// The most answers of one connection whose last byte may be unsent at a time. A phone that pipelines more gets 503 for
/// the next, so that nobody can pile up transfers without reading one.
const MAX_RUNNING: usize = 16;

/// Counts what the kernel accepts on one connection, and reports each transfer exactly once.
///
/// hyper flushes the socket only once its own buffer is empty, so at each flush everything that a body has handed over
/// was accepted by the kernel. A meter that is dropped with transfers in it drops their deliveries: aborted.
#[derive(Clone, Debug)]
pub struct Meter(Arc<Mutex<Inner>>);

#[derive(Debug)]
struct Inner {
    running: VecDeque<Running>,
    next: u64,
    moved: Instant,
}

#[derive(Debug)]
struct Running {
    id: u64,
    delivery: Delivery,
    part: Range<u64>,
    length: u64,
    handed: u64,
    told: u64,
}

/// One answer's place in its connection's meter.
#[derive(Clone, Debug)]
pub struct Ticket {
    meter: Meter,
    id: u64,
}

impl Meter {
    /// A meter that has just moved.
    #[must_use]
    pub fn new() -> Self {
        let inner = Inner { running: VecDeque::new(), next: 0, moved: Instant::now() };
        Self(Arc::new(Mutex::new(inner)))
    }

    /// True while one more answer may begin.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.inner().running.len() < MAX_RUNNING
    }

    /// Begins an answer that carries `part` of a file of `length` octets.
    #[must_use]
    pub fn begin(&self, delivery: Delivery, part: Range<u64>, length: u64) -> Ticket {
        let mut inner = self.inner();
        let id = inner.next;
        inner.next += 1;
        inner.running.push_back(Running { id, delivery, part, length, handed: 0, told: 0 });
        Ticket { meter: self.clone(), id }
    }

    /// Ends everything that is under way, with one outcome.
    pub fn end_all(&self, outcome: &Outcome) {
        let running = std::mem::take(&mut self.inner().running);
        for running in running {
            running.delivery.finish(outcome.clone());
        }
    }

    /// Resolves when nothing has moved in either direction for `patience`. Cancel-safe: it holds no state of its own.
    pub async fn stalled(&self, patience: Duration) {
        loop {
            let due = self.inner().moved + patience;
            if Instant::now() >= due {
                return;
            }
            sleep_until(due).await;
        }
    }

    fn moved(&self) {
        self.inner().moved = Instant::now();
    }

    fn flushed(&self) {
        let mut inner = self.inner();
        for running in &mut inner.running {
            running.tell();
        }
        while inner.running.front().is_some_and(Running::is_sent) {
            if let Some(running) = inner.running.pop_front() {
                running.end();
            }
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        // What is in here is counters and a queue: whole after any panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Meter {
    fn default() -> Self {
        Self::new()
    }
}

impl Running {
    fn tell(&mut self) {
        if self.handed > self.told {
            self.told = self.handed;
            self.delivery.advance(self.part.start + self.handed);
        }
    }

    fn is_sent(&self) -> bool {
        self.handed >= self.part.end - self.part.start
    }

    /// Reports the end: a part that stops short of the file's end is no whole delivery, though it is all that was asked.
    fn end(self) {
        let Range { start, end } = self.part;
        self.delivery.finish(if end == self.length {
            Outcome::Complete
        } else {
            let last = end.saturating_sub(1);
            Outcome::Aborted { text: format!("it asked for bytes {start}-{last} only") }
        });
    }
}

impl Ticket {
    /// Notes that `bytes` more were handed to hyper.
    pub fn hand(&self, bytes: u64) {
        let mut inner = self.meter.inner();
        if let Some(running) = inner.running.iter_mut().find(|running| running.id == self.id) {
            running.handed += bytes;
        }
    }

    /// Ends this answer because the server can't go on.
    pub fn fail(&self, text: String) {
        let mut inner = self.meter.inner();
        let at = inner.running.iter().position(|running| running.id == self.id);
        if let Some(running) = at.and_then(|at| inner.running.remove(at)) {
            drop(inner);
            running.delivery.finish(Outcome::Failed { text });
        }
    }
}

/// A socket whose traffic a meter counts.
#[derive(Debug)]
pub struct Metered<I> {
    io: I,
    meter: Meter,
}

impl<I> Metered<I> {
    /// Counts the traffic of `io` on `meter`.
    pub const fn new(io: I, meter: Meter) -> Self {
        Self { io, meter }
    }
}

impl<I: AsyncRead + Unpin> AsyncRead for Metered<I> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.io).poll_read(context, buffer))?;
        self.meter.moved();
        Poll::Ready(Ok(()))
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for Metered<I> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let accepted = ready!(Pin::new(&mut self.io).poll_write(context, bytes))?;
        self.meter.moved();
        Poll::Ready(Ok(accepted))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let accepted = ready!(Pin::new(&mut self.io).poll_write_vectored(context, buffers))?;
        self.meter.moved();
        Poll::Ready(Ok(accepted))
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.io).poll_flush(context))?;
        self.meter.flushed();
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(context)
    }
}
