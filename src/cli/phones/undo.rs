//! `ringup phones undo`.

use axum::body::Bytes;
use hyper::Method;
use serde_json::Value;

use crate::cli::output;

use super::super::{
    client::Client,
    exit::{Done, Exit},
    output::text,
};

/// Options of `ringup phones undo`.
#[derive(Debug, clap::Args)]
pub struct Undo {}

impl Undo {
    /// Runs it.
    #[expect(clippy::unused_self, reason = "all commands are called alike")]
    pub fn run(&self, client: &Client) -> Done {
        let body = client.send(Method::POST, "/api/v1/undo", "", Bytes::new())?;
        let answer: Value = serde_json::from_slice(&body).unwrap_or_default();
        let undone = text(&answer, "/commit");
        let what = match (undone.as_str(), text(&answer, "/changes").as_str()) {
            ("", _) => "there is nothing to take back".to_owned(),
            (commit, changes) => {
                format!(
                    "the last import, replacement or repair is taken back: {changes} changes, commit {commit}"
                )
            }
        };
        output::line(&what)?;
        Ok(Exit::Ok)
    }
}
