//! The state as a whole: the last import taken back, and a backup.

use std::io;

use axum::{
    Json,
    body::{Body, Bytes},
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use utoipa::{IntoParams, ToSchema};

use crate::store::Store;

use super::{
    super::operators::Operators,
    problem::{Details, Params},
};

/// Octets of a backup that are handed on at a time.
const BLOCK: usize = 64 * 1024;

/// Blocks under way: a slow reader makes the backup wait, not grow.
const UNDER_WAY: usize = 8;

/// What was taken back.
#[derive(Debug, Serialize, ToSchema)]
pub struct Undone {
    /// The number of the commit that took it back; null if there was nothing to undo.
    commit: Option<u64>,
    /// How many changes that took.
    changes: usize,
}

/// What to take back.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// Only if the last thing that can be taken back is still this commit.
    commit: Option<u64>,
}

/// Takes the last import, replacement or accepted repair back.
#[utoipa::path(post, path = "/api/v1/undo", tag = "phones", params(Which),
    responses((status = 200, body = Undone), (status = 409, body = Details, description = "it is not the last any more")))]
pub async fn undo(
    State(operators): State<Operators>,
    Params(which): Params<Which>,
) -> Result<Json<Undone>, Details> {
    let journal = &operators.service.journal;
    let undone = match which.commit {
        Some(commit) => journal.undo_of(commit).await?,
        None => journal.undo().await?,
    };
    Ok(Json(Undone {
        commit: undone.as_ref().map(|commit| commit.number),
        changes: undone.map_or(0, |commit| commit.changes.len()),
    }))
}

/// All state as one file, passwords included; `ringup restore` takes it. A file without its last line is not whole.
#[utoipa::path(get, path = "/api/v1/backup", tag = "appliance",
    responses((status = 200, content_type = "application/octet-stream")))]
pub async fn backup(State(operators): State<Operators>) -> Response {
    let (sender, receiver) = mpsc::channel(UNDER_WAY);
    let service = operators.service;
    let store = Store {
        view: service.view.clone(),
        journal: service.journal.clone(),
        feed: service.feed.clone(),
        set_aside: None,
    };
    tokio::task::spawn_blocking(move || {
        let mut pipe = Pipe { sender, block: Vec::with_capacity(BLOCK) };
        match store
            .backup(&mut pipe)
            .and_then(|()| io::Write::flush(&mut pipe).map_err(|fault| gone(&fault)))
        {
            Ok(()) => {}
            Err(fault) => {
                tracing::warn!(%fault, "backup is not whole");
                // The reader sees the connection end before the last chunk.
                let _ = pipe.sender.blocking_send(Err(io::Error::other(fault.to_string())));
            }
        }
    });
    let name = "attachment; filename=\"ringup.backup\"";
    let headers =
        [(header::CONTENT_TYPE, "application/octet-stream"), (header::CONTENT_DISPOSITION, name)];
    (headers, Body::from_stream(ReceiverStream::new(receiver))).into_response()
}

fn gone(fault: &io::Error) -> crate::store::StoreError {
    crate::store::StoreError::Io { path: "backup".to_owned(), text: fault.to_string() }
}

/// A writer whose blocks leave as a body.
struct Pipe {
    sender: mpsc::Sender<io::Result<Bytes>>,
    block: Vec<u8>,
}

impl io::Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.block.extend_from_slice(bytes);
        if self.block.len() >= BLOCK {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let block = std::mem::replace(&mut self.block, Vec::with_capacity(BLOCK));
        if block.is_empty() {
            return Ok(());
        }
        self.sender.blocking_send(Ok(block.into())).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}
