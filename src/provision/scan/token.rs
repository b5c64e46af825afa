//! A scanned text in pieces: fields with what their labels say about them.

use super::Note;

/// One field of a label.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Token {
    /// The field as written, without its label.
    pub text: String,
    /// The same without separators.
    pub compact: String,
    /// What was taken off in front, as written.
    pub prefix: String,
    /// What the label says of it.
    pub notes: Vec<Note>,
    /// What kind of thing the label calls it.
    pub called: Called,
}

/// What a label calls a field.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum Called {
    /// Nothing.
    #[default]
    Nothing,
    /// An address.
    Mac,
    /// A serial number.
    Serial,
    /// A part or a model.
    Part,
}

/// Words that labels put in front, each with what it says. None of them is made of hexadecimal digits alone, so no
/// address begins with one. Longer ones first where one begins another.
const LABELS: &[(&str, Called, Option<Note>)] = &[
    ("MACADDRESS", Called::Mac, None),
    ("MACADDR", Called::Mac, None),
    ("MACID", Called::Mac, None),
    ("MACNO", Called::Mac, None),
    ("MAC", Called::Mac, None),
    ("ADDRESS", Called::Mac, None),
    ("ADDR", Called::Mac, None),
    ("ETHERNET", Called::Mac, None),
    ("EUI48", Called::Mac, None),
    ("HWADDR", Called::Mac, None),
    ("SEP", Called::Mac, None),
    ("ATA", Called::Mac, None),
    ("SIP", Called::Mac, None),
    ("WIRELESS", Called::Mac, Some(Note::Wireless)),
    ("WLAN", Called::Mac, Some(Note::Wireless)),
    ("WIFI", Called::Mac, Some(Note::Wireless)),
    ("BLUETOOTH", Called::Mac, Some(Note::Wireless)),
    ("BDADDR", Called::Mac, Some(Note::Wireless)),
    ("BT", Called::Mac, Some(Note::Wireless)),
    ("PORT2", Called::Mac, Some(Note::SecondPort)),
    ("LAN2", Called::Mac, Some(Note::SecondPort)),
    ("ETH1", Called::Mac, Some(Note::SecondPort)),
    ("LAN", Called::Mac, None),
    ("ETH0", Called::Mac, None),
    ("ETH", Called::Mac, None),
    ("PORT1", Called::Mac, None),
    ("SERIALNUMBER", Called::Serial, None),
    ("SERIALNO", Called::Serial, None),
    ("SERIAL", Called::Serial, None),
    ("SN", Called::Serial, None),
    ("PRODUCT", Called::Part, None),
    ("MODEL", Called::Part, None),
    ("PART", Called::Part, None),
    ("PID", Called::Part, None),
    ("PN", Called::Part, None),
    ("SKU", Called::Part, None),
];

/// Words between a label and its field that say nothing.
const FILLERS: [&str; 9] = ["ID", "NO", "NR", "NUMBER", "NUM", "IS", "ADR", "HTTP", "HTTPS"];

/// Groups that people and printers break an address into: (digits in each, how many).
const GROUPS: [(usize, usize); 4] = [(2, 6), (4, 3), (3, 4), (6, 2)];

/// Takes a text apart. `as_mac` says that the whole is meant to be an address.
pub(super) fn tokens(text: &str, as_mac: bool) -> Vec<Token> {
    let mut tokens = Vec::new();
    for field in fields(&cleaned(text)) {
        let mut words: Vec<&str> = field.split_whitespace().collect();
        words.reverse();
        let mut label = Label::new(as_mac);
        while let Some(word) = words.pop() {
            let rest = label.stripped(word);
            if rest.is_empty() || is_filler(rest) {
                continue;
            }
            words.push(rest);
            let whole = taken(&mut words, label.called);
            tokens.push(label.token(&whole));
            label = Label::new(as_mac);
        }
        // A label may end where its field was broken off: `MAC="0004f2…"`.
        if label.called != Called::Nothing {
            let Label { called, notes, prefix } = label;
            tokens.push(Token { prefix, notes, called, ..Token::default() });
        }
    }
    carry(tokens)
}

