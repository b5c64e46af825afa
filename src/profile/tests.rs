//! What the shipped families say: names, evidence and models as support engineers know them.

use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;

static SHIPPED: LazyLock<Catalog> = LazyLock::new(|| {
    let (catalog, problems) = Catalog::load(None);
    assert!(problems.is_empty(), "{problems:#?}");
    catalog
});

/// The match of a name in the family that `family file [mac] [model]` begins with, else the best; a `+` behind it says
/// that other families ask for such a name too.
#[track_caller]
fn name(name: &str, expected: &str) {
    let matches = SHIPPED.resolve(name);
    let family = expected.split(' ').next().unwrap_or_default();
    let own = matches.iter().find(|one| one.family.name.as_str() == family);
    let told = own.or(matches.first()).map(|best| {
        let mac = best.mac.map(|mac| mac.to_string());
        let model = best.model.map(|model| model.name.clone());
        let parts = [Some(best.family.name.to_string()), Some(best.file.name.clone()), mac, model];
        let shared = matches.iter().any(|one| one.family.name != best.family.name);
        let more = shared.then(|| "+".to_owned());
        parts.into_iter().chain([more]).flatten().collect::<Vec<_>>().join(" ")
    });
    assert_eq!(told.as_deref().unwrap_or("-"), expected, "{name}");
}

/// What a piece of evidence says: `vendor family model firmware mac`, `-` where it says nothing.
#[track_caller]
fn seen(seen: Seen<'_>, expected: &str) {
    let ground = SHIPPED.recognize(&seen, Timestamp::UNIX_EPOCH);
    let told = ground.map(|ground| {
        let family = ground.family.map(|family| family.to_string());
        let mac = ground.mac.map(|mac| mac.to_string());
        let parts = [ground.vendor, family, ground.model, ground.firmware, mac];
        parts.map(|part| part.unwrap_or_else(|| "-".to_owned())).join(" ")
    });
    assert_eq!(told.as_deref().unwrap_or("nothing"), expected, "{seen:?}");
}

#[test]
fn every_shipped_family() {
    let served = || SHIPPED.families().filter(|family| family.provisions);
    let names: Vec<_> = served().map(|family| family.name.as_str()).collect();
    let expected = "algo audiocodes-400hd avaya-j100-96x1 cisco-69xx-89xx-99xx-enterprise cisco-78xx-88xx-enterprise \
        cisco-7940-7960 cisco-79xx-enterprise cisco-ata cisco-legacy-sccp cisco-mpp-3pcc cisco-spa fanvil \
        gigaset-dect grandstream-desk grandstream-ht htek mitel-aastra-sip mitel-minet obihai panasonic-ut-hdv \
        panasonic-tgp-dect poly-ccx poly-edge-e poly-soundpoint poly-trio poly-vvx sangoma snom-desk snom-dect \
        yealink-desk yealink-dect";
    assert_eq!(names.join(" "), expected);
    for family in served() {
        assert!(family.files.iter().any(|file| file.required), "{}", family.name);
        assert!(family.files.iter().any(|file| file.first), "{}", family.name);
        assert!(!family.dhcp.servers.is_empty() && !family.sources.is_empty(), "{}", family.name);
    }
    // What is only recognized must not answer for anybody: no template, no name that others are asked for too.
    for family in SHIPPED.families().filter(|family| !family.provisions) {
        assert!(!family.sources.is_empty() && family.dhcp.servers.is_empty(), "{}", family.name);
        assert!(family.files.iter().all(|file| file.template.is_none()), "{}", family.name);
        assert!(family.file("{mac}.cfg").is_none() && family.file("{mac}.xml").is_none());
    }
}

