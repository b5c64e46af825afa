//! Cells: what can't be taken as it is written, and what was probably meant.

use crate::domain::{Mac, MacError};

use super::super::scan::{Note, Scan, is_part_number};
use super::{Fault, MAX_CELL, column::Column, damage::Damage};

/// What scanners and labels print before an address. Longer ones first.
const PREFIXES: [&str; 9] =
    ["MAC ADDRESS", "MAC ADDR", "MAC ID", "MACID", "MAC", "SEP", "ATA", "SIP", "LAN"];

/// What a spreadsheet would take for a formula at the start of a cell.
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// Reads a MAC as people and scanners write it: any separators, `MAC:` or `SEP` in front, a whole label.
///
/// # Errors
///
/// A [`Fault`] with the address that was probably meant, where one can be guessed; or what was scanned instead.
pub fn mac(text: &str) -> Result<Mac, Fault> {
    label(text).map(|(mac, _)| mac)
}

/// The same, with what is odd about the address and taken all the same.
pub(super) fn label(text: &str) -> Result<(Mac, Option<&'static str>), Fault> {
    // Some part numbers are twelve digits, and nobody groups an address like that.
    if is_part_number(text.trim()) {
        return Err(Fault::new(Column::Mac, Scan::read_mac(text).to_string()));
    }
    let fault = match bare(text) {
        Ok(mac) => return Ok((mac, None)),
        Err(fault) => fault,
    };
    // What a spreadsheet destroyed may still look like something that a scanner read.
    if text.trim().is_empty() || Damage::of(strip(text.trim())).is_some() || fault.meant.is_some() {
        return Err(fault);
    }
    let scan = Scan::read_mac(text);
    if let Some(mac) = scan.mac() {
        let notes = scan.found().iter().filter(|found| found.mac == mac).flat_map(|f| &f.notes);
        let odd = notes.copied().find(|note| *note != Note::SerialToo);
        return Ok((mac, odd.map(Note::text)));
    }
    Err(match &scan {
        Scan::Macs(several) => {
            let several: Vec<String> = several.iter().map(|found| found.mac.to_string()).collect();
            let reason = format!("there are several addresses: {}", several.join(", "));
            Fault::new(Column::Mac, reason).repair("leave the one of the wired port")
        }
        Scan::Meant { mac, why, .. } => Fault::new(Column::Mac, why).meaning(*mac),
        Scan::Serial { .. } | Scan::Part { .. } | Scan::Length { digits: 11 | 13 } => {
            Fault::new(Column::Mac, scan.to_string())
        }
        // The first odd character or the count says it better.
        Scan::Length { .. }
        | Scan::Group { .. }
        | Scan::Placeholder { .. }
        | Scan::Article { .. }
        | Scan::Command(_)
        | Scan::Unknown { .. }
        | Scan::Empty => fault,
    })
}

/// Reads an address and nothing but an address, prefix included.
pub(super) fn bare(text: &str) -> Result<Mac, Fault> {
    let text = text.trim();
    let whole = text.parse::<Mac>();
    let stripped = strip(text);
    let found = whole.or_else(|error| stripped.parse::<Mac>().map_err(|inner| later(error, inner)));
    found.map_err(|error| explain(stripped, error))
}

/// Of two errors about the same text, the one about the part that is an address.
const fn later(whole: MacError, stripped: MacError) -> MacError {
    match stripped {
        MacError::Length { digits: 0 } => whole,
        _ => stripped,
    }
}

fn strip(text: &str) -> &str {
    let upper = text.to_ascii_uppercase();
    let prefix = PREFIXES.iter().find(|prefix| upper.starts_with(**prefix));
    let rest = prefix.map_or(text, |prefix| &text[prefix.len()..]);
    let rest = rest.trim_start_matches([':', '=', '#', ' ', '-', '.']);
    rest.split_once(".cnf").map_or(rest, |(address, _)| address)
}

fn explain(text: &str, error: MacError) -> Fault {
    if text.is_empty() {
        return Fault::new(Column::Mac, "there is none");
    }
    if let Some(damage) = Damage::of(text) {
        let repair = "make the column text, and enter the address again";
        return Fault::new(Column::Mac, damage.reason(text)).repair(repair);
    }
    let fault = Fault::new(Column::Mac, error.to_string());
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    if digits == text.len() && (6..12).contains(&digits) {
        let reason = format!("{digits} digits: a spreadsheet dropped the zeros in front");
        let fault = Fault::new(Column::Mac, reason);
        return format!("{text:0>12}")
            .parse()
            .map_or_else(|_| fault.clone(), |mac| fault.clone().meaning(mac));
    }
    let replaced: String = text
        .chars()
        .map(|c| match c {
            'O' | 'o' | 'Q' => '0',
            'I' | 'i' | 'l' | 'L' | '|' => '1',
            'S' | 's' => '5',
            'Z' | 'z' => '2',
            'G' => '6',
            c => c,
        })
        .collect();
    match replaced.parse::<Mac>() {
        Ok(mac) if replaced != text => fault.meaning(mac),
        _ => fault,
    }
}

/// A cell as a value, or why it can't be one.
///
/// # Errors
///
/// A [`Fault`]: characters that no configuration can carry, a number that a spreadsheet destroyed, or too long a text.
pub(super) fn clean(column: &Column, text: &str) -> Result<String, Fault> {
    // What an export put in front of a formula is not part of the value.
    let text = match text.strip_prefix('\'') {
        Some(rest) if rest.starts_with(FORMULA) || rest.starts_with('\'') => rest,
        _ => text,
    };
    // A blank at the end of a password may be meant; elsewhere it never is.
    let text = if column.is_secret() { text } else { text.trim() };
    if let Some(odd) = text.chars().find(|c| !is_carried(*c)) {
        let reason = format!("the character U+{:04X} can't be in a configuration", u32::from(odd));
        let fault = Fault::new(column, reason);
        let words: Vec<&str> =
            text.split(|c| !is_carried(c)).filter(|word| !word.is_empty()).collect();
        let words = words.join(" ");
        let repair = format!("is it `{words}`?");
        return Err(if column.is_secret() { fault } else { fault.repair(repair).instead(words) });
    }
    if text.chars().nth(MAX_CELL).is_some() {
        return Err(Fault::new(column, format!("longer than {MAX_CELL} characters")));
    }
    if let Some(damage) = Damage::of(text).filter(|damage| damage.matters(column)) {
        let fault = Fault::new(column, damage.reason(text)).repair(damage.repair());
        return Err(match damage {
            Damage::Grouped { digits } => fault.instead(digits),
            Damage::Float | Damage::Date => fault,
        });
    }
    if column.is_number() && text.contains(char::is_whitespace) {
        let rest: String = text.split_whitespace().collect();
        let fault = Fault::new(column, "there is a blank in it").repair(format!("is it {rest}?"));
        return Err(fault.instead(rest));
    }
    Ok(text.to_owned())
}

/// True for what XML 1.0 can carry (its production 2, `Char`) and is no control character.
pub(super) fn is_carried(character: char) -> bool {
    !character.is_control() && !matches!(character, '\u{fffe}' | '\u{ffff}')
}

/// A value as a cell: what a spreadsheet would take for a formula gets an apostrophe, which an import takes off again.
pub(super) fn neutral(value: &str) -> String {
    let formula = value.starts_with(FORMULA) || value.starts_with('\'');
    if formula { format!("'{value}") } else { value.to_owned() }
}
