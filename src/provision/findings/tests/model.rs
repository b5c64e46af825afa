//! Every trap of models that look alike: what raises a finding, and what must not.

use std::fs;

use super::*;
use crate::domain::FindingKind;
use crate::provision::tests::{open, text};

/// A phone listed as `model` that shows `seen`: its wrong-model and wrong-family findings as `kind MODEL`.
pub(super) fn model_of(story: Story, model: &str, seen: &[Seen<'_>]) -> String {
    let story = seen.iter().fold(story, |story, seen| story.shows(*seen));
    let mac = story.mac;
    let story = story.with(listed(&mac.lower(), model, "4012"));
    let told = story.findings().into_iter().map(|one| {
        let model = one.repair.and_then(|repair| repair.model).unwrap_or_else(|| "-".to_owned());
        format!("{} {model}", one.kind.as_str())
    });
    told.collect::<Vec<_>>().join(", ")
}

fn check(model: &str, seen: &[Seen<'_>], expected: &str) {
    assert_eq!(model_of(Story::new(CISCO), model, seen), expected, "{model} against {seen:?}");
}

/// DHCP's vendor class of a Cisco phone, as most of them spell it.
fn class(model: &str) -> Vec<u8> {
    format!("Cisco Systems, Inc. IP Phone CP-{model}\0").into_bytes()
}

#[test]
fn one_product_in_every_spelling() {
    for series in ["7941", "7961"] {
        let twins = ["G", ""].map(|g| class(&format!("{series}{g}")));
        for twin in &twins {
            for (before, behind) in
                [("", ""), ("CP-", ""), ("", "-K9"), ("CP-", "-K9"), ("Cisco ", "")]
            {
                for g in ["", "G", "g"] {
                    let listed = format!("{before}{series}{g}{behind}");
                    check(&listed, &[Seen::Option60(twin)], "");
                }
            }
            check(
                &format!("{series}G-GE"),
                &[Seen::Option60(twin)],
                &format!("wrong-model {series}"),
            );
        }
        let ge = class(&format!("{series}G-GE"));
        check(&format!("{series}G-GE"), &[Seen::Option60(&ge)], "");
        check(&format!("{series}GE"), &[Seen::Option60(&ge)], "");
        check(series, &[Seen::Option60(&ge)], &format!("wrong-model {series}G-GE"));
    }
}

/// What it asked for after a reset tells the model, and later names say less.
#[test]
fn a_finding_rests_on_the_name_that_tells() {
    let own = Seen::FileName(OWN);
    let story = Story::new(CISCO).with(listed(CISCO, "7942", "4012")).shows(own);
    let story = story.happens([
        (9, missed("term61.default.loads", Role::Firmware)),
        (2, missed(OWN, Role::Own)),
    ]);
    let wrong = story.findings().into_iter().find(|one| one.kind == FindingKind::WrongModel);
    let wrong = wrong.unwrap();
    assert_eq!(wrong.text, "listed as 7942, says it is a 7961G or 7961G-GE");
    assert_eq!(wrong.grounds[0].value, "term61.default.loads");
}

#[test]
fn cisco_models_that_share_a_load() {
    let models = [
        "7940", "7960", "7941G", "7961G", "7942G", "7962G", "7945G", "7965G", "7970G", "7971G-GE",
        "7975G", "7906G", "7911G",
    ];
    for is in models {
        for listed in models {
            let list_as = is.strip_suffix('G').filter(|short| ["7941", "7961"].contains(short));
            let wrong = format!("wrong-model {}", list_as.unwrap_or(is));
            check(listed, &[Seen::Option60(&class(is))], if is == listed { "" } else { &wrong });
        }
    }
}

#[test]
fn what_names_of_files_tell() {
    let asks = |name: &'static str| [Seen::FileName(name)];
    // Asked by the -GE as well: it tells the group, and contradicts only what is not in it.
    check("7961", &asks("term61.default.loads"), "");
    check("7961G-GE", &asks("term61.default.loads"), "");
    check("7965", &asks("term65.default.loads"), "");
    check("7945", &asks("term65.default.loads"), "wrong-model 7965G");
    // A load's name is what the phone was told to ask for, a locale says nothing about the model.
    check("7961", &asks("SCCP75.9-4-2SR3-1S.loads"), "");
    check("7961", &asks("be-sip.jar"), "");
    check("7961", &asks("jar75sccp.9-4-2.sbn"), "");
    check("T46S", &asks("y000000000066.cfg"), "");
    check("T46G", &asks("y000000000066.cfg"), "wrong-model T46S");
    check("T46U", &asks("y000000000066.cfg"), "wrong-model T46S");
    check("T54S", &asks("y000000000096.cfg"), "wrong-model T54W");
    check("T21P", &asks("y000000000052.cfg"), "wrong-model T21P_E2");
    check("T19P", &asks("y000000000053.cfg"), "wrong-model T19P_E2");
    // Two models ask for this one.
    check("T53", &asks("y000000000095.cfg"), "");
    check("T53W", &asks("y000000000095.cfg"), "");
    check("T23P", &asks("y000000000044.cfg"), "");
    check("T57W", &asks("y000000000095.cfg"), "wrong-model -");
    check("T46S", &asks("T46S(T48S,T42S,T41S)-66.86.0.15.rom"), "");
    check("T48S", &asks("T46S(T48S,T42S,T41S)-66.86.0.15.rom"), "");
}

#[test]
fn a_group_among_the_last_files_tells_too() {
    let asked = |model: &str| {
        let story = Story::new(CISCO).with(listed(CISCO, model, "4012")).shows(Seen::FileName(OWN));
        let boot =
            healthy(200).into_iter().chain(takes(300, "term61.default.loads", Role::Firmware));
        story.happens(boot).told()
    };
    assert_eq!(asked("7961"), "");
    assert_eq!(
        asked("7945"),
        "wrong-model: listed as 7945, says it is a 7961G or 7961G-GE; look at the phone: it is a 7961G or 7961G-GE; \
         list it as what it is"
    );
}

#[test]
fn parts_of_poly() {
    let part = |part: &str| format!("{part}.sip.ld");
    let lines = [
        ("VVX 300", "3111-46135-002"),
        ("VVX 301", "3111-48300-001"),
        ("VVX 310", "3111-46161-001"),
        ("VVX 311", "3111-48350-001"),
        ("VVX 400", "3111-46157-002"),
        ("VVX 401", "3111-48400-001"),
        ("VVX 410", "3111-46162-001"),
        ("VVX 411", "3111-48450-001"),
        ("VVX 500", "3111-44500-001"),
        ("VVX 501", "3111-48500-001"),
        ("VVX 600", "3111-44600-001"),
        ("VVX 601", "3111-48600-001"),
        ("SoundPoint IP 320", "2345-12200-002"),
        ("SoundPoint IP 321", "2345-12360-001"),
        ("SoundPoint IP 330", "2345-12200-001"),
        ("SoundPoint IP 331", "2345-12365-001"),
    ];
    for (model, number) in lines {
        check(model, &[Seen::FileName(&part(number))], "");
    }
    check("VVX 401", &[Seen::FileName(&part("3111-46161-001"))], "wrong-model VVX310");
    check("VVX 400", &[Seen::FileName(&part("3111-48400-001"))], "wrong-model VVX401");
    check("SoundPoint IP 320", &[Seen::FileName(&part("2345-12360-001"))], "wrong-model SPIP321");
    // One vendor's two families.
    check("SoundPoint IP 331", &[Seen::FileName(&part("3111-48400-001"))], "wrong-model VVX401");
    check("VVX 401", &[Seen::FileName("sip.ld")], "");
}

#[test]
fn the_strongest_ground_decides() {
    let agent = |text| Seen::UserAgent(text);
    let t48s = agent("Yealink SIP-T48S 66.86.0.160 00:1e:7a:c4:10:22");
    check("T46S", &[t48s], "wrong-model T48S");
    check("T46S", &[Seen::FileName("y000000000066.cfg"), t48s], "");
    check("T48S", &[Seen::FileName("y000000000066.cfg"), t48s], "wrong-model T46S");
    // The name leaves two possible, the User-Agent says which.
    let wide = agent("Yealink SIP-T53W 96.86.0.30 00:1e:7a:c4:10:22");
    check("T53", &[Seen::FileName("y000000000095.cfg"), wide], "wrong-model T53W");
    check("T57W", &[Seen::FileName("y000000000095.cfg"), wide], "wrong-model T53W");
    // Weaker grounds raise nothing.
    check("7961", &[Seen::Option12(b"Polycom_001e7ac41022")], "");
    check("VVX 401", &[Seen::Prefix(mac("001565000001"))], "");
    check("", &[G], "");
    // Another vendor's phone is no neighbour in the same list of models.
    check("7961", &[agent("Yealink SIP-T46S 66.86.0.160 001e7ac41022")], "wrong-family T46S");
    check("VVX 401", &[G], "wrong-family 7961");
    check("7961", &[Seen::Option60(b"yealink")], "wrong-family -");
    check("T46S", &[Seen::Option60(b"yealink")], "");
}

/// Families that differ as those of the next profiles do.
fn small() -> Arc<Catalog> {
    let directory = tempfile::tempdir().unwrap();
    let put = |family: &str, text: &str| {
        let folder = directory.path().join(family);
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("profile.toml"), text).unwrap();
    };
    let models = |names: &[(&str, &str)]| {
        let one = |(name, also): &(&str, &str)| {
            format!("[[model]]\nname = \"{name}\"\nalso = [{also}]\n")
        };
        names.iter().map(one).collect::<String>()
    };
    let family = |vendor: &str, class: &str, agent: &str, models: &str| {
        format!(
            "vendor = \"{vendor}\"\ntitle = \"{vendor}\"\nformat = \"text\"\n[recognize]\noption-60 = ['{class}']\n\
             user-agent = ['{agent}']\n{models}"
        )
    };
    put(
        "test-enterprise",
        &family(
            "Cisco",
            r"^Cisco .* CP-(?P<model>88\d\d)$",
            "^none$",
            &models(&[("8841", ""), ("8851", "")]),
        ),
    );
    put(
        "test-mpp",
        &family(
            "Cisco",
            r"^Cisco .* CP-(?P<model>88\d\d-3PCC)$",
            "^none$",
            &models(&[("8841-3PCC", "")]),
        ),
    );
    let atas = models(&[("ATA191", ""), ("ATA191-MPP", "")]);
    put("test-ata", &family("Cisco", r"^CISCO (?P<model>ATA191(?:-MPP)?)$", "^none$", &atas));
    let (catalog, problems) = Catalog::load(Some(directory.path()));
    assert!(problems.is_empty(), "{problems:?}");
    Arc::new(catalog)
}

#[test]
fn traps_of_other_families() {
    let catalog = small();
    let check = |listed: &str, seen: Seen<'_>, expected: &str| {
        let story = Story { catalog: Arc::clone(&catalog), ..Story::new(CISCO) };
        assert_eq!(model_of(story, listed, &[seen]), expected, "{listed} against {seen:?}");
    };
    let class = |text: &'static str| Seen::Option60(text.as_bytes());
    let (enterprise, mpp) = (
        class("Cisco Systems, Inc. IP Phone CP-8841\0"),
        class("Cisco Systems, Inc. IP Phone CP-8841-3PCC\0"),
    );
    check("8841", enterprise, "");
    check("CP-8841-K9", enterprise, "");
    check("8841", mpp, "wrong-model 8841-3PCC");
    check("CP-8841-3PCC-K9", mpp, "");
    check("8841-3PCC", enterprise, "wrong-model 8841");
    check("ATA191", class("CISCO ATA191-MPP"), "wrong-model ATA191-MPP");
    check("ATA191-MPP", class("CISCO ATA191-MPP"), "");
    check("HT801", Seen::UserAgent("Grandstream HW HT801V2 SW 1.0.3.5"), "wrong-model HT801V2");
    check("HT801", Seen::UserAgent("Grandstream HW HT801 SW 1.0.5.11"), "");
    check("710", class("snomD710"), "");
    check("D710", class("snom710"), "");
    check("715", class("snom710"), "wrong-model 710");
    check("X5", Seen::FileName("F0V5UV200000.cfg"), "wrong-model X5U-V2");
    check("X5U-V2", Seen::FileName("F0V5UV200000.cfg"), "");
    check("X4", Seen::FileName("f0X4hw1.100.cfg"), "");
}

