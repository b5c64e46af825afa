//! Poly's vendor class: not text but RFC 3925 data with Poly's own parts inside.

/// Poly's enterprise number, with which the class begins (13885).
const ENTERPRISE: [u8; 4] = [0, 0, 0x36, 0x3d];

/// The same number as a number, as profiles write it.
pub(super) const NUMBER: u32 = u32::from_be_bytes(ENTERPRISE);

/// What the parts of a class say. A part that is absent or not UTF-8 is empty.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Class<'a> {
    /// Part 1: `Polycom`.
    pub(super) company: &'a str,
    /// Part 2: `SoundPointIP-SPIP_601`.
    pub(super) model: &'a str,
    /// Part 3: `2345-11605-001,2`, part number and revision.
    pub(super) part: &'a str,
    /// Part 4: `SIP/<build>/<date>`; while the boot ROM runs, the text of part 5.
    pub(super) application: &'a str,
    /// Part 5: `BR/…`, the boot ROM.
    pub(super) boot: &'a str,
}

impl Class<'_> {
    /// The part number without its revision.
    pub(super) fn part_number(&self) -> &str {
        self.part.split(',').next().unwrap_or_default()
    }

    /// The model's last word: `SPIP_601`.
    pub(super) fn short_model(&self) -> &str {
        self.model.rsplit('-').next().unwrap_or_default()
    }

    /// The version of the SIP application; none while the boot ROM runs.
    pub(super) fn firmware(&self) -> Option<&str> {
        let build = self.application.strip_prefix("SIP/")?.split('/').next()?;
        (build.starts_with(|c: char| c.is_ascii_digit())).then_some(build)
    }

    /// The parts as one line, for people.
    pub(super) fn text(&self) -> String {
        let parts = [self.company, self.model, self.part, self.application, self.boot];
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
    }
}

/// Reads option 60 or option 125 as Poly fills it: enterprise number, length, then type-length-value parts to the
/// length's end or a 255 (SIP 2.2 administrator's guide, option 60).
///
/// Whatever the lengths say, nothing beyond the octets at hand is read: a part that is cut short is left out.
/// `None` if the enterprise number is not Poly's.
pub(super) fn decode(octets: &[u8]) -> Option<Class<'_>> {
    let (total, rest) = octets.strip_prefix(&ENTERPRISE)?.split_first()?;
    let mut rest = &rest[..rest.len().min(usize::from(*total))];
    let mut class = Class::default();
    while let [kind, length, tail @ ..] = rest {
        let length = usize::from(*length);
        if *kind == 255 || length > tail.len() {
            break;
        }
        let (value, after) = tail.split_at(length);
        let value = value.strip_suffix(&[0]).unwrap_or(value);
        let text = std::str::from_utf8(value).unwrap_or_default();
        match kind {
            1 => class.company = text,
            2 => class.model = text,
            3 => class.part = text,
            4 => class.application = text,
            5 => class.boot = text,
            _ => {}
        }
        rest = after;
    }
    Some(class)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn encode(parts: &[(u8, &str)]) -> Vec<u8> {
        let mut body = Vec::new();
        for (kind, text) in parts {
            body.extend([*kind, u8::try_from(text.len()).unwrap()]);
            body.extend(text.as_bytes());
        }
        body.push(255);
        [&ENTERPRISE[..], &[u8::try_from(body.len()).unwrap()], &body].concat()
    }

    #[test]
    fn a_sound_point() {
        let octets = encode(&[
            (1, "Polycom"),
            (2, "SoundPointIP-SPIP_601"),
            (3, "2345-11605-001,2"),
            (4, "SIP/3.1.3.0439/03-Apr-09 10:00"),
            (5, "BR/3.1.0.0084/17-Apr-06"),
        ]);
        let class = decode(&octets).unwrap();
        assert_eq!((class.short_model(), class.part_number()), ("SPIP_601", "2345-11605-001"));
        assert_eq!(class.firmware(), Some("3.1.3.0439"));
    }

    #[test]
    fn while_the_boot_rom_runs() {
        let octets = encode(&[(3, "2345-11605-001"), (4, "BR/3.1.0.0084/17-Apr-06")]);
        assert_eq!(decode(&octets).unwrap().firmware(), None);
    }

    #[test]
    fn cut_short() {
        let octets = encode(&[(1, "Polycom"), (2, "VVX-VVX_401")]);
        let class = decode(&octets[..octets.len() - 5]).unwrap();
        assert_eq!((class.company, class.model), ("Polycom", ""));
        assert_eq!(decode(b"\0\0\x36\x3d"), None);
        assert_eq!(decode(b"yealink"), None);
    }

    proptest! {
        #[test]
        fn any_octets(octets in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = decode(&[&ENTERPRISE[..], &octets].concat()).map(|class| (class.text(), class.firmware().map(str::len)));
        }
    }
}
