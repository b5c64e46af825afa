//! Which requests come from another site's page (DNS rebinding and cross-site requests reach loopback too).

use axum::http::{HeaderMap, Method};

/// The host of a Host header in lower case, without its port and without the brackets of an IPv6 address.
#[must_use]
pub fn authority(host: &str) -> Option<String> {
    let host = host.trim();
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?.0,
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    (!name.is_empty()).then(|| name.trim_end_matches('.').to_ascii_lowercase())
}

/// True if an Origin names the same host and port as the Host header. `null` and what has no scheme never do.
#[must_use]
pub fn same_origin(origin: &str, host: &str) -> bool {
    let (port, rest) = match origin.split_once("://") {
        Some(("http", rest)) => (":80", rest),
        Some(("https", rest)) => (":443", rest),
        _ => return false,
    };
    let plain = |text: &str| text.trim().trim_end_matches(port).to_ascii_lowercase();
    !rest.is_empty() && plain(rest) == plain(host)
}

/// True if the browser says that another site made this request. Following a link from there is welcome.
#[must_use]
pub fn is_cross_site(site: Option<&str>, method: &Method, headers: &HeaderMap) -> bool {
    let mode = headers.get("sec-fetch-mode").and_then(|mode| mode.to_str().ok());
    let follows_link = method.is_safe() && mode == Some("navigate");
    site.is_some_and(|site| site.eq_ignore_ascii_case("cross-site")) && !follows_link
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts() {
        let check = |host: &str, expected: Option<&str>| {
            assert_eq!(authority(host).as_deref(), expected, "{host}");
        };
        check("127.0.0.1:8080", Some("127.0.0.1"));
        check("LOCALHOST", Some("localhost"));
        check("[::1]:8080", Some("::1"));
        check("[::1]", Some("::1"));
        check("ringup.example.:8080", Some("ringup.example"));
        check("[::1", None);
        check(":8080", None);
        check("", None);
    }

    #[test]
    fn origins() {
        let check = |origin: &str, host: &str, expected| {
            assert_eq!(same_origin(origin, host), expected, "{origin} {host}");
        };
        check("http://localhost:8080", "localhost:8080", true);
        check("http://LOCALHOST:8080", "localhost:8080", true);
        check("http://ringup.example", "ringup.example:80", true);
        check("https://ringup.example", "ringup.example", true);
        check("http://localhost:8081", "localhost:8080", false);
        check("http://evil.example", "localhost:8080", false);
        check("http://localhost", "localhost:8080", false);
        check("null", "localhost:8080", false);
        check("", "", false);
        check("ftp://localhost:8080", "localhost:8080", false);
    }

    #[test]
    fn other_sites() {
        let check = |site: Option<&str>, mode: Option<&str>, method: Method, expected| {
            let mut headers = HeaderMap::new();
            if let Some(mode) = mode {
                headers.insert("sec-fetch-mode", mode.parse().unwrap());
            }
            assert_eq!(
                is_cross_site(site, &method, &headers),
                expected,
                "{site:?} {mode:?} {method}"
            );
        };
        check(None, None, Method::POST, false);
        check(Some("same-origin"), None, Method::POST, false);
        check(Some("none"), Some("navigate"), Method::GET, false);
        check(Some("cross-site"), Some("navigate"), Method::GET, false);
        check(Some("cross-site"), Some("navigate"), Method::POST, true);
        check(Some("cross-site"), Some("no-cors"), Method::GET, true);
        check(Some("cross-site"), Some("cors"), Method::DELETE, true);
    }
}