#[test]
fn names_of_cisco() {
    name("SEP003094C2D5CA.cnf", "cisco-legacy-sccp SEP{MAC}.cnf 00:30:94:c2:d5:ca");
    name("SEPDEFAULT.cnf", "cisco-7940-7960 SEPDEFAULT.cnf +");
    name("SEPDefault.cnf", "cisco-7940-7960 SEPDEFAULT.cnf +");
    name("SEP001E7AC41022.cnf.xml", "cisco-7940-7960 SEP{MAC}.cnf.xml 00:1e:7a:c4:10:22 +");
    name("sep001e7ac41022.cnf.xml", "cisco-7940-7960 SEP{MAC}.cnf.xml 00:1e:7a:c4:10:22 +");
    name(
        "SEP001122334455.cnf.xml.sgn",
        "cisco-79xx-enterprise SEP{MAC}.cnf.xml.sgn 00:11:22:33:44:55 +",
    );
    name("XMLDefault.cnf.xml", "cisco-7940-7960 XMLDefault.cnf.xml +");
    name("CTLSEP0013C4AABBCC.tlv", "cisco-7940-7960 CTLSEP{MAC}.tlv 00:13:c4:aa:bb:cc +");
    name("ITLFile.tlv", "cisco-79xx-enterprise ITLFile.tlv +");
    name("OS79XX.TXT", "cisco-7940-7960 OS79XX.TXT");
    name("SIP001122334455.cnf", "cisco-7940-7960 SIP{MAC}.cnf 00:11:22:33:44:55");
    name("SIPDefault.cnf", "cisco-7940-7960 SIPDefault.cnf");
    name("P0S3-8-12-00.loads", "cisco-7940-7960 P0S3-{load}");
    name("term75.default.loads", "cisco-79xx-enterprise term75.default.loads 7975G");
    name("term61.default.loads", "cisco-79xx-enterprise term61.default.loads");
    name("SCCP31.9-2-1S.loads", "cisco-79xx-enterprise SCCP{load}.loads 7931G +");
    name("SCCP41.9-4-2SR3-1S.loads", "cisco-79xx-enterprise SCCP{load}.loads +");
    name("CP7925G-1.4.1SR1.LOADS", "cisco-79xx-enterprise CP7925G-{load}.loads 7925G");
    name("English_United_States/mk-sip.jar", "cisco-79xx-enterprise mk-sip.jar");
    name("United_States/g3-tones.xml", "cisco-79xx-enterprise {any}/g3-tones.xml +");
    name("Desktops/320x196x4/List.xml", "cisco-79xx-enterprise Desktops/{any}/List.xml +");
    name("gk001122334455", "cisco-legacy-sccp gk{mac} 00:11:22:33:44:55 7912G");
}

#[test]
fn names_of_poly_and_yealink() {
    name("000000000000.cfg", "poly-soundpoint 000000000000.cfg +");
    name("0004f2aabbcc.cfg", "poly-soundpoint {mac}.cfg 00:04:f2:aa:bb:cc +");
    name("0004F2AABBCC.CFG", "poly-soundpoint {mac}.cfg 00:04:f2:aa:bb:cc +");
    name("0004f2aabbcc-line.cfg", "poly-soundpoint {mac}-line.cfg 00:04:f2:aa:bb:cc +");
    name("provision/0004f2aabbcc-phone.cfg", "poly-soundpoint {mac}-phone.cfg 00:04:f2:aa:bb:cc +");
    name("logs/0004f2aabbcc-boot.log", "poly-soundpoint {mac}-boot.log 00:04:f2:aa:bb:cc +");
    name("sip-interop.cfg", "poly-soundpoint sip-interop.cfg +");
    name("2345-12670-001.sip.ld", "poly-soundpoint {part}.sip.ld SPIP670 +");
    name("phoneprov/3111-40000-001.bootrom.ld", "poly-soundpoint {part}.bootrom.ld SSIP7000 +");
    name("001565aabbcc.cfg", "yealink-desk {mac}.cfg 00:15:65:aa:bb:cc +");
    name("001565aabbcc.boot", "yealink-desk {mac}.boot 00:15:65:aa:bb:cc +");
    name("y000000000000.boot", "yealink-desk y000000000000.boot +");
    name("y000000000000.cfg", "yealink-desk y{code}.cfg T28P +");
    name("y000000000108.cfg", "yealink-desk y{code}.cfg T46U +");
    name("y000000000044.cfg", "yealink-desk y{code}.cfg +");
    name("T46S(T48S,T42S,T41S)-66.86.0.15.rom", "yealink-desk {any}.rom +");
}

#[test]
fn names_of_nobody() {
    for unknown in
        ["", "/", "ffffffffffff.cfg", "pxelinux.0", "SEP000000000000.cnf.xml", "y00000000028.cfg"]
    {
        name(unknown, "-");
    }
    name(&"a".repeat(300), "-");
    name("3111-44500-001.3111-44500-001.sip.ld", "-");
}

