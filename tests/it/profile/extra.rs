//! Values merged last, in the form of each family: shipped ones, and families to come as an operator's folders.

use std::fs;

use minijinja::{Value, context};
use ringup::profile::Catalog;

use super::{SHIPPED, one_line, render_with, xmllint};

fn set(values: &[(&str, &str)]) -> Value {
    let owned = values.iter().map(|(key, value)| ((*key).to_owned(), Value::from(*value)));
    owned.collect::<std::collections::BTreeMap<_, _>>().into()
}

fn with(model: &str, set: Value) -> Value {
    context! { set, admin_password => "s3cret", ..one_line(model, "sip") }
}

/// Renders with `set`, and checks that a line is there once, or is gone.
#[track_caller]
fn check(catalog: &Catalog, family: &str, file: &str, set: Value, once: &[&str], gone: &[&str]) {
    let text = render_with(catalog, family, file, &with("", set)).unwrap();
    if text.starts_with("<?xml") {
        assert_eq!(xmllint(&text), "", "{text}");
    }
    for line in once {
        let found = text.lines().filter(|found| found.trim() == *line).count();
        assert_eq!(found, 1, "{line} in\n{text}");
    }
    for part in gone {
        assert!(!text.contains(part), "{part} in\n{text}");
    }
}

#[test]
fn shipped_families() {
    for family in ["poly-vvx", "poly-soundpoint"] {
        let values = set(&[("voice.volume.persist.handset", "1"), ("reg.1.label", "R&D")]);
        let once = ["<voice", "voice.volume.persist.handset=\"1\"", "reg.1.label=\"R&amp;D\""];
        check(&SHIPPED, family, "{mac}-line.cfg", values, &once, &["reg.1.label=\"Front"]);
    }
    let values = set(&[("account.1.label", "R&D <2>"), ("phone_setting.backlight_time", "30")]);
    let once = ["account.1.label = R&D <2>", "phone_setting.backlight_time = 30"];
    check(&SHIPPED, "yealink-desk", "{mac}.cfg", values, &once, &["account.1.label = Front desk"]);
    let values = set(&[("phone_label", "R&D <2>"), ("telnet_level", "2")]);
    let once = ["phone_label: \"R&D <2>\"", "telnet_level: \"2\""];
    check(&SHIPPED, "cisco-7940-7960", "SIP{MAC}.cnf", values, &once, &["phone_label: \"Front"]);
    let values = set(&[
        ("webAccess", "1 & 2"),
        ("spanToPCPort", "1"),
        ("/device/authenticationURL", "http://a/?b&c"),
    ]);
    let once = [
        "<webAccess>1 &amp; 2</webAccess>",
        "<spanToPCPort>1</spanToPCPort>",
        "<authenticationURL>http://a/?b&amp;c</authenticationURL>",
    ];
    for file in ["SEP{MAC}.cnf.xml", "SEP{MAC}.cnf.xml.sgn"] {
        check(&SHIPPED, "cisco-79xx-enterprise", file, values.clone(), &once, &["<webAccess>0<"]);
    }
    let sccp = context! { protocol => "sccp", ..with("", set(&[("webAccess", "1")])) };
    for family in ["cisco-legacy-sccp", "cisco-7940-7960"] {
        let text = render_with(&SHIPPED, family, "SEP{MAC}.cnf.xml", &sccp).unwrap();
        assert_eq!(xmllint(&text), "");
        assert!(text.contains(
            "  <vendorConfig>\n    <webAccess>1</webAccess>\n  </vendorConfig>\n</device>"
        ));
    }
}

#[test]
fn every_template_of_an_own_file_takes_such_values() {
    // A master file of Poly's and the first file of a Snom name other files and have no parameters; what a family can't be
    // told is no wish ignored.
    let rules = SHIPPED.families().flat_map(|family| &family.files);
    let own =
        rules.filter(|rule| rule.role == ringup::domain::Role::Own && rule.template.is_some());
    let without: Vec<_> = own.filter(|rule| rule.extra.is_none()).map(|rule| &rule.name).collect();
    let masters = SHIPPED.families().flat_map(|family| match family.name.as_str() {
        "snom-desk" => vec!["snom{model}-{MAC}.htm", "snom-{MAC}.htm"],
        "snom-dect" => vec!["snom{model}-{MAC}.htm"],
        _ if family.vendor == "Polycom" => vec!["{mac}.cfg"],
        _ => Vec::new(),
    });
    assert_eq!(without, masters.collect::<Vec<_>>());
}

const GRANDSTREAM: &str = r#"
vendor = "Test G"
title = "P-values"
format = "xml"

