//! Values as lines: `key = value`, `key: "value"`, `KEY="value"`, `key: value` and `SET key "value"`.

/// How a line is written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Style {
    /// What stands before the name.
    head: &'static str,
    /// What stands between name and value.
    separator: char,
    /// The same with its blanks.
    between: &'static str,
    /// What the value is put into.
    quote: Quote,
    /// True if names hold blanks.
    blanks: bool,
}

/// When a value is quoted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Quote {
    Never,
    Always,
    /// Where it holds a `#`, which would begin a comment.
    Comment,
}

/// `account.1.label = Anna` (Yealink and its kin).
pub(super) const EQUALS: Style =
    Style { head: "", separator: '=', between: " = ", quote: Quote::Never, blanks: false };

/// `phone_label: "Anna"` (Cisco 7940 and 7960).
pub(super) const QUOTED: Style =
    Style { head: "", separator: ':', between: ": ", quote: Quote::Always, blanks: false };

/// `sip line1 screen name: Anna` (Aastra and Mitel).
pub(super) const COLON: Style =
    Style { head: "", separator: ':', between: ": ", quote: Quote::Comment, blanks: true };

/// `SET SNTPSRVR "192.0.2.1"` (Avaya).
pub(super) const SET: Style =
    Style { head: "SET ", separator: ' ', between: " ", quote: Quote::Always, blanks: false };

impl Style {
    /// The line of a key, without its ending.
    fn line(self, key: &str, value: &str) -> String {
        let quoted = match self.quote {
            Quote::Never => false,
            Quote::Always => true,
            Quote::Comment => value.contains('#'),
        };
        let quote = if quoted { "\"" } else { "" };
        let Self { head, between, .. } = self;
        format!("{head}{key}{between}{quote}{value}{quote}")
    }

    /// The name that a line sets.
    fn name(self, line: &str) -> Option<&str> {
        let (name, _) = line.strip_prefix(self.head)?.split_once(self.separator)?;
        Some(name.trim())
    }

    /// True for what can't be a name, or would be another line's.
    fn refuses(self, key: &str) -> bool {
        let bad = |c: char| {
            c.is_whitespace() && !(self.blanks && c == ' ')
                || c.is_control()
                || c == self.separator
                || c == '"'
        };
        key.is_empty() || key.trim() != key || key.contains(bad) || key.starts_with(['#', ';', '['])
    }
}

/// `DISPLAY_NAME_1="Anna"` (Panasonic, which takes no blank around the sign).
pub(super) const ASSIGNED: Style =
    Style { head: "", separator: '=', between: "=", quote: Quote::Always, blanks: false };

/// Replaces the line of `key`, or adds one at the end. Where there are several, the first is replaced and the others go:
/// which of them counts differs from family to family.
pub(super) fn merge(text: &str, style: Style, key: &str, value: &str) -> Result<String, String> {
    if style.refuses(key) {
        return Err("is no name that a line of this file can begin with".to_owned());
    }
    let written = style.line(key, value);
    let mut merged = String::with_capacity(text.len() + written.len() + 1);
    let mut found = false;
    for line in text.split_inclusive('\n') {
        let content = line.trim_end_matches(['\r', '\n']);
        if style.name(content) != Some(key) {
            merged.push_str(line);
        } else if !found {
            found = true;
            merged.push_str(&written);
            merged.push_str(&line[content.len()..]);
        }
    }
    if !found {
        if !merged.is_empty() && !merged.ends_with('\n') {
            merged.push('\n');
        }
        let ending = if merged.ends_with("\r\n") { "\r\n" } else { "\n" };
        merged.push_str(&written);
        merged.push_str(ending);
    }
    Ok(merged)
}
