//! The `OpenAPI` description, made from the handlers themselves.

use axum::Json;
use utoipa::OpenApi;

use super::{
    about, batch_report, batches, dhcp, export, files, firmware, identify, import, leases, lists,
    metrics, outage, phones, pools, registered, reload, repair, resync, scan, state, stream,
    summary, tail, ticket, timeline, waves, window,
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "ringup",
        description = "Brings desk phones up: what is listed, what was seen, what is wrong and what to do about it. \
            Errors are RFC 9457 problem details."
    ),
    paths(
        phones::list,
        phones::one,
        phones::put,
        phones::forget,
        phones::unlist,
        timeline::events,
        dhcp::dhcp,
        ticket::ticket,
        files::list,
        files::file,
        import::import,
        export::export,
        batches::list,
        batches::open,
        batches::one,
        batches::describe,
        batches::scan_in,
        batches::restage,
        batches::remove,
        batches::hand_over,
        batches::take_back,
        batches::close,
        batch_report::report,
        batch_report::labels,
        repair::replace,
        repair::accept,
        registered::registered,
        resync::one,
        resync::begin,
        resync::standing,
        resync::stop,
        scan::scan,
        identify::identify,
        lists::findings,
        lists::leases,
        leases::import,
        lists::profiles,
        firmware::firmware,
        waves::show,
        waves::put,
        pools::pools,
        summary::summary,
        outage::outage,
        window::show,
        window::put,
        reload::reload,
        state::undo,
        state::backup,
        stream::events,
        tail::recent,
        tail::tail,
        about::about,
        metrics::metrics,
        metrics::healthz,
        openapi
    )
)]
struct Description;

/// Describes this API.
#[utoipa::path(get, path = "/api/v1/openapi.json", tag = "appliance", responses((status = 200)))]
pub async fn openapi() -> Json<utoipa::openapi::OpenApi> {
    Json(Description::openapi())
}
