//! The auto-registration window, shown and moved.

use axum::{
    Json,
    body::Bytes,
    extract::{State, rejection::BytesRejection},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    domain::{Batch, Change, Timestamp, Window},
    provision::Provisioner,
    store,
};

use super::{super::operators::Operators, problem::Details, view::moment};

/// The auto-registration window.
#[derive(Debug, Serialize, ToSchema)]
pub struct WindowView {
    /// Open now.
    enabled: bool,
    /// When it closes by itself.
    until: Option<String>,
    /// The range to take numbers from; null if none is set.
    numbers: Option<String>,
    /// Numbers of that range that nobody has or had.
    left: Option<u64>,
}

/// How the window is to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    /// Open or closed.
    enabled: bool,
    /// When it closes by itself, RFC 3339; left out or null: not by itself.
    #[serde(default)]
    until: Option<String>,
    /// As shown: the range belongs to the settings and can't be changed here.
    #[serde(default)]
    numbers: Option<String>,
    /// Not looked at: it is here so that what was shown can be sent back.
    #[serde(default)]
    #[expect(dead_code, reason = "read by nobody but serde")]
    left: Option<u64>,
}

/// Shows whether phones that nobody listed are taken in.
#[utoipa::path(get, path = "/api/v1/auto-registration", tag = "auto-registration",
    responses((status = 200, body = WindowView)))]
pub async fn show(State(operators): State<Operators>) -> Json<WindowView> {
    let (provisioner, state) = (operators.service.provisioner(), operators.service.view.read());
    Json(view(&provisioner, &state))
}

/// Opens or closes the window. It beats the settings from now on.
#[utoipa::path(put, path = "/api/v1/auto-registration", tag = "auto-registration", request_body = Wanted,
    responses((status = 200, body = WindowView), (status = 400, body = Details)))]
pub async fn put(
    State(operators): State<Operators>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<WindowView>, Details> {
    let wanted: Wanted =
        serde_json::from_slice(&body?).map_err(|error| Details::bad(error.to_string()))?;
    if let Some(numbers) = &wanted.numbers {
        let range = range(&operators.service.provisioner());
        if range.as_ref() != Some(numbers) {
            let range = range.unwrap_or_else(|| "not set".to_owned());
            let text = format!(
                "`numbers` is {range} in the settings, [auto-registration]: change it there"
            );
            return Err(Details::bad(text));
        }
    }
    let until = match wanted.until {
        None => None,
        Some(text) => {
            let at: Timestamp = text
                .parse()
                .map_err(|error| Details::bad(format!("`until` is no RFC 3339 moment: {error}")))?;
            Some(at)
        }
    };
    if wanted.enabled && until.is_some_and(|until| until <= Timestamp::now()) {
        return Err(Details::bad("`until` is over already: the window would be closed at once"));
    }
    let window = Window { enabled: wanted.enabled, until };
    operators.service.journal.commit(Batch::from(Change::Window(Some(window)))).await?;
    Ok(show(State(operators)).await)
}

fn view(provisioner: &Provisioner, state: &store::State) -> WindowView {
    let window = provisioner.window(state, Timestamp::now());
    let range = provisioner.settings().auto_registration.numbers;
    let left = range.map(|range| {
        let is_in = |number: &&String| {
            number.len() == range.width
                && number
                    .parse()
                    .is_ok_and(|number: u64| (range.first..=range.last).contains(&number))
        };
        let taken = state.numbers.keys().filter(is_in).count() as u64;
        (range.last - range.first).saturating_add(1).saturating_sub(taken)
    });
    WindowView {
        enabled: window.enabled,
        until: window.until.map(moment),
        numbers: self::range(provisioner),
        left,
    }
}

/// A range as the settings spell it.
fn range(provisioner: &Provisioner) -> Option<String> {
    let range = provisioner.settings().auto_registration.numbers?;
    Some(format!("{:0width$}-{:0width$}", range.first, range.last, width = range.width))
}
