//! The page that asks for the password, and what it leads to.

use axum::{
    Extension, Form,
    extract::{Query, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{AppendHeaders, IntoResponse, Redirect, Response},
};
use maud::html;
use serde::Deserialize;

use super::{
    super::{
        api::Details,
        operators::{Caller, Operators},
        trust::{Denied, Guard},
    },
    Place, frame,
};

/// Where it is. A navigation without credentials is led here.
pub const LOGIN: &str = "/login";

#[derive(Debug, Default, Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    next: String,
}

#[derive(Deserialize)]
pub(super) struct Given {
    password: String,
    #[serde(default)]
    next: String,
}

/// Asks for the password.
pub(super) async fn ask(
    State(operators): State<Operators>,
    guard: Option<Extension<Guard>>,
    Query(wanted): Query<Wanted>,
) -> Response {
    if !guard.is_some_and(|guard| guard.network().has_password()) {
        return Redirect::to("/").into_response();
    }
    form(&operators, &wanted.next, None).into_response()
}

/// Takes the password, and leads to where the operator wanted to go.
pub(super) async fn take(
    State(operators): State<Operators>,
    guard: Option<Extension<Guard>>,
    Extension(caller): Extension<Caller>,
    Form(given): Form<Given>,
) -> Response {
    let Some(Extension(guard)) = guard else { return Redirect::to("/").into_response() };
    match guard.network().log_in(given.password, caller.peer).await {
        Ok(cookies) => {
            let next = Redirect::to(&here(&given.next));
            (set(&cookies), next).into_response()
        }
        Err(denied) => {
            operators.counters.count("operators", denied.counter());
            let text = match denied {
                Denied::LockedOut => denied.text(),
                _ => "That is not the password.",
            };
            (denied.status(), form(&operators, &given.next, Some(text))).into_response()
        }
    }
}

/// Ends the session.
pub(super) async fn leave(guard: Option<Extension<Guard>>, headers: HeaderMap) -> Response {
    let Some(Extension(guard)) = guard else {
        return Details::missing("nobody is logged in on this socket").into_response();
    };
    (StatusCode::NO_CONTENT, set(&guard.network().log_out(&headers))).into_response()
}

fn set(cookies: &[String; 2]) -> AppendHeaders<Vec<(header::HeaderName, HeaderValue)>> {
    let values = cookies.iter().filter_map(|cookie| cookie.parse().ok());
    AppendHeaders(values.map(|value| (header::SET_COOKIE, value)).collect())
}

/// A place of ours to go on to: whoever sends a link to the login must not choose another site.
fn here(next: &str) -> String {
    let ours = next.starts_with('/') && !next[1..].starts_with(['/', '\\']);
    let plain = next.bytes().all(|octet| (0x21..0x7f).contains(&octet));
    if ours && plain { next.to_owned() } else { "/".to_owned() }
}

fn form(operators: &Operators, next: &str, wrong: Option<&str>) -> maud::Markup {
    let content = html! {
        form.login method="post" action=(LOGIN) {
            h1 { "Log in" }
            @if let Some(text) = wrong { p.bad role="alert" { (text) } }
            label for="password" { "Password" }
            input #password name="password" type="password" autocomplete="current-password" required autofocus;
            input type="hidden" name="next" value=(next);
            button type="submit" { "Log in" }
            p.quiet { "It is the one that " code { "ringup password" } " made the hash of in the settings." }
        }
    };
    frame(&Place { title: "Log in", path: LOGIN, script: "", mac: None }, operators, &content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_on_stays_here() {
        let check = |next: &str, expected: &str| assert_eq!(here(next), expected, "{next}");
        check("/phones/001e7ac41022?x=1", "/phones/001e7ac41022?x=1");
        check("", "/");
        check("https://evil.example/", "/");
        check("//evil.example/", "/");
        check("/\\evil.example/", "/");
        check("/a\r\nset-cookie: x=1", "/");
    }
}
