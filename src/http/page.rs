//! The operators' page: which phone is where in its boot, and what is wrong, live.

mod about;
mod bench;
mod board;
mod families;
mod firmware;
mod help;
mod import;
mod leases;
mod login;
mod phone;
mod tail;
mod waves;
mod window;

use axum::{
    Router,
    http::{StatusCode, header},
    response::IntoResponse,
    routing::{get, post},
};
pub use bench::{labels, report, zpl};
pub use login::LOGIN;
use maud::{DOCTYPE, Markup, html};

use super::operators::Operators;

/// What a browser may do on our pages: run our own script, and nothing that a phone or a list brought in.
pub const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
     img-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'";

const SCRIPTS: &[(&str, &str)] = &[
    ("/core.js", include_str!("assets/core.js")),
    ("/board.js", include_str!("assets/board.js")),
    ("/board-store.js", include_str!("assets/board-store.js")),
    ("/board-rows.js", include_str!("assets/board-rows.js")),
    ("/board-window.js", include_str!("assets/board-window.js")),
    ("/board-outage.js", include_str!("assets/board-outage.js")),
    ("/phone.js", include_str!("assets/phone.js")),
    ("/bench.js", include_str!("assets/bench.js")),
    ("/batches.js", include_str!("assets/batches.js")),
    ("/purpose.js", include_str!("assets/purpose.js")),
    ("/import.js", include_str!("assets/import.js")),
    ("/renew.js", include_str!("assets/renew.js")),
    ("/plain.js", include_str!("assets/plain.js")),
    ("/still.js", include_str!("assets/still.js")),
    ("/firmware.js", include_str!("assets/firmware.js")),
    ("/window.js", include_str!("assets/window.js")),
    ("/leases.js", include_str!("assets/leases.js")),
    ("/events.js", include_str!("assets/events.js")),
    ("/files.js", include_str!("assets/files.js")),
    ("/morph.js", include_str!("assets/morph.js")),
];
const STYLE: &str = concat!(
    include_str!("assets/page.css"),
    include_str!("assets/lists.css"),
    include_str!("assets/bench.css")
);
const ICON: &str = include_str!("assets/icon.svg");

/// The pages that the head of each links to, by path.
const PAGES: &[(&str, &str)] = &[
    ("/", "Board"),
    ("/bench", "Bench"),
    ("/import", "Import"),
    ("/auto-registration", "Auto-registration"),
    ("/leases", "Leases"),
    ("/firmware", "Firmware"),
    ("/families", "Families"),
    ("/events", "Events"),
    ("/about", "About"),
    ("/help", "Help"),
];

/// The pages and what they are made of.
pub fn routes() -> Router<Operators> {
    let scripts = SCRIPTS.iter().fold(Router::new(), |router, (path, text)| {
        router.route(path, get(asset("text/javascript; charset=utf-8", text)))
    });
    scripts
        .route("/", get(board::page))
        .route("/phones/{mac}", get(phone::page))
        .route("/bench", get(bench::all))
        .route("/bench/commands", get(bench::commands))
        .route("/bench/{id}", get(bench::one))
        .route("/import", get(import::page))
        .route("/auto-registration", get(window::page))
        .route("/leases", get(leases::page))
        .route("/firmware", get(firmware::page))
        .route("/families", get(families::list))
        .route("/families/{family}", get(families::one))
        .route("/events", get(tail::page))
        .route("/about", get(about::page))
        .route("/help", get(help::page))
        .route(LOGIN, get(login::ask).post(login::take))
        .route("/logout", post(login::leave))
        .route("/page.css", get(asset("text/css; charset=utf-8", STYLE)))
        .route("/icon.svg", get(asset("image/svg+xml", ICON)))
}

fn asset(
    kind: &'static str,
    text: &'static str,
) -> impl Fn() -> std::future::Ready<axum::response::Response> + Clone + Send + 'static {
    // A browser that kept the script of an older ringup would show what is not so.
    move || {
        let headers = [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "no-cache")];
        std::future::ready((headers, text).into_response())
    }
}

