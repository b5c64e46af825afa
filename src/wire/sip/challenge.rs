//! What an answer wants credentials for: a `WWW-Authenticate` or `Proxy-Authenticate` of the Digest scheme (RFC 2617).

/// A challenge that can be answered with MD5, the one algorithm that RFC 3261 §22.4 asks of everybody.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Challenge {
    /// The header that carries the answer.
    pub header: &'static str,
    /// Whose users, as it stands between the quotes.
    pub realm: String,
    /// Used once, as it stands between the quotes.
    pub nonce: String,
    /// Handed back as it is.
    pub opaque: Option<String>,
    /// True where the answer counts and signs itself (`qop="auth"`); false for the older form of RFC 2069.
    pub counts: bool,
}

impl Challenge {
    /// Reads a header's value; `None` for another scheme or algorithm, or one without realm or nonce.
    pub(super) fn decode(header: &'static str, value: &str) -> Option<Self> {
        let value = value.trim();
        let (scheme, rest) = value.split_once(char::is_whitespace)?;
        // What goes back between quotes must not end the line that it is in.
        if !scheme.eq_ignore_ascii_case("Digest") || value.chars().any(char::is_control) {
            return None;
        }
        let all = parameters(rest);
        let get = |wanted: &str| {
            let is_it = |(name, _): &&(&str, &str)| name.eq_ignore_ascii_case(wanted);
            all.iter().find(is_it).map(|(_, value)| (*value).to_owned())
        };
        let is_md5 = get("algorithm").is_none_or(|name| name.eq_ignore_ascii_case("MD5"));
        let quality = get("qop");
        let has_auth =
            |list: &String| list.split(',').any(|one| one.trim().eq_ignore_ascii_case("auth"));
        let counts = quality.as_ref().is_some_and(has_auth);
        // `auth-int` alone signs a body as well, which no phone is known to ask for.
        (is_md5 && (quality.is_none() || counts)).then_some(())?;
        Some(Self {
            header,
            realm: get("realm")?,
            nonce: get("nonce")?,
            opaque: get("opaque"),
            counts,
        })
    }
}

/// `name=value` and `name="va\"lue, more"`, separated by commas; what stands between the quotes stays as it is.
fn parameters(text: &str) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((name, value)) = rest.split_once('=') {
        let name = name.trim_start_matches([',', ' ', '\t']).trim_end();
        let value = value.trim_start();
        let (value, behind) = if let Some(quoted) = value.strip_prefix('"') {
            let Some(end) = closing(quoted) else { return found };
            (&quoted[..end], &quoted[end + 1..])
        } else {
            let end = value.find(',').unwrap_or(value.len());
            (value[..end].trim_end(), &value[end..])
        };
        found.push((name, value));
        rest = behind;
    }
    found
}

/// Where the quotes end: at the first one that no backslash stands before.
fn closing(quoted: &str) -> Option<usize> {
    let mut escaped = false;
    quoted.char_indices().find_map(|(at, c)| {
        let ends = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        ends.then_some(at)
    })
}
