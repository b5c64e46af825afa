//! The operators' list, in and out.

use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{
    super::operators::Operators,
    entry::EntryView,
    problem::{Details, Params, switch},
};

/// The most octets of a list.
pub const MAX_LIST: usize = 16 * 1024 * 1024;
