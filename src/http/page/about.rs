//! The appliance itself: version, sizes, notices, backup, and who may log in.

use axum::{
    Extension,
    extract::State,
    response::{IntoResponse, Response},
};
use maud::{Markup, html};

use super::{
    super::{
        api::{AboutView, AccessView, about_view},
        operators::Operators,
        trust::Guard,
    },
    Place,
    firmware::size,
    frame, moment,
};

/// The page.
pub async fn page(State(operators): State<Operators>, guard: Option<Extension<Guard>>) -> Response {
    let guard = guard.map(|Extension(guard)| guard);
    let view = match about_view(operators.clone(), guard).await {
        Ok(view) => view,
        Err(details) => return details.into_response(),
    };
    let place = Place { title: "About", path: "/about", script: "/still.js", mac: None };
    frame(&place, &operators, &content(&view)).into_response()
}

fn content(view: &AboutView) -> Markup {
    html! {
        h1 { "About this appliance" }
        div.columns {
            section {
                h2 { "ringup " (view.version) }
                dl {
                    dt { "Runs since" } dd { (moment(&view.since)) }
                    dt { "Phones" } dd { (view.listed) " listed, " (view.phones - view.listed.min(view.phones)) " more seen" }
                    dt { "Leases" } dd { (view.leases) " active" }
                    dt { "Families" } dd { a href="/families" { (view.families) " provisioned, " (view.recognized) " recognized" } }
                    dt { "Commit" } dd { (view.commit) }
                    dt { "Settings" } dd { @match &view.settings {
                        Some(path) => span.wire { (path) },
                        None => "none: the defaults hold",
                    } }
                }
            }
            section {
                h2 { "State" }
                dl {
                    dt { "Directory" } dd.wire { (view.state) }
                    dt { "Size" } dd { @match view.bytes { Some(bytes) => (size(bytes)), None => "can't be measured" } }
                    @for (path, bytes) in &view.set_aside {
                        dt.bad { "Set aside" } dd.wire { (path) " (" (size(*bytes)) "): it could not be read" }
                    }
                }
                p { a.button.main href="/api/v1/backup" download="ringup.backup" { "Download a backup" } }
                p.quiet { "All phones, leases and timelines as one file, SIP passwords in clear: keep it as you keep those. "
                    code { "ringup restore FILE" } " takes it into an empty state directory." }
            }
        }
        section { h2 { "Who may use this page" } (access(&view.access)) }
        section {
            h2 { "Notices" }
            @if view.notices.is_empty() { p.quiet { "Nothing that you should know." } }
            @else { ul { @for notice in &view.notices { li { (notice) } } } }
        }
    }
}

fn access(access: &AccessView) -> Markup {
    html! {
        ul {
            @match (access.password, access.token) {
                (true, true) => {
                    li { "People with the password, scripts with the token." }
                },
                (true, false) => li { "Whoever has the password." },
                (false, true) => li { "Scripts with the token; nobody can log in by a browser. "
                    code { "ringup password" } " makes the hash for a password." },
                (false, false) => li.warn { "Everybody on this machine: it is served to loopback only, without a password. "
                    code { "ringup password" } " makes the hash for one." },
            }
            li { "Whoever may open the control socket: its file's permissions decide." }
            @if !access.hosts.is_empty() { li { "It answers to its addresses, localhost and " (access.hosts.join(", ")) "." } }
        }
    }
}
