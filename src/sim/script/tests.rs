//! What each family asks for, in which order, by what it finds.

use std::{collections::BTreeMap, net::Ipv4Addr, time::Duration};

use super::*;
use crate::sim::{Make, Way};

const SERVER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);

fn grant() -> Grant {
    let url = b"http://10.0.0.1/".to_vec();
    let options = BTreeMap::from([(150, SERVER.octets().to_vec()), (160, url.clone()), (66, url)]);
    Grant { address: Ipv4Addr::new(10, 0, 0, 9), next_server: Ipv4Addr::UNSPECIFIED, options }
}

/// One boot against a server that has `files`: how far it came, and what it asked for, in order.
fn boot(model: &str, habit: Habit, files: &[(&str, &str)]) -> (Reached, String) {
    let make = Make::of(model).unwrap();
    let mac = make.mac(0xaa_bb_cc).unwrap();
    let subject = Subject { mac, make, habit, way: Way::Station };
    let mut script = Script::new(subject, Duration::from_secs(20));
    let grant = grant();
    let mut asked = Vec::new();
    let mut step = script.next(Happened::Began);
    for _ in 0..200 {
        let name = match step {
            Step::Done(reached) => {
                let shorter =
                    |name: String| name.replace(&mac.upper(), "MAC").replace(&mac.lower(), "mac");
                return (reached, shorter(asked.join(" ")));
            }
            Step::Discover => {
                step = script.next(Happened::Leased(&grant));
                continue;
            }
            Step::Wait(_) => {
                asked.push("wait".to_owned());
                step = script.next(Happened::Waited);
                continue;
            }
            Step::Tftp { name, .. } => name,
            Step::Http { method: Method::Get, port: Some(port), path, .. } => {
                format!(":{port}{path}")
            }
            Step::Http { method: Method::Get, path, .. } => path,
            Step::Http { method, path, .. } => format!("{method:?}{path}"),
        };
        let plain =
            name.trim_start_matches('/').replace(&mac.upper(), "MAC").replace(&mac.lower(), "mac");
        let file = files.iter().find(|(name, _)| *name == plain);
        asked.push(name);
        step =
            script.next(file.map_or(Happened::Missed, |(_, text)| Happened::Got(text.as_bytes())));
    }
    panic!("{model} never ends: {asked:?}");
}

#[test]
fn cisco() {
    let check = |model: &str, files: &[(&str, &str)], reached: Reached, asked: &str| {
        assert_eq!(
            boot(model, Habit::Healthy, files),
            (reached, asked.to_owned()),
            "{model} {files:?}"
        );
    };
    check("7935", &[("SEPMAC.cnf", "x")], Reached::Configured, "SEPMAC.cnf");
    check("7935", &[("SEPDEFAULT.cnf", "x")], Reached::Defaulted, "SEPMAC.cnf SEPDEFAULT.cnf");
    check(
        "7935",
        &[],
        Reached::Asked,
        "SEPMAC.cnf SEPDEFAULT.cnf wait SEPMAC.cnf SEPDEFAULT.cnf wait SEPMAC.cnf SEPDEFAULT.cnf",
    );
    check(
        "7940G",
        &[("SEPMAC.cnf.xml", "<device/>")],
        Reached::Configured,
        "CTLSEPMAC.tlv SEPMAC.cnf.xml",
    );
    check(
        "7960G",
        &[("SIPDefault.cnf", "image_version: \"P0S3-8-12-01\"\n"), ("SIPMAC.cnf", "x")],
        Reached::Configured,
        "OS79XX.TXT CTLSEPMAC.tlv SEPMAC.cnf.xml SIPDefault.cnf P0S3-8-12-01.loads SIPMAC.cnf RINGLIST.DAT dialplan.xml",
    );
    let trust = "CTLSEPMAC.tlv ITLSEPMAC.tlv ITLFile.tlv";
    let after = "/mk-sip.jar /g3-tones.xml dialplan.xml";
    check(
        "7961G",
        &[("SEPMAC.cnf.xml", "<device><loadInformation>SIP41.8-5-4S</loadInformation></device>")],
        Reached::Configured,
        &format!("{trust} SEPMAC.cnf.xml {after}"),
    );
    check(
        "7961G",
        &[("SEPMAC.cnf.xml", "<device><loadInformation>SIP41.9-4-2S</loadInformation></device>")],
        Reached::Configured,
        &format!("{trust} SEPMAC.cnf.xml SIP41.9-4-2S.loads {after}"),
    );
    check(
        "7942G",
        &[("XMLDefault.cnf.xml", "<Default/>")],
        Reached::Defaulted,
        &format!("{trust} :6970/SEPMAC.cnf.xml SEPMAC.cnf.xml XMLDefault.cnf.xml"),
    );
}

