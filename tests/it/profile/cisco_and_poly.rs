//! Golden files of the SPA, multiplatform, later enterprise and adapter families of Cisco, and of Edge, CCX and Trio.

use super::*;

/// The same for a model with twelve lines, and for one that takes fewer: those beyond are left out.
fn twelve(model: &str) -> Value {
    let numbers: Vec<String> = (1..=12).map(|n| format!("40{n:02}")).collect();
    let lines = (1_u8..).zip(&numbers).map(|(n, number)| line(n, number, &format!("Desk {n}")));
    context! { lines => lines.collect::<Vec<_>>(), ..one_line(model, "sip") }
}

/// A site with more people than one page of a directory takes.
fn crowd(model: &str) -> Value {
    let contact =
        |n: usize| context! { name => format!("Person {n}"), number => format!("5{n:03}") };
    context! {
        contacts => (1..=40).map(contact).collect::<Vec<_>>(), phonebook => "cisco-88xx-phonebook.xml",
        ..one_line(model, "sip")
    }
}

/// A zone whose summer begins in spring of the other half of the world, by half an hour (Lord Howe).
fn far_south(model: &str) -> Value {
    let change = |month: u8| context! { month, week => 1, weekday => 0, hour => 2, minute => 0, posix => "", exact => true };
    context! {
        time_zone => "Australia/Lord_Howe", gmt_offset => 37800,
        dst => context! { save => 1800, start => change(10), end => change(4) },
        ..one_line(model, "sip")
    }
}

fn scene(name: &str, family: &str, model: &str) -> Value {
    let values = match name {
        "one" => one_line(model, "sip"),
        "twelve" => twelve(model),
        "proxies" => proxies(model),
        "crowd" => crowd(model),
        "far-south" => far_south(model),
        "sccp" => everything(model, "sccp", "SCCP69xx.9-4-1-3SR3"),
        _ => everything(model, "sip", name.strip_prefix("everything ").unwrap_or_default()),
    };
    let phonebook = SHIPPED.family(family).unwrap().phonebook().unwrap_or_default();
    context! { phonebook, ..values }
}

#[test]
fn golden_files() {
    let check = |family: &str, model: &str, file: &str, name: &str| {
        let values = scene(name, family, model);
        let text = render(family, file, &values).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(xmllint(&text), "", "{family}/{file} {name}");
        let rule = SHIPPED.family(family).unwrap().file(file).unwrap();
        if rule.role != Role::Own {
            assert!(!text.contains("pw40") && !text.contains("s3cret"), "a secret in {file}");
        }
        let case = name.split(' ').next().unwrap_or_default();
        let path = format!("tests/it/golden/{family}/{file}.{case}");
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
        compare(&path, &text);
    };
    let spa = "cisco-spa";
    check(spa, "SPA504G", "SPA{model}.cfg", "one");
    check(spa, "SPA504G", "spa{mac}.xml", "one");
    check(spa, "SPA-504G", "spa{mac}.xml", "everything spa50x-30x-7-5-2b.bin");
    check(spa, "SPA509G", "spa{mac}.xml", "twelve");
    check(spa, "SPA942", "spa{mac}.xml", "proxies");
    check(spa, "SPA504G", "spa{mac}.xml", "far-south");
    check(spa, "PAP2T", "init.cfg", "one");
    check(spa, "SPA504G", "cisco-spa-phonebook.xml", "everything");
    let mpp = "cisco-mpp-3pcc";
    check(mpp, "8841-3PCC", "{model}-3PCC.xml", "one");
    check(mpp, "8841-3PCC", "mpp{mac}.xml", "one");
    check(mpp, "CP-8841-3PCC-K9", "mpp{mac}.xml", "everything sip88xx.12-0-7MPP0101-52");
    check(mpp, "7861-3PCC", "mpp{mac}.xml", "twelve");
    check(mpp, "8841-3PCC", "mpp{mac}.xml", "proxies");
    check(mpp, "8841-3PCC", "cisco-mpp-phonebook.xml", "everything");
    let enterprise = "cisco-78xx-88xx-enterprise";
    check(enterprise, "8841", "SEP{MAC}.cnf.xml", "one");
    check(enterprise, "8841", "SEP{MAC}.cnf.xml", "everything sip88xx.12-5-1SR1-4");
    check(enterprise, "7861", "SEP{MAC}.cnf.xml", "twelve");
    check(enterprise, "7841", "SEP{MAC}.cnf.xml", "proxies");
    check(enterprise, "8841", "XMLDefault.cnf.xml", "everything sip88xx.12-5-1SR1-4");
    check(enterprise, "8841", "cisco-88xx-phonebook.xml", "everything");
    check(enterprise, "8841", "cisco-88xx-phonebook.xml", "crowd");
    check(enterprise, "8841", "cisco-88xx-phonebook-2.xml", "crowd");
    let later = "cisco-69xx-89xx-99xx-enterprise";
    check(later, "6941", "SEP{MAC}.cnf.xml", "one");
    check(later, "6941", "SEP{MAC}.cnf.xml", "sccp");
    check(later, "9971", "SEP{MAC}.cnf.xml", "everything sip9971.9-4-1-9");
    check(later, "6961", "SEP{MAC}.cnf.xml", "twelve");
    check(later, "6941", "XMLDefault.cnf.xml", "sccp");
    check(later, "9971", "cisco-89xx-phonebook.xml", "everything");
    let ata = "cisco-ata";
    check(ata, "ATA190", "ATA{MAC}.cnf.xml", "one");
    check(ata, "ATA190", "ATA{MAC}.cnf.xml", "everything ATA190.1-2-2-003");
    check(ata, "ATA190", "ATA{second}.cnf.xml", "one");
    check(ata, "ATA190", "ATA{second}.cnf.xml", "everything ATA190.1-2-2-003");
    check(ata, "ATA192", "ATA192.xml", "one");
    check(ata, "ATA192", "ata{mac}.xml", "one");
    check(ata, "SPA112", "ata{mac}.xml", "everything Payton_1.4.1_002.bin");
    check(ata, "SPA112", "ata{mac}.xml", "twelve");
    for (family, model) in
        [("poly-edge-e", "Edge E450"), ("poly-ccx", "CCX 500"), ("poly-trio", "Trio 8800")]
    {
        for name in ["one", "everything", "twelve", "proxies", "far-south"] {
            check(family, model, "{mac}-line.cfg", name);
        }
        check(family, model, "{mac}.cfg", "everything 6.4/sip.ld");
        check(family, model, "000000000000.cfg", "one");
        check(family, model, "000000000000-directory.xml", "everything");
        for file in ["site.cfg", "sip-interop.cfg", "reg-advanced.cfg"] {
            check(family, model, file, "proxies");
        }
    }
}