/// True for what a browser needs before it is logged in: the form and how it looks.
pub fn is_open(path: &str) -> bool {
    matches!(path, LOGIN | "/page.css" | "/icon.svg")
}

/// Which page it is.
struct Place<'a> {
    title: &'a str,
    /// The page's own path, to mark it among the links; empty for one that is not among them.
    path: &'a str,
    /// Its script; empty for a page that is the same with and without one.
    script: &'a str,
    /// Set on a phone's own page.
    mac: Option<&'a str>,
}

/// What all pages share.
fn frame(place: &Place<'_>, operators: &Operators, content: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (place.title) " · ringup" }
                link rel="icon" href="/icon.svg" type="image/svg+xml";
                link rel="stylesheet" href="/page.css";
                @if !place.script.is_empty() { script type="module" src=(place.script) {} }
            }
            body data-mac=[place.mac] {
                header {
                    a.brand href="/" { img src="/icon.svg" alt="" width="24" height="24"; "ringup" }
                    @if place.path != LOGIN { nav.pages aria-label="Pages" {
                        @for (path, name) in PAGES {
                            a href=(path) aria-current=[(*path == place.path).then_some("page")] { (name) }
                        }
                    } }
                    @if !place.script.is_empty() {
                        span #live role="status" { "connecting" }
                        button #logout type="button" hidden { "Log out" }
                    }
                }
                // Whoever has not logged in learns nothing but that this is ringup.
                @if place.path != LOGIN {
                @if let Some(fault) = operators.service.journal.fault() {
                    p.notice role="alert" {
                        "Nothing can be stored any more, so no phone gets an address and no change is taken: " (fault)
                        ". Mend that, then restart ringup."
                    }
                }
                @for notice in operators.about.notices.iter().chain(&operators.service.notices.texts()) {
                    p.notice { (prose(notice)) }
                }
                }
                main { (content) }
                @if place.path != LOGIN {
                    footer {
                        "ringup " (operators.about.version) " · "
                        a href="/api/v1/openapi.json" { "API" } " · " a href="/metrics" { "metrics" }
                    }
                }
            }
        }
    }
}

/// A stage as a badge.
fn badge(stage: &str) -> Markup {
    html! { span.stage data-stage=(stage) { (stage) } }
}

/// Words of ours or of a phone as text, with what stands between backticks as code.
fn prose(text: &str) -> Markup {
    let parts: Vec<&str> = text.split('`').collect();
    // A backtick without another one is nobody's mark: it is part of what a phone said.
    let (parts, rest) = match parts.split_last() {
        Some((last, parts)) if parts.len() % 2 == 1 => (parts, Some(last)),
        _ => (parts.as_slice(), None),
    };
    html! {
        @for (place, part) in parts.iter().enumerate() {
            @if place % 2 == 0 { (part) } @else { code { (part) } }
        }
        @if let Some(rest) = rest { "`" (rest) }
    }
}

/// What a browser gets where there is nothing: the ways to what there is.
pub fn nothing(operators: &Operators, path: &str) -> (StatusCode, Markup) {
    let content = html! {
        h1 { "There is nothing here" }
        p { "No page is at " code { (path) } "." }
        ul { @for (path, name) in PAGES { li { a href=(path) { (name) } } } }
    };
    let place = Place { title: "Nothing here", path: "", script: "", mac: None };
    (StatusCode::NOT_FOUND, frame(&place, operators, &content))
}

/// A moment: UTC without the script, the reader's own time with it.
fn moment(at: &str) -> Markup {
    html! { time datetime=(at) { (at) } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_between_backticks_are_code() {
        let check = |text: &str, expected: &str| assert_eq!(prose(text).into_string(), expected);
        check("plain", "plain");
        check("set `numbers`, or `pbx`", "set <code>numbers</code>, or <code>pbx</code>");
        check("`a`", "<code>a</code>");
        check("one ` alone", "one ` alone");
        check("`a` and ` alone", "<code>a</code> and ` alone");
        check("`<b>`", "<code>&lt;b&gt;</code>");
        check("", "");
    }
}
