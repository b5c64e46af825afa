//! XML 1.0 going out: values escaped, results checked.

use quick_xml::{Reader, events::BytesStart, events::Event};

/// The deepest that a configuration file may nest; more is a broken template.
const MAX_DEPTH: usize = 64;

/// True for what XML 1.0 can carry at all (§2.2, Char). Escaping does not help the others.
pub(super) fn is_char(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

/// Escapes one value for content and for attributes of either quote.
///
/// Blanks other than the space go as references, because a parser turns them into spaces inside an attribute.
pub(super) fn escape(value: &str) -> String {
    let mut escaped = String::with_capacity(value.len());
    for character in value.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            '\t' => escaped.push_str("&#9;"),
            '\n' => escaped.push_str("&#10;"),
            '\r' => escaped.push_str("&#13;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// Why a text is not well-formed, and where.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Malformed {
    /// Line from 1.
    pub(super) line: usize,
    pub(super) text: String,
}

/// Checks that `text` is one well-formed document without a document type.
pub(super) fn check(text: &str) -> Result<(), Malformed> {
    let line_of = |offset: usize| {
        text.as_bytes()[..offset.min(text.len())].split(|byte| *byte == b'\n').count()
    };
    if let Some((offset, bad)) = text.char_indices().find(|(_, c)| !is_char(*c)) {
        let text = format!("XML can't carry U+{:04X}", u32::from(bad));
        return Err(Malformed { line: line_of(offset), text });
    }
    let mut reader = Reader::from_str(text);
    reader.config_mut().check_comments = true;
    let mut shape = Shape::default();
    loop {
        let at = usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX);
        let event = reader.read_event().map_err(|error| Malformed {
            line: line_of(usize::try_from(reader.error_position()).unwrap_or(usize::MAX)),
            text: error.to_string(),
        })?;
        match shape.take(&event, at) {
            Ok(true) => return Ok(()),
            Ok(false) => {}
            Err(text) => return Err(Malformed { line: line_of(at), text }),
        }
    }
}

/// What must hold over the whole document.
#[derive(Default)]
struct Shape {
    depth: usize,
    roots: usize,
}

impl Shape {
    /// Takes the next event; true at the end.
    fn take(&mut self, event: &Event<'_>, at: usize) -> Result<bool, String> {
        match event {
            Event::Start(start) => {
                self.element(start)?;
                self.depth += 1;
                if self.depth > MAX_DEPTH {
                    return Err(format!("elements nest deeper than {MAX_DEPTH}"));
                }
            }
            Event::Empty(start) => self.element(start)?,
            Event::End(_) => self.depth = self.depth.saturating_sub(1),
            Event::Text(text) => self.text(text)?,
            Event::CData(_) if self.depth == 0 => {
                return Err("text outside of the document".to_owned());
            }
            Event::GeneralRef(reference) => self.reference(reference)?,
            Event::Decl(_) if at > 0 => return Err("the XML declaration is not first".to_owned()),
            Event::DocType(_) => return Err("a document type is not allowed".to_owned()),
            Event::CData(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            Event::Eof if self.depth > 0 => return Err("an element is not closed".to_owned()),
            Event::Eof if self.roots == 0 => return Err("there is no element".to_owned()),
            Event::Eof => return Ok(true),
        }
        Ok(false)
    }

    fn element(&mut self, start: &BytesStart<'_>) -> Result<(), String> {
        if self.depth == 0 {
            self.roots += 1;
            if self.roots > 1 {
                return Err("more than one element at the top".to_owned());
            }
        }
        name(start.name().0)?;
        for attribute in start.attributes() {
            let attribute = attribute.map_err(|error| error.to_string())?;
            name(attribute.key.0)?;
            if attribute.value.contains('<') {
                return Err(format!("`<` in the attribute {}", attribute.key.0));
            }
            references(&attribute.value)?;
        }
        Ok(())
    }

    fn text(&self, text: &str) -> Result<(), String> {
        if text.contains("]]>") {
            return Err("`]]>` in text".to_owned());
        }
        let blank = text.trim_start_matches('\u{feff}').trim().is_empty();
        if self.depth == 0 && !blank {
            Err("text outside of the document".to_owned())
        } else {
            Ok(())
        }
    }

    fn reference(&self, name: &str) -> Result<(), String> {
        if self.depth == 0 {
            return Err("text outside of the document".to_owned());
        }
        reference(name)
    }
}

fn references(value: &str) -> Result<(), String> {
    for after in value.split('&').skip(1) {
        let Some((name, _)) = after.split_once(';') else {
            return Err("`&` is not escaped".to_owned());
        };
        reference(name)?;
    }
    Ok(())
}

fn reference(name: &str) -> Result<(), String> {
    let number = match name.strip_prefix('#') {
        None if matches!(name, "amp" | "lt" | "gt" | "quot" | "apos") => return Ok(()),
        None => return Err(format!("`&{name};` is not defined")),
        Some(digits) => match digits.strip_prefix('x') {
            Some(hex) => u32::from_str_radix(hex, 16),
            None => digits.parse(),
        },
    };
    let character = number.ok().and_then(char::from_u32).filter(|c| is_char(*c));
    character.map(|_| ()).ok_or_else(|| format!("`&{name};` names no character of XML"))
}

/// Tells whether a text may name an element or an attribute.
pub(super) fn name(name: &str) -> Result<(), String> {
    let start = |c: char| c.is_alphabetic() || matches!(c, '_' | ':');
    let inner = |c: char| c.is_alphanumeric() || matches!(c, '_' | ':' | '-' | '.');
    if name.starts_with(start) && name.chars().all(inner) {
        Ok(())
    } else {
        Err(format!("`{name}` is no XML name"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn well(text: &str) {
        assert_eq!(check(text), Ok(()), "{text}");
    }

    fn bad(text: &str, expected: &str) {
        let Err(found) = check(text) else { panic!("passed: {text}") };
        assert!(
            format!("{}: {}", found.line, found.text).starts_with(expected),
            "{text}: {found:?}"
        );
    }

    #[test]
    fn well_formed() {
        well("<?xml version=\"1.0\"?>\n<a b=\"&lt;&#10;\">x &amp; y<!-- c --><c/></a>\n");
        well("<a><![CDATA[<b>]]></a>");
        well(&format!("{}{}", "<a>".repeat(64), "</a>".repeat(64)));
    }

    #[test]
    fn not_well_formed() {
        bad("<a>\n<b></a>", "2: ");
        bad("<a>", "1: an element is not closed");
        bad("", "1: there is no element");
        bad("<a/>\n<b/>", "2: more than one element");
        bad("<a/>x", "1: text outside");
        bad("<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>", "1: a document type");
        bad("<a>&nbsp;</a>", "1: `&nbsp;` is not defined");
        bad("<a b=\"&nbsp;\"/>", "1: `&nbsp;` is not defined");
        bad("<a b=\"x & y\"/>", "1: `&` is not escaped");
        bad("<a b=\"<\"/>", "1: ");
        bad("<a b=\"1\" b=\"2\"/>", "1: ");
        bad("<a>]]></a>", "1: `]]>` in text");
        bad("<1a/>", "1: `1a` is no XML name");
        bad("<a>\u{1}</a>", "1: XML can't carry U+0001");
        bad("<a>\u{fffe}</a>", "1: XML can't carry U+FFFE");
        bad("<a>&#0;</a>", "1: ");
        bad(" <?xml version=\"1.0\"?><a/>", "1: the XML declaration");
        bad(&format!("{}{}", "<a>".repeat(65), "</a>".repeat(65)), "1: elements nest");
        bad(&"<a>".repeat(200_000), "1: elements nest");
    }
}
