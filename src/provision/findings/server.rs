//! Another server's traces: trust lists of a cluster that was, addresses that are not ours, placeholders nobody filled.

use std::time::Duration;

use crate::{
    config::DhcpMode,
    domain::{Finding, FindingKind, Origin, Outcome, Role, Stage, Transfer},
};

use super::{
    super::{
        diagnosis::{LOOP_TIMES, Reason},
        name,
        report::Look,
    },
    finding,
};

/// More requests for trust lists than this, and none for a configuration, are a loop: some loads ask three times a boot.
const TRUST_TIMES: usize = 3;

/// How long a phone that has all that it needs for it may take to ask for its first file.
const SILENT: Duration = Duration::from_mins(3);

/// True for what a phone that has a trust list asks instead of its configuration.
fn is_signed(one: &Transfer) -> bool {
    one.role == Role::Own && one.name.to_ascii_lowercase().ends_with(".sgn")
}

/// How the phone follows a trust list: how often it asked for such files lately, if that is all that it asks.
fn trust_loop(look: &Look<'_>) -> Option<(usize, bool)> {
    let whole = |one: &Transfer| one.outcome == Some(Outcome::Complete);
    let plain = look.times(|one| one.role == Role::Own && !is_signed(one));
    let (lists, signed) = (look.times(|one| one.role == Role::Trust), look.times(is_signed));
    // What was refused for another reason is no sign of what the phone trusts.
    let turned_down = look.refused().is_some_and(|(reason, _)| reason != Reason::Missing);
    if plain > 0 || turned_down {
        return None;
    }
    // A phone that takes the file under its signed name is well; one that takes it time and again is not.
    let taken = look.times(|one| is_signed(one) && whole(one));
    let again = signed - taken > TRUST_TIMES || taken > 2 * LOOP_TIMES;
    let lists_only = signed == 0 && lists > TRUST_TIMES;
    (again || lists_only).then_some((lists + signed, signed > 0))
}

/// It asks for nothing but trust lists and signed files, over and over.
pub(super) fn trust_list(look: &Look<'_>) -> Option<Finding> {
    let (times, signed) = trust_loop(look)?;
    let what = if signed { "signed files" } else { "its trust list" };
    let text = format!("it asked {times} times for {what}, and never for its plain configuration");
    let remedy = format!("erase the trust list (CTL, ITL) on the phone: {}", reset(look));
    Some(finding(FindingKind::TrustList, text, remedy))
}

/// It was somebody else's before: it holds a trust list that we do not serve, asks under a path that we did not give it,
/// or asks us for nothing.
pub(super) fn used_phone(look: &Look<'_>) -> Option<Finding> {
    let trace = foreign_list(look).or_else(|| foreign_path(look)).or_else(|| elsewhere(look))?;
    let remedy = format!("give it back its factory settings: {}", reset(look));
    Some(finding(FindingKind::UsedPhone, trace, remedy))
}

fn foreign_list(look: &Look<'_>) -> Option<String> {
    trust_loop(look).filter(|(_, signed)| *signed)?;
    let is_ours = |one: &Transfer| one.role == Role::Trust && one.refused.is_none();
    let ours = look.boot.transfers.iter().any(is_ours);
    (!ours).then(|| {
        "it asks for signed files, so it holds the trust list of another server: we serve none"
            .to_owned()
    })
}

/// A folder in front of the name with which its boot begins, although the options that we sent name none.
fn foreign_path(look: &Look<'_>) -> Option<String> {
    let family = look.family.filter(|_| look.boot.risen < Stage::Configured)?;
    let subnet = look.subnet().filter(|_| is_ours(look))?;
    let asked = look.last(|one| {
        one.role == Role::Own && one.name.contains('/') && look.boot.first.contains(&one.name)
    })?;
    let folder = asked.name.strip_suffix(name::base(&asked.name))?.trim_end_matches('/');
    let names = |text: &str| text.contains(folder);
    let options = subnet.options.iter().map(|one| String::from_utf8_lossy(&one.bytes).into_owned());
    let mut texts = family.dhcp.servers.iter().map(|one| one.text.clone()).chain(options);
    let rules = family.files.iter().any(|file| names(&file.name));
    (!rules && !texts.any(|text| names(&text))).then(|| {
        format!(
            "it asks for {}: `{folder}` is a path of another server, we gave it none",
            asked.name
        )
    })
}

/// Leased by us, told where we are, and it never asked for anything.
fn elsewhere(look: &Look<'_>) -> Option<String> {
    let family = look.family.filter(|family| family.provisions && is_ours(look))?;
    let told = |origin: Origin| look.identity.grounds.iter().any(|one| one.from == origin);
    // A prefix is no proof that it reads what we sent.
    let certain = told(Origin::Option60) || told(Origin::Option12) || told(Origin::Option125);
    let silent = look.boot.risen == Stage::Leased
        && look.boot.transfers.is_empty()
        && look.boot.held.is_empty()
        && look.boot.rounds <= 2
        && look.is_over(look.boot.round, SILENT);
    (certain && silent).then(|| {
        format!(
            "it has its address and our server's from us and asks us for nothing, as a {} does that follows an \
             alternate or static server",
            family.vendor
        )
    })
}

