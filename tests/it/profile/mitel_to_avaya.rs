//! Families from Mitel to Avaya against their golden files, and what only they have.

use minijinja::{Value, context};
use ringup::profile::{ExtraForm, RenderError};

use super::{SHIPPED, everything, golden, line, one_line, render, server};

/// Twelve lines behind outbound proxies, offered SRTP over TCP, and a zone without summer time west of Greenwich.
fn twelve(model: &str) -> Value {
    let lines = (1..=12)
        .map(|index| line(index, &format!("40{:02}", index + 11), &format!("Desk {index}")));
    context! {
        lines => lines.collect::<Vec<_>>(), sip_transport => "tcp", srtp => "offered",
        servers => (1..=3).map(|index| server(index, &format!("10.20.0.{}", index + 4), "5060")).collect::<Vec<_>>(),
        outbound_proxies => vec![server(1, "10.20.0.8", "5060"), server(2, "10.20.0.9", "5060")],
        time_zone => "America/Bogota", gmt_offset => -18000, posix_zone => "<-05>5",
        http_base => "http://10.20.0.1:8080",
        ..one_line(model, "sip")
    }
}

#[test]
fn golden_files() {
    let families = [
        ("mitel-aastra-sip", "6867i", "", "6.3.0/6867i.st"),
        ("gigaset-dect", "N870 IP PRO", "", "Gigaset-Nx70-V2.62.1-build.d1d6a22.bin"),
        ("gigaset-dect", "N510 IP PRO", "n510-", "fw262.bin"),
        ("gigaset-dect", "N720 DM PRO", "n720-", "einsteiniwu117_70.bin"),
        ("gigaset-dect", "Maxwell 3", "maxwell-", "2.22.4.bin"),
        ("gigaset-dect", "P850", "p850-", "P850-1.20.0.bin"),
        ("htek", "UC926E", "", "fw926E.rom"),
        ("sangoma", "S505", "", "fwS505.rom"),
        ("audiocodes-400hd", "440HD", "", "440HD.img"),
        ("obihai", "OBi1062", "", "OBiPhone-5-1-11.fw"),
        ("avaya-j100-96x1", "J179", "", "FW_S_J179_R4_1_3_0_6.bin"),
    ];
    for (family, model, scene, load) in families {
        let phonebook = SHIPPED.family(family).unwrap().phonebook().unwrap_or_default();
        let full = context! { phonebook, ..everything(model, "sip", load) };
        // Values merged last have no place in the older forms of a family, which is told and not passed over.
        let full = if scene.is_empty() {
            full
        } else {
            context! { set => context! {}, ..full }
        };
        golden(family, &format!("{scene}one"), &one_line(model, "sip"));
        golden(family, &format!("{scene}everything"), &full);
        golden(family, &format!("{scene}twelve"), &twelve(model));
    }
}

/// How many times `what` is in a file of a phone with twelve lines.
fn count(family: &str, file: &str, model: &str, what: &str, expected: usize) {
    let text = render(family, file, &twelve(model)).unwrap();
    assert_eq!(text.matches(what).count(), expected, "{model}: {what}\n{text}");
}

#[test]
fn no_more_lines_than_the_model_has() {
    count("mitel-aastra-sip", "{MAC}.cfg", "6863i", " password: ", 2);
    count("mitel-aastra-sip", "{MAC}.cfg", "6873i", " password: ", 12);
    count("gigaset-dect", "{mac}.xml", "N510", "aucS_SIP_PASSWORD", 6);
    count("gigaset-dect", "{mac}.xml", "N720", "aucS_SIP_PASSWORD", 12);
    count("gigaset-dect", "{mac}.xml", "N670", ".AuthPassword", 12);
    count("gigaset-dect", "{mac}.xml", "Maxwell 2", ".AuthPassword", 4);
    count("htek", "cfg{mac}.xml", "UC923", "_AuthenticatePassword", 4);
    count("htek", "cfg{mac}.xml", "UC926U", "_AuthenticatePassword", 12);
    count("sangoma", "cfg{mac}.xml", "S300", "_AuthenticatePassword", 2);
    count("audiocodes-400hd", "{mac}.cfg", "420HD", "/auth_password=", 2);
    count("obihai", "{mac}.xml", "OBi202", "<Name>AuthPassword</Name>", 4);
    count("avaya-j100-96x1", "{mac}.txt", "J189", "FORCE_SIP_PASSWORD", 1);
    count("yealink-desk", "{mac}.cfg", "T31P", ".password = ", 2);
    count("poly-vvx", "{mac}-line.cfg", "VVX150", ".auth.password=", 2);
    count("poly-soundpoint", "{mac}-line.cfg", "SPIP670", ".auth.password=", 6);
    count("cisco-79xx-enterprise", "SEP{MAC}.cnf.xml", "7961G", "lineIndex=", 6);
    count("cisco-7940-7960", "SIP{MAC}.cnf", "7940", "_password:", 2);
}