[[file]]
name = "cfg{mac}.xml"
role = "own"
template = "phone.xml.j2"
extra = { form = "element", at = "gs_provision/config" }
"#;

const SNOM: &str = r#"
vendor = "Test S"
title = "settings"
format = "xml"

[[file]]
name = "snom-{MAC}.htm"
role = "own"
template = "phone.htm.j2"
extra = { form = "element", at = "settings/phone-settings", attributes = { perm = "RW" }, index = "idx" }
"#;

fn folders(files: &[(&str, &str)]) -> (Catalog, Vec<ringup::domain::Problem>) {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = directory.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    Catalog::load(Some(directory.path()))
}

#[test]
fn p_values_and_settings_of_families_to_come() {
    let p_values = "<?xml version=\"1.0\"?>\n<gs_provision version=\"1\">\n  <config version=\"1\">\n    <P271>1</P271>\n    <P47>{{ servers[0].address }}</P47>\n  </config>\n</gs_provision>\n";
    let settings = "<?xml version=\"1.0\"?>\n<settings>\n  <phone-settings>\n    <user_name idx=\"1\" perm=\"RW\">{{ number }}</user_name>\n    <web_language perm=\"RW\">English</web_language>\n  </phone-settings>\n</settings>\n";
    let (catalog, problems) = folders(&[
        ("test-g/profile.toml", GRANDSTREAM),
        ("test-g/phone.xml.j2", p_values),
        ("test-s/profile.toml", SNOM),
        ("test-s/phone.htm.j2", settings),
    ]);
    assert!(problems.is_empty(), "{problems:?}");
    let values = set(&[("P47", "pbx.example"), ("P30", "ntp & co")]);
    let once = ["<P47>pbx.example</P47>", "<P30>ntp &amp; co</P30>", "<P271>1</P271>"];
    check(&catalog, "test-g", "cfg{mac}.xml", values, &once, &["10.20.0.5"]);
    let values = set(&[
        ("web_language", "Français"),
        ("user_name[1]", "99"),
        ("user_name[2]", "4013"),
        ("tone_scheme", "FRA"),
    ]);
    let once = [
        "<web_language perm=\"RW\">Français</web_language>",
        "<user_name idx=\"1\" perm=\"RW\">99</user_name>",
        "<user_name idx=\"2\" perm=\"RW\">4013</user_name>",
        "<tone_scheme perm=\"RW\">FRA</tone_scheme>",
    ];
    check(&catalog, "test-s", "snom-{MAC}.htm", values, &once, &["English", "4012"]);
}

#[test]
fn a_form_that_does_not_fit() {
    let told = |extra: &str| {
        let line = GRANDSTREAM.lines().last().unwrap();
        let profile = GRANDSTREAM.replace(line, extra);
        let files = [("test-g/profile.toml", profile.as_str()), ("test-g/phone.xml.j2", "<a/>")];
        let (_, problems) = folders(&files);
        problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    };
    let check = |extra: &str, expected: &str| {
        let told = told(extra);
        assert!(told.contains(&format!("profile.toml:10: {expected}")), "{told}");
    };
    check("extra = { form = \"line\" }", "the form of `extra` is not one of this file's format");
    check("extra = { form = \"element\" }", "`extra` does not say where its elements go");
    check("extra = { form = \"element\", at = \"a/1\" }", "`extra` does not say where");
    check("extra = { form = \"elemnt\" }", "unknown variant `elemnt`");
    check("extra = { form = \"attribute\", to = \"a\" }", "unknown field `to`");
    assert_eq!(told("extra = { form = \"attribute\" }"), "");
}

#[test]
fn what_is_refused() {
    let refused = |family: &str, file: &str, set: Value, expected: &str| {
        let error = render_with(&SHIPPED, family, file, &with("", set)).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
    };
    let cisco = ("cisco-79xx-enterprise", "SEP{MAC}.cnf.xml");
    refused(
        "yealink-desk",
        "{mac}.cfg",
        set(&[("a.b", "hunter2\nc = 1")]),
        "`set.a.b` holds U+000A",
    );
    refused("yealink-desk", "{mac}.cfg", set(&[("a\nb", "1")]), "is no name");
    refused(
        "poly-vvx",
        "{mac}-line.cfg",
        set(&[("a.b", "hunter2\u{1}")]),
        "`set.a.b` holds U+0001",
    );
    refused(
        "poly-vvx",
        "{mac}-line.cfg",
        set(&[("a b", "1")]),
        "`set.a b` is no name of an attribute",
    );
    refused(cisco.0, cisco.1, set(&[("a>b", "1")]), "`set.a>b` is no name of an element");
    refused(cisco.0, cisco.1, set(&[("/device", "1")]), "would take the place of all");
}
