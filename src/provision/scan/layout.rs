//! Scanners that type on another keyboard than the computer reads: recognized and undone.
//!
//! A scanner is a keyboard: it presses the keys that make its text on the layout that it is set to, and the computer
//! reads those keys on its own. Where the two differ, `:` and `-` come out as other characters, on French keyboards the
//! digits too. Layouts as the ISO 9995 drawings of their countries have them: keys of the three upper rows, left to
//! right, without and with shift.

use crate::profile::Catalog;

use super::{Scan, command::Command, read};

/// A keyboard's characters, key by key: the same place in two layouts is the same key.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Layout {
    /// US QWERTY.
    American,
    /// German QWERTZ.
    German,
    /// French AZERTY.
    French,
}

/// What a scanner typed, read as it was meant.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Misread {
    /// What the computer's keyboard is.
    pub here: Layout,
    /// What the scanner is set to.
    pub scanner: Layout,
    /// The text as it stands on the label.
    pub text: String,
}

impl Layout {
    const ALL: [Self; 3] = [Self::American, Self::German, Self::French];

    /// The name in JSON.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::American => "us",
            Self::German => "de",
            Self::French => "fr",
        }
    }

    /// The layout of a name in JSON.
    #[must_use]
    pub fn named(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|layout| layout.id() == id)
    }

    /// In plain words.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::American => "US (QWERTY)",
            Self::German => "German (QWERTZ)",
            Self::French => "French (AZERTY)",
        }
    }

    /// Keys without and with shift. `\0` is a key whose character waits for another (an accent), which no label needs.
    const fn keys(self) -> (&'static str, &'static str) {
        match self {
            Self::American => (
                "`1234567890-=qwertyuiop[]asdfghjkl;'\\zxcvbnm,./ ",
                "~!@#$%^&*()_+QWERTYUIOP{}ASDFGHJKL:\"|ZXCVBNM<>? ",
            ),
            Self::German => (
                "\u{0}1234567890ß\u{0}qwertzuiopü+asdfghjklöä#yxcvbnm,.- ",
                "°!\"§$%&/()=?\u{0}QWERTZUIOPÜ*ASDFGHJKLÖÄ'YXCVBNM;:_ ",
            ),
            Self::French => (
                "²&é\"'(-è_çà)=azertyuiop\u{0}$qsdfghjklmù*wxcvbn,;:! ",
                "\u{0}1234567890°+AZERTYUIOP\u{0}£QSDFGHJKLM%µWXCVBN?./§ ",
            ),
        }
    }

    /// The key that makes a character, and whether with shift.
    fn key(self, character: char) -> Option<(usize, bool)> {
        let (plain, shifted) = self.keys();
        let place = |keys: &str| keys.chars().position(|key| key == character && key != '\0');
        place(plain).map(|key| (key, false)).or_else(|| place(shifted).map(|key| (key, true)))
    }

    /// What a key makes.
    fn makes(self, (key, shift): (usize, bool)) -> Option<char> {
        let (plain, shifted) = self.keys();
        let keys = if shift { shifted } else { plain };
        keys.chars().nth(key).filter(|made| *made != '\0')
    }
}

/// The text that was meant where a scanner set to one layout typed on a computer with another; `None` where a character
/// is on no key.
#[must_use]
pub fn decoded(text: &str, here: Layout, scanner: Layout) -> Option<String> {
    text.chars().map(|one| scanner.makes(here.key(one)?)).collect()
}

/// Reads a text that makes no sense as it is in every pair of layouts.
///
/// Taken is only what gives a MAC of a known maker, a known model or a command, and the same in each pair that gives
/// anything: chance does not make that of other text.
pub(super) fn misread(text: &str, catalog: &Catalog) -> Option<(Option<Misread>, Scan)> {
    let pairs = Layout::ALL.iter().flat_map(|here| Layout::ALL.iter().map(move |it| (*here, *it)));
    let mut found: Option<(Option<Misread>, Scan)> = None;
    for (here, scanner) in pairs.filter(|(here, scanner)| here != scanner) {
        let Some(meant) = decoded(text, here, scanner).filter(|meant| meant != text) else {
            continue;
        };
        let scan =
            Command::read(&meant).map_or_else(|| read(&meant, Some(catalog), false), Scan::Command);
        if !makes_sense(&scan, catalog) {
            continue;
        }
        match &mut found {
            Some((_, known)) if !known.is_like(&scan) => return None,
            // Two computers' keyboards explain it: which one this is, it does not tell.
            Some((misread, _)) if misread.as_ref().is_some_and(|it| it.here != here) => {
                *misread = None;
            }
            Some(_) => {}
            None => found = Some((Some(Misread { here, scanner, text: meant }), scan)),
        }
    }
    found
}

fn makes_sense(scan: &Scan, catalog: &Catalog) -> bool {
    match scan {
        Scan::Macs(_) => scan.mac().is_some_and(|mac| {
            let at = crate::domain::Timestamp::UNIX_EPOCH;
            catalog.recognize(&crate::profile::Seen::Prefix(mac), at).is_some()
        }),
        Scan::Part { model, .. } => model.is_some(),
        Scan::Command(_) => true,
        _ => false,
    }
}
