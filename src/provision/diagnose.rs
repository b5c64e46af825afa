//! Why a phone makes no progress: one table of causes, the first that fits wins.

use crate::{
    domain::{Diagnosis, NOT_TOLD, Outcome, Role, Stage, Transfer},
    profile::FileRule,
};

use super::{report::Look, resolve::spoken};

/// What a recorded refusal meant. The record keeps the words; the test below holds them together with
/// [`super::Why`], which writes them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Reason {
    NotListed,
    NoNumbersLeft,
    Withheld,
    Missing,
    Broken,
}

impl Reason {
    /// Reads the words of a refusal.
    pub fn of(text: &str) -> Self {
        let says = |words: &[&str]| words.iter().any(|words| text.contains(words));
        if says(&["auto-registration is closed"]) {
            Self::NotListed
        } else if says(&["no number is left"]) {
            Self::NoNumbersLeft
        } else if says(&["its file is withheld", "its phone is unknown"]) {
            Self::Withheld
        } else if says(&["there is no ", "no family has a file"]) {
            Self::Missing
        } else {
            Self::Broken
        }
    }
}

/// One cause.
struct Cause {
    /// Stable kebab-case name, for scripts.
    name: &'static str,
    /// The row of the boot table that it covers: from power (1) to the registration (25).
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "documents the table and is checked by a test")
    )]
    row: u8,
    /// True if the cause is certain as soon as it is seen; the others need the stage's patience to be over.
    certain: bool,
    /// What is so and what to do about it, if it is so.
    fits: fn(&Look<'_>) -> Option<(String, String)>,
}

/// Causes, the certain ones before the guesses, and in each group the later step of a boot first.
const TABLE: &[Cause] = &[
    Cause { name: "firmware-missing", row: 13, certain: true, fits: firmware_missing },
    Cause { name: "config-withheld", row: 9, certain: true, fits: withheld },
    Cause { name: "no-numbers-left", row: 20, certain: true, fits: no_numbers_left },
    Cause {
        name: "not-listed-and-auto-registration-off",
        row: 10,
        certain: true,
        fits: not_listed,
    },
    Cause { name: "config-broken", row: 11, certain: true, fits: config_broken },
    Cause { name: "config-missing", row: 9, certain: true, fits: config_missing },
    Cause { name: "no-address", row: 3, certain: true, fits: no_address },
    Cause { name: "address-in-use", row: 5, certain: false, fits: address_in_use },
    Cause { name: "transfer-times-out", row: 7, certain: false, fits: times_out },
    Cause { name: "config-refused", row: 11, certain: false, fits: config_refused },
    Cause { name: "config-asked-again-and-again", row: 11, certain: false, fits: asked_again },
    Cause { name: "upgrade-stalled", row: 13, certain: false, fits: upgrade_stalled },
    Cause {
        name: "configured-but-never-registers",
        row: 17,
        certain: false,
        fits: never_registers,
    },
    Cause { name: "default-file-only", row: 10, certain: false, fits: default_only },
    Cause { name: "trust-list-asked-again-and-again", row: 8, certain: false, fits: trust_loop },
    Cause {
        name: "asks-but-never-for-its-configuration",
        row: 8,
        certain: false,
        fits: never_its_own,
    },
    Cause { name: "leased-and-starts-over", row: 5, certain: false, fits: starts_over },
    Cause { name: "leased-without-a-server", row: 6, certain: false, fits: without_server },
    Cause { name: "leased-but-never-asked-for-a-file", row: 6, certain: false, fits: never_asked },
    Cause { name: "offer-not-taken", row: 4, certain: false, fits: offer_not_taken },
];

/// The first cause that fits. `stuck` says that patience is over.
pub(super) fn diagnose(look: &Look<'_>, stuck: bool) -> Option<Diagnosis> {
    let mut causes = TABLE.iter().filter(|cause| cause.certain || stuck);
    let (cause, (text, remedy)) = causes.find_map(|cause| Some((cause, (cause.fits)(look)?)))?;
    Some(Diagnosis { cause: cause.name, text, remedy, expected: expected(look) })
}

/// The name that the phone should ask for next: before it has asked for anything the family's first file, then the
/// first of its own that it does not have.
pub(super) fn expected(look: &Look<'_>) -> Option<String> {
    let (family, catalog) = (look.family?, look.provisioner.catalog());
    let speaks = Some(spoken(family, look.provisioner.speaks(&look.site_name)));
    let model = look.identity.model.as_deref().and_then(|model| catalog.member(family, model));
    let asked = look.boot.risen >= Stage::Asking;
    let due = |file: &&FileRule| {
        file.read_by(speaks) && (!asked || file.required && file.role == Role::Own)
    };
    let has = |file: &&FileRule| {
        let slot = family.required(file, speaks).map(|required| u32::from(required.slot));
        slot.and_then(|slot| look.boot.delivered.checked_shr(slot))
            .is_some_and(|bits| bits & 1 == 1)
    };
    let mut files = family.files.iter().filter(due).filter(|file| !has(file));
    files.find_map(|file| file.expand(look.mac, model))
}

