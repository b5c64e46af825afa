//! Every shipped template against its golden file, and hostile values.
//!
//! `UPDATE_GOLDEN=1 cargo test --test it profile` writes the golden files anew; read their difference before committing.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::LazyLock,
};

use minijinja::{Value, context};
use proptest::prelude::*;
use quick_xml::{Reader, events::Event};
use ringup::{
    domain::{Role, Timestamp},
    profile::{Catalog, Format, RenderError, Seen},
};

mod cisco_and_poly;
mod extra;
mod hostile;
mod mitel_to_avaya;
mod more_vendors;
mod overrides;

static SHIPPED: LazyLock<Catalog> = LazyLock::new(|| {
    let (catalog, problems) = Catalog::load(None);
    assert!(problems.is_empty(), "{problems:#?}");
    catalog
});

/// What the resolver hands to templates, for a plain phone with one line.
fn one_line(model: &str, protocol: &str) -> Value {
    let port = if protocol == "sccp" { "2000" } else { "5060" };
    context! {
        mac => "001e7ac41022", MAC => "001E7AC41022", mac_colons => "00:1e:7a:c4:10:22",
        model, family => "", site => "paris", location => "", number => "4012", name => "Front desk",
        lines => vec![line(1, "4012", "Front desk")],
        servers => vec![server(1, "10.20.0.5", port)],
        outbound_proxies => Vec::<Value>::new(),
        sip_transport => "udp", srtp => "off", protocol, time_zone => "", gmt_offset => 0,
        dst => (), posix_zone => "", vlan => 0, modules => Vec::<Value>::new(), speeds => Vec::<Value>::new(),
        contacts => Vec::<Value>::new(), phonebook => "",
        ntp => Vec::<&str>::new(), admin_password => "", tftp_server => "10.20.0.1",
        http_base => "http://10.20.0.1", load => "", keys => Vec::<Value>::new(), failover => (),
        var => context! {}, set => context! {}, version => "5f1c0a",
    }
}

/// The same with all that a site can ask for.
fn everything(model: &str, protocol: &str, load: &str) -> Value {
    let port = if protocol == "sccp" { "2000" } else { "5061" };
    context! {
        lines => vec![line(1, "4012", "Front desk"), line(2, "4013", "R&D <2>"), line(3, "4014", "Café ☕")],
        servers => vec![server(1, "10.20.0.5", port), server(2, "10.20.0.6", port)],
        sip_transport => "tls", srtp => "required", time_zone => "Europe/Paris", gmt_offset => 3600,
        dst => summer(), posix_zone => "CET-1CEST,M3.5.0,M10.5.0/3", vlan => 20,
        modules => vec![context! { index => 1, keys => vec![
            context! { index => 1, type => "blf", value => "4030", line => 1, label => "Ben" },
            context! { index => 2, type => "speed", value => "0456", line => 1, label => "Taxi" },
        ] }],
        speeds => vec![
            context! { index => 5, type => "speed", value => "0123", line => 1, label => "" },
            context! { index => 2, type => "speed", value => "0456", line => 1, label => "Taxi" },
        ],
        contacts => vec![
            context! { name => "Anna <R&D>", number => "4020" }, context! { name => "Café ☕", number => "4014" },
        ],
        ntp => vec!["10.20.0.1", "10.20.0.2"], admin_password => "s3cret", load,
        keys => vec![
            context! { index => 1, type => "line", value => "", line => 1, label => "" },
            context! { index => 4, type => "blf", value => "4020", line => 1, label => "Anna" },
            context! { index => 5, type => "speed", value => "0123", line => 1, label => "" },
        ],
        failover => context! {
            re_register_on => 1, fail_registration_on => 1, only_signal_with_registered => 0,
            fail_back_mode => "duration", fail_back_timeout => 600,
        },
        set => std::collections::BTreeMap::from([("lcl.ml.lang", "R&D"), ("voice.volume.persist.handset", "1")]),
        ..one_line(model, protocol)
    }
}

/// The summer of central Europe.
fn summer() -> Value {
    let change = |month: u8, hour: u8| {
        let posix = format!("M{month}.5.0/{hour}");
        context! { month, week => 5, weekday => 0, hour, minute => 0, posix, exact => true }
    };
    context! { save => 3600, start => change(3, 2), end => change(10, 3) }
}

