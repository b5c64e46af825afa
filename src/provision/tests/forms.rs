//! Every listed model gets its files in the form of its own family, whoever else asks for files of such names.

use crate::profile::{Family, FileRule, Model, Speaks};

use super::*;
use crate::{domain::Role, provision::resolve::spoken};

/// A prefix of nobody's, and those of makers whose phones ask for names that others ask for too.
const PHONES: [&str; 5] =
    ["02a0b1c2d3e4", "001565a0b1c2", "00908fa0b1c2", "001fc1a0b1c2", "0004f2a0b1c2"];

/// The names of its own files that a family's template answers, as this model asks for them.
fn own_names(family: &Family, model: &Model, phone: Mac) -> Vec<String> {
    let read = |file: &&FileRule| file.read_by(Some(spoken(family, Speaks::Sip)));
    let own = family.files.iter().filter(|file| file.role == Role::Own && file.template.is_some());
    let named = own.filter(read).filter_map(|file| {
        let any = FileRule { name: file.name.replace("{any}", "P8"), ..file.clone() };
        // The second port's file is asked for under another MAC.
        any.expand(phone, Some(model)).filter(|_| !file.name.contains("{second}"))
    });
    named.collect()
}

#[test]
fn a_listed_model_gets_the_form_of_its_own_family() {
    let catalog = catalog();
    let mut tried = 0;
    for family in catalog.families().filter(|family| family.provisions) {
        for (place, model) in family.models.values().enumerate() {
            // What a prefix says is the same for all models of a family.
            let phones = if place == 0 { &PHONES[..] } else { &PHONES[..1] };
            for phone in phones.iter().copied() {
                // Some names are those of two makers' models (M3): the list means the one that it is.
                if catalog.model(&model.name).is_none_or(|(of, _)| of.name != family.name) {
                    continue;
                }
                let here = provisioner(settings(), vec![listed(phone, &model.name, "4012")]);
                for name in own_names(family, model, mac(phone)) {
                    let source = match open(&here, &format!("10.20.0.51 {name}")) {
                        Ok(opened) => opened.source,
                        Err(refusal) if refusal.why.as_str() == "missing" => continue,
                        Err(refusal) => refusal.why.to_string(),
                    };
                    let form = format!("template {}/", family.name);
                    assert!(source.starts_with(&form), "{} asks {name}: {source}", model.name);
                    tried += 1;
                }
            }
        }
    }
    assert!(tried > 1000, "{tried}");
}

/// Whose form a phone's name gets, by what is listed and what it showed.
#[track_caller]
fn form(phone: &str, model: &str, shown: &[Seen<'_>], name: &str, expected: &str) {
    let mut changes = vec![listed(phone, model, "4012")];
    changes.extend(shown.iter().map(|seen| showed(phone, *seen)));
    let here = provisioner(settings(), changes);
    let outcome = open(&here, &format!("10.20.0.51 {name}"));
    let told = match outcome {
        Ok(opened) => opened.source.trim_start_matches("template ").to_owned(),
        Err(refusal) => refusal.why.to_string(),
    };
    assert_eq!(told.split('/').next(), Some(expected), "{model} asks {name}");
}

#[test]
fn nobody_gets_another_makers_form() {
    let nobody = "02a0b1c2d3e4";
    let (cfg, xml) = ("02a0b1c2d3e4.cfg", "cfg02a0b1c2d3e4.xml");
    form(nobody, "N510", &[], cfg, "there is no 02a0b1c2d3e4.cfg for phones by Gigaset");
    form(
        "001565aabbcc",
        "N510",
        &[],
        "001565aabbcc.cfg",
        "there is no 001565aabbcc.cfg for phones by Gigaset",
    );
    form(nobody, "N720", &[], xml, "there is no cfg02a0b1c2d3e4.xml for phones by Gigaset");
    form(nobody, "Algo 8180", &[], cfg, "there is no 02a0b1c2d3e4.cfg for phones by Algo");
    // What it says of itself goes before the list, whether that maker's models are known or not.
    let grandstream =
        [Seen::UserAgent("Grandstream Model HW GXP2170 SW 1.0.9.1 DevId 02a0b1c2d3e4")];
    let unknown = [Seen::UserAgent("Grandstream Model HW GXP9999 SW 1.0.9.1 DevId 02a0b1c2d3e4")];
    form(nobody, "UC926", &grandstream, xml, "grandstream-desk");
    form(nobody, "UC926", &unknown, xml, "grandstream-desk");
    form(nobody, "T46S", &unknown, cfg, "there is no 02a0b1c2d3e4.cfg for phones by Grandstream");
    let class = [Seen::Option60(b"yealink")];
    form(nobody, "UC926", &class, xml, "there is no cfg02a0b1c2d3e4.xml for phones by Yealink");
    // A model that no family knows, by how its name begins; a prefix alone does not change that.
    form("001fc1aabbcc", "GXP2179", &[], "cfg001fc1aabbcc.xml", "grandstream-desk");
    form(
        "001fc1aabbcc",
        "Yealink X1",
        &[],
        "cfg001fc1aabbcc.xml",
        "there is no cfg001fc1aabbcc.xml for phones by Yealink",
    );
    form("001fc1aabbcc", "whatever", &[], "cfg001fc1aabbcc.xml", "htek");
    form("001fc1aabbcc", "UC999", &[], "cfg001fc1aabbcc.xml", "htek");
    // A maker that sells another's phones under its own name is no contradiction.
    form(
        nobody,
        "Fanvil X4",
        &[Seen::UserAgent("Nethesis NP-X4 2.12.1 02a0b1c2d3e4")],
        cfg,
        "fanvil",
    );
}