/// The number of matches that a file of one model has says nothing about the family of the others.
#[test]
fn a_part_number_names_the_family() {
    let best = |name| {
        SHIPPED.recognize(&Seen::FileName(name), Timestamp::UNIX_EPOCH).and_then(|g| g.family)
    };
    assert_eq!(best("3111-48400-001.sip.ld").unwrap().as_str(), "poly-vvx");
    assert_eq!(best("2345-12670-001.sip.ld").unwrap().as_str(), "poly-soundpoint");
}

#[test]
fn option_60() {
    let check = |text: &str, expected: &str| seen(Seen::Option60(text.as_bytes()), expected);
    check("Cisco Systems, Inc. IP Phone 7905", "Cisco cisco-legacy-sccp 7905G - -");
    check("Cisco Systems, Inc. IP Phone 7912", "Cisco cisco-legacy-sccp 7912G - -");
    check("Cisco Systems, Inc. IP Phone 7920\0", "Cisco cisco-legacy-sccp 7920 - -");
    check("Cisco Systems Inc. Wireless Phone 7921", "Cisco cisco-79xx-enterprise 7921G - -");
    check("Cisco Systems, Inc. IP Phone CP-7940\0", "Cisco cisco-7940-7960 7940 - -");
    check("Cisco Systems, Inc. IP Phone CP-7940G\0", "Cisco cisco-7940-7960 7940 - -");
    check("Cisco Systems, Inc. IP Phone CP-7960G\0", "Cisco cisco-7940-7960 7960 - -");
    check("Cisco Systems, Inc. IP Phone CP-7911G\0", "Cisco cisco-79xx-enterprise 7911G - -");
    check("Cisco Systems, Inc. IP Phone CP-7961G\0", "Cisco cisco-79xx-enterprise 7961G - -");
    check("Cisco Systems, Inc. IP Phone CP-7961G-GE\0", "Cisco cisco-79xx-enterprise 7961G-GE - -");
    check("Cisco Systems, Inc. IP Phone CP-7941G-GE\0", "Cisco cisco-79xx-enterprise 7941G-GE - -");
    check("Cisco Systems, Inc. IP Phone CP-7971G-GE\0", "Cisco cisco-79xx-enterprise 7971G-GE - -");
    check("Cisco Systems, Inc. IP Phone CP-7937G", "Cisco cisco-79xx-enterprise 7937G - -");
    check(
        "Cisco Systems, Inc. IP Phone CP-8961\0",
        "Cisco cisco-69xx-89xx-99xx-enterprise 8961 - -",
    );
    check("Cisco Systems, Inc.", "Cisco - - - -");
    check("Cisco Systems, Inc. IP Phone\0", "Cisco - - - -");
    check("Polycom-SPIP670", "Polycom poly-soundpoint SPIP670 - -");
    check("Polycom-VVX_401", "Polycom poly-vvx VVX401 - -");
    check("Polycom-Trio8800", "Polycom poly-trio Trio8800 - -");
    check("yealink", "Yealink - - - -");
    check("udhcp 1.30.1", "nothing");
    check("", "nothing");
    check("\0", "nothing");
}

#[test]
fn the_binary_class_of_poly() {
    let class = |part: &str| {
        let mut octets =
            b"\0\0\x36\x3d\xff\x01\x07Polycom\x02\x15SoundPointIP-SPIP_601\x03".to_vec();
        octets.push(u8::try_from(part.len()).unwrap());
        octets.extend(part.as_bytes());
        octets.extend(b"\x04\x10SIP/3.1.3.0439/x\xff");
        octets
    };
    seen(
        Seen::Option60(&class("2345-11605-001,2")),
        "Polycom poly-soundpoint SPIP601 3.1.3.0439 -",
    );
    seen(
        Seen::Option125(&class("2345-11605-001,2")),
        "Polycom poly-soundpoint SPIP601 3.1.3.0439 -",
    );
    // The part number is what the firmware goes by: it beats the name.
    seen(Seen::Option60(&class("3111-48400-001")), "Polycom poly-vvx VVX401 3.1.3.0439 -");
    seen(Seen::Option60(b"\0\0\x36\x3d"), "nothing");
    seen(Seen::Option125(b"\0\0\x0d\xe9\x04test"), "nothing");
    let ground =
        SHIPPED.recognize(&Seen::Option60(&class("2345-11605-001,2")), Timestamp::UNIX_EPOCH);
    let value = ground.unwrap().value;
    assert_eq!(value, "Polycom SoundPointIP-SPIP_601 2345-11605-001,2 SIP/3.1.3.0439/x");
}

