//! The operator's own folders over the shipped families.

use std::fs;

use ringup::{
    domain::{Problem, Timestamp},
    profile::{Catalog, Format, Seen},
};

use super::{SHIPPED, one_line, render_with};

/// An operator's directory with these files, and what loading it over the shipped families says.
fn with_overrides(files: &[(&str, &str)]) -> (Catalog, Vec<Problem>) {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = directory.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    Catalog::load(Some(directory.path()))
}

#[test]
fn an_operators_template_wins() {
    let (catalog, problems) =
        with_overrides(&[("yealink-desk/phone.cfg.j2", "mine = {{ lines[0].user }}\n")]);
    assert!(problems.is_empty(), "{problems:?}");
    let text =
        render_with(&catalog, "yealink-desk", "{mac}.cfg", &one_line("T46S", "sip")).unwrap();
    assert_eq!(text, "mine = 4012\n");
    // The rest of the family stays as shipped.
    assert!(
        render_with(&catalog, "yealink-desk", "y{code}.cfg", &one_line("T46S", "sip"))
            .unwrap()
            .contains("#!version")
    );
}

const ACME: &str = r#"
vendor = "Acme"
title = "Acme desk phones"
format = "ini"

[recognize]
option-60 = ['^acme (?P<model>\w+) (?P<fw>[\d.]+)$']
oui = ["02ac3e"]

[[model]]
name = "A1"

[[file]]
name = "{mac}.cfg"
role = "own"
template = "phone.j2"
required = true
"#;

#[test]
fn a_new_family_is_a_new_folder() {
    let (catalog, problems) =
        with_overrides(&[("acme/profile.toml", ACME), ("acme/phone.j2", "user = {{ number }}\n")]);
    assert!(problems.is_empty(), "{problems:?}");
    let seen = Seen::Option60(b"acme a1 1.2.3");
    let ground = catalog.recognize(&seen, Timestamp::UNIX_EPOCH).unwrap();
    assert_eq!((ground.vendor.as_deref(), ground.model.as_deref()), (Some("Acme"), Some("A1")));
    // The operator's rule is the first that a shared name finds.
    assert_eq!(catalog.resolve("02ac3e000001.cfg")[0].family.name.as_str(), "acme");
    let text = render_with(&catalog, "acme", "{mac}.cfg", &one_line("A1", "sip")).unwrap();
    assert_eq!(text, "user = 4012\n");
}

#[test]
fn an_operators_list_of_other_clients_wins() {
    let (catalog, problems) = with_overrides(&[(
        "not-a-phone.toml",
        "[[client]]\nname = \"badge reader\"\noption-60 = ['^badge']\n",
    )]);
    assert!(problems.is_empty(), "{problems:?}");
    let client = |text: &'static str| Seen::Option60(text.as_bytes());
    assert_eq!(catalog.not_a_phone(&client("badge 1")), Some("badge reader"));
    assert_eq!(catalog.not_a_phone(&client("MSFT 5.0")), None);
}

#[test]
fn problems_of_an_operators_folder() {
    let check = |files: &[(&str, &str)], expected: &str| {
        let (catalog, problems) = with_overrides(files);
        let told: Vec<_> = problems.iter().map(ToString::to_string).collect();
        assert!(told.iter().any(|problem| problem.contains(expected)), "{expected} in {told:#?}");
        // Whatever is wrong, the shipped families still serve.
        assert!(catalog.family("yealink-desk").is_some() && catalog.family("acme").is_none());
        assert!(
            render_with(&catalog, "yealink-desk", "{mac}.cfg", &one_line("T46S", "sip")).is_ok()
        );
    };
    let acme = |text: &str| ACME.replace("required = true", text);
    check(
        &[("acme/profile.toml", &acme("requird = true"))],
        "profile.toml:17: unknown field `requird`",
    );
    check(&[("acme/profile.toml", &acme("requird = true"))], "did you mean `required`?");
    check(&[("acme/profile.toml", ACME)], "profile.toml:16: there is no template `phone.j2`");
    check(&[("acme/profile.toml", ACME), ("acme/phon.j2", "")], "did you mean `phon.j2`?");
    check(
        &[("acme/profile.toml", &acme("model = \"A2\"")), ("acme/phone.j2", "")],
        ":17: the model `A2` is not among",
    );
    check(
        &[("acme/profile.toml", &ACME.replace("{mac}", "{mak}")), ("acme/phone.j2", "")],
        "`{mak}` is no placeholder",
    );
    check(
        &[("acme/profile.toml", &ACME.replace("(?P<fw>", "(?P<")), ("acme/phone.j2", "")],
        "is no regular expression",
    );
    check(&[("acme/profile.toml", ACME), ("acme/phone.j2", "a\n{% if %}\n")], "phone.j2:2: ");
    check(&[("yealink-desk/phone.cfg.j2", "{{ lines[ }}")], "phone.cfg.j2:1: ");
    check(&[("yealink-desk/profile.toml", "vendor = 1")], "yealink-desk/profile.toml:1: ");
    check(&[("yealink-dsk/phone.cfg.j2", "x")], "did you mean `yealink-desk`?");
}

#[test]
fn a_broken_template_is_an_error_with_its_line() {
    let check = |text: &str, expected: &str| {
        let (catalog, _) = with_overrides(&[("cisco-79xx-enterprise/phone.cnf.xml.j2", text)]);
        let error = render_with(
            &catalog,
            "cisco-79xx-enterprise",
            "SEP{MAC}.cnf.xml",
            &one_line("7961G", "sip"),
        );
        let error = error.unwrap_err().to_string();
        assert!(
            error.starts_with(&format!("cisco-79xx-enterprise/phone.cnf.xml.j2:{expected}")),
            "{error}"
        );
    };
    check("<a>\n{{ nmuber }}</a>", "2: undefined value");
    check("<a>\n{{ var.room }}</a>", "2: undefined value");
    check("<a>\n<b></a>", "2: the result is no well-formed XML");
    check("<!DOCTYPE a><a/>", "1: the result is no well-formed XML: a document type");
    check("<a>{{ name|safe }}</a>", "1: unknown filter");
    check("<a>{% autoescape false %}{{ name }}{% endautoescape %}</a>", "1: ");
    check("<a>{{ lines }}</a>", "1: invalid operation: a sequence can't be written out");
}

#[test]
fn an_operators_own_file_in_any_format() {
    let values = one_line("7961G", "sip");
    let xml = SHIPPED.render_text(
        "files/x.xml.j2",
        "<a>{{ name }}&amp;{{ '<' }}</a>",
        Format::Xml,
        &values,
    );
    assert_eq!(xml.unwrap(), b"<a>Front desk&amp;&lt;</a>");
    let error = SHIPPED
        .render_text("files/x.xml.j2", "<a>\n{{ nme }}</a>", Format::Xml, &values)
        .unwrap_err();
    assert!(error.to_string().starts_with("files/x.xml.j2:2: undefined value"), "{error}");
}
