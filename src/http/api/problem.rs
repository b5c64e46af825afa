//! Errors as operators and scripts see them: RFC 9457 problem details.

use axum::{
    Json,
    extract::{FromRequestParts, Query, rejection::BytesRejection},
    http::{HeaderValue, StatusCode, Uri, header, request::Parts},
    response::{IntoResponse, Response},
};
use serde::{Serialize, de::DeserializeOwned};
use utoipa::ToSchema;

use crate::{
    provision::Why,
    store::{CommitError, StoreError},
};

/// A problem in detail (RFC 9457). `type` is always `about:blank`: the status says what kind it is.
#[derive(Debug, Serialize, ToSchema)]
pub struct Details {
    #[serde(rename = "type")]
    kind: &'static str,
    title: String,
    status: u16,
    detail: String,
}

impl Details {
    /// A problem with its explanation: what is so, and what to do about it.
    #[must_use]
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        let title = status.canonical_reason().unwrap_or("Problem").to_owned();
        Self { kind: "about:blank", title, status: status.as_u16(), detail: detail.into() }
    }

    /// 400: the request makes no sense.
    #[must_use]
    pub fn bad(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    /// 404: there is no such thing.
    #[must_use]
    pub fn missing(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    /// 500: our fault.
    #[must_use]
    pub fn fault(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, detail)
    }
}

impl IntoResponse for Details {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(self)).into_response();
        let kind = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        response
    }
}

impl From<CommitError> for Details {
    fn from(error: CommitError) -> Self {
        let status = match error {
            CommitError::Taken(_) | CommitError::NotTheLast => StatusCode::CONFLICT,
            CommitError::Store(_) => StatusCode::INTERNAL_SERVER_ERROR,
            CommitError::Closed | CommitError::Busy => StatusCode::SERVICE_UNAVAILABLE,
        };
        Self::new(status, error.to_string())
    }
}

impl From<StoreError> for Details {
    fn from(error: StoreError) -> Self {
        Self::fault(error.to_string())
    }
}

impl From<BytesRejection> for Details {
    fn from(rejection: BytesRejection) -> Self {
        Self::new(rejection.status(), rejection.body_text())
    }
}

impl From<Why> for Details {
    fn from(why: Why) -> Self {
        let status = match why {
            Why::NoSuchFile { .. }
            | Why::Missing { .. }
            | Why::Foreign { .. }
            | Why::NotListed { .. }
            | Why::NoNumbersLeft { .. }
            | Why::Incomplete { .. }
            | Why::Waits { .. } => StatusCode::NOT_FOUND,
            Why::NoLease { .. } | Why::NotItsAddress { .. } => StatusCode::FORBIDDEN,
            // The operator's own file or template does not hold together: nothing here is broken.
            Why::Unrenderable { .. } => StatusCode::UNPROCESSABLE_ENTITY,
        };
        Self::new(status, why.to_string())
    }
}

/// The query of a request. What it doesn't understand is a problem in detail.
pub struct Params<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Params<T> {
    type Rejection = Details;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Details> {
        match Query::<T>::try_from_uri(&parts.uri) {
            Ok(Query(params)) => Ok(Self(params)),
            Err(rejection) => Err(Details::bad(rejection.body_text())),
        }
    }
}

/// A switch in a query: `?dry-run` and `?dry-run=true` are the same.
///
/// # Errors
///
/// Anything but nothing, `true`, `1`, `false` and `0`.
pub fn switch<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    let text = <String as serde::Deserialize>::deserialize(deserializer)?;
    match text.as_str() {
        "" | "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        other => Err(serde::de::Error::custom(format!("`{other}` is neither true nor false"))),
    }
}

/// The pairs of a query, decoded, for what may be given more than once.
pub fn pairs(query: &str) -> impl Iterator<Item = (String, String)> {
    let decoded: Vec<(String, String)> = Uri::builder()
        .path_and_query(format!("/?{query}"))
        .build()
        .ok()
        .and_then(|uri| Query::try_from_uri(&uri).ok())
        .map(|Query(pairs)| pairs)
        .unwrap_or_default();
    decoded.into_iter()
}