/// Takes the words of one value off the end of a reversed list that is not empty.
fn taken(words: &mut Vec<&str>, called: Called) -> String {
    for (length, count) in GROUPS {
        let Some(first) = words.len().checked_sub(count) else { continue };
        let groups: Vec<String> = words[first..].iter().rev().map(|word| compact(word)).collect();
        let fits = |group: &String| group.len() == length && group.chars().all(is_digitish);
        if groups.iter().all(fits) {
            words.truncate(first);
            return groups.concat();
        }
    }
    let mut whole = words.pop().unwrap_or_default().to_owned();
    // The name of a model may have a blank in it; an address or another label ends it.
    while called == Called::Part
        && let Some(next) = words.pop_if(|word| {
            Label::new(false).stripped(word).len() == word.len() && compact(word).len() < 11
        })
    {
        whole = format!("{whole} {next}");
    }
    whole
}

fn is_filler(word: &str) -> bool {
    FILLERS.iter().any(|filler| filler.eq_ignore_ascii_case(word))
}

/// Gives a label without a field to the field behind it, and drops it.
fn carry(tokens: Vec<Token>) -> Vec<Token> {
    let mut label: Option<Token> = None;
    let mut carried = Vec::new();
    for mut token in tokens {
        if token.text.is_empty() {
            let mut notes = label.map(|label| label.notes).unwrap_or_default();
            notes.extend(token.notes.iter().copied());
            label = Some(Token { notes, ..token });
            continue;
        }
        if let Some(label) = label.take() {
            let called_already = token.called != Called::Nothing && !token.prefix.is_empty();
            if !called_already {
                token.called = label.called;
                token.prefix = label.prefix;
            }
            token.notes.extend(label.notes);
        }
        token.notes.sort_unstable();
        token.notes.dedup();
        carried.push(token);
    }
    carried
}

/// The text without what scanners, printers and web addresses add: symbology identifiers (ISO/IEC 15424: `]C1`),
/// GS1 application identifiers in parentheses, control characters, escapes. What separates fields becomes a line break.
fn cleaned(text: &str) -> String {
    let text = text.trim_start_matches(|c: char| c.is_whitespace() || c.is_control());
    let text = match text.as_bytes() {
        [b']', b'A'..=b'z', digit, ..] if digit.is_ascii_alphanumeric() => &text[3..],
        _ => text,
    };
    let mut cleaned = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        let rest = chars.as_str();
        match c {
            '(' => {
                // The identifier says what follows; what it is shows by itself.
                let digits =
                    rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
                if (2..=4).contains(&digits) && rest[digits..].starts_with(')') {
                    chars = rest[digits + 1..].chars();
                }
                cleaned.push('\n');
            }
            '%' if rest.get(..2).is_some_and(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit())) => {
                let code = u8::from_str_radix(&rest[..2], 16).unwrap_or(b' ');
                cleaned.push(if code.is_ascii_graphic() { char::from(code) } else { '\n' });
                chars = rest[2..].chars();
            }
            '/' if is_abbreviation(&cleaned, rest) => {}
            // Dashes as word processors write them.
            '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{ad}' => cleaned.push('-'),
            '\u{feff}' | '\u{200b}' => {}
            '\t' | '\r' | '\n' | ',' | ';' | '?' | '&' | '[' | ']' | '{' | '}' | '<' | '>'
            | ')' | '|' | '"' | '\'' | '`' | '#' | '@' | '!' | '*' | '/' | '\\' | '=' => {
                cleaned.push('\n');
            }
            c if c.is_control() => cleaned.push('\n'),
            c if c.is_whitespace() => cleaned.push(' '),
            c => cleaned.push(c),
        }
    }
    cleaned
}

/// True inside `S/N`, `P/N` and `W/LAN`.
fn is_abbreviation(before: &str, behind: &str) -> bool {
    let first =
        before.chars().next_back().is_some_and(|c| matches!(c, 'S' | 's' | 'P' | 'p' | 'W' | 'w'));
    let alone = before.chars().rev().nth(1).is_none_or(|c| !c.is_alphanumeric());
    first && alone && behind.starts_with(['N', 'n', 'L', 'l'])
}

fn fields(cleaned: &str) -> impl Iterator<Item = &str> {
    cleaned.split('\n').filter(|field| !field.trim().is_empty())
}