#[test]
fn user_agents() {
    let check = |text: &str, expected: &str| seen(Seen::UserAgent(text), expected);
    check(
        "FileTransport PolycomVVX-VVX_101-UA/5.4.3.1014 Type/Application",
        "Polycom poly-vvx VVX101 5.4.3.1014 -",
    );
    check(
        "FileTransport PolycomVVX-VVX_500-UA/5.9.7.47435 Type/Updater",
        "Polycom poly-vvx VVX500 - -",
    );
    check(
        "FileTransport PolycomSoundPointIP-SPIP_550-UA/4.0.15.1047 (SN:0004f21a1a1a) Type/Application",
        "Polycom poly-soundpoint SPIP550 4.0.15.1047 00:04:f2:1a:1a:1a",
    );
    check(
        "Microbrowser/1.1 PolycomSoundPointIP-SPIP_550-UA/4.0.15.1047 Type/Application",
        "Polycom poly-soundpoint SPIP550 4.0.15.1047 -",
    );
    check(
        "FileTransport PolycomSoundStationIP-SSIP_6000-UA/5.0.3.1667 Type/Updater",
        "Polycom poly-soundpoint SSIP6000 - -",
    );
    check(
        "FileTransport PolycomSoundPointIP-VVX_500-UA/4.0.3.0439",
        "Polycom poly-vvx VVX500 4.0.3.0439 -",
    );
    check(
        "PolycomVVX-VVX_400-UA/5.9.5.0614_0004f28e5a79",
        "Polycom poly-vvx VVX400 5.9.5.0614 00:04:f2:8e:5a:79",
    );
    check("PolycomVVX-VVX_400-UA/5", "Polycom poly-vvx VVX400 - -");
    check(
        "Yealink SIP-T46S 66.86.0.160 00:15:65:bd:56:d4",
        "Yealink yealink-desk T46S 66.86.0.160 00:15:65:bd:56:d4",
    );
    check(
        "Yealink SIP-T56A 58.80.0.25 001565f429a4",
        "Yealink yealink-desk T56A 58.80.0.25 00:15:65:f4:29:a4",
    );
    check(
        "yealink SIP-T28P 2.50.0.40 00:15:65:11:4c:33",
        "Yealink yealink-desk T28P 2.50.0.40 00:15:65:11:4c:33",
    );
    check(
        "Yealink SIP-T38G  38.70.0.125 00:15:65:00:00:00",
        "Yealink yealink-desk T38G 38.70.0.125 00:15:65:00:00:00",
    );
    check("Yealink-T46G 28.71.0.81 28.1.0.128.0.0.0", "Yealink yealink-desk T46G 28.71.0.81 -");
    check("Yealink SIP-T46S 66.86.0.15", "Yealink yealink-desk T46S 66.86.0.15 -");
    check(
        "Yealink SIP VP-T49G 51.80.0.10 00:15:65:9b:5a:44",
        "Yealink yealink-desk T49G 51.80.0.10 00:15:65:9b:5a:44",
    );
    check(
        "Yealink CP860 37.72.0.5 00:15:65:8a:37:86",
        "Yealink yealink-desk CP860 37.72.0.5 00:15:65:8a:37:86",
    );
    check("Yealink SIP-T33G", "Yealink yealink-desk T33G - -");
    check(
        "Yealink SIP-T58A 58.83.0.15 00:15:65:9b:5b:22",
        "Yealink yealink-desk T58 58.83.0.15 00:15:65:9b:5b:22",
    );
    check(
        "VP530P 23.70.0.40 00:15:65:31:4b:c0",
        "Yealink yealink-desk VP530 23.70.0.40 00:15:65:31:4b:c0",
    );
    // A DECT base of the same vendor is no desk phone.
    check(
        "Yealink W60B 77.81.0.35 80:5e:c0:09:ab:dc",
        "Yealink yealink-dect W60B 77.81.0.35 80:5e:c0:09:ab:dc",
    );
    check("Cisco-CP7961G/9.4.2", "Cisco cisco-79xx-enterprise 7961G 9.4.2 -");
    check("curl/8.5.0", "nothing");
    // A token of the wrong length is no MAC, and a phone of this vendor would not have written it.
    check("Yealink SIP-T46S 66.86.0.160 00:15:65:bd:56", "nothing");
}

