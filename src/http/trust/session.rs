//! Sessions of operators who logged in on the page.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use axum::http::{HeaderMap, header};
use cookie::{Cookie, SameSite};
use rand::distr::{Alphanumeric, SampleString};
use tokio::time::Instant;

/// The cookie that is the session. Scripts can't read it.
const SESSION: &str = "ringup-session";

/// The cookie that our script reads and sends back as [`TOKEN_HEADER`]. Another site's page can do neither.
const TOKEN: &str = "ringup-token";

/// Where the token comes back with every call that changes something.
pub const TOKEN_HEADER: &str = "x-ringup-token";

/// How long a session lasts: a shift on the bench.
const LIFE: Duration = Duration::from_hours(12);

/// Sessions at a time; the oldest ends when one more begins.
const MAX_SESSIONS: usize = 64;

/// 62 characters to the power of this many are beyond guessing.
const LENGTH: usize = 32;

/// Who is logged in. Kept in memory alone: a restart asks for the password again.
#[derive(Debug, Default)]
pub struct Sessions(Mutex<VecDeque<Session>>);

#[derive(Debug)]
struct Session {
    id: String,
    token: String,
    until: Instant,
}

/// What a request shows of a session.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Shown {
    /// One that is open, and the token that belongs to it.
    Whole,
    /// One that is open, without its token: enough to read.
    Reading,
    /// None that is open.
    Nothing,
}

impl Sessions {
    /// Begins one. The cookies to set.
    pub fn begin(&self, now: Instant) -> [String; 2] {
        let text = || Alphanumeric.sample_string(&mut rand::rng(), LENGTH);
        let session = Session { id: text(), token: text(), until: now + LIFE };
        let cookies =
            [cookie(SESSION, &session.id, true, LIFE), cookie(TOKEN, &session.token, false, LIFE)];
        let mut sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.retain(|session| now < session.until);
        if sessions.len() >= MAX_SESSIONS {
            sessions.pop_front();
        }
        sessions.push_back(session);
        cookies
    }

    /// Ends the one that a request shows. The cookies to set.
    pub fn end(&self, headers: &HeaderMap) -> [String; 2] {
        let mut sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let id = shown(headers, SESSION);
        sessions.retain(|session| Some(session.id.as_str()) != id.as_deref());
        [SESSION, TOKEN].map(|name| cookie(name, "", name == SESSION, Duration::ZERO))
    }

    /// What a request shows.
    pub fn look(&self, headers: &HeaderMap, now: Instant) -> Shown {
        let Some(id) = shown(headers, SESSION) else { return Shown::Nothing };
        let sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut open = sessions.iter().filter(|session| now < session.until);
        // Ids are random: how long a comparison takes tells nothing about another one.
        let Some(session) = open.find(|session| session.id == id) else { return Shown::Nothing };
        let token = headers.get(TOKEN_HEADER).and_then(|token| token.to_str().ok());
        if token == Some(session.token.as_str()) { Shown::Whole } else { Shown::Reading }
    }
}

/// The value of a cookie that a request brings.
fn shown(headers: &HeaderMap, name: &str) -> Option<String> {
    let texts = headers.get_all(header::COOKIE).iter().filter_map(|text| text.to_str().ok());
    let mut cookies = texts.flat_map(Cookie::split_parse).filter_map(Result::ok);
    cookies.find(|cookie| cookie.name() == name).map(|cookie| cookie.value().to_owned())
}

/// No `Secure`: the page is served over plain HTTP unless a proxy stands before it.
fn cookie(name: &str, value: &str, hidden: bool, life: Duration) -> String {
    let seconds = i64::try_from(life.as_secs()).unwrap_or_default();
    Cookie::build((name, value))
        .path("/")
        .same_site(SameSite::Strict)
        .http_only(hidden)
        .max_age(cookie::time::Duration::seconds(seconds))
        .build()
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(cookies: &[String], token: Option<&str>) -> HeaderMap {
        let pairs = cookies.iter().map(|cookie| cookie.split(';').next().unwrap());
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, pairs.collect::<Vec<_>>().join("; ").parse().unwrap());
        if let Some(token) = token {
            headers.insert(TOKEN_HEADER, token.parse().unwrap());
        }
        headers
    }

    fn value(cookie: &str) -> &str {
        cookie.split_once('=').unwrap().1.split(';').next().unwrap()
    }

    #[test]
    fn a_session_from_its_begin_to_its_end() {
        let (sessions, now) = (Sessions::default(), Instant::now());
        let cookies = sessions.begin(now);
        let token = value(&cookies[1]);
        assert!(cookies[0].contains("HttpOnly") && cookies[0].contains("SameSite=Strict"));
        assert!(!cookies[1].contains("HttpOnly") && cookies[1].contains("SameSite=Strict"));
        let check = |token: Option<&str>, after: Duration, expected| {
            assert_eq!(
                sessions.look(&headers(&cookies, token), now + after),
                expected,
                "{token:?}"
            );
        };
        check(Some(token), Duration::ZERO, Shown::Whole);
        check(None, Duration::ZERO, Shown::Reading);
        check(Some("guessed"), Duration::ZERO, Shown::Reading);
        check(Some(token), LIFE, Shown::Nothing);
        assert_eq!(sessions.look(&HeaderMap::new(), now), Shown::Nothing);
        let gone = sessions.end(&headers(&cookies, None));
        assert!(gone.iter().all(|cookie| cookie.contains("Max-Age=0")), "{gone:?}");
        check(Some(token), Duration::ZERO, Shown::Nothing);
    }

    #[test]
    fn the_oldest_session_makes_room() {
        let (sessions, now) = (Sessions::default(), Instant::now());
        let first = sessions.begin(now);
        let others: Vec<_> = (0..MAX_SESSIONS).map(|_| sessions.begin(now)).collect();
        assert_eq!(sessions.look(&headers(&first, None), now), Shown::Nothing);
        assert_eq!(sessions.look(&headers(&others[0], None), now), Shown::Reading);
    }
}
