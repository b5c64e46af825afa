//! The operators' API: `/api/v1/…`, `/metrics`, `/healthz`, and the page beside it.

mod about;
mod batch_report;
mod batch_view;
mod batches;
mod description;
mod dhcp;
mod entry;
mod explain;
mod export;
mod files;
mod firmware;
mod identify;
mod import;
mod leases;
mod lists;
mod metrics;
mod outage;
mod phones;
mod pools;
mod problem;
mod registered;
mod reload;
mod repair;
mod resync;
mod scan;
mod state;
mod stream;
mod summary;
mod sweep;
mod tail;
mod ticket;
mod timeline;
mod view;
mod waves;
mod window;

pub use about::{AboutView, AccessView, view as about_view};
pub use batch_report::ReportRow;
pub use batch_view::BatchView;
pub use dhcp::{OptionView, ToldView, told};
pub use entry::EntryView;
pub use firmware::{AskedView, FirmwareList, list as firmware_list};
pub use identify::IdentifiedView;
pub use lists::ServerOptionView;
pub use outage::Outages;
pub use pools::all as all_pools;
pub use problem::Details;
pub use summary::{Summaries, latest};
pub use timeline::timeline;
pub use view::{FindingView, PhoneView, RecalledView, TransferView, moment};
pub use waves::{StandingView, WaveView, WavesView, waves};
pub use window::{WindowView, view as window_view};

use std::any::Any;

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header},
    middleware::{Next, from_fn, from_fn_with_state},
    response::{IntoResponse, Redirect, Response},
    routing::{delete, get, patch, post},
};
use percent_encoding::NON_ALPHANUMERIC;
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
        .route(
            "/api/v1/phones/resync",
            get(resync::standing).post(resync::begin).delete(resync::stop),
        )
        .route("/api/v1/phones/{mac}/resync", post(resync::one))
        .route("/api/v1/phones/{mac}", get(phones::one).put(phones::put).delete(phones::forget))
        .route("/api/v1/phones/{mac}/entry", delete(phones::unlist))
        .route("/api/v1/phones/{mac}/events", get(timeline::events))
        .route("/api/v1/phones/{mac}/dhcp", get(dhcp::dhcp))
        .route("/api/v1/phones/{mac}/ticket", get(ticket::ticket))
        .route("/api/v1/phones/{mac}/files", get(files::list))
        .route("/api/v1/phones/{mac}/files/{*name}", get(files::file))
        .route("/api/v1/phones/{mac}/replace", post(repair::replace))
        .route("/api/v1/phones/{mac}/accept", post(repair::accept))
        .route("/api/v1/phones/{mac}/registered", post(registered::registered))
        .route("/api/v1/batches", get(batches::list).post(batches::open))
        .route("/api/v1/batches/{id}", get(batches::one).patch(batches::describe))
        .route("/api/v1/batches/{id}/phones", post(batches::scan_in))
        .route("/api/v1/batches/{id}/phones/{mac}", patch(batches::restage).delete(batches::remove))
        .route("/api/v1/batches/{id}/report", get(batch_report::report))
        .route("/api/v1/batches/{id}/labels", get(batch_report::labels))
        .route("/api/v1/batches/{id}/hand-over", post(batches::hand_over))
        .route("/api/v1/batches/{id}/take-back", post(batches::take_back))
        .route("/api/v1/batches/{id}/close", post(batches::close))
        .route("/api/v1/scan", post(scan::scan))
        .route("/api/v1/identify", post(identify::identify))
        .route("/api/v1/findings", get(lists::findings))
        .route("/api/v1/leases", get(lists::leases))
        .route("/api/v1/pools", get(pools::pools))
        .route(
            "/api/v1/leases/import",
            post(leases::import).layer(DefaultBodyLimit::max(import::MAX_LIST)),
        )
        .route("/api/v1/profiles", get(lists::profiles))
        .route("/api/v1/firmware", get(firmware::firmware))
        .route("/api/v1/firmware/waves", get(waves::show).put(waves::put))
        .route("/api/v1/summary", get(summary::summary))
        .route("/api/v1/outage", get(outage::outage))
        .route("/api/v1/auto-registration", get(window::show).put(window::put))
        .route("/api/v1/reload", post(reload::reload))
        .route("/api/v1/undo", post(state::undo))
        .route("/api/v1/backup", get(state::backup))
        .route("/api/v1/events", get(stream::events))
        .route("/api/v1/events/recent", get(tail::recent))
        .route("/api/v1/events/tail", get(tail::tail))
        .route("/api/v1/about", get(about::about))
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
async fn admit(State(gate): State<Gate>, mut request: Request, next: Next) -> Response {
    let Trust::Network(guard) = &gate.trust else { return next.run(request).await };
    let network = guard.network();
    let Some(caller) = request.extensions().get::<Caller>().cloned() else {
        return Details::fault("a connection without a far end").into_response();
    };
    let (method, headers) = (request.method(), request.headers());
    let admitted = if page::is_open(request.uri().path()) {
        network.welcome(method, headers, caller.local)
    } else {
        network.admit(method, headers, caller.peer, caller.local).await
    };
    let lost = network.has_password() && navigates(&request);
    match admitted {
        Ok(()) => {
            request.extensions_mut().insert(guard.clone());
            next.run(request).await
        }
        // A person in front of a browser, who has a better place to type a password than the browser's own box.
        Err(Denied::Credentials) if lost => {
            let wanted = request.uri().path_and_query().map_or("/", |wanted| wanted.as_str());
            let wanted = percent_encoding::utf8_percent_encode(wanted, NON_ALPHANUMERIC);
            Redirect::to(&format!("{}?next={wanted}", page::LOGIN)).into_response()
        }
        Err(denied) => {
            gate.operators.counters.count("operators", denied.counter());
            let mut response = denied.into_response();
            // The challenge is for tools: a script of ours asks the operator itself.
            if request.headers().contains_key("sec-fetch-site") {
                response.headers_mut().remove(header::WWW_AUTHENTICATE);
            }
            response
        }
    }
}

/// True for a browser on its way to a page, by what it says itself.
fn navigates(request: &Request) -> bool {
    let says = |name: &str, what: &str| {
        let value = request.headers().get(name).and_then(|value| value.to_str().ok());
        value.is_some_and(|value| value.contains(what))
    };
    // A report and labels are pages too, though they are of the API: a browser says that it goes there.
    let page = !request.uri().path().starts_with("/api/") || says("sec-fetch-mode", "navigate");
    request.method() == Method::GET && page && says("accept", "text/html")
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
            Self::Host | Self::Origin | Self::Token => {}
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
        // Not `no-referrer`: with it a form of ours would come back with the origin `null`.
        (header::REFERRER_POLICY, "same-origin"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // Phones change by the second and may carry secrets: nothing of this belongs in a cache.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

async fn nothing(State(operators): State<Operators>, headers: HeaderMap, uri: Uri) -> Response {
    let path = crate::domain::clip(uri.path(), 128);
    let accepts = headers.get(header::ACCEPT).and_then(|accepts| accepts.to_str().ok());
    if accepts.is_some_and(|accepts| accepts.contains("text/html")) {
        return page::nothing(&operators, &path).into_response();
    }
    Details::missing(format!("there is nothing at {path}")).into_response()
}

async fn not_so(method: Method) -> Details {
    Details::new(StatusCode::METHOD_NOT_ALLOWED, format!("{method} is not for this"))
}

fn panicked(_: Box<dyn Any + Send + 'static>) -> Response {
    Details::fault("something is wrong in ringup itself; its log says where").into_response()
}
