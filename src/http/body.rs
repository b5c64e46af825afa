//! A file on its way out: read block by block, never more in memory than one of them.

use std::{
    io,
    ops::Range,
    pin::Pin,
    task::{Context, Poll, ready},
};

use axum::body::Bytes;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::task::{JoinHandle, spawn_blocking};

use crate::provision::Body;

use super::meter::Ticket;

/// Octets read and handed over at a time.
const BLOCK: u64 = 64 * 1024;

/// The body of an answer on the phones' ports.
#[derive(Debug)]
pub enum Answer {
    /// A short text, or nothing.
    Text(Option<Bytes>),
    /// Part of a file.
    File(Sending),
}

/// Part of a file, under way.
#[derive(Debug)]
pub struct Sending {
    body: Body,
    left: Range<u64>,
    reading: Option<JoinHandle<io::Result<Bytes>>>,
    ticket: Ticket,
}

impl Answer {
    /// A short text.
    #[must_use]
    pub fn text(text: String) -> Self {
        Self::Text(Some(Bytes::from(text)).filter(|text| !text.is_empty()))
    }

    /// No body.
    #[must_use]
    pub const fn empty() -> Self {
        Self::Text(None)
    }
}

impl Sending {
    /// Sends `part` of `body`, told to `ticket`.
    #[must_use]
    pub const fn new(body: Body, part: Range<u64>, ticket: Ticket) -> Self {
        Self { body, left: part, reading: None, ticket }
    }

    fn poll_block(&mut self, context: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        if self.left.is_empty() {
            return Poll::Ready(None);
        }
        let wanted = BLOCK.min(self.left.end - self.left.start);
        let block = match &self.body {
            Body::Bytes(bytes) => Ok(in_memory(bytes, self.left.start, wanted)),
            Body::File(_) => {
                let (body, start) = (&self.body, self.left.start);
                let reading = self.reading.get_or_insert_with(|| read(body.clone(), start, wanted));
                let joined = ready!(Pin::new(reading).poll(context));
                self.reading = None;
                joined.unwrap_or_else(|fault| Err(io::Error::other(fault)))
            }
        };
        Poll::Ready(Some(self.handed(block, wanted)))
    }

    /// Counts a block that goes out. A file that has shrunk under us can't be finished as announced.
    fn handed(&mut self, block: io::Result<Bytes>, wanted: u64) -> io::Result<Bytes> {
        let shrunk = || io::Error::other("the file is shorter than it was when it was loaded");
        let block = block
            .and_then(|block| (block.len() as u64 == wanted).then_some(block).ok_or_else(shrunk));
        match &block {
            Ok(_) => {
                self.left.start += wanted;
                self.ticket.hand(wanted);
            }
            Err(fault) => {
                // The connection ends with this answer, whose length can't be kept any more.
                self.left.start = self.left.end;
                self.ticket.fail(fault.to_string());
            }
        }
        block
    }
}

fn in_memory(bytes: &std::sync::Arc<[u8]>, start: u64, wanted: u64) -> Bytes {
    let range = usize::try_from(start).ok().zip(usize::try_from(start + wanted).ok());
    let whole = Bytes::from_owner(std::sync::Arc::clone(bytes));
    match range.filter(|(_, end)| *end <= whole.len()) {
        Some((start, end)) => whole.slice(start..end),
        None => Bytes::new(),
    }
}

/// Reads on the blocking pool: a firmware directory may be on a disk that takes its time.
fn read(body: Body, start: u64, wanted: u64) -> JoinHandle<io::Result<Bytes>> {
    spawn_blocking(move || {
        let mut block = vec![0; usize::try_from(wanted).map_err(io::Error::other)?];
        let filled = body.read_at(start, &mut block)?;
        block.truncate(filled);
        Ok(Bytes::from(block))
    })
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        match &mut *self {
            Self::Text(text) => Poll::Ready(text.take().map(|text| Ok(Frame::data(text)))),
            Self::File(sending) => {
                sending.poll_block(context).map(|block| block.map(|block| block.map(Frame::data)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Text(text) => text.is_none(),
            Self::File(sending) => sending.left.is_empty(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(match self {
            Self::Text(text) => text.as_ref().map_or(0, |text| text.len() as u64),
            Self::File(sending) => sending.left.end - sending.left.start,
        })
    }
}
