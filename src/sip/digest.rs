//! Credentials for a challenge: the Digest scheme with MD5 (RFC 2617 §3.2.2, RFC 3261 §22.4).

use std::fmt::Write as _;

use crate::{domain::Secret, profile::md5, wire::sip::Challenge};

/// The value of the header that answers a challenge, in the first and only use of its nonce. `own` is a nonce of ours.
///
/// It carries a digest and never the password; and a digest over the method NOTIFY, which is good for no registration.
pub fn answer(
    challenge: &Challenge,
    (user, password): (&str, &Secret),
    (method, uri): (&str, &str),
    own: &str,
) -> String {
    let Challenge { realm, nonce, opaque, counts, .. } = challenge;
    let who = md5(format!("{user}:{realm}:{}", password.reveal()).as_bytes());
    let what = md5(format!("{method}:{uri}").as_bytes());
    let counted = if *counts { format!(":00000001:{own}:auth") } else { String::new() };
    let response = md5(format!("{who}:{nonce}{counted}:{what}").as_bytes());
    let user = user.replace('\\', "\\\\").replace('"', "\\\"");
    let mut text = format!(
        "Digest username=\"{user}\", realm=\"{realm}\", nonce=\"{nonce}\", uri=\"{uri}\", \
         response=\"{response}\", algorithm=MD5"
    );
    if *counts {
        // Writing to a text never fails.
        let _ = write!(text, ", cnonce=\"{own}\", qop=auth, nc=00000001");
    }
    if let Some(opaque) = opaque {
        let _ = write!(text, ", opaque=\"{opaque}\"");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_the_rfc_has_it() {
        // The example of RFC 2617 §3.5.
        let challenge = Challenge {
            header: "Authorization",
            realm: "testrealm@host.com".to_owned(),
            nonce: "dcd98b7102dd2f0e8b11d0f600bfb0c093".to_owned(),
            opaque: Some("5ccc069c403ebaf9f0171e9517f40e41".to_owned()),
            counts: true,
        };
        let password = Secret::new("Circle Of Life".to_owned());
        let answer = |challenge: &Challenge| {
            answer(challenge, ("Mufasa", &password), ("GET", "/dir/index.html"), "0a4f113b")
        };
        let text = answer(&challenge);
        assert!(text.contains("response=\"6629fae49393a05397450978507c4ef1\""), "{text}");
        assert!(
            text.contains("qop=auth, nc=00000001, opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"")
        );
        // The form of RFC 2069 (its errata has this digest for this very challenge without `qop`).
        let old = Challenge { counts: false, opaque: None, ..challenge };
        let text = answer(&old);
        assert!(text.contains("response=\"670fd8c2df070c60b045671b8b24ff02\""), "{text}");
        assert!(!text.contains("cnonce") && !text.contains("Circle"), "{text}");
    }
}
