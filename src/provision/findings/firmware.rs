//! Loads: asked for and not here, here and not whole, running and too old.

use crate::{
    config::Srtp,
    domain::{Finding, FindingKind, Ground, Role, Transfer},
};

use super::{
    super::{layers::Kind, report::Look},
    finding,
};

/// The most parts that a text names.
const SHOWN: usize = 4;

/// It asked for a load that is not here.
pub(super) fn missing(look: &Look<'_>) -> Option<Finding> {
    let last = look.last(|one| one.role == Role::Firmware)?;
    let is_here = look.provisioner.library().firmware(&last.name).is_some();
    (last.refused.is_some() && !last.normal && !is_here).then(|| {
        let directory = look.provisioner.settings().appliance.firmware.display();
        let text = format!("asked for {}, which is not here", last.name);
        finding(
            FindingKind::FirmwareMissing,
            text,
            format!("put it into {directory}, then `ringup reload`"),
        )
    })
}

/// The load that it is to have, or that it asked for, is not whole: it would stop half way, time and again.
pub(super) fn incomplete(look: &Look<'_>) -> Option<Finding> {
    let library = look.provisioner.library();
    let asked = look.last(|one: &Transfer| {
        one.role == Role::Firmware && !library.lacking(&one.name).is_empty()
    });
    let wanted = || wanted(look).map(|load| format!("{load}.loads"));
    let list = asked.map(|one| one.name.clone()).or_else(wanted)?;
    let lacking = library.lacking(&list);
    let first = lacking.first()?;
    let others = lacking.iter().take(SHOWN).skip(1).map(|part| format!(", {part}"));
    let more = lacking.len().saturating_sub(SHOWN);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let text = format!(
        "{list} names {first}{}{more}, which {} not here, empty or not what the SHA-256 says",
        others.collect::<String>(),
        if lacking.len() == 1 { "is" } else { "are" }
    );
    let directory = look.provisioner.settings().appliance.firmware.display();
    let remedy = format!("put all parts of the load into {directory}, then `ringup reload`");
    Some(finding(FindingKind::FirmwareIncomplete, text, remedy))
}

fn model<'a>(look: &'a Look<'_>) -> &'a str {
    let listed = look.entry.map(|entry| entry.model.as_str()).filter(|model| !model.is_empty());
    listed.or(look.identity.model.as_deref()).unwrap_or_default()
}

/// The load that the site names for the listed model.
fn wanted<'a>(look: &'a Look<'_>) -> Option<&'a str> {
    let kind = Kind { catalog: look.provisioner.catalog(), family: look.family };
    look.entry?;
    kind.load(&look.site?.firmware, model(look)).map(|(load, ..)| load)
}

/// It runs something older than its site allows, or than what its family needs for what the site wants.
pub(super) fn below_floor(look: &Look<'_>) -> Option<Finding> {
    let (site, family) = (look.site?, look.family?);
    let firmware = look.identity.firmware.as_deref()?;
    let shown = model_shown(look);
    let kind = Kind { catalog: look.provisioner.catalog(), family: Some(family) };
    let set = kind.floor(&site.firmware_floor, shown);
    let is_below = |floor: &str| is_older(firmware, floor);
    let encrypts = site.srtp != Srtp::Off;
    let mut known = family.floors.iter().filter(|floor| encrypts || !floor.srtp);
    let (floor, why) = if let Some(floor) = set.filter(|floor| is_below(floor)) {
        (floor, format!("site {} wants {floor} at least", look.site_name))
    } else {
        let floor = known.find(|floor| is_below(&floor.firmware))?;
        (floor.firmware.as_str(), floor.why.clone())
    };
    let text = format!("runs {firmware}, which is older than {floor}: {why}");
    let remedy = format!("give it {floor} or later");
    let told = |ground: &&Ground| ground.firmware.as_deref() == Some(firmware);
    let grounds = look.identity.grounds.iter().filter(told).cloned().collect();
    Some(Finding { grounds, ..finding(FindingKind::FirmwareBelowFloor, text, remedy) })
}

/// What it is, by itself: a floor is about what stands there, not about what is listed.
fn model_shown<'a>(look: &'a Look<'_>) -> &'a str {
    look.identity.model.as_deref().unwrap_or_else(|| model(look))
}

/// Compares versions number by number, as far as the floor goes: `5.9.4.3247`, `9-4-2SR3-1S`, `66.86.0.160`.
fn is_older(version: &str, floor: &str) -> bool {
    let numbers = |text: &str| -> Vec<u64> {
        let runs = text.split(|c: char| !c.is_ascii_digit()).filter(|run| !run.is_empty());
        runs.map(|run| run.parse().unwrap_or(u64::MAX)).collect()
    };
    let (version, floor) = (numbers(version), numbers(floor));
    let padded = version.iter().copied().chain(std::iter::repeat(0)).take(floor.len());
    !version.is_empty() && padded.lt(floor.iter().copied())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions() {
        let check = |version: &str, floor: &str, older: bool| {
            assert_eq!(is_older(version, floor), older, "{version} against {floor}");
        };
        check("5.9.4.3246", "5.9.4.3247", true);
        check("5.9.4.3247", "5.9.4.3247", false);
        check("5.10.0.1", "5.9.4.3247", false);
        check("5.9", "5.9.4.3247", true);
        check("6", "5.9.4.3247", false);
        check("9-4-2SR3-1S", "9-4-2", false);
        check("SCCP41.8-5-4S", "SCCP41.9-0-0", true);
        check("66.86.0.160", "66.86.0.160.1", true);
        check("unknown", "5.9", false);
    }
}
