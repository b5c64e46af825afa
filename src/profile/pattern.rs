//! Names of files as phones spell them: a rule's pattern, and what a name says when it fits.

use crate::domain::Mac;

use super::lazy::Lazy;

/// A rule's name, ready to be compared with names from the wire.
///
/// Case never counts: the same phone is written `SEP001E7A…` in one guide and `SEP001e7a…` in another, and folding it
/// here is what saves a boot when a store or a label differs.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    /// The rule's name in lower case: patterns with the same text say the same.
    pub(super) text: String,
    /// Lower-case text before the first placeholder, and after the last: a cheap test before the expression.
    pub(super) head: String,
    pub(super) tail: String,
    /// How many characters are fixed: of two rules that fit, the one that says more is meant.
    pub(super) fixed: usize,
    /// How many folders the pattern names itself.
    pub(super) folders: usize,
    /// None for a name without placeholders, which is compared as text.
    regex: Option<Lazy>,
}

/// What a name says through its placeholders.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Captured<'n> {
    pub(super) mac: Option<Mac>,
    /// A part number, or the digits of a y-file without leading zeros.
    pub(super) part: Option<&'n str>,
    pub(super) model: Option<&'n str>,
    pub(super) load: Option<&'n str>,
}

/// A placeholder that no rule may use.
#[derive(Debug, thiserror::Error)]
#[error("`{{{0}}}` is no placeholder of a file name")]
pub(super) struct UnknownPlaceholder(pub(super) String);

/// The placeholders of file names and what they stand for.
pub(super) const PLACEHOLDERS: [(&str, &str); 10] = [
    ("MAC", "(?P<mac>[0-9a-f]{12})"),
    ("mac", "(?P<mac>[0-9a-f]{12})"),
    // The second port of a Cisco ATA: five octets of the first one's MAC and 01. It names no station of its own.
    ("second", "[0-9a-f]{10}01"),
    ("mac-pairs", "(?P<mac>[0-9a-f]{2}(?:[-_:][0-9a-f]{2}){5})"),
    ("part", "(?P<part>[0-9]{4}-[0-9]{5}-[0-9]{3})"),
    ("code", "(?P<part>[0-9]{12})"),
    ("load", "(?P<load>[a-z0-9][a-z0-9._-]{0,63})"),
    ("model", "(?P<model>[a-z0-9][a-z0-9_+-]{0,31})"),
    ("serial", "[0-9a-z]{4}(?:-[0-9a-z]{4}){3}"),
    // Its length is counted afterwards: spelt out in the expression, each rule would hold 127 copies of all of Unicode.
    ("any", "(?u:([^/]+))"),
];

/// The most characters of what stands for a placeholder.
const MAX_PART: usize = 127;

/// The most octets of one expression. There are hundreds of rules, and each is held as long as ringup runs.
const MAX_SIZE: usize = 64 * 1024;

impl Pattern {
    /// Reads a rule's name.
    pub(super) fn new(name: &str) -> Result<Self, UnknownPlaceholder> {
        let (mut regex, mut fixed, mut rest) = (String::from("(?i-u)^"), String::new(), name);
        let mut tail = 0;
        while let Some((before, after)) = rest.split_once('{') {
            let (word, after) = after.split_once('}').unwrap_or((after, ""));
            let found = PLACEHOLDERS.iter().find(|(known, _)| *known == word);
            let (_, expression) = found.ok_or_else(|| UnknownPlaceholder(word.to_owned()))?;
            regex.push_str(&regex::escape(before));
            regex.push_str(expression);
            fixed.push_str(before);
            (rest, tail) = (after, after.len());
        }
        regex.push_str(&regex::escape(rest));
        regex.push('$');
        fixed.push_str(rest);
        let head = name.split('{').next().unwrap_or_default().to_ascii_lowercase();
        let tail = name[name.len() - tail..].to_ascii_lowercase();
        let regex = name.contains('{').then(|| Lazy::bounded(regex, MAX_SIZE));
        let (text, folders) = (name.to_ascii_lowercase(), name.matches('/').count());
        Ok(Self { text, head, tail, fixed: fixed.len(), folders, regex })
    }

    /// The pattern of `name`, compiled: that may be too long, or have letters that are not ASCII's.
    pub(super) fn compiled(self, name: &str) -> Result<Self, UnknownPlaceholder> {
        let compiled = self.regex.as_ref().map_or(Ok(()), Lazy::compile);
        compiled.map_err(|_| UnknownPlaceholder(name.to_owned()))?;
        Ok(self)
    }

