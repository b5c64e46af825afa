//! Loads: rows 13, 14 and 16.

use crate::domain::{Role, Transfer};

use super::{super::report::Look, Facts};

pub(super) fn missing(look: &Look<'_>) -> Option<Facts> {
    if let Some((name, part)) = doubled(look) {
        let remedy = format!(
            "name it without {part}: the phone puts its part number in front by itself (APP_FILE_PATH stays sip.ld)"
        );
        return Some(vec![("file", name.to_owned()), ("remedy", remedy)]);
    }
    let last = look.last(|_| true).filter(|one| one.role == Role::Firmware && !one.normal)?;
    last.refused.as_ref()?;
    let directory = look.provisioner.settings().appliance.firmware.display();
    let remedy = if last.name.contains('%') {
        "write the name in the configuration as it is: the phone asks for it with its `%` codes left in".to_owned()
    } else {
        format!("put it into {directory}, spelt exactly so, and `ringup reload`")
    };
    Some(vec![("file", last.name.clone()), ("remedy", remedy)])
}

/// A name with the phone's part number in it twice, and that number: no file will ever be called so.
fn doubled<'a>(look: &Look<'a>) -> Option<(&'a str, &'a str)> {
    let model = look.identity.model.as_deref()?;
    let model = look.provisioner.catalog().member(look.family?, model)?;
    // Short numbers (Cisco's product types, Yealink's y-files) stand in a name by chance.
    let part = model.part.as_deref().filter(|part| part.len() > 3)?;
    let twice = |one: &Transfer| one.refused.is_some() && one.name.matches(part).count() > 1;
    Some((look.last(twice)?.name.as_str(), part))
}

pub(super) fn again(look: &Look<'_>) -> Option<Facts> {
    let load = look.load_again()?;
    let listed = look.entry.map(|entry| entry.model.as_str()).filter(|model| !model.is_empty());
    let is = look.identity.model.as_deref();
    let other =
        listed.zip(is).filter(|(listed, is)| !look.provisioner.catalog().same_product(listed, is));
    let remedy = match other {
        Some((listed, is)) => {
            format!(
                "it is listed as {listed} and says it is a {is}: list it as {is}, and it gets a load of its own"
            )
        }
        None => format!(
            "see that this load is for {}; {}",
            is.map_or("this very model".to_owned(), |model| format!("a {model}")),
            advice(look)
        ),
    };
    let (file, times) = (load.name.clone(), load.times.to_string());
    Some(vec![("file", file), ("times", times), ("remedy", remedy)])
}

/// What its profile says about loads that do not follow each other.
fn advice(look: &Look<'_>) -> String {
    let own = look.family.map(|family| family.advice.firmware.as_str());
    let own = own.filter(|advice| !advice.is_empty());
    own.unwrap_or("it may need a release in between").to_owned()
}

pub(super) fn stalled(look: &Look<'_>) -> Option<Facts> {
    let upgrade = look.boot.upgrade.as_ref()?;
    let (bytes, length) = (upgrade.bytes.to_string(), upgrade.length.to_string());
    Some(vec![("file", upgrade.name.clone()), ("bytes", bytes), ("length", length)])
}

pub(super) fn no_restart(look: &Look<'_>) -> Option<Facts> {
    let load = look.awaits_restart().filter(|load| look.is_over(load.at, look.restart()))?;
    let minutes = look.reads.minutes(load.at).to_string();
    Some(vec![("file", load.name.clone()), ("minutes", minutes)])
}

pub(super) fn keeps_another(look: &Look<'_>) -> Option<Facts> {
    let (running, wanted) = look.another_load()?;
    let (running, wanted) = (running.to_owned(), wanted.to_owned());
    Some(vec![("running", running), ("wanted", wanted), ("advice", advice(look))])
}
