//! Where values come from, through the levels without staging, and what wins; the cases are lines.

use std::{fs, path::Path};

use super::{super::Explained, *};
use crate::domain::{Event, Secret, What};

const PHONE: &str = "00:15:65:aa:bb:cc";
const FILE: &str = "001565aabbcc.cfg";

const SETTINGS: &str = r#"[dhcp]
mode = "off"
[[dhcp.subnet]]
subnet = "10.20.0.0/22"
site = "paris"
ntp = ["10.20.0.1"]

[site.default]
time-zone = "Europe/Paris"
admin-password = "4dm1n"
sip-transport = "udp"
firmware.yealink-desk = "all.rom"
var.room = "none"
var.floor = "0"
extra.yealink = { "a.vendor" = "default", "a.family" = "vendor", "a.model" = "vendor", "a.entry" = "vendor", "a.site" = "default" }
extra.yealink-desk = { "a.inherited" = "family of default" }
extra.T46S = { "a.late" = "model of default" }

[site.paris]
sip-transport = "tcp"
firmware.T46S = "t46s.rom"
var.floor = "3"
server = [{ address = "10.20.0.5" }, { address = "10.20.0.6", port = 5070 }]

[site.paris.extra.Yealink]
"a.site" = "paris"
"a.inherited" = "vendor of paris"
"a.late" = "vendor of paris"
"linekey.1.type" = 0
"static.security.user_password" = "admin:x"

[site.paris.extra.yealink-desk]
"a.family" = "family"
"a.model" = "family"
"a.entry" = "family"

[site.paris.extra.T46S]
"a.model" = "model"
"a.entry" = "model"
"account.1.label" = "by model"
"#;

/// The settings as read from a file, so that lines have numbers.
pub(super) fn settings_of(text: &str) -> Settings {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ringup.toml");
    fs::write(&path, text).unwrap();
    crate::config::load(Some(&path)).unwrap().settings
}

fn phone() -> Change {
    let line = Line {
        number: "4012".to_owned(),
        sip_password: Secret::new("pw-4012".to_owned()),
        ..Line::default()
    };
    let entry = Entry {
        model: "SIP-T46S".to_owned(),
        site: Some("paris".to_owned()),
        lines: vec![line],
        set: [("a.entry".to_owned(), "entry".to_owned())].into(),
        var: [("room".to_owned(), "7".to_owned())].into(),
        ..Entry::default()
    };
    Change::Listed(mac(PHONE), Box::new(entry))
}

fn explained(provisioner: &Provisioner, reveal: bool) -> Explained {
    let local = [10, 20, 0, 2].into();
    provisioner.explain(mac(PHONE), FILE, local, reveal, now()).unwrap()
}

/// Value, level, site, and how the line of the settings begins; or `absent`.
fn line_of(explained: &Explained, name: &str) -> String {
    let found = explained.values.iter().find(|value| value.name == name);
    let Some(value) = found else { return "absent".to_owned() };
    let (origin, none) = (&value.origin, String::new());
    let line = origin.at.as_ref().map(|at| {
        let number: usize = at.rsplit_once("ringup.toml:").unwrap().1.parse().unwrap();
        SETTINGS.lines().nth(number - 1).unwrap().split(" =").next().unwrap()
    });
    let (level, site) = (origin.level.as_str(), origin.site.as_ref().unwrap_or(&none));
    format!("{} | {level} {site} {}", value.value, line.unwrap_or_default()).trim_end().to_owned()
}

#[test]
fn each_level_by_name() {
    let provisioner = provisioner(settings_of(SETTINGS), vec![phone()]);
    let explained = explained(&provisioner, false);
    assert_eq!(explained.source, "template yealink-desk/phone.cfg.j2");
    let check =
        |name: &str, expected: &str| assert_eq!(line_of(&explained, name), expected, "{name}");
    // What the template reads.
    check("lines[0].user", "4012 | entry");
    check("lines[0].password", "•••• | entry");
    check("load", "t46s.rom | model paris firmware.T46S");
    check("servers[0].address", "10.20.0.5 | site paris server");
    check("servers[0].port", "5060 | profile");
    check("servers[1].port", "5070 | site paris server");
    check("sip_transport", "tcp | site paris sip-transport");
    check("admin_password", "•••• | default-site default admin-password");
    check("srtp", "off | profile");
    check("http_base", "http://10.20.0.2 | profile");
    // What it does not read.
    check("time_zone", "absent");
    check("var.room", "absent");
    // What is merged last.
    check("set.a.entry", "entry | entry");
    check("set.a.model", "model | model paris \"a.model\"");
    check("set.a.family", "family | site paris \"a.family\"");
    check("set.a.vendor", "default | default-site default extra.yealink");
    check("set.a.site", "paris | site paris \"a.site\"");
    // The narrower table goes first, whoever set it.
    check("set.a.inherited", "family of default | default-site default extra.yealink-desk");
    check("set.a.late", "model of default | model default extra.T46S");
    check("set.account.1.label", "by model | model paris \"account.1.label\"");
    check(
        "set.static.security.user_password",
        "•••• | site paris \"static.security.user_password\"",
    );
    let names: std::collections::BTreeSet<_> = explained.values.iter().map(|it| &it.name).collect();
    assert_eq!(names.len(), explained.values.len());
}

