//! `dhcpd.leases` of ISC dhcpd: declarations with a block each, dhcpd.leases(5).

use std::net::Ipv4Addr;

use crate::domain::Timestamp;

use super::{Document, Format, Record, Until, epoch, octets};

/// What such a file begins with, comments aside.
const STARTS: &[&str] = &[
    "lease",
    "host",
    "group",
    "subclass",
    "failover",
    "server-duid",
    "authoring-byte-order",
    "ia-na",
    "class",
];

/// A token with the line that it begins on.
type Placed = (usize, Token);

#[derive(Clone, Debug, Eq, PartialEq)]
enum Token {
    Word(String),
    /// The octets of a quoted string, escapes read.
    Text(Vec<u8>),
    Open,
    Close,
    End,
}

/// Reads the whole; `None` if it is something else.
pub(super) fn read(text: &str) -> Option<Document> {
    let tokens = tokens(text);
    match tokens.first() {
        // Nothing but comments: a server that never gave a lease.
        None => text.trim_start().starts_with('#').then_some(())?,
        Some((_, Token::Word(word))) if STARTS.contains(&word.as_str()) => {}
        Some(_) => return None,
    }
    let mut document = Document::new(Format::Dhcpd);
    let mut rest = &tokens[..];
    while let Some((line, token)) = rest.first() {
        let (statement, after) = statement(rest);
        rest = after;
        let (Token::Word(word), Some((_, Token::Word(name)))) = (token, statement.get(1)) else {
            continue;
        };
        if word != "lease" {
            continue;
        }
        match (name.parse::<Ipv4Addr>(), block(statement)) {
            (Ok(address), Some(inside)) => document.put(address, record(*line, inside)),
            _ => document.fault(*line, "a lease without an address or a block"),
        }
    }
    Some(document)
}

/// What is between the braces of a declaration; `None` if it has none or is cut short.
fn block(statement: &[Placed]) -> Option<&[Placed]> {
    let open = statement.iter().position(|(_, token)| *token == Token::Open)?;
    let (last, inside) = statement[open + 1..].split_last()?;
    (last.1 == Token::Close).then_some(inside)
}

/// Splits off a statement: to its `;`, or to the end of its block. Never empty if `tokens` is not.
fn statement(tokens: &[Placed]) -> (&[Placed], &[Placed]) {
    let mut depth = 0_usize;
    for (at, (_, token)) in tokens.iter().enumerate() {
        match token {
            Token::Open => depth += 1,
            Token::Close => depth = depth.saturating_sub(1),
            Token::End | Token::Word(_) | Token::Text(_) => {}
        }
        if depth == 0 && matches!(token, Token::End | Token::Close) {
            return tokens.split_at(at + 1);
        }
    }
    (tokens, &[])
}

fn record(line: usize, inside: &[Placed]) -> Record {
    let mut record = Record {
        line,
        mac: None,
        identifier: Vec::new(),
        since: None,
        // A record without an end says nothing that could be held.
        until: Until::Time(Timestamp::UNIX_EPOCH),
        ended: None,
    };
    let mut rest = inside;
    while !rest.is_empty() {
        let (one, after) = statement(rest);
        rest = after;
        let tokens: Vec<&Token> = one.iter().map(|(_, token)| token).collect();
        let words: Vec<&str> = tokens
            .iter()
            .map(|token| if let Token::Word(word) = token { word.as_str() } else { "" })
            .collect();
        match (&words[..], tokens.get(1)) {
            (["starts", time @ ..], _) => {
                if let Some(Until::Time(at)) = moment(time) {
                    record.since = Some(at);
                }
            }
            (["ends", time @ ..], _) => record.until = moment(time).unwrap_or(record.until),
            (["binding", "state", state, ..], _) => record.ended = ended(state),
            (["abandoned", ..], _) => record.ended = Some("declined"),
            (["hardware", "ethernet", mac, ..], _) => record.mac = mac.parse().ok(),
            (["uid", ..], Some(Token::Text(octets))) => record.identifier.clone_from(octets),
            (["uid", digits, ..], _) => record.identifier = octets(digits).unwrap_or_default(),
            _ => {}
        }
    }
    record
}

fn same(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
}

fn ended(state: &str) -> Option<&'static str> {
    match state {
        _ if same(state, "active") || same(state, "bootp") => None,
        "abandoned" => Some("declined"),
        "expired" => Some("expired"),
        "released" => Some("released"),
        _ => Some("free"),
    }
}

/// `5 2026/11/20 14:00:00` in UTC, `epoch 1795183200`, or `never`.
fn moment(words: &[&str]) -> Option<Until> {
    match words {
        ["never", ..] => Some(Until::Never),
        ["epoch", seconds, ..] => epoch(seconds).map(Until::Time),
        [_, date, time, ..] => {
            let text = format!("{}T{time}Z", date.replace('/', "-"));
            text.parse().ok().map(Until::Time)
        }
        _ => None,
    }
}

/// Words and strings with the lines that they begin on.
fn tokens(text: &str) -> Vec<Placed> {
    let (mut tokens, mut line, mut rest) = (Vec::new(), 1, text);
    while let Some(first) = rest.chars().next() {
        let (length, token) = match first {
            '#' => (rest.find('\n').unwrap_or(rest.len()), None),
            '{' => (1, Some(Token::Open)),
            '}' => (1, Some(Token::Close)),
            ';' => (1, Some(Token::End)),
            '"' => {
                let (length, octets) = string(&rest.as_bytes()[1..]);
                (length + 1, Some(Token::Text(octets)))
            }
            c if c.is_whitespace() => (c.len_utf8(), None),
            _ => {
                let ends = |c: char| c.is_whitespace() || matches!(c, '#' | '{' | '}' | ';' | '"');
                let length = rest.find(ends).unwrap_or(rest.len());
                (length, Some(Token::Word(rest[..length].to_owned())))
            }
        };
        tokens.extend(token.map(|token| (line, token)));
        // A string ends at a quote or at the end of the text, both of which are ends of a character.
        let (done, after) = rest.split_at(length.min(rest.len()));
        line += done.matches('\n').count();
        rest = after;
    }
    tokens
}

/// The octets of a string behind its opening quote, and how many octets of the file that takes, closing quote
/// included. Escapes are `\ooo`, three octal digits, and a backslash before any other character.
fn string(rest: &[u8]) -> (usize, Vec<u8>) {
    let (mut octets, mut at) = (Vec::new(), 0);
    while let Some(byte) = rest.get(at) {
        at += 1;
        match (byte, rest.get(at..at + 3)) {
            (b'"', _) => return (at, octets),
            (b'\\', Some(digits)) if digits.iter().all(|digit| (b'0'..=b'7').contains(digit)) => {
                let value =
                    digits.iter().fold(0_u32, |all, digit| all << 3 | u32::from(digit - b'0'));
                octets.push(u8::try_from(value & 0xff).unwrap_or_default());
                at += 3;
            }
            (b'\\', _) => {
                octets.extend(rest.get(at));
                at += 1;
            }
            _ => octets.push(*byte),
        }
    }
    (rest.len(), octets)
}