type Found = Option<(String, String)>;

fn found(text: impl Into<String>, remedy: impl Into<String>) -> (String, String) {
    (text.into(), remedy.into())
}

fn refused<'a>(look: &Look<'a>, reason: Reason) -> Option<&'a str> {
    look.refused().filter(|(is, _)| *is == reason).map(|(_, text)| text)
}

fn firmware_missing(look: &Look<'_>) -> Found {
    let last = look.last(|_| true).filter(|one| one.role == Role::Firmware && !one.normal)?;
    last.refused.as_ref()?;
    let directory = look.provisioner.settings().appliance.firmware.display();
    let text = format!("it wants {}, which is not here", last.name);
    Some(found(text, format!("put it into {directory}, spelt exactly so, and `ringup reload`")))
}

fn withheld(look: &Look<'_>) -> Found {
    let text = refused(look, Reason::Withheld)?;
    Some(found(text, "let it take its address by DHCP, or set `secrets.peer = \"any\"`"))
}

fn no_numbers_left(look: &Look<'_>) -> Found {
    let text = refused(look, Reason::NoNumbersLeft).filter(|_| look.entry.is_none())?;
    Some(found(text, "widen `numbers` in [auto-registration] or of its site, or list the phone"))
}

fn not_listed(look: &Look<'_>) -> Found {
    refused(look, Reason::NotListed).filter(|_| look.entry.is_none())?;
    let text = "it is not listed and auto-registration is off, so it finds neither its own file nor a default";
    Some(found(
        text,
        format!(
            "compare the MAC {} with its label and list it, or open auto-registration",
            look.mac
        ),
    ))
}

fn config_broken(look: &Look<'_>) -> Found {
    let text = refused(look, Reason::Broken)?;
    Some(found(
        format!("its configuration can't be made: {text}"),
        "mend what the text names; `ringup render` tells when it is right",
    ))
}

fn config_missing(look: &Look<'_>) -> Found {
    let such = |one: &Transfer| one.role == Role::Own && !one.normal;
    let last = look.last(such).filter(|_| look.entry.is_some())?;
    let text = last.refused.as_deref().filter(|text| Reason::of(text) == Reason::Missing)?;
    let directory = look.provisioner.settings().appliance.files.display();
    Some(found(
        text,
        format!(
            "its family has no template for this file: put your own into {directory} under this name"
        ),
    ))
}

fn no_address(look: &Look<'_>) -> Found {
    let why = look.boot.last.strip_prefix("got no address: ")?;
    Some(found(
        format!("it asks for an address and gets none: {why}"),
        "look at `pool`, `admit` and the subnets under [dhcp]",
    ))
}

fn address_in_use(look: &Look<'_>) -> Found {
    let mut conflicts = look.state.quarantine.values().filter(|one| one.by == look.mac);
    let conflict = conflicts.find(|one| look.now < one.until)?;
    let text = format!("it declined {}: somebody else uses that address", conflict.address);
    Some(found(text, "find who has it by hand, or take it out of the pool with `exclude`"))
}

fn times_out(look: &Look<'_>) -> Found {
    let last = look.last(|one| one.refused.is_none())?;
    (last.outcome == Some(Outcome::TimedOut)).then_some(())?;
    let text = format!(
        "{} stops after {} of {} bytes: no answer comes back",
        last.name, last.bytes, last.length
    );
    Some(found(
        text,
        "let UDP through both ways between phone and server, any port: each transfer uses its own; check the MTU",
    ))
}

fn config_refused(look: &Look<'_>) -> Found {
    let last = look.last(|one| one.role == Role::Own && one.refused.is_none())?;
    let Some(Outcome::Aborted { text }) = last.outcome.as_ref().filter(|_| !last.normal) else {
        return None;
    };
    let text = format!("it stopped taking {} after {} bytes: {text}", last.name, last.bytes);
    Some(found(
        text,
        "look at that file with `ringup render`; the phone's screen or log tells what it dislikes",
    ))
}

fn asked_again(look: &Look<'_>) -> Found {
    let last = look.last(|one| one.role == Role::Own && one.outcome == Some(Outcome::Complete))?;
    let times = look.times(|one| one.name == last.name && one.outcome == Some(Outcome::Complete));
    (times > 3).then_some(())?;
    let text = format!(
        "it took {} whole {times} times and asks again: it can't use what is in it",
        last.name
    );
    Some(found(
        text,
        "look at that file with `ringup render`, above all at its own files and `set.` values",
    ))
}