#[test]
fn values_of_an_operators_template() {
    let folder = tempfile::tempdir().unwrap();
    let text = "room = {{ var.room }} {{ var.floor }}\nsite = {{ site }}\nzone = {{ gmt_offset|hours }}\nntp = {{ ntp[0] }}\n\
        mac = {{ mac }}\nproxies = {% if outbound_proxies %}1{% endif %}\nlabel = {{ set['a.entry'] }}\n";
    fs::write(folder.path().join(format!("{FILE}.j2")), text).unwrap();
    let address = Ipv4Addr::new(10, 20, 0, 51);
    let seen = Event { at: now(), what: What::Informed { address } };
    let changes = vec![phone(), Change::Happened(mac(PHONE), seen)];
    let nowhere = Path::new("/nonexistent");
    let provisioner = with_files(settings_of(SETTINGS), changes, folder.path(), nowhere);
    let explained = explained(&provisioner, false);
    assert_eq!(explained.source, format!("template {FILE}.j2"));
    let check =
        |name: &str, expected: &str| assert_eq!(line_of(&explained, name), expected, "{name}");
    check("var.room", "7 | entry");
    check("var.floor", "3 | site paris var.floor");
    check("site", "paris | entry");
    check("gmt_offset", "3600 | default-site default time-zone");
    check("mac", "001565aabbcc | profile");
    check("outbound_proxies", " | profile");
    check("ntp[0]", "10.20.0.1 | site paris");
    check("set.a.entry", "entry | entry");
    check("set.a.model", "model | model paris \"a.model\"");
    // It stands in the place of the family's file, so that values are merged into it too.
    let local = [10, 20, 0, 2].into();
    let opened = provisioner.preview(mac(PHONE), FILE, local, false, now()).unwrap();
    let merged = super::text(&opened);
    assert!(merged.starts_with("room = 7 3\nsite = paris\n"), "{merged}");
    assert!(merged.contains("\na.model = model\n"), "{merged}");
}

#[test]
fn what_the_phone_gets() {
    let provisioner = provisioner(settings_of(SETTINGS), vec![phone(), leased(PHONE, 51)]);
    let got = text(&open(&provisioner, &format!("10.20.0.51 {FILE}")).unwrap());
    for line in
        ["account.1.label = by model", "a.entry = entry", "a.model = model", "linekey.1.type = 0"]
    {
        assert_eq!(got.lines().filter(|found| *found == line).count(), 1, "{line} in {got}");
    }
    // Replaced, not doubled: the template writes both.
    assert_eq!(got.matches("account.1.label").count(), 1, "{got}");
    assert_eq!(got.matches("static.security.user_password").count(), 1, "{got}");
    assert!(got.contains("static.security.user_password = admin:x\n"), "{got}");
    // An operator who looks sees what is a secret by its name masked.
    let local = [10, 20, 0, 2].into();
    let seen = text(&provisioner.preview(mac(PHONE), FILE, local, false, now()).unwrap());
    assert!(seen.contains("static.security.user_password = ••••\n"), "{seen}");
    assert_eq!(line_of(&explained(&provisioner, true), "lines[0].password"), "pw-4012 | entry");
}

/// An operator's own variables have no type: their names say which of them nobody who only looks may see.
#[test]
fn a_variable_that_is_a_secret_by_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let own = "{{ var.wifi_psk }} {{ var.room }}\n";
    fs::write(folder.path().join(format!("{FILE}.j2")), own).unwrap();
    let settings =
        SETTINGS.replace("var.room = \"none\"", "var.room = \"7\"\nvar.wifi_psk = \"hush\"");
    let firmware = Path::new("/nonexistent");
    let changes = vec![listed(PHONE, "T46S", "4012")];
    let here = with_files(settings_of(&settings), changes, folder.path(), firmware);
    let check = |reveal: bool, expected: &str| {
        let opened = here.preview(mac(PHONE), FILE, [10, 20, 0, 2].into(), reveal, now());
        assert_eq!(text(&opened.unwrap()).lines().next(), Some(expected));
    };
    check(false, "•••• 7");
    check(true, "hush 7");
}

#[test]
fn a_file_as_it_is_has_no_values() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(FILE), "a = 1\n").unwrap();
    let nowhere = Path::new("/nonexistent");
    let provisioner = with_files(settings_of(SETTINGS), vec![phone()], folder.path(), nowhere);
    let explained = explained(&provisioner, false);
    assert_eq!((explained.source.as_str(), explained.values.len()), ("file 001565aabbcc.cfg", 0));
}

#[test]
fn a_value_that_the_form_cannot_carry() {
    let text = SETTINGS.replace("\"a.model\" = \"model\"", "\"a b\" = \"model\"");
    let provisioner = provisioner(settings_of(&text), vec![phone()]);
    let local = [10, 20, 0, 2].into();
    let refusal = provisioner.preview(mac(PHONE), FILE, local, false, now()).unwrap_err();
    let expected =
        "yealink-desk/phone.cfg.j2: `set.a b` is no name that a line of this file can begin with";
    assert_eq!(refusal.why.to_string(), expected);
}