#[test]
fn other_evidence() {
    seen(Seen::Option12(b"SEP002699EF0F1A"), "Cisco - - - 00:26:99:ef:0f:1a");
    seen(Seen::Option12(b"Polycom_0004f2aabbcc"), "Polycom - - - 00:04:f2:aa:bb:cc");
    seen(Seen::Option12(b"DESKTOP-1"), "nothing");
    seen(Seen::Option55(&[1, 66, 6, 3, 15, 150, 35]), "Cisco - - - -");
    seen(Seen::Option55(&[1, 28, 160, 66, 43, 3, 4, 42, 2, 6, 15, 7]), "Polycom - - - -");
    seen(Seen::Option55(&[1, 2, 3, 4, 6, 7, 12, 15, 28, 42, 66, 67, 43, 120]), "Yealink - - - -");
    seen(Seen::Option55(&[1, 3, 6]), "nothing");
    seen(Seen::Option61(&[1, 0, 0x15, 0x65, 0xaa, 0xbb, 0xcc]), "- - - - 00:15:65:aa:bb:cc");
    seen(Seen::Option61(b"\0name"), "nothing");
    let prefix = |mac: &str| Seen::Prefix(mac.parse().unwrap());
    seen(prefix("0004f2000001"), "Polycom - - - -");
    seen(prefix("805ec0000001"), "Yealink - - - -");
    seen(prefix("001873000001"), "Cisco - - - -");
    seen(prefix("020000000001"), "nothing");
}

#[test]
fn file_names_as_evidence() {
    let check = |text: &str, expected: &str| seen(Seen::FileName(text), expected);
    check("term06.default.loads", "Cisco cisco-79xx-enterprise 7906G - -");
    check("term71.default.loads", "Cisco cisco-79xx-enterprise 7971G-GE - -");
    check("term61.default.loads", "Cisco - - - -");
    check("SEP003094C2D5CA.cnf", "Cisco cisco-legacy-sccp - - 00:30:94:c2:d5:ca");
    check("SEP001E7AC41022.cnf.xml", "Cisco - - - 00:1e:7a:c4:10:22");
    check("OS79XX.TXT", "Cisco cisco-7940-7960 - - -");
    check("gkdefault.cfg", "Cisco cisco-legacy-sccp 7912G - -");
    check("Ringlist-wb.xml", "Cisco - - - -");
    check("3111-46161-001.sip.ld", "Polycom poly-vvx VVX310 - -");
    check("2345-99999-001.sip.ld", "Polycom - - - -");
    check("provision/y000000000028.cfg", "Yealink yealink-desk T46G - -");
    check("y000000000108.cfg", "Yealink yealink-desk T46U - -");
    // Two models share a number, which is no reason to doubt the family; an unknown number is.
    check("y000000000095.cfg", "Yealink yealink-desk - - -");
    check("y000000000077.cfg", "Yealink yealink-dect W60B - -");
    // Poly and Yealink both ask for it: the name tells whose it is, not what it is.
    check("0004f2aabbcc.cfg", "- - - - 00:04:f2:aa:bb:cc");
    check("0004f2aabbcc-web.cfg", "Polycom - - - 00:04:f2:aa:bb:cc");
    check("000000000000.cfg", "Polycom - - - -");
}

