//! Strings and octets that a stranger controls, made fit to show.

use std::fmt::Write as _;

/// At most `limit` characters of `text`, with an ellipsis where something was cut.
#[must_use]
pub fn clip(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

/// Bytes from the wire as one line of text: what is not printable becomes `\xNN`, at most 128 characters are kept.
///
/// One trailing NUL is dropped, because many phones send one behind option 60 and mean nothing by it.
#[must_use]
pub fn printable(bytes: &[u8]) -> String {
    let bytes = bytes.strip_suffix(&[0]).unwrap_or(bytes);
    let mut text = String::new();
    for chunk in bytes[..bytes.len().min(512)].utf8_chunks() {
        for character in chunk.valid().chars() {
            if character.is_control() {
                text.extend(character.to_string().bytes().map(|b| format!("\\x{b:02x}")));
            } else {
                text.push(character);
            }
        }
        text.extend(chunk.invalid().iter().map(|b| format!("\\x{b:02x}")));
    }
    clip(&text, 128)
}

/// Octets as hexadecimal digits, two each.
#[must_use]
pub fn hex(octets: &[u8]) -> String {
    octets.iter().fold(String::with_capacity(2 * octets.len()), |mut text, octet| {
        // Writing to a string can't fail.
        let _ = write!(text, "{octet:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_strangers_send() {
        let check = |bytes: &[u8], text: &str| assert_eq!(printable(bytes), text);
        check(b"Cisco Systems, Inc. IP Phone CP-7961G\0", "Cisco Systems, Inc. IP Phone CP-7961G");
        check(b"a\nb\xff", "a\\x0ab\\xff");
        check("é".as_bytes(), "é");
        assert_eq!(printable(&[b'x'; 600]).chars().count(), 129);
    }
}