/// Failover through outbound proxies, and what has no effect without re-registration.
fn proxies(model: &str) -> Value {
    context! {
        outbound_proxies => vec![server(1, "10.20.0.8", "5060"), server(2, "10.20.0.9", "5060")],
        servers => vec![server(1, "10.20.0.5", "5060"), server(2, "10.20.0.6", "5060")],
        failover => context! {
            re_register_on => 0, fail_registration_on => 1, only_signal_with_registered => 0,
            fail_back_mode => "registration", fail_back_timeout => 600,
        },
        ..one_line(model, "sip")
    }
}

/// A common file knows no phone.
fn common(values: &Value) -> Value {
    context! { mac => "", MAC => "", mac_colons => "", number => "", name => "", admin_password => "",
    lines => Vec::<Value>::new(), keys => Vec::<Value>::new(), ..values.clone() }
}

fn line(index: u8, number: &str, display: &str) -> Value {
    context! { index, number, user => number, auth => number, password => format!("pw{number}"), display, label => display }
}

fn server(index: u8, address: &str, port: &str) -> Value {
    context! { index, address, port }
}

fn render(family: &str, file: &str, values: &Value) -> Result<String, RenderError> {
    render_with(&SHIPPED, family, file, values)
}

fn render_with(
    catalog: &Catalog,
    family: &str,
    file: &str,
    values: &Value,
) -> Result<String, RenderError> {
    let family = catalog.family(family).unwrap();
    let rule = family.file(file).unwrap();
    let values = match rule.role {
        Role::Common | Role::Fallback => common(values),
        _ => values.clone(),
    };
    catalog.render(family, rule, &values).map(|bytes| String::from_utf8(bytes).unwrap())
}

/// Compares every template of a family with its golden file `FAMILY/FILE.CASE`.
fn golden(family: &str, case: &str, values: &Value) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/golden").join(family);
    let shipped = SHIPPED.family(family).unwrap();
    let mut compared = Vec::new();
    for rule in shipped.files.iter().filter(|rule| rule.template.is_some()) {
        // A second name for the same template has the same content.
        if compared.contains(&rule.template) {
            continue;
        }
        let text = match render(family, &rule.name, values) {
            Ok(text) => text,
            Err(RenderError::Absent { .. }) => continue,
            Err(error) => panic!("{family}/{}: {error}", rule.name),
        };
        if rule.format == Format::Xml {
            assert_eq!(xmllint(&text), "", "{family}/{}", rule.name);
        }
        if matches!(rule.role, Role::Common | Role::Fallback) {
            assert!(
                !text.contains("pw40") && !text.contains("s3cret"),
                "a secret in {}",
                rule.name
            );
        }
        compare(&folder.join(format!("{}.{case}", rule.name.replace('/', "%2f"))), &text);
        compared.push(rule.template.clone());
    }
    assert!(!compared.is_empty(), "{family}");
}

fn compare(path: &PathBuf, text: &str) {
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let expected =
        fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert_eq!(text, expected, "{}", path.display());
}