#[test]
fn no_load_of_the_listed_model_is_offered() {
    let load = "SCCP41.9-4-2SR3-1S";
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("term61.default.loads"), "load").unwrap();
    fs::write(directory.path().join(format!("{load}.loads")), "load").unwrap();
    let story = |model: &str, seen: Seen<'_>| {
        let story = Story::new(CISCO).with(listed(CISCO, model, "4012")).shows(seen);
        let story = story.firmware(directory.path());
        story.set(|settings| {
            let site = settings.sites.get_mut("paris").unwrap();
            site.firmware.insert("7961G-GE".to_owned(), load.to_owned());
            site.firmware.insert("7961".to_owned(), "SCCP41.8-5-4S".to_owned());
        })
    };
    let offered = |here: &Provisioner| {
        let text = text(&open(here, &format!("10.20.0.51 {OWN}")).unwrap());
        let load = text.split("<loadInformation>").nth(1).and_then(|rest| rest.split('<').next());
        load.unwrap_or("nothing").to_owned()
    };
    let ge = Seen::Option60(b"Cisco Systems, Inc. IP Phone CP-7961G-GE");
    assert_eq!(offered(&story("7961G-GE", ge).provisioner()), load, "healthy");
    assert_eq!(offered(&story("7961", G).provisioner()), "SCCP41.8-5-4S", "healthy");
    let contradicts = story("7961G-GE", G).provisioner();
    assert_eq!(offered(&contradicts), "nothing", "it says that it is a 7961G");
    // What it asks for by name in recovery it gets all the same, and so it does with what is not its own.
    for name in ["term61.default.loads", "SCCP41.9-4-2SR3-1S.loads"] {
        assert!(open(&contradicts, &format!("10.20.0.51 {name}")).is_ok(), "{name}");
    }
    let explained =
        contradicts.explain(mac(CISCO), OWN, [10, 20, 0, 2].into(), false, now()).unwrap();
    let value = explained.values.iter().find(|value| value.name == "load").unwrap();
    assert!(value.value.is_empty() && value.origin.note.starts_with("held back"), "{value:?}");
}
