//! Values merged into files of every form; the cases are before, values and after.

use proptest::prelude::*;

use super::{super::xml, *};

fn values(values: &[(&str, &str)]) -> BTreeMap<String, String> {
    values.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn element(at: &str, attributes: &[(&str, &str)], index: Option<&str>) -> ExtraForm {
    let attributes = attributes.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
    ExtraForm::Element {
        at: at.split('/').map(str::to_owned).collect(),
        attributes,
        index: index.map(str::to_owned),
    }
}

#[track_caller]
fn check(form: &ExtraForm, before: &str, set: &[(&str, &str)], after: &str) {
    let merged = merge(before, form, &values(set)).unwrap();
    assert_eq!(merged, after);
    if matches!(form, ExtraForm::Attribute | ExtraForm::Element { .. }) {
        assert_eq!(xml::check(&merged), Ok(()));
    }
    // Nothing is doubled: what was merged once stays as it is.
    assert_eq!(merge(&merged, form, &values(set)).unwrap(), merged);
}

#[track_caller]
fn refused(form: &ExtraForm, before: &str, set: (&str, &str), why: &str) {
    let unmerged = merge(before, form, &values(&[set])).unwrap_err();
    assert!(unmerged.why.contains(why), "{unmerged:?}");
    assert!(set.1.is_empty() || !unmerged.why.contains(set.1), "{unmerged:?}");
}

#[test]
fn lines() {
    let check = |before: &str, set: &[(&str, &str)], after: &str| {
        check(&ExtraForm::Line, before, set, after);
    };
    check("#!version:1.0.0.1\na = 1\nb = 2\n", &[("a", "9")], "#!version:1.0.0.1\na = 9\nb = 2\n");
    check("a = 1\n", &[("b.c", "x = y")], "a = 1\nb.c = x = y\n");
    check("a = 1\r\nb=2", &[("a", "9"), ("c", "3")], "a = 9\r\nb=2\nc = 3\n");
    check("a=1\r\n", &[("c", "")], "a=1\r\nc = \r\n");
    // Only whole names count, and of two lines one stays.
    check(" a = 1\naa = 2\na = 3\n#a = 4\n", &[("a", "9")], "a = 9\naa = 2\n#a = 4\n");
    check("", &[("a", "1")], "a = 1\n");
    for key in ["", "a b", "a=b", "#a", "[a]", "a\nb", "a\""] {
        refused(&ExtraForm::Line, "a = 1\n", (key, "1"), "is no name");
    }
    for value in ["a\nb = 1", "a\rb", "a\0"] {
        refused(&ExtraForm::Line, "a = 1\n", ("a", value), "which a line of this file can't carry");
    }
}

#[test]
fn quoted_lines() {
    let check = |before: &str, set: &[(&str, &str)], after: &str| {
        check(&ExtraForm::Quoted, before, set, after);
    };
    let before = "# 1\nphone_label: \"Front: desk\"\ntelnet_level : 0\n";
    check(
        before,
        &[("telnet_level", "2"), ("dst_offset", "1")],
        "# 1\nphone_label: \"Front: desk\"\ntelnet_level: \"2\"\ndst_offset: \"1\"\n",
    );
    refused(&ExtraForm::Quoted, before, ("a:b", "1"), "is no name");
    refused(&ExtraForm::Quoted, before, ("a", "the \"boss\""), "U+0022");
}

const POLY: &str = "<?xml version=\"1.0\"?>\n<!-- a.b=\"1\" -->\n<polycomConfig>\n  <reg\n    reg.1.label=\"Anna\"\n  />\n</polycomConfig>\n";

#[test]
fn attributes() {
    let check = |before: &str, set: &[(&str, &str)], after: &str| {
        check(&ExtraForm::Attribute, before, set, after);
    };
    let with = |from: &str, to: &str| POLY.replace(from, to);
    check(POLY, &[("reg.1.label", "R&D \"<2>\"")], &with("Anna", "R&amp;D &quot;&lt;2&gt;&quot;"));
    // A new one goes to its group, with the blank that attributes have there.
    check(
        POLY,
        &[("reg.1.ringType", "3")],
        &with("Anna\"\n", "Anna\"\n    reg.1.ringType=\"3\"\n"),
    );
    // A group of its own, and the second of that group beside the first.
    check(
        POLY,
        &[("voice.volume.persist.handset", "1"), ("voice.volume.persist.headset", "0")],
        &with(
            "</polycomConfig>",
            "  <voice\n    voice.volume.persist.handset=\"1\"\n    voice.volume.persist.headset=\"0\"\n  />\n</polycomConfig>",
        ),
    );
    check(
        "<a x.y = '1'><b x.y=\"2\"/></a>",
        &[("x.y", "it's")],
        "<a x.y = 'it&apos;s'><b x.y=\"it&apos;s\"/></a>",
    );
    check("<a/>", &[("x.y", "1")], "<a><x x.y=\"1\"/></a>");
    check("<a b=\"1\" />", &[("x", "1")], "<a b=\"1\"><x x=\"1\"/></a>");
    check("\u{feff}<a></a>", &[("x.y", "1")], "\u{feff}<a><x x.y=\"1\"/></a>");
    check("<a><x></x></a>", &[("x.y", "1")], "<a><x x.y=\"1\"></x></a>");
    for key in ["", "a b", "1a", "a<b", "a\"b", "a=b"] {
        refused(&ExtraForm::Attribute, POLY, (key, "1"), "is no name");
    }
    refused(&ExtraForm::Attribute, POLY, ("a", "\u{1}"), "U+0001, which XML can't carry");
}

const CISCO: &str = "<device>\n  <devicePool>\n    <webAccess>9</webAccess>\n  </devicePool>\n  <vendorConfig>\n    <webAccess>1</webAccess>\n  </vendorConfig>\n  <authenticationURL/>\n</device>\n";

#[test]
fn elements_of_a_vendor() {
    let form = element("device/vendorConfig", &[], None);
    let with = |from: &str, to: &str| CISCO.replace(from, to);
    check(&form, CISCO, &[("webAccess", "0 & 1")], &with(">1<", ">0 &amp; 1<"));
    let more = "</webAccess>\n    <spanToPCPort>1</spanToPCPort>\n  </vendorConfig>";
    check(&form, CISCO, &[("spanToPCPort", "1")], &with("</webAccess>\n  </vendorConfig>", more));
    // A path reaches the rest of the document.
    check(
        &form,
        CISCO,
        &[("/device/authenticationURL", "http://a/?b&c")],
        &with("<authenticationURL/>", "<authenticationURL>http://a/?b&amp;c</authenticationURL>"),
    );
    check(
        &form,
        CISCO,
        &[("/device/commonProfile/phonePassword", "x")],
        &with(
            "</device>",
            "  <commonProfile>\n    <phonePassword>x</phonePassword>\n  </commonProfile>\n</device>",
        ),
    );
    check(
        &form,
        "<device><a/></device>",
        &[("webAccess", "0")],
        "<device><a/><vendorConfig><webAccess>0</webAccess></vendorConfig></device>",
    );
    check(
        &form,
        "<device>\n  <vendorConfig/>\n</device>",
        &[("a", "0"), ("b", "1")],
        "<device>\n  <vendorConfig><a>0</a><b>1</b></vendorConfig>\n</device>",
    );
    refused(&form, CISCO, ("/device/vendorConfig", "x"), "would take the place of all");
    refused(&form, CISCO, ("/Default/a", "x"), "belongs into <Default>");
    for key in ["", "/", "a/b", "a b", "47", "a[1]", "/device//a"] {
        refused(&form, CISCO, (key, "x"), "is no name");
    }
}

#[test]
fn p_values() {
    let form = element("gs_provision/config", &[], None);
    let before = "<?xml version=\"1.0\"?>\n<gs_provision version=\"1\"><config version=\"1\"><P271>1</P271><P47>192.0.2.10</P47></config></gs_provision>";
    let after = before.replace("192.0.2.10", "192.0.2.11");
    let after = after.replace("</config>", "<P2>secret</P2></config>");
    check(&form, before, &[("P47", "192.0.2.11"), ("P2", "secret")], &after);
    refused(&form, before, ("47", "x"), "is no name");
}

#[test]
fn snom_settings() {
    let form = element("settings/phone-settings", &[("perm", "RW")], Some("idx"));
    let before = "<settings>\n  <phone-settings>\n    <web_language perm=\"\">Deutsch</web_language>\n    <user_name idx=\"1\" perm=\"RW\">201</user_name>\n  </phone-settings>\n</settings>\n";
    check(&form, before, &[("web_language", "English")], &before.replace("Deutsch", "English"));
    check(&form, before, &[("user_name[1]", "202")], &before.replace("201", "202"));
    let more = "201</user_name>\n    <user_name idx=\"2\" perm=\"RW\">203</user_name>\n    <tone_scheme perm=\"RW\">GER</tone_scheme>\n";
    let after = before.replace("201</user_name>\n", more);
    let sorted = [("user_name[2]", "203"), ("tone_scheme", "GER")];
    let merged = merge(before, &form, &values(&sorted)).unwrap();
    assert_eq!(merged.len(), after.len());
    assert!(merged.contains("<user_name idx=\"2\" perm=\"RW\">203</user_name>"), "{merged}");
    assert!(merged.contains("<tone_scheme perm=\"RW\">GER</tone_scheme>"), "{merged}");
    check(&form, &merged, &sorted, &merged);
    refused(&form, before, ("user_name[x]", "1"), "is no name");
}

proptest! {
    /// Whatever text XML can carry goes in, keeps the file whole, and stays where it is when merged again.
    #[test]
    fn any_value_in_xml(value in "[\\t -\u{d7ff}\u{e000}-\u{fffd}]{0,30}", key in "[a-z]{1,3}(\\.[a-z0-9]{1,3}){0,2}") {
        for (form, before) in [(ExtraForm::Attribute, POLY), (element("device/vendorConfig", &[], None), CISCO)] {
            let set = values(&[(&key, &value)]);
            let merged = merge(before, &form, &set).unwrap();
            prop_assert_eq!(xml::check(&merged), Ok(()));
            prop_assert_eq!(merge(&merged, &form, &set).unwrap(), merged);
        }
    }

    /// No text, whole or not, makes the merge panic.
    #[test]
    fn any_file(text in "(<|/|>|a|=|\"|'| |\n|&|\u{feff}|<a>|</a>|<a b=\"1\"/>|☎){0,20}") {
        for form in [ExtraForm::Line, ExtraForm::Quoted, ExtraForm::Attribute, element("a/b", &[], None)] {
            let _ = merge(&text, &form, &values(&[("a.b", "1")]));
        }
    }
}