/// What libxml2 has against a text; nothing if it is well-formed.
fn xmllint(text: &str) -> String {
    let mut lint = Command::new("xmllint")
        .args(["--noout", "--nonet", "-"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("xmllint, from libxml2-utils");
    lint.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = lint.wait_with_output().unwrap();
    assert!(output.status.success() || !output.stderr.is_empty());
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn golden_cisco() {
    golden("cisco-legacy-sccp", "one", &one_line("7905G", "sccp"));
    golden(
        "cisco-legacy-sccp",
        "everything",
        &everything("7905G", "sccp", "CP7905080003SCCP070409A"),
    );
    golden("cisco-7940-7960", "one", &one_line("7960", "sip"));
    golden("cisco-7940-7960", "sccp", &everything("7940", "sccp", "P00308010200"));
    golden("cisco-7940-7960", "everything", &everything("7960", "sip", "P0S3-8-12-00"));
    golden("cisco-79xx-enterprise", "one", &one_line("7961G", "sip"));
    golden("cisco-79xx-enterprise", "sccp", &everything("7961G", "sccp", "SCCP41.9-4-2SR3-1S"));
    golden(
        "cisco-79xx-enterprise",
        "everything",
        &everything("7961G-GE", "sip", "SIP41.9-4-2SR3-1S"),
    );
    let old = context! { load => "SIP41.8-5-4S", ..proxies("7961G") };
    golden("cisco-79xx-enterprise", "old-load", &old);
}

#[test]
fn golden_poly() {
    for (family, model) in [("poly-soundpoint", "SPIP670"), ("poly-vvx", "VVX 201")] {
        golden(family, "one", &one_line(model, "sip"));
        golden(family, "everything", &everything(model, "sip", ""));
        golden(family, "proxies", &proxies(model));
    }
}

#[test]
fn golden_yealink() {
    golden("yealink-desk", "one", &one_line("T46S", "sip"));
    golden(
        "yealink-desk",
        "everything",
        &everything("T46S", "sip", "T46S(T48S,T42S,T41S)-66.86.0.160.rom"),
    );
    golden("yealink-desk", "proxies", &proxies("T46S"));
}

#[test]
fn golden_files_all_belong_to_a_template() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/golden");
    for family in SHIPPED.families() {
        let Ok(files) = fs::read_dir(folder.join(family.name.as_str())) else {
            let rendered = family.files.iter().any(|file| file.template.is_some());
            assert!(!rendered, "no golden file of {}", family.name);
            continue;
        };
        for file in files {
            let name = file.unwrap().file_name().into_string().unwrap();
            let (rule, _) = name.rsplit_once('.').unwrap();
            let rule = rule.replace("%2f", "/");
            assert!(family.file(&rule).is_some_and(|rule| rule.template.is_some()), "{name}");
        }
    }
}

#[test]
fn no_load_no_file() {
    let absent = |family: &str, file: &str, values: &Value| {
        let error = render(family, file, values).unwrap_err();
        assert!(matches!(error, RenderError::Absent { .. }), "{error}");
        error.to_string()
    };
    let plain = one_line("7960", "sip");
    let text = absent("cisco-7940-7960", "OS79XX.TXT", &plain);
    assert_eq!(text, "cisco-7940-7960/OS79XX.TXT is not rendered: `load` is not set");
    absent("poly-vvx", "site.cfg", &plain);
    absent("cisco-legacy-sccp", "SEP{MAC}.cnf", &plain);
    absent("cisco-7940-7960", "SEP{MAC}.cnf.xml", &plain);
    absent("cisco-7940-7960", "SIP{MAC}.cnf", &one_line("7960", "sccp"));
    // A trailing blank or line break breaks the phone (CSCdv19260).
    let loaded = everything("7960", "sip", "P0S3-8-12-00");
    assert_eq!(render("cisco-7940-7960", "OS79XX.TXT", &loaded).unwrap(), "P0S3-8-12-00");
}

#[test]
fn a_load_is_offered_under_its_own_type_id() {
    let text = render(
        "cisco-79xx-enterprise",
        "XMLDefault.cnf.xml",
        &everything("CP-7961G", "sccp", "SCCP41.9-4-2S"),
    )
    .unwrap();
    assert!(
        text.contains(
            "<loadInformation30018 model=\"CP-7961G\">SCCP41.9-4-2S</loadInformation30018>"
        ),
        "{text}"
    );
    let text = render(
        "cisco-79xx-enterprise",
        "XMLDefault.cnf.xml",
        &everything("8841", "sccp", "SCCP41.9-4-2S"),
    )
    .unwrap();
    assert!(!text.contains("loadInformation"), "{text}");
}

/// Texts of elements and values of attributes, as a reader of the file gets them.
fn values_in(xml: &str) -> Vec<String> {
    let mut reader = Reader::from_str(xml);
    let (mut values, mut text) = (Vec::new(), String::new());
    loop {
        match reader.read_event().unwrap() {
            Event::Eof => return values,
            Event::Start(start) | Event::Empty(start) => {
                text.clear();
                for attribute in start.attributes() {
                    values.push(
                        quick_xml::escape::unescape(&attribute.unwrap().value)
                            .unwrap()
                            .into_owned(),
                    );
                }
            }
            Event::Text(part) => text.push_str(&part),
            Event::GeneralRef(name) => {
                text.push_str(&quick_xml::escape::unescape(&format!("&{};", &*name)).unwrap());
            }
            Event::End(_) => values.push(std::mem::take(&mut text)),
            _ => {}
        }
    }
}

fn named(family: &str, file: &str, model: &str, display: &str) -> Result<String, RenderError> {
    let values = context! { lines => vec![line(1, "4012", display)], name => display, ..one_line(model, "sip") };
    render(family, file, &values)
}

#[test]
fn hostile_display_names() {
    for display in [
        "<script>alert(1)</script>",
        "\"quoted\" & 'so'",
        "]]>",
        "<!--",
        "☎️ 𝕏",
        "&amp;",
        "{{ mac }}",
        "a\tb",
    ] {
        for (family, file, model) in [
            ("cisco-79xx-enterprise", "SEP{MAC}.cnf.xml", "7961G"),
            ("poly-vvx", "{mac}-line.cfg", "VVX401"),
        ] {
            let text = named(family, file, model, display).unwrap();
            assert_eq!(xmllint(&text), "", "{display}");
            assert!(values_in(&text).iter().any(|value| value == display), "{display}: {text}");
        }
        let text = named("yealink-desk", "{mac}.cfg", "T46S", display).unwrap();
        assert!(text.contains(&format!("account.1.display_name = {display}\n")), "{text}");
    }
}

#[test]
fn what_a_format_cannot_carry() {
    let check = |family: &str, file: &str, model: &str, display: &str, expected: &str| {
        let error = named(family, file, model, display).unwrap_err();
        assert!(matches!(error, RenderError::Value { .. }), "{error}");
        assert!(error.to_string().ends_with(expected), "{error}");
    };
    let cisco = ("cisco-79xx-enterprise", "SEP{MAC}.cnf.xml", "7961G");
    check(
        cisco.0,
        cisco.1,
        cisco.2,
        "a\u{1}b",
        "`lines[0].display` holds U+0001, which XML can't carry",
    );
    check(cisco.0, cisco.1, cisco.2, "\u{fffe}", "holds U+FFFE, which XML can't carry");
    check(cisco.0, cisco.1, cisco.2, "\u{ffff}", "holds U+FFFF, which XML can't carry");
    for bad in ["a\nb", "a\rb", "a\0b"] {
        check("yealink-desk", "{mac}.cfg", "T46S", bad, "which a line of this file can't carry");
        check(
            "cisco-7940-7960",
            "SIP{MAC}.cnf",
            "7960",
            bad,
            "which a quoted text of this file can't carry",
        );
    }
    check(
        "cisco-7940-7960",
        "SIP{MAC}.cnf",
        "7960",
        "the \"boss\"",
        "holds U+0022, which a quoted text of this file can't carry",
    );
}

#[test]
fn a_password_never_shows_in_an_error() {
    let mut secret = line(1, "4012", "Desk");
    secret = context! { password => "hunter2\n", ..secret };
    let values = context! { lines => vec![secret], ..one_line("T46S", "sip") };
    let error = render("yealink-desk", "{mac}.cfg", &values).unwrap_err();
    assert!(error.to_string().contains("`lines[0].password`"), "{error}");
    assert!(!format!("{error} {error:?}").contains("hunter2"));
}

proptest! {
    #[test]
    fn any_text_that_xml_carries_comes_through(display in "[\\t -\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]{1,40}") {
        for (family, file) in [("cisco-79xx-enterprise", "SEP{MAC}.cnf.xml"), ("poly-vvx", "{mac}-line.cfg")] {
            let text = named(family, file, "", &display).unwrap();
            prop_assert!(values_in(&text).contains(&display));
        }
    }

    #[test]
    fn any_text_gives_a_line_or_an_error(display in ".{0,40}") {
        if let Ok(text) = named("yealink-desk", "{mac}.cfg", "", &display) {
            let line = format!("account.1.display_name = {display}");
            prop_assert!(text.split('\n').any(|found| found == line));
        }
    }
}
