//! The bytes of a finished text, for families that want more than its lines in UTF-8.

use std::fmt::Write as _;

use md5::{Digest, Md5};
use serde::Deserialize;

/// How a finished text becomes bytes.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum Encoding {
    /// Every line ends with CR LF, and an empty line closes the file (Panasonic KX-UT670 and KX-HDV230 administrator
    /// guides, "Configuration File Specifications").
    Crlf,
}

/// The bytes of `text`.
pub(super) fn encode(text: String, encoding: Option<Encoding>) -> Vec<u8> {
    match encoding {
        None => text.into_bytes(),
        Some(Encoding::Crlf) => {
            let mut bytes = text.lines().collect::<Vec<_>>().join("\r\n");
            // What was merged last stands behind the empty line that the template ends with.
            bytes.truncate(bytes.trim_end_matches(['\r', '\n']).len());
            bytes.push_str("\r\n\r\n");
            bytes.into_bytes()
        }
    }
}

/// The MD5 digest as 32 lower-case digits, as Algo's endpoints check what they fetched by.
#[must_use]
pub fn md5(octets: &[u8]) -> String {
    Md5::digest(octets).iter().fold(String::new(), |mut text, octet| {
        // Writing to a string can't fail.
        let _ = write!(text, "{octet:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_for_a_phone_that_wants_both() {
        let check = |text: &str, expected: &str| {
            let bytes = encode(text.to_owned(), Some(Encoding::Crlf));
            assert_eq!(String::from_utf8(bytes).unwrap(), expected);
        };
        check("# head\nA=\"1\"\n\n", "# head\r\nA=\"1\"\r\n\r\n");
        check("# head\r\nA=\"1\"", "# head\r\nA=\"1\"\r\n\r\n");
        check("# head\n\nA=\"1\"\n\nB=\"2\"\n", "# head\r\n\r\nA=\"1\"\r\n\r\nB=\"2\"\r\n\r\n");
    }

    #[test]
    fn digests_in_lower_case() {
        // RFC 1321, appendix A.5.
        assert_eq!(md5(b""), "d41d8cd98f00b204e9800998ecf8427e");
        assert_eq!(md5(b"message digest"), "f96b697d7cb7938d525a2f31aaf161d0");
    }
}