#[test]
fn models_in_every_spelling() {
    let check = |spelling: &str, expected: &str| {
        let found = SHIPPED
            .model(spelling)
            .map(|(family, model)| format!("{} {}", family.name, model.name));
        assert_eq!(found.as_deref().unwrap_or("-"), expected, "{spelling}");
    };
    for spelling in [
        "7961",
        "7961G",
        "CP-7961G",
        "cp-7961g",
        "Cisco 7961G",
        "CP-7961G-K9",
        "Cisco IP Phone 7961",
    ] {
        check(spelling, "cisco-79xx-enterprise 7961G");
    }
    for spelling in ["7961G-GE", "CP-7961G-GE", "7961GGE", "7961GE", "cisco CP-7961G-GE"] {
        check(spelling, "cisco-79xx-enterprise 7961G-GE");
    }
    for spelling in ["VVX 401", "VVX_401", "vvx401", "VVX-401", "Polycom VVX 401", "Poly VVX401"] {
        check(spelling, "poly-vvx VVX401");
    }
    for spelling in
        ["SoundPoint IP 670", "SPIP670", "SPIP_670", "IP670", "IP 670", "Polycom SoundPoint IP 670"]
    {
        check(spelling, "poly-soundpoint SPIP670");
    }
    for spelling in ["T46S", "SIP-T46S", "Yealink T46S", "yealink sip-t46s"] {
        check(spelling, "yealink-desk T46S");
    }
    check("SIP-CP920", "yealink-desk CP920");
    check("T21P E2", "yealink-desk T21P_E2");
    check("7910+SW", "cisco-legacy-sccp 7910+SW");
    check("7940G", "cisco-7940-7960 7940");
    check("Snom 300", "snom-desk 300");
    check("Polycom 300", "poly-soundpoint SPIP300");
    check("300", "snom-desk 300");
    check("8841-3PCC", "cisco-mpp-3pcc 8841-3PCC");
    check("8841", "cisco-78xx-88xx-enterprise 8841");
    check("", "-");
    check("Cisco", "-");
}

#[test]
fn same_and_other_products() {
    let check = |one: &str, other: &str, expected: bool| {
        assert_eq!(SHIPPED.same_product(one, other), expected, "{one} {other}");
        assert_eq!(SHIPPED.same_product(other, one), expected, "{other} {one}");
    };
    check("7961", "CP-7961G", true);
    check("7961G", "7961G-GE", false);
    check("7941", "7941G", true);
    check("7941G", "7941G-GE", false);
    check("7940", "7960", false);
    check("7970G", "7971G-GE", false);
    check("7942", "7962", false);
    check("7910", "7910+SW", false);
    check("VVX 400", "VVX401", false);
    check("VVX 401", "vvx401", true);
    check("SoundPoint IP 330", "IP331", false);
    check("T46G", "T46S", false);
    check("T46S", "SIP-T46S", true);
    check("T23P", "T23G", false);
    check("8841-3PCC", "CP-8841-3PCC", true);
    check("8841-3PCC", "8841", false);
    check("8841", "7961", false);
}

#[test]
fn what_is_no_phone() {
    let check = |text: &str, expected: Option<&str>| {
        assert_eq!(SHIPPED.not_a_phone(&Seen::Option60(text.as_bytes())), expected, "{text}");
    };
    check("MSFT 5.0", Some("Windows"));
    check("android-dhcp-14", Some("Android"));
    check("PXEClient:Arch:00000:UNDI:002001", Some("PXE boot ROM"));
    check("dhcpcd-9.4.1:Linux-5.10.0", Some("Linux"));
    check("udhcp 1.30.1", None);
    check("Cisco Systems, Inc. IP Phone CP-7961G", None);
    check("yealink", None);
}

#[test]
fn what_a_name_stands_for() {
    let check = |name: &str, expected: &str| {
        let families: Vec<_> =
            SHIPPED.expand(name).iter().map(|family| family.name.to_string()).collect();
        assert_eq!(families.join(" "), expected, "{name}");
    };
    check("poly-vvx", "poly-vvx");
    let poly = "poly-ccx poly-edge-e poly-soundpoint poly-trio poly-vvx";
    check("Poly", poly);
    check("polycom", poly);
    check("yealink", "yealink-desk yealink-dect");
    check(
        "cisco-enterprise",
        "cisco-69xx-89xx-99xx-enterprise cisco-78xx-88xx-enterprise cisco-7940-7960 \
         cisco-79xx-enterprise cisco-legacy-sccp",
    );
    check("Linksys", "cisco-spa");
    check("acme", "");
}