/// A hexadecimal digit, or a letter that is taken for one.
pub(super) fn is_digitish(c: char) -> bool {
    c.is_ascii_hexdigit() || super::value::digit_for(c).is_some()
}

/// Without what people put between digits.
pub(super) fn compact(word: &str) -> String {
    word.chars().filter(|c| !is_separator(*c)).collect()
}

const fn is_separator(c: char) -> bool {
    matches!(c, ':' | '-' | '.' | '_')
}

/// The label that is being read.
struct Label {
    called: Called,
    notes: Vec<Note>,
    prefix: String,
}

impl Label {
    const fn new(as_mac: bool) -> Self {
        let called = if as_mac { Called::Mac } else { Called::Nothing };
        Self { called, notes: Vec::new(), prefix: String::new() }
    }

    /// A word without the labels in front of it; takes in what they say.
    fn stripped<'w>(&mut self, word: &'w str) -> &'w str {
        let mut rest = file_stem(word).trim_matches(is_separator);
        while let Some(length) = self.strip(rest) {
            rest = rest[length..].trim_start_matches(|c| is_separator(c) || c == '+');
        }
        // `MAC ID:0004f2…`
        match rest.split_once(':') {
            Some((filler, behind)) if is_filler(filler) => behind.trim_start_matches(is_separator),
            _ => rest,
        }
    }

    /// The value that this was the label of.
    fn token(self, value: &str) -> Token {
        let text = value.to_owned();
        let compact = octets(&text).unwrap_or_else(|| compact(&text));
        Token { text, compact, prefix: self.prefix, notes: self.notes, called: self.called }
    }

    /// How much of the front of a word is a label; takes in what it says.
    fn strip(&mut self, word: &str) -> Option<usize> {
        // A label's own hyphens and dots do not count (`MAC-ID`, `Wi-Fi`), so its length here is found letter by letter.
        let found = LABELS.iter().find_map(|label| Some((label, spelt(word, label.0)?)));
        let ((name, called, note), length) = found?;
        let rest = &word[length..];
        // `SN` also begins words: only a separator, a digit's place or the end may follow a short one.
        let whole = rest.is_empty() || rest.starts_with([':', '-', '.', '_', '+']);
        let glued = rest.len() >= 6 && rest.chars().all(|c| is_digitish(c) || is_separator(c));
        if !(whole
            || glued
            || name.len() >= 3 && LABELS.iter().any(|(n, ..)| spelt(rest, n).is_some()))
        {
            return None;
        }
        self.called = *called;
        self.notes.extend(*note);
        let space = if self.prefix.is_empty() { "" } else { " " };
        self.prefix = format!("{}{space}{}", self.prefix, &word[..length]);
        Some(length)
    }
}

/// How many octets of `word` spell `label`, whatever its case and with separators inside.
fn spelt(word: &str, label: &str) -> Option<usize> {
    let mut letters = label.chars();
    let mut wanted = letters.next();
    for (at, c) in word.char_indices() {
        let Some(letter) = wanted else { return Some(at) };
        if c.eq_ignore_ascii_case(&letter) {
            wanted = letters.next();
        } else if at == 0 || !is_separator(c) {
            return None;
        }
    }
    wanted.is_none().then_some(word.len())
}

/// Without the ending of a configuration file's name.
fn file_stem(word: &str) -> &str {
    const ENDINGS: [&str; 5] = [".cnf", ".cfg", ".boot", ".xml", ".tlv"];
    let at = ENDINGS.iter().filter_map(|ending| word.to_ascii_lowercase().find(ending)).min();
    at.map_or(word, |at| &word[..at])
}

/// Six groups of one or two digits, as some systems leave leading zeros out: `0:15:65:a:b:1`.
fn octets(word: &str) -> Option<String> {
    let groups: Vec<&str> = word.split([':', '-', '.']).collect();
    let fits = |group: &&str| (1..=2).contains(&group.len()) && group.chars().all(is_digitish);
    if groups.len() != 6 || !groups.iter().all(fits) {
        return None;
    }
    let zero = |group: &&str| if group.len() == 1 { "0" } else { "" };
    Some(groups.iter().flat_map(|group| [zero(group), *group]).collect())
}