fn upgrade_stalled(look: &Look<'_>) -> Found {
    let upgrade = look.boot.upgrade.as_ref()?;
    let text = format!("{} stands at {} of {} bytes", upgrade.name, upgrade.bytes, upgrade.length);
    Some(found(
        text,
        "leave it its power; if nothing moves, restart it and look for loss between phone and server",
    ))
}

fn never_registers(look: &Look<'_>) -> Found {
    (look.boot.risen == Stage::Configured).then_some(())?;
    let text = "it has its configuration and was never seen to register";
    Some(found(text, "check the site's servers and ports, and that the phone reaches them"))
}

fn default_only(look: &Look<'_>) -> Found {
    (look.boot.risen == Stage::Defaulted).then_some(())?;
    let text = "it took the default file and never came back for its own";
    Some(found(text, "restart it; if it asks under another MAC, compare its label with the list"))
}

fn trust_loop(look: &Look<'_>) -> Found {
    let of_own = look.last(|one| one.role == Role::Own);
    (look.times(|one| one.role == Role::Trust) > 3 && of_own.is_none()).then_some(())?;
    let text = "it asks for its trust list over and over and never for its configuration";
    Some(found(
        text,
        "erase the trust list (CTL, ITL) on the phone or reset it: it comes from a secured cluster",
    ))
}

fn never_its_own(look: &Look<'_>) -> Found {
    (look.boot.risen == Stage::Asking && look.last(|one| one.role == Role::Own).is_none())
        .then_some(())?;
    let text = "it asks for files, but not for its configuration";
    Some(found(
        text,
        "see what it asks for in its timeline; an old security setting or another server's path may be left on it",
    ))
}

fn starts_over(look: &Look<'_>) -> Found {
    (look.boot.risen <= Stage::Leased && look.is_looping() && look.boot.address.is_some())
        .then_some(())?;
    let text = format!("it started over {} times and never asked for a file", look.boot.rounds);
    Some(found(
        text,
        "see that UDP 69 is open both ways, and that it gets the option that its model reads (150 or 66)",
    ))
}

/// Only seen where another server answers: what it left out is told last.
fn without_server(look: &Look<'_>) -> Found {
    let told = look.boot.risen == Stage::Leased && look.boot.last.ends_with(NOT_TOLD);
    told.then(|| {
        let remedy = "add the option that its family reads (66, 150 or 160) to that DHCP server, with our address";
        found(format!("it has an address, and {}", look.boot.last), remedy)
    })
}

fn never_asked(look: &Look<'_>) -> Found {
    (look.boot.risen == Stage::Leased).then_some(())?;
    let text = "it has an address and never asked for a file";
    let remedy = "clear an alternate or static TFTP server on the phone, or reset it; or it reads another option than it got";
    Some(found(text, remedy))
}

fn offer_not_taken(look: &Look<'_>) -> Found {
    let offered = look.boot.last.starts_with("was offered ");
    (look.boot.risen == Stage::Discovered && offered).then_some(())?;
    Some(found(
        "it was offered an address and did not take it",
        "look for another DHCP server on this network, and at the relay",
    ))
}

#[cfg(test)]
mod tests {
    use super::{super::Why, *};
    use crate::domain::Mac;

    #[test]
    fn refusals_are_understood() {
        let phone: Mac = "001e7ac41022".parse().unwrap();
        let (peer, name) = ([10, 0, 0, 9].into(), "x".to_owned());
        let check = |why: Why, reason| assert_eq!(Reason::of(&why.to_string()), reason, "{why}");
        check(Why::NoSuchFile { name: name.clone() }, Reason::Missing);
        check(Why::Missing { name }, Reason::Missing);
        check(Why::NotListed { phone }, Reason::NotListed);
        check(Why::NoNumbersLeft { phone, range: String::new() }, Reason::NoNumbersLeft);
        check(Why::NoLease { peer }, Reason::Withheld);
        check(Why::NotItsAddress { phone, peer }, Reason::Withheld);
        check(Why::Unrenderable { text: "f/a.j2:3: undefined".to_owned() }, Reason::Broken);
    }

    #[test]
    fn causes_are_one_of_a_kind() {
        let kebab = |c: char| c.is_ascii_lowercase() || c == '-';
        for (index, cause) in TABLE.iter().enumerate() {
            let name = cause.name;
            assert!(name.chars().all(kebab) && (1..=25).contains(&cause.row), "{name}");
            assert!(TABLE[..index].iter().all(|other| other.name != name), "{name}");
        }
    }
}