#[test]
fn what_a_phone_must_have() {
    let check = |family: &str, file: &str, protocol: Option<Speaks>, expected: &str| {
        let family = SHIPPED.family(family).unwrap();
        let required = family.required(family.file(file).unwrap(), protocol);
        let told = required.map(|required| format!("{}/{}", required.slot, required.of));
        assert_eq!(told.as_deref().unwrap_or("-"), expected, "{} {file}", family.name);
    };
    check("cisco-legacy-sccp", "SEP{MAC}.cnf", None, "0/1");
    check("cisco-legacy-sccp", "SEP{MAC}.cnf.xml", Some(Speaks::Sccp), "0/1");
    check("cisco-79xx-enterprise", "SEP{MAC}.cnf.xml.sgn", Some(Speaks::Sip), "0/1");
    check("cisco-79xx-enterprise", "CTLSEP{MAC}.tlv", None, "-");
    check("cisco-7940-7960", "SIP{MAC}.cnf", Some(Speaks::Sip), "0/1");
    check("cisco-7940-7960", "SEP{MAC}.cnf.xml", Some(Speaks::Sip), "-");
    check("cisco-7940-7960", "SEP{MAC}.cnf.xml", Some(Speaks::Sccp), "0/1");
    check("poly-vvx", "{mac}.cfg", None, "0/2");
    check("poly-vvx", "{mac}-line.cfg", None, "1/2");
    check("yealink-desk", "y{code}.cfg", None, "-");
}

#[test]
fn names_that_a_phone_will_ask() {
    let check = |family: &str, model: &str, expected: &str| {
        let family = SHIPPED.family(family).unwrap();
        let mac = "00:15:65:aa:bb:cc".parse().unwrap();
        let names: Vec<_> =
            family.files.iter().filter_map(|f| f.expand(mac, family.models.get(model))).collect();
        assert!(names.iter().any(|name| name == expected), "{expected} in {names:?}");
        assert!(names.iter().all(|name| !SHIPPED.resolve(name).is_empty()));
    };
    check("cisco-legacy-sccp", "7910", "SEP001565AABBCC.cnf");
    check("poly-vvx", "VVX401", "3111-48400-001.sip.ld");
    check("yealink-desk", "T46G", "y000000000028.cfg");
    check("yealink-desk", "T46U", "y000000000108.cfg");
}

#[test]
fn zones_in_each_familys_form() {
    let check = |family: &str, iana: &str, offset: i64, expected: Option<&str>| {
        assert_eq!(
            SHIPPED.family(family).unwrap().time_zone(iana, offset),
            expected,
            "{family} {iana}"
        );
    };
    check("cisco-79xx-enterprise", "Europe/Paris", 3600, Some("Romance Standard/Daylight Time"));
    check("cisco-79xx-enterprise", "Asia/Calcutta", 19_800, Some("India Standard Time"));
    check("cisco-7940-7960", "America/St_Johns", -12_600, Some("NST"));
    check("cisco-7940-7960", "Asia/Kathmandu", 20_700, None);
    check("cisco-79xx-enterprise", "", 0, None);
}

proptest! {
    #[test]
    fn no_bytes_break_the_recognizer(octets in proptest::collection::vec(any::<u8>(), 0..300), text in ".{0,80}") {
        let at = Timestamp::UNIX_EPOCH;
        for seen in [
            Seen::Option60(&octets), Seen::Option12(&octets), Seen::Option55(&octets), Seen::Option61(&octets),
            Seen::Option125(&octets), Seen::UserAgent(&text), Seen::FileName(&text),
        ] {
            if let Some(ground) = SHIPPED.recognize(&seen, at) {
                prop_assert!(ground.value.chars().count() <= 129);
            }
            let _ = SHIPPED.not_a_phone(&seen);
        }
        let _ = SHIPPED.resolve(&text);
        let _ = (SHIPPED.model(&text), SHIPPED.same_product(&text, "7961"));
    }

    #[test]
    fn near_misses_do_not_break_it_either(name in "(SEP|y|CTLSEP)?[0-9a-fA-F]{11,13}(-line)?\\.(cnf(\\.xml)?|cfg|tlv|boot)") {
        for found in SHIPPED.resolve(&name) {
            let is_mac = found.file.name.to_ascii_lowercase().contains("{mac}");
            prop_assert_eq!(found.mac.is_some(), is_mac);
        }
    }
}