#[test]
fn a_key_of_a_mitel_phone_stands_where_the_model_has_it() {
    let check = |model: &str, index: u16, kind: &str, expected: &str| {
        let key = context! { index, type => kind, value => "4020", line => 1, label => "Anna" };
        let values = context! { keys => vec![key], ..one_line(model, "sip") };
        let text = render("mitel-aastra-sip", "{MAC}.cfg", &values).unwrap();
        let written = text.lines().find(|line| line.contains("key") && line.contains(" type: "));
        assert_eq!(written.unwrap_or("none"), expected, "{model} {index}");
    };
    check("6731i", 8, "blf", "prgkey8 type: blf");
    check("6731i", 9, "blf", "none");
    check("6757i", 10, "speed", "topsoftkey10 type: speeddial");
    check("6757i", 11, "blf", "softkey1 type: blf");
    check("6755i", 7, "blf", "softkey1 type: blf");
    // A lamp has no place in the row below the screen of a 68xx: the key dials.
    check("6867i", 20, "blf", "topsoftkey20 type: blf");
    check("6867i", 21, "blf", "softkey1 type: speeddial");
    check("6930", 12, "line", "topsoftkey12 type: line");
}

/// Values that would begin a comment, or end a text, in a form that knows both.
#[test]
fn values_that_would_end_early() {
    let named = |family: &str, file: &str, model: &str, display: &str| {
        let values = context! { lines => vec![line(1, "4012", display)], ..one_line(model, "sip") };
        render(family, file, &values)
    };
    let text = named("mitel-aastra-sip", "{MAC}.cfg", "6867i", "Desk #3").unwrap();
    assert!(text.contains("sip line1 display name: \"Desk #3\"\n"), "{text}");
    let text = named("mitel-aastra-sip", "{MAC}.cfg", "6867i", "Desk 3").unwrap();
    assert!(text.contains("sip line1 display name: Desk 3\n"), "{text}");
    for (family, file, model) in
        [("mitel-aastra-sip", "{MAC}.cfg", "6867i"), ("avaya-j100-96x1", "{mac}.txt", "J179")]
    {
        let error = named(family, file, model, "the \"boss\"").unwrap_err();
        assert!(matches!(error, RenderError::Value { .. }), "{error}");
    }
}

/// Texts made of parts, by values that would begin the next part.
#[test]
fn values_that_would_be_two() {
    let key = |kind: &str| {
        let value = "4020;Type=feature;Name=evil";
        context! { index => 4, type => kind, value, line => 1, label => "Anna" }
    };
    let values = context! { keys => vec![key("blf"), key("speed")], ..one_line("J179", "sip") };
    let text = render("avaya-j100-96x1", "{mac}.txt", &values).unwrap();
    assert_eq!(text.matches("attr1=4020 Type=feature Name=evil;").count(), 2, "{text}");
    let contact = |name: &str, number: &str| context! { name, number };
    let contacts =
        vec![contact("Anna \"Ann\", R&D", "4020"), contact("Ben", "4,5"), contact("Cy", "\"")];
    let values = context! { contacts, ..one_line("6867i", "sip") };
    let text = render("mitel-aastra-sip", "aastra-phonebook.csv", &values).unwrap();
    assert_eq!(text, "Anna 'Ann'  R&D,4020\n");
}