/// True if we served its lease, so that its options are ours too.
fn is_ours(look: &Look<'_>) -> bool {
    let serving = look.provisioner.settings().dhcp.mode == DhcpMode::Serve;
    serving && look.boot.address.and_then(|address| look.holder(address.into())) == Some(look.mac)
}

/// How to give this very model back its factory settings.
fn reset(look: &Look<'_>) -> String {
    let model = look.identity.model.as_deref().or(look.entry.map(|entry| entry.model.as_str()));
    let keys = look.family.and_then(|family| {
        let model = model.and_then(|model| look.provisioner.catalog().member(family, model));
        family.reset_keys(model)
    });
    keys.unwrap_or("its guide tells the keys").to_owned()
}

/// It asks for a placeholder as it stands: somebody's address holds one that this phone does not fill in.
pub(super) fn unexpanded_macro(look: &Look<'_>) -> Option<Finding> {
    // A name that was asked for from another phone's address is not this one's.
    let own = |why: &String| Reason::of(why) != Reason::Withheld;
    let literal =
        |one: &Transfer| one.refused.as_ref().is_some_and(own) && placeholder(&one.name).is_some();
    let asked = look.last(literal)?;
    let placeholder = placeholder(&asked.name)?;
    let title = look.family.map_or("this phone", |family| family.title.as_str());
    let known = look.family.map_or("", |family| family.mac_macro.as_str());
    let remedy = if known.is_empty() {
        format!("let the address in its DHCP option end in a slash: {title} appends its own names")
    } else if known == placeholder {
        format!(
            "`{known}` is right for {title}, but not where it stands; let the address end in a slash instead"
        )
    } else {
        format!(
            "{title} writes its MAC as `{known}`: mend the address in its DHCP option or in its own settings"
        )
    };
    let text =
        format!("it asks for {} as it stands: `{placeholder}` was not filled in", asked.name);
    Some(finding(FindingKind::UnexpandedMacro, text, remedy))
}

/// The placeholder in a name: `{mac}`, `$MA`, `[PHONE_MAC_ADDRESS]`, and the same in percent form.
fn placeholder(name: &str) -> Option<String> {
    let escapes = [("%7b", "{"), ("%7B", "{"), ("%7d", "}"), ("%7D", "}"), ("%24", "$")];
    let plain = escapes.iter().fold(name.to_owned(), |name, (from, to)| name.replace(from, to));
    let is_word = |word: &str| {
        (2..=24).contains(&word.len())
            && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    let enclosed = |open: char, close: char| {
        let (_, rest) = plain.split_once(open)?;
        let (word, _) = rest.split_once(close)?;
        is_word(word).then(|| format!("{open}{word}{close}"))
    };
    let dollar = || {
        let (_, rest) = plain.split_once('$')?;
        let end = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
        is_word(&rest[..end]).then(|| format!("${}", &rest[..end]))
    };
    enclosed('{', '}').or_else(|| enclosed('[', ']')).or_else(dollar)
}

/// The same early steps again and again.
pub(super) fn looping(look: &Look<'_>) -> Option<Finding> {
    if !look.is_looping() {
        return None;
    }
    let asked = look.boot.transfers.iter().map(|one| &one.name);
    let most = asked.map(|name| (look.times(|one| one.name == *name), name)).max();
    let text = if let Some((times, name)) = most.filter(|(times, _)| *times > LOOP_TIMES) {
        format!("it asked {times} times for {name} within ten minutes")
    } else if let Some(load) = look.load_again() {
        format!("it took {} whole in {} boots in a row", load.name, load.times)
    } else if let Some((one, other, times, _)) = look.toggles() {
        format!("its registration moved {times} times between {one} and {other}")
    } else if look.boot.risen >= Stage::Configured {
        format!(
            "it started over {} times and gets no further than its configuration",
            look.boot.rounds
        )
    } else {
        format!("it started over {} times and never got its configuration", look.boot.rounds)
    };
    let remedy = "its diagnosis and its timeline tell where each start ends; a restart alone changes nothing";
    Some(finding(FindingKind::Looping, text, remedy))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_in_names() {
        let check = |name: &str, found: &str| {
            assert_eq!(placeholder(name).unwrap_or_default(), found, "{name}");
        };
        check("{mac}.cfg", "{mac}");
        check("cfg%7Bmac%7D.xml", "{mac}");
        check("prov/$PSN.cfg", "$PSN");
        check("$MA.cfg", "$MA");
        check("%24mac.cfg", "$mac");
        check("[PHONE_MAC_ADDRESS].cfg", "[PHONE_MAC_ADDRESS]");
        check("0004f2aabbcc.cfg", "");
        check("T46S(T48S,T42S,T41S)-66.86.0.15.rom", "");
        check("price$.cfg", "");
        check("a[1].cfg", "");
        check("{}.cfg", "");
    }
}