/// Phones that ask for a file of the same name get that of their own family, and what says nothing is no guess.
#[test]
fn phones_of_one_number_are_told_apart() {
    let check = |seen: &Seen<'_>, family: &str, model: &str| {
        let ground = SHIPPED.recognize(seen, Timestamp::default()).unwrap();
        let name = ground.family.map(|family| family.to_string()).unwrap_or_default();
        assert_eq!(
            (name.as_str(), ground.model.as_deref().unwrap_or_default()),
            (family, model),
            "{seen:?}"
        );
    };
    let class = |text: &'static str| Seen::Option60(text.as_bytes());
    check(&class("Cisco Systems, Inc. IP Phone CP-8841\0"), "cisco-78xx-88xx-enterprise", "8841");
    check(&class("Cisco Systems, Inc. IP Phone CP-8841-3PCC\0"), "cisco-mpp-3pcc", "8841-3PCC");
    check(&class("Cisco Systems, Inc. IP Phone CP-6841-3PCC"), "cisco-mpp-3pcc", "6841-3PCC");
    check(
        &class("Cisco Systems, Inc. IP Phone CP-6941"),
        "cisco-69xx-89xx-99xx-enterprise",
        "6941",
    );
    check(
        &class("Cisco Systems, Inc. IP Phone CP-7961G-GE\0"),
        "cisco-79xx-enterprise",
        "7961G-GE",
    );
    check(&class("Cisco Systems, Inc. IP Phone SPA504G"), "cisco-spa", "SPA504G");
    check(&class("Cisco Systems, Inc."), "", "");
    check(&class("CISCO ATA191-MPP"), "cisco-ata", "ATA191-MPP");
    check(&class("CISCO ATA191"), "cisco-ata", "ATA191");
    check(&Seen::FileName("8841-3PCC.xml"), "cisco-mpp-3pcc", "8841-3PCC");
    check(&Seen::FileName("spa504G.cfg"), "cisco-spa", "SPA504G");
    check(&Seen::FileName("spa112.cfg"), "cisco-ata", "SPA112");
    check(&Seen::FileName("SEP001E7AC41022.cnf.xml"), "", "");
    check(&Seen::UserAgent("PolyCCX-CCX_600-UA/8.0.2.3267"), "poly-ccx", "CCX600");
    check(
        &Seen::UserAgent("Polycom/5.4.3.2007 PolycomRealPresenceTrio-Trio_8800-UA/5.4.3.2007"),
        "poly-trio",
        "Trio8800",
    );
}

#[test]
fn models_as_they_are_listed() {
    let check = |spelling: &str, expected: &str| {
        let (family, model) = SHIPPED.model(spelling).unwrap();
        assert_eq!(format!("{} {}", family.name, model.name), expected, "{spelling}");
    };
    // The number alone is the enterprise phone, where there is one.
    check("CP-8841-3PCC-K9=", "cisco-mpp-3pcc 8841-3PCC");
    check("CP-8841-K9", "cisco-78xx-88xx-enterprise 8841");
    check("CP-6841", "cisco-mpp-3pcc 6841-3PCC");
    check("CP-6941", "cisco-69xx-89xx-99xx-enterprise 6941");
    check("Linksys SPA-942", "cisco-spa SPA942");
    check("ATA191-MPP", "cisco-ata ATA191-MPP");
    check("CCX 500", "poly-ccx CCX500");
    check("Poly Edge E350", "poly-edge-e Edge E350");
    check("RealPresence Trio 8800", "poly-trio Trio8800");
}

/// The bracket of a Linksys is its serial number, whatever it looks like.
#[test]
fn a_serial_is_no_mac() {
    let mac =
        |text: &str| SHIPPED.recognize(&Seen::UserAgent(text), Timestamp::default()).unwrap().mac;
    assert_eq!(mac("Linksys/SPA-942-6.1.5(a) (88019FA42805)"), None);
    assert_eq!(mac("Cisco/SPA525G-7.4.7 (CBT141900G7)"), None);
    let told = mac("Cisco/SPA508G-7.4.8a (0002FDFF2103)(CBT141400UK)").map(|mac| mac.to_string());
    assert_eq!(told.as_deref(), Some("00:02:fd:ff:21:03"));
}
