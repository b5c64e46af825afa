//! Values as lines: `key = value`, `key: "value"` and `KEY="value"`.

/// How a line is written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Style {
    /// What stands between name and value.
    separator: char,
    /// The same with its blanks.
    between: &'static str,
    /// What the value is put into.
    quote: &'static str,
}

/// `account.1.label = Anna` (Yealink and its kin).
pub(super) const EQUALS: Style = Style { separator: '=', between: " = ", quote: "" };

/// `phone_label: "Anna"` (Cisco 7940 and 7960).
pub(super) const QUOTED: Style = Style { separator: ':', between: ": ", quote: "\"" };

/// `DISPLAY_NAME_1="Anna"` (Panasonic, which takes no blank around the sign).
pub(super) const ASSIGNED: Style = Style { separator: '=', between: "=", quote: "\"" };

/// Replaces the line of `key`, or adds one at the end. Where there are several, the first is replaced and the others go:
/// which of them counts differs from family to family.
pub(super) fn merge(text: &str, style: Style, key: &str, value: &str) -> Result<String, String> {
    let bad = |c: char| c.is_whitespace() || c.is_control() || c == style.separator || c == '"';
    if key.is_empty() || key.contains(bad) || key.starts_with(['#', ';', '[']) {
        return Err("is no name that a line of this file can begin with".to_owned());
    }
    let Style { between, quote, .. } = style;
    let written = format!("{key}{between}{quote}{value}{quote}");
    let mut merged = String::with_capacity(text.len() + written.len() + 1);
    let mut found = false;
    for line in text.split_inclusive('\n') {
        let content = line.trim_end_matches(['\r', '\n']);
        let name = content.split_once(style.separator).map(|(name, _)| name.trim());
        if name != Some(key) {
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
