//! Golden files of Panasonic, Algo, Grandstream, Snom and Fanvil, and of Yealink's DECT bases.

use super::*;

/// As many lines as a switchboard has, of which a phone takes what it has room for.
fn twelve(model: &str) -> Value {
    let line = |n: u8| line(n, &format!("40{n:02}"), &format!("Desk {n}"));
    context! { lines => (1..=12).map(line).collect::<Vec<_>>(), ..one_line(model, "sip") }
}

/// A zone behind Greenwich, by a half hour, whose summer lies across the turn of the year.
fn south(model: &str) -> Value {
    let change = |month: u8| context! { month, week => 1, weekday => 0, hour => 2, minute => 0, posix => "", exact => true };
    context! {
        time_zone => "America/Nowhere", zone => "", gmt_offset => -12600,
        dst => context! { save => 3600, start => change(10), end => change(3) },
        ..one_line(model, "sip")
    }
}

fn scene(family: &str, name: &str, model: &str, load: &str) -> Value {
    let values = match name {
        "one" => one_line(model, "sip"),
        "twelve" => twelve(model),
        "proxies" => proxies(model),
        "south" => south(model),
        // The older form of Fanvil's files has no place for the names that the newer one's other values have.
        _ if model == "X4" => context! { set => context! {}, ..everything(model, "sip", load) },
        _ => everything(model, "sip", load),
    };
    let phonebook = SHIPPED.family(family).unwrap().phonebook().unwrap_or_default();
    context! { phonebook, ..values }
}

/// A line and everything for one model; twelve lines, proxies and a southern zone in its own file only.
fn check(family: &str, model: &str, own: &str, load: &str) {
    golden(family, "one", &scene(family, "one", model, load));
    golden(family, "everything", &scene(family, "everything", model, load));
    for name in ["twelve", "proxies", "south"] {
        file(family, model, own, name);
    }
}

/// One file in one scene.
fn file(family: &str, model: &str, own: &str, name: &str) {
    let text = render(family, own, &scene(family, name, model, "")).unwrap();
    let rule = SHIPPED.family(family).unwrap().file(own).unwrap();
    if rule.format == Format::Xml {
        assert_eq!(xmllint(&text), "", "{family}/{own}");
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/golden").join(family);
    compare(&folder.join(format!("{own}.{name}-{model}")), &text);
}

#[test]
fn golden_panasonic_and_algo() {
    check("panasonic-tgp-dect", "KX-TGP600", "Config{MAC}.cfg", "VDP6-1.0.fw");
    check("panasonic-ut-hdv", "KX-HDV230", "Config{MAC}.cfg", "HDV230-07.200.fw");
    file("panasonic-ut-hdv", "KX-UT670", "Config{MAC}.cfg", "everything");
    check("algo", "8180", "algom{MAC}.conf", "algo-8180-3.4.4.fw");
}

#[test]
fn golden_grandstream() {
    check("grandstream-desk", "GXP2170", "cfg{mac}.xml", "gxp2170fw.bin");
    file("grandstream-desk", "GXP2000", "cfg{mac}.xml", "everything");
    file("grandstream-desk", "GXV3370", "cfg{mac}.xml", "twelve");
    check("grandstream-ht", "HT802", "cfg{mac}.xml", "ht802fw.bin");
}

#[test]
fn golden_snom() {
    check("snom-desk", "D785", "{MAC}.xml", "snomD785-10.1.175.16-SIP-r.bin");
    check("snom-dect", "M900", "{MAC}.xml", "");
}

#[test]
fn golden_fanvil() {
    check("fanvil", "X5U-V2", "{mac}.cfg", "x5u-v2-2.12.16.17.z");
    file("fanvil", "X4", "{mac}.cfg", "everything");
    file("fanvil", "X4", "{mac}.cfg", "south");
    file("fanvil", "V67", "{mac}.cfg", "everything");
    // The clock and the way back are all that is the same for all phones of an older model.
    file("fanvil", "X4", "f0X4hw1.100.cfg", "everything");
}

#[test]
fn golden_yealink_dect() {
    check("yealink-dect", "W60B", "{mac}.cfg", "W60B-77.85.0.20.rom");
    file("yealink-dect", "W80B", "{mac}.cfg", "everything");
    file("yealink-dect", "AX83H", "{mac}.cfg", "everything");
}

/// Each line of such a file ends in CR LF, and an empty one is the last.
#[test]
fn panasonic_lines_end_as_their_phones_want_them() {
    for family in ["panasonic-tgp-dect", "panasonic-ut-hdv"] {
        for rule in
            SHIPPED.family(family).unwrap().files.iter().filter(|rule| rule.template.is_some())
        {
            let text =
                render(family, &rule.name, &scene(family, "everything", "KX-TGP600", "")).unwrap();
            assert!(text.starts_with("# Panasonic SIP Phone Standard Format File #"), "{text}");
            assert!(text.ends_with("\r\n\r\n"), "{text}");
            assert_eq!(text.matches('\n').count(), text.matches("\r\n").count(), "{text}");
        }
    }
}

/// `KEY="value"`, merged last; what would end the text early is refused, not written.
#[test]
fn own_values_in_the_form_of_panasonic() {
    let with = |value: &str| {
        let set = std::collections::BTreeMap::from([
            ("DISPLAY_NAME_1", value.to_owned()),
            ("TIME_ZONE", "60".to_owned()),
        ]);
        render(
            "panasonic-ut-hdv",
            "Config{MAC}.cfg",
            &context! { set, ..one_line("KX-HDV230", "sip") },
        )
    };
    let text = with("R&D <2>").unwrap();
    assert_eq!(text.matches("DISPLAY_NAME_1=").count(), 1, "{text}");
    assert!(text.contains("\r\nDISPLAY_NAME_1=\"R&D <2>\"\r\n"), "{text}");
    assert!(text.contains("\r\nTIME_ZONE=\"60\"\r\n") && text.ends_with("\r\n\r\n"), "{text}");
    with("a\"b").unwrap_err();
    with("a\nb").unwrap_err();
}

/// In DECT and on the desk the same names have other files behind them, by what asks.
#[test]
fn yealink_bases_have_their_own_files() {
    let base = scene("yealink-dect", "one", "W60B", "");
    let text = render("yealink-dect", "{mac}.cfg", &base).unwrap();
    assert!(text.contains("handset.1.name = Front desk\n"), "{text}");
    let desk = render("yealink-desk", "{mac}.cfg", &one_line("T46S", "sip")).unwrap();
    assert!(!desk.contains("handset."), "{desk}");
}