    /// True if it has no placeholder: one name, in whatever case, and no other.
    pub(super) const fn is_plain(&self) -> bool {
        self.regex.is_none()
    }

    /// What `name` says if it fits. `lower` is the same name in lower case.
    pub(super) fn fits<'n>(&self, name: &'n str, lower: &str) -> Option<Captured<'n>> {
        let Some(regex) = &self.regex else {
            return (lower == self.text).then(Captured::default);
        };
        if !lower.starts_with(&self.head) || !lower.ends_with(&self.tail) {
            return None;
        }
        let captures = regex.captures_begun(name)?;
        let is_long = |part: regex::Match<'_>| part.as_str().chars().nth(MAX_PART).is_some();
        if captures.iter().skip(1).flatten().any(is_long) {
            return None;
        }
        let part = |group| captures.name(group).map(|found| found.as_str());
        let mac = match part("mac") {
            // 000000000000 and ffffffffffff are names of common files and of broken phones, never of one phone.
            Some(digits) => Some(digits.parse().ok()?),
            None => None,
        };
        let digits = part("part").filter(|digits| digits.len() == 12 && !digits.contains('-'));
        let code = digits
            .map(|digits| digits.trim_start_matches('0'))
            .map(|code| if code.is_empty() { "0" } else { code });
        let (model, load) = (part("model"), part("load"));
        Some(Captured { mac, part: code.or_else(|| part("part")), model, load })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pattern: &str, name: &str, expected: &str) {
        let pattern = Pattern::new(pattern).unwrap();
        let found = pattern.fits(name, &name.to_ascii_lowercase()).map(|captured| {
            let mac = captured.mac.map(|mac| mac.to_string());
            let said = [mac.as_deref(), captured.part, captured.model, captured.load];
            said.into_iter().flatten().collect::<Vec<_>>().join(" ")
        });
        assert_eq!(found.as_deref().unwrap_or("-"), expected, "{name}");
    }

    #[test]
    fn names_that_fit() {
        check("SEP{MAC}.cnf.xml", "SEP001E7AC41022.cnf.xml", "00:1e:7a:c4:10:22");
        check("SEP{MAC}.cnf.xml", "sep001e7ac41022.CNF.XML", "00:1e:7a:c4:10:22");
        check("{mac}.cfg", "0004F2AABBCC.cfg", "00:04:f2:aa:bb:cc");
        check("{part}.sip.ld", "3111-48400-001.sip.ld", "3111-48400-001");
        check("y{code}.cfg", "y000000000028.cfg", "28");
        check("y{code}.cfg", "y000000000108.cfg", "108");
        check("y{code}.cfg", "y000000000000.cfg", "0");
        check("{load}.loads", "SCCP41.9-4-2SR3-1S.loads", "SCCP41.9-4-2SR3-1S");
        check("ipst_{mac-pairs}.cfg", "ipst_00_13_CB_01_02_03.cfg", "00:13:cb:01:02:03");
        check("{any}.rom", "T46S(T48S,T42S,T41S)-66.86.0.15.rom", "");
        check("Desktops/{any}/List.xml", "Desktops/320x196x4/List.xml", "");
        check("{any}/{any}.rom", &format!("é/{}.rom", "é".repeat(127)), "");
        check("ATA{second}.cnf.xml", "ATA21A0B1C2D301.cnf.xml", "");
    }

    #[test]
    fn names_that_do_not() {
        check("{mac}.cfg", "000000000000.cfg", "-");
        check("{any}.rom", &format!("{}.rom", "é".repeat(128)), "-");
        check("{mac}.cfg", "ffffffffffff.cfg", "-");
        check("{mac}.cfg", "0004F2AABBC.cfg", "-");
        check("{mac}.cfg", "0004F2AABBCC.cfg\n", "-");
        check("{part}.sip.ld", "3111-44500-001.3111-44500-001.sip.ld", "-");
        check("SEP{MAC}.cnf", "SEP001E7AC41022.cnf.xml", "-");
        check("{any}.rom", "a/b.rom", "-");
        check("ATA{second}.cnf.xml", "ATA0021A0B1C2D3.cnf.xml", "-");
    }

    #[test]
    fn a_placeholder_that_is_none() {
        assert_eq!(
            Pattern::new("{mak}.cfg").unwrap_err().to_string(),
            "`{mak}` is no placeholder of a file name"
        );
    }
}
