//! The auto-registration window, shown and moved.

use axum::{
    Json,
    body::Bytes,
    extract::{State, rejection::BytesRejection},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use std::{collections::BTreeSet, time::Duration};

use crate::{
    domain::{Batch, Change, Timestamp, Window},
    provision::Provisioner,
    store,
};

use super::{super::operators::Operators, problem::Details, view::moment};

/// The longest that a window is opened for by minutes: a week. Longer ones have an end that is thought about.
const MAX_MINUTES: u32 = 7 * 24 * 60;

/// The auto-registration window.
#[derive(Debug, Serialize, ToSchema)]
pub struct WindowView {
    /// Open now.
    pub enabled: bool,
    /// When it closes by itself.
    pub until: Option<String>,
    /// The range to take numbers from; null if none is set.
    pub numbers: Option<String>,
    /// Numbers of that range that nobody has or had.
    pub left: Option<u64>,
    /// Sites that have a range of their own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sites: Vec<SiteRange>,
}

/// A site's own range of numbers.
#[derive(Debug, Serialize, ToSchema)]
pub struct SiteRange {
    /// The site.
    pub site: String,
    /// Its range.
    pub numbers: String,
    /// Numbers of it that nobody has or had.
    pub left: u64,
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
    /// How many minutes it stays open, instead of `until`: whoever asks need not know what time it is here.
    #[serde(default)]
    minutes: Option<u32>,
    /// As shown: the range belongs to the settings and can't be changed here.
    #[serde(default)]
    numbers: Option<String>,
    /// Not looked at: it is here so that what was shown can be sent back.
    #[serde(default)]
    #[expect(dead_code, reason = "read by nobody but serde")]
    left: Option<u64>,
    /// Not looked at either.
    #[serde(default)]
    #[expect(dead_code, reason = "read by nobody but serde")]
    sites: serde_json::Value,
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
    let until = match (wanted.until, wanted.minutes) {
        (None, None) => None,
        (Some(_), Some(_)) => return Err(Details::bad("either `until` or `minutes`")),
        (None, Some(minutes)) if (1..=MAX_MINUTES).contains(&minutes) => {
            Some(Timestamp::now() + Duration::from_mins(minutes.into()))
        }
        (None, Some(_)) => {
            return Err(Details::bad(format!("`minutes` is from 1 to {MAX_MINUTES}")));
        }
        (Some(text), None) => {
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

/// The window as it is now.
#[must_use]
pub fn view(provisioner: &Provisioner, state: &store::State) -> WindowView {
    let window = provisioner.window(state, Timestamp::now());
    let settings = provisioner.settings();
    let common = settings.auto_registration.numbers;
    let own = settings.sites.iter().filter_map(|(site, values)| Some((site, values.numbers?)));
    // A site without a range of its own has the common one, and may have inherited it word by word.
    let own = own.filter(|(_, range)| Some(*range) != common);
    WindowView {
        enabled: window.enabled,
        until: window.until.map(moment),
        numbers: range(provisioner),
        left: common.map(|range| left((range.first, range.last, range.width), state)),
        sites: own
            .map(|(site, range)| SiteRange {
                site: site.clone(),
                numbers: spelled(range.first, range.last, range.width),
                left: left((range.first, range.last, range.width), state),
            })
            .collect(),
    }
}

/// How many numbers of a range nobody has or had: given away for ever, or listed.
fn left((first, last, width): (u64, u64, usize), state: &store::State) -> u64 {
    let is_in = |number: &&String| {
        number.len() == width
            && number.parse().is_ok_and(|number: u64| (first..=last).contains(&number))
    };
    let entries = state.phones.values().filter_map(|phone| phone.entry.as_ref());
    let listed = entries.flat_map(|entry| entry.lines.iter().map(|line| &line.number));
    let taken: BTreeSet<&String> = state.numbers.keys().chain(listed).filter(is_in).collect();
    (last - first).saturating_add(1).saturating_sub(taken.len() as u64)
}

/// A range as the settings spell it.
fn range(provisioner: &Provisioner) -> Option<String> {
    let range = provisioner.settings().auto_registration.numbers?;
    Some(spelled(range.first, range.last, range.width))
}

fn spelled(first: u64, last: u64, width: usize) -> String {
    format!("{first:0width$}-{last:0width$}")
}
