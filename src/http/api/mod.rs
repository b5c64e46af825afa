//! The operators' API: `/api/v1/…`, `/metrics`, `/healthz`, and the page beside it.

mod description;
mod entry;
mod explain;
mod export;
mod import;
mod leases;
mod lists;
mod metrics;
mod phones;
mod problem;
mod registered;
mod reload;
mod repair;
mod state;
mod stream;
mod timeline;
mod view;
mod window;

pub use entry::EntryView;
pub use metrics::stages;
pub use phones::timeline;
pub use problem::Details;
pub use timeline::EventView;
pub use view::{FindingView, PhoneView, TransferView, moment};

use std::any::Any;

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request, State},
    http::{HeaderValue, Method, StatusCode, Uri, header},
    middleware::{Next, from_fn, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use tower_http::catch_panic::CatchPanicLayer;

use super::{
    operators::{Caller, Operators},
    page,
    trust::{Denied, Trust},
};

/// The most octets of a request's body, but for lists.
const MAX_BODY: usize = 256 * 1024;

/// Everything that operators and scripts reach.
pub fn router(operators: Operators, trust: Trust) -> Router {
    let gate = Gate { trust, operators: operators.clone() };
    Router::new()
        .route("/api/v1/phones", get(phones::list))
        .route(
            "/api/v1/phones/import",
            post(import::import).layer(DefaultBodyLimit::max(import::MAX_LIST)),
        )
        .route("/api/v1/phones/export", get(export::export))
        .route("/api/v1/phones/{mac}", get(phones::one).put(phones::put).delete(phones::forget))
        .route("/api/v1/phones/{mac}/events", get(phones::events))
        .route("/api/v1/phones/{mac}/files/{*name}", get(phones::file))
        .route("/api/v1/phones/{mac}/replace", post(repair::replace))
        .route("/api/v1/phones/{mac}/accept", post(repair::accept))
        .route("/api/v1/phones/{mac}/registered", post(registered::registered))
        .route("/api/v1/findings", get(lists::findings))
        .route("/api/v1/leases", get(lists::leases))
        .route(
            "/api/v1/leases/import",
            post(leases::import).layer(DefaultBodyLimit::max(import::MAX_LIST)),
        )
        .route("/api/v1/profiles", get(lists::profiles))
        .route("/api/v1/firmware", get(lists::firmware))
        .route("/api/v1/auto-registration", get(window::show).put(window::put))
        .route("/api/v1/reload", post(reload::reload))
        .route("/api/v1/undo", post(state::undo))
        .route("/api/v1/backup", get(state::backup))
        .route("/api/v1/events", get(stream::events))
        .route("/api/v1/openapi.json", get(description::openapi))
        .route("/metrics", get(metrics::metrics))
        .route("/healthz", get(metrics::healthz))
        .merge(page::routes())
        .fallback(nothing)
        .method_not_allowed_fallback(not_so)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(from_fn_with_state(gate, admit))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn(harden))
        .with_state(operators)
}

#[derive(Clone)]
struct Gate {
    trust: Trust,
    operators: Operators,
}

/// Turns away whom the router doesn't trust, before anything else looks at the request.
async fn admit(State(gate): State<Gate>, request: Request, next: Next) -> Response {
    let Trust::Network(guard) = &gate.trust else { return next.run(request).await };
    let network = guard.network();
    let Some(caller) = request.extensions().get::<Caller>().cloned() else {
        return Details::fault("a connection without a far end").into_response();
    };
    let admitted =
        network.admit(request.method(), request.headers(), caller.peer, caller.local).await;
    match admitted {
        Ok(()) => next.run(request).await,
        Err(denied) => {
            gate.operators.counters.count("operators", denied.counter());
            denied.into_response()
        }
    }
}

impl IntoResponse for Denied {
    fn into_response(self) -> Response {
        let mut response = Details::new(self.status(), self.text()).into_response();
        let headers = response.headers_mut();
        match self {
            Self::Credentials => {
                let ask = HeaderValue::from_static("Basic realm=\"ringup\", charset=\"UTF-8\"");
                headers.insert(header::WWW_AUTHENTICATE, ask);
            }
            Self::LockedOut => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("60"));
            }
            Self::Host | Self::Origin => {}
        }
        response
    }
}

/// Headers that keep browsers from doing more with an answer than showing it.
async fn harden(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, page::POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // Phones change by the second and may carry secrets: nothing of this belongs in a cache.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

async fn nothing(uri: Uri) -> Details {
    Details::missing(format!("there is nothing at {}", crate::domain::clip(uri.path(), 128)))
}

async fn not_so(method: Method) -> Details {
    Details::new(StatusCode::METHOD_NOT_ALLOWED, format!("{method} is not for this"))
}

fn panicked(_: Box<dyn Any + Send + 'static>) -> Response {
    Details::fault("something is wrong in ringup itself; its log says where").into_response()
}
