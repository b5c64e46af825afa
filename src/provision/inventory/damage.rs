//! What spreadsheets do to numbers: floats, dates, grouped digits, and zeros that were in front.

use std::collections::BTreeMap;

use super::{Offer, column::Column, table::Table};

/// The months as spreadsheets shorten them: English, German, French, Spanish, Italian and Dutch.
const MONTHS: &[&str] = &[
    "jan",
    "janv",
    "ene",
    "gen",
    "feb",
    "febr",
    "fév",
    "févr",
    "mar",
    "mär",
    "mrz",
    "mars",
    "mrt",
    "apr",
    "avr",
    "abr",
    "may",
    "mai",
    "mag",
    "mei",
    "jun",
    "juin",
    "giu",
    "jul",
    "juil",
    "lug",
    "aug",
    "août",
    "ago",
    "sep",
    "sept",
    "set",
    "oct",
    "okt",
    "ott",
    "nov",
    "dec",
    "dez",
    "déc",
    "dic",
    "january",
    "february",
    "march",
    "april",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// What became of a number.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Damage {
    /// `1.57E+11`, also with a decimal comma: the digits behind are gone for good.
    Float,
    /// `Jan 04` was `1-04` or `01-04`: which, nobody knows any more.
    Date,
    /// `4.012,00`: the digits are all there.
    Grouped {
        /// Without what was put between and behind.
        digits: String,
    },
}

impl Damage {
    /// Tells whether this is what a spreadsheet makes of a number.
    pub(super) fn of(text: &str) -> Option<Self> {
        if is_float(text) {
            return Some(Self::Float);
        }
        if let Some(digits) = ungrouped(text) {
            return Some(Self::Grouped { digits });
        }
        is_date(text).then_some(Self::Date)
    }

    /// True if no value of this column could be meant to look so. A SIP user may well be called `may-4` or `4.012`.
    pub(super) const fn matters(&self, column: &Column) -> bool {
        match self {
            Self::Float => column.is_number(),
            Self::Date | Self::Grouped { .. } => column.is_dialled(),
        }
    }

    pub(super) fn reason(&self, text: &str) -> String {
        match self {
            Self::Float | Self::Grouped { .. } => {
                format!("a spreadsheet turned it into the number {text}")
            }
            Self::Date => format!("a spreadsheet turned it into the date {text}"),
        }
    }

    pub(super) fn repair(&self) -> String {
        match self {
            Self::Float | Self::Date => "make the column text, and enter it again".to_owned(),
            Self::Grouped { digits } => format!("is it {digits}? make the column text"),
        }
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_digit())
}

/// True for what a spreadsheet shows of a long number: `1.57E+11`, also with a decimal comma.
fn is_float(text: &str) -> bool {
    let Some((mantissa, exponent)) = text.split_once(['e', 'E']) else { return false };
    let (whole, fraction) = mantissa.split_once(['.', ',']).unwrap_or((mantissa, "0"));
    is_digits(whole) && is_digits(fraction) && exponent.strip_prefix('+').is_some_and(is_digits)
}

/// The digits of `4.012,00`, `4,012.00`, `4'012`, `4012,00` or `4012.0`. A number that is dialled starts with its own
/// zeros, a formatted one never does.
fn ungrouped(text: &str) -> Option<String> {
    let decimals = |mark: char| {
        let (whole, zeros) = text.rsplit_once(mark)?;
        let fits = matches!(zeros.len(), 1 | 2) && zeros.bytes().all(|octet| octet == b'0');
        fits.then_some((whole, mark))
    };
    let (whole, point) =
        decimals(',').or_else(|| decimals('.')).map_or((text, None), |(w, mark)| (w, Some(mark)));
    if whole.starts_with('0') {
        return None;
    }
    if point.is_some() && is_digits(whole) {
        return Some(whole.to_owned());
    }
    let mark =
        whole.chars().find(|c| matches!(c, '.' | ',' | '\'' | '’' | '\u{a0}' | '\u{202f}'))?;
    let mut groups = whole.split(mark);
    let first = groups.next().filter(|first| is_digits(first) && first.len() <= 3)?;
    let rest: Vec<&str> = groups.collect();
    let fits = point != Some(mark) && rest.iter().all(|group| group.len() == 3 && is_digits(group));
    fits.then(|| format!("{first}{}", rest.concat()))
}

/// True for a day and a month, with or without a year, in words or in figures.
fn is_date(text: &str) -> bool {
    let parts: Vec<&str> =
        text.split([' ', '-', '/', '.']).filter(|part| !part.is_empty()).collect();
    let is_month = |part: &&&str| MONTHS.contains(&part.to_lowercase().as_str());
    let figures: Vec<&str> = parts.iter().filter(|part| is_digits(part)).copied().collect();
    if !(2..=3).contains(&parts.len()) {
        return false;
    }
    if parts.iter().filter(is_month).count() == 1 {
        return figures.len() + 1 == parts.len() && figures.iter().all(|part| part.len() <= 4);
    }
    // In figures there has to be a year, or any two extensions with a dash between them would be a date.
    let value = |part: &&&str| part.parse().unwrap_or(0_u32);
    let years =
        figures.iter().filter(|part| part.len() == 4 && (1900..2100).contains(&value(part)));
    let days = figures.iter().filter(|part| part.len() <= 2 && (1..=31).contains(&value(part)));
    figures.len() == 3 && parts.len() == 3 && years.count() == 1 && days.count() == 2
}

/// Rows with a number that has lost its zeros, to judge by others of the file: what is odd about each, and its repair.
///
/// Others with a zero in front have one length more often than any other; a number that is shorter, by no more zeros
/// than one of those shows, was probably as long. It may also be meant: a hint, not a refusal.
pub(super) fn lost_zeros(table: &Table) -> BTreeMap<usize, (String, Offer)> {
    let dialled = table.columns.iter().enumerate().filter_map(|(place, column)| {
        column.as_ref().filter(|column| column.is_dialled()).map(|_| place)
    });
    let dialled: Vec<usize> = dialled.collect();
    let mut numbers = Vec::new();
    for (row, cells) in table.rows.iter().map(|row| &row.cells).enumerate() {
        let texts = dialled.iter().filter_map(|place| Some((*place, cells.get(*place)?.trim())));
        numbers.extend(texts.filter(|(_, text)| is_digits(text)).map(|found| (row, found)));
    }
    let zeros = |text: &str| text.len() - text.trim_start_matches('0').len();
    let mut lengths: BTreeMap<usize, (usize, usize, &str)> = BTreeMap::new();
    for (_, (_, text)) in numbers.iter().filter(|(_, (_, text))| text.starts_with('0')) {
        let (count, most, _) = lengths.get(&text.len()).copied().unwrap_or_default();
        lengths.insert(text.len(), (count + 1, most.max(zeros(text)), text));
    }
    let usual = lengths.into_iter().max_by_key(|(_, (count, ..))| *count);
    let Some((length, (_, most, other))) = usual else { return BTreeMap::new() };
    let short =
        |text: &str| !text.starts_with('0') && text.len() < length && text.len() + most >= length;
    let hint = |place: usize, text: &str| {
        let column = table.columns.get(place).and_then(Option::as_ref);
        let column = column.map_or_else(String::new, ToString::to_string);
        let value = format!("{text:0>length$}");
        let why =
            format!("{text} may have lost a zero to a spreadsheet, as others are like {other}");
        (format!("{why}: is it {value}?"), Offer { column, value, why })
    };
    let short = numbers.into_iter().filter(|(_, (_, text))| short(text));
    short.map(|(row, (place, text))| (row, hint(place, text))).collect()
}
