//! Where each value of a phone's file comes from, as JSON.

use serde::Serialize;
use utoipa::ToSchema;

use crate::provision::{Explained, Explanation};

/// A phone's file by what went into it.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExplainedView {
    /// The template or the file that answers.
    source: String,
    /// What its template read, then what was merged last; empty for a file that is served as it is.
    values: Vec<ExplanationView>,
}

/// One value of a file.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExplanationView {
    /// As templates spell it: `lines[0].user`, `set.NAME`.
    name: String,
    /// Secrets are masked unless `reveal`.
    value: String,
    /// `entry`, `model`, `site`, `default-site` or `profile`, strongest first.
    level: &'static str,
    /// The site whose table it is.
    site: Option<String>,
    /// File and line of the settings, where that is known.
    at: Option<String>,
    /// What else there is to know.
    note: Option<String>,
}

impl From<Explained> for ExplainedView {
    fn from(explained: Explained) -> Self {
        let values = explained.values.into_iter().map(ExplanationView::from).collect();
        Self { source: explained.source, values }
    }
}

impl From<Explanation> for ExplanationView {
    fn from(Explanation { name, value, origin }: Explanation) -> Self {
        let note = Some(origin.note).filter(|note| !note.is_empty());
        Self { name, value, level: origin.level.as_str(), site: origin.site, at: origin.at, note }
    }
}