/// `set.KEY` in the forms that these families brought.
#[test]
fn set_goes_into_the_family_s_own_form() {
    let check = |family: &str, file: &str, model: &str, key: &str, expected: &str| {
        let set = std::collections::BTreeMap::from([(key, "7")]);
        let text = render(family, file, &context! { set, ..one_line(model, "sip") }).unwrap();
        assert_eq!(text.lines().filter(|line| line.contains(key)).count(), 1, "{text}");
        assert!(text.lines().any(|line| line.trim() == expected), "{expected}: {text}");
    };
    let mitel = ("mitel-aastra-sip", "{MAC}.cfg");
    check(mitel.0, mitel.1, "6867i", "sip line1 dtmf method", "sip line1 dtmf method: 7");
    check(mitel.0, mitel.1, "6867i", "sip line1 srtp mode", "sip line1 srtp mode: 7");
    let avaya = ("avaya-j100-96x1", "{mac}.txt");
    check(avaya.0, avaya.1, "J179", "CALLFWDSTAT", "SET CALLFWDSTAT \"7\"");
    check(avaya.0, avaya.1, "J179", "ENABLE_SIP_USER_ID", "SET ENABLE_SIP_USER_ID \"7\"");
    let obihai = ("obihai", "{mac}.xml");
    let (new, written) =
        ("VoiceService.1.Phone.1.Enable", "VoiceService.1.VoiceProfile.1.SIP.ProxyServer");
    for (key, before) in [
        (new, "<Name>VoiceService.1.Phone.1.</Name>"),
        (written, "<Name>VoiceService.1.VoiceProfile.1.SIP.</Name>"),
    ] {
        let set = std::collections::BTreeMap::from([(key, "7")]);
        let text =
            render(obihai.0, obihai.1, &context! { set, ..one_line("OBi202", "sip") }).unwrap();
        assert_eq!(super::xmllint(&text), "", "{text}");
        let (_, object) = text.split_once(before).unwrap();
        let (object, _) = object.split_once("</Object>").unwrap();
        let (_, parameter) = key.rsplit_once('.').unwrap();
        assert!(
            object.contains(&format!("<Name>{parameter}</Name>\n      <Value>7</Value>")),
            "{text}"
        );
    }
    let gigaset = ("gigaset-dect", "{mac}.xml");
    let param = |key: &str| format!("<param name=\"{key}\" value=\"7\"/>");
    let (new, written) = ("Telephony.0.CT_ViaRKey", "SipProvider.0.TransportProtocol");
    check(gigaset.0, gigaset.1, "N870", new, &param(new));
    check(gigaset.0, gigaset.1, "N870", written, &param(written));
    let set = std::collections::BTreeMap::from([(new, "7")]);
    let error =
        render(gigaset.0, gigaset.1, &context! { set, ..one_line("N510", "sip") }).unwrap_err();
    assert!(error.to_string().contains("belongs into <provisioning/nvm>"), "{error}");
    let form = SHIPPED.family("gigaset-dect").unwrap().file("{mac}.xml").unwrap().extra.as_ref();
    assert!(matches!(form, Some(ExtraForm::Param { .. })), "{form:?}");
}

#[test]
fn a_phone_is_told_where_its_phonebook_is() {
    for (family, file, model, expected) in [
        ("yealink-desk", "y{code}.cfg", "T46S", "remote_phonebook.data.1.url = "),
        ("cisco-79xx-enterprise", "SEP{MAC}.cnf.xml", "7961G", "<directoryURL>"),
        ("cisco-7940-7960", "SIPDefault.cnf", "7960", "directory_url: \""),
    ] {
        let phonebook = SHIPPED.family(family).unwrap().phonebook().unwrap();
        let text = render(family, file, &context! { phonebook, ..one_line(model, "sip") }).unwrap();
        assert!(text.contains(&format!("{expected}http://10.20.0.1/{phonebook}")), "{text}");
        let text = render(family, file, &one_line(model, "sip")).unwrap();
        assert!(!text.contains(expected), "{text}");
    }
    // A Poly asks it by itself, and one whose keys dial has a directory of its own.
    let own = render("poly-vvx", "{mac}-directory.xml", &one_line("VVX401", "sip")).unwrap_err();
    assert!(matches!(own, RenderError::Absent { .. }), "{own}");
}

/// A directory of 33 names would show nothing on a Cisco: it becomes a menu, and a menu ends at 100.
#[test]
fn a_long_directory_of_a_cisco_is_a_menu() {
    let check = |names: usize, root: &str, shown: usize| {
        let contacts: Vec<_> = (0..names)
            .map(|n| context! { name => format!("Name {n}"), number => format!("{}", 4000 + n) })
            .collect();
        let values = context! { contacts, ..one_line("7961G", "sip") };
        let text = render("cisco-79xx-enterprise", "cisco-79xx-directory.xml", &values).unwrap();
        assert!(text.contains(&format!("<{root}>")), "{text}");
        assert_eq!(text.matches("<Name>").count(), shown);
    };
    check(32, "CiscoIPPhoneDirectory", 32);
    check(33, "CiscoIPPhoneMenu", 33);
    check(101, "CiscoIPPhoneMenu", 100);
}