#[test]
fn poly() {
    let logs_and_lists = "/mac-phone.cfg /mac-web.cfg /000000000000-license.cfg /mac-license.cfg \
        /mac-calls.xml /mac-directory.xml /000000000000-directory.xml";
    let app = "Head/mac-app.log Put/mac-app.log";
    let master = r#"<APPLICATION APP_FILE_PATH="sip.ld" CONFIG_FILES="reg-mac.cfg, [PHONE_MAC_ADDRESS]-x.cfg" />"#;
    let files = "/3111-48450-001.sip.ld /sip.ld /reg-mac.cfg /mac-x.cfg";
    assert_eq!(
        boot("VVX 411", Habit::Healthy, &[("mac.cfg", master), ("reg-mac.cfg", "x")]),
        (
            Reached::Configured,
            format!(
                "Put/mac-boot.log /mac.cfg {files} {logs_and_lists} /mac.cfg {files} {logs_and_lists} {app}"
            )
        )
    );
    let (reached, asked) = boot("SoundPoint IP 670", Habit::Healthy, &[]);
    assert_eq!(reached, Reached::Asked);
    assert!(
        asked.starts_with("Put/mac-boot.log /mac.cfg /000000000000.cfg /mac-phone.cfg"),
        "{asked}"
    );
}

#[test]
fn yealink() {
    let check = |files: &[(&str, &str)], reached: Reached, asked: &str| {
        assert_eq!(boot("T46S", Habit::Healthy, files), (reached, asked.to_owned()), "{files:?}");
    };
    let boot_file =
        "#!version:1.0.0.1\ninclude:config \"y000000000066.cfg\"\ninclude:config \"$mac.cfg\"\n";
    check(
        &[("y000000000000.boot", boot_file), ("mac.cfg", "x")],
        Reached::Configured,
        "/mac.boot /y000000000000.boot /y000000000066.cfg /mac.cfg /mac-local.cfg",
    );
    check(
        &[("mac.cfg", "x")],
        Reached::Configured,
        "/mac.boot /y000000000000.boot /y000000000066.cfg /mac.cfg /mac-local.cfg",
    );
    check(
        &[],
        Reached::Asked,
        "/mac.boot /y000000000000.boot /y000000000066.cfg /mac.cfg /mac-local.cfg",
    );
}

#[test]
fn habits() {
    let fixed = Habit::Fixed { address: Ipv4Addr::new(10, 0, 0, 77), server: SERVER };
    assert_eq!(boot("7935", fixed, &[("SEPMAC.cnf", "x")]).0, Reached::Configured);
    assert_eq!(
        boot("7935", Habit::NeverAsks, &[("SEPMAC.cnf", "x")]),
        (Reached::Leased, String::new())
    );
}

#[test]
fn a_server_that_names_hundreds_of_files_ends_too() {
    let names: Vec<String> = (0..500).map(|n| format!("f{n}.cfg")).collect();
    let master = format!("<APPLICATION CONFIG_FILES=\"{}\"/>", names.join(","));
    let (_, asked) = boot("VVX 411", Habit::Healthy, &[("mac.cfg", &master)]);
    assert!(asked.split(' ').count() <= MAX_ASKS);
}

/// A load is taken once and run after a restart; one for other hardware is taken again and again.
#[test]
fn loads_and_restarts() {
    let config = "<device><loadInformation>SIP45.9-4-2S</loadInformation></device>";
    let files = [("SEPMAC.cnf.xml", config), ("SIP45.9-4-2S.loads", "x")];
    let taken = |habit| {
        let (reached, asked) = boot("7965G", habit, &files);
        assert_eq!(reached, Reached::Configured);
        (asked.matches(".loads").count(), asked.matches("SEPMAC.cnf.xml").count())
    };
    assert_eq!((taken(Habit::Healthy), taken(Habit::NeverRunsItsLoad)), ((1, 2), (4, 4)));
}

#[test]
fn faults() {
    let asked = |habit| boot("7961G", habit, &[("SEPMAC.cnf.xml", "<device/>")]).1;
    assert_eq!(asked(Habit::TrustsNobody).split(' ').count(), 24);
    assert!(!asked(Habit::TrustsNobody).contains(".cnf.xml"));
    assert_eq!(asked(Habit::Literal { name: "{mac}.cfg" }), "{mac}.cfg");
    assert!(asked(Habit::Cloned { of: 0x77_00_01 }).contains("SEP0021A0770001.cnf.xml"));
}
