//! Lists of other systems in, and accounts for PBXs out.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    process::{Command, Stdio},
};

use ringup::{
    config::{Settings, Site, Srtp},
    domain::{Commit, Entry, Secret},
    profile::Catalog,
    provision::inventory::{
        Foreign, Import, ImportOptions, Pbx, Verdict, export_csv, export_pbx, plan,
    },
    store::State,
};

fn settings() -> Settings {
    let mut settings = Settings::default();
    settings.sites.insert("paris".to_owned(), Site { srtp: Srtp::Required, ..Site::default() });
    settings
}

fn planned(state: &State, bytes: &[u8], from: Option<Foreign>) -> Import {
    let options = ImportOptions { from, ..ImportOptions::default() };
    plan(bytes, "list", state, (&Catalog::load(None).0, &settings()), &options, &|_, _| Vec::new())
}

/// Imports a file; everything in it has to be taken. Tells what was said of it as a whole.
#[track_caller]
fn import(state: &mut State, bytes: &[u8], from: Option<Foreign>) -> Vec<String> {
    let import = planned(state, bytes, from);
    assert!(!import.has_refusals(), "{import:#?}");
    let changes = import.batch.map(|batch| batch.changes).unwrap_or_default();
    state.apply(&Commit { number: state.commit + 1, changes });
    import.problems.iter().map(ToString::to_string).collect()
}

fn data(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/data").join(name)).unwrap()
}

fn listed(file: &str) -> State {
    let mut state = State::default();
    import(&mut state, file.as_bytes(), None);
    state
}

/// The entries of a list, with or without the passwords.
fn entries(state: &State, passwords: bool) -> BTreeMap<String, Entry> {
    let bare = |entry: &Entry| {
        let mut entry = entry.clone();
        if !passwords {
            entry.lines.iter_mut().for_each(|line| line.sip_password = Secret::default());
        }
        entry
    };
    let phones = state.phones.iter();
    phones
        .filter_map(|(mac, phone)| Some((mac.to_string(), bare(phone.entry.as_deref()?))))
        .collect()
}

#[test]
fn a_list_in_each_foreign_form_gives_the_same_entries() {
    let mut ours = State::default();
    assert!(import(&mut ours, &data("ours.csv"), None).is_empty());
    assert_eq!(ours.listed(), 3);
    // Told by its columns, and by name.
    let check = |files: &[&str], from: Foreign, passwords: bool, said: &[&str]| {
        for from in [None, Some(from)] {
            let mut state = State::default();
            let told: Vec<String> =
                files.iter().flat_map(|file| import(&mut state, &data(file), from)).collect();
            assert_eq!(entries(&state, true), entries(&ours, passwords), "{files:?}");
            assert_eq!(told, said, "{files:?}");
            for file in files {
                let again = planned(&state, &data(file), from);
                assert!(again.rows.iter().all(|row| row.verdict == Verdict::Same), "{again:#?}");
            }
        }
    };
    check(
        &["freepbx-devices.csv", "freepbx-extensions.csv"],
        Foreign::FreePbx,
        true,
        &[
            "list: warning: read as devices of FreePBX's Endpoint Manager",
            "list: warning: read as extensions of FreePBX",
            "list: warning: 1 rows left out, with a number that no phone of the list has: line 5",
        ],
    );
    check(
        &["3cx.csv"],
        Foreign::ThreeCx,
        true,
        &[
            "list: warning: read as extensions of 3CX",
            "list: warning: 1 rows left out, with no desk phone in them: line 5",
        ],
    );
    check(
        &["cucm-bat.txt"],
        Foreign::Cucm,
        false,
        &[
            "list: warning: read as phones of Cisco Unified CM",
            "list: warning: 2 rows left out, with no desk phone in them: line 5, 6",
        ],
    );
}

#[test]
fn foreign_lists_that_are_none() {
    let check = |file: &str, from: Option<Foreign>, expected: &str| {
        let import = planned(&State::default(), file.as_bytes(), from);
        let told: Vec<_> = import.problems.iter().map(ToString::to_string).collect();
        assert_eq!(told, [expected], "{file}");
        assert!(import.has_refusals() && import.batch.is_none());
    };
    check(
        "mac,number\n001565aabb01,4012\n",
        Some(Foreign::ThreeCx),
        "list:1: this is not what 3cx exports\n  help: without --from, ringup tells by the columns; --map 'THEIRS=OURS' \
         names them",
    );
    check(
        "extension,name,secret\n4012,Anna,x\n",
        None,
        "list: it names no MAC, and no phone of the list has one of its numbers\n  help: import the phones first, such as \
         the CSV export of the Endpoint Manager",
    );
    check(
        "Number,FirstName,LastName,AuthID,MAC_0\n4012,Anna,Berg,4012,\n",
        None,
        "list: read as extensions of 3CX, and there is no phone in it\n  help: --from, or --map, reads it otherwise",
    );
}

#[test]
fn phones_of_unified_cm_have_their_lines() {
    let file = "Device Name,Description,Device Type,Directory Number 1,Display 1,Directory Number 2,Line Text Label 2\n\
                SEP001E7AC41022,Hall,Cisco 7961G-GE,4012,,4112,Door\nSEP001E7AC4102,x,Cisco 7961,1,,,\n";
    let import = planned(&State::default(), file.as_bytes(), None);
    assert_eq!(
        import.rows[1].verdict,
        Verdict::Refused {
            faults: vec![ringup::provision::inventory::mac("SEP001E7AC4102").unwrap_err()]
        }
    );
    let state = listed(file.lines().take(2).collect::<Vec<_>>().join("\n").as_str());
    let entry = &entries(&state, true)["00:1e:7a:c4:10:22"];
    let lines: Vec<_> = entry.lines.iter().map(|line| (&*line.number, &*line.name)).collect();
    assert_eq!(
        (entry.model.as_str(), lines),
        ("7961G-GE", vec![("4012", "Hall"), ("4112", "Door")])
    );
}

/// One account with everything in it that a form has to escape.
const LIST: &str = "mac,model,number,name,sip-user,sip-password,site,line\n\
    001E7AC41022,7961,4012,\"Anna \"\"B\"\" <x>\",u;1,\"a;b\\c\"\"&<'$\",,1\n";
/// Two accounts on three phones, and a line without a password.
const SHARED: &str = "mac,model,number,name,sip-password,site\n\
    001E7AC41022,7961,4012,Anna Berg,pw-one,\n\
    0004F2AABBCC,VVX 401,4013,=Bert,pw;two,paris\n\
    0004F2AABBCD,VVX 401,4013,=Bert,pw;two,paris\n\
    0004F2AABBCE,VVX 401,4014,Open,,\n";

fn exported(pbx: Pbx, state: &State, secrets: bool) -> Result<String, String> {
    let (settings, catalog) = (settings(), Catalog::load(None).0);
    let text = export_pbx(pbx, state, (&settings, &catalog), &|_, _| true, secrets);
    text.map_err(|faults| faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
}

/// A section of a configuration file of Asterisk: its name, and its options.
type Section = (String, BTreeMap<String, String>);

/// Reads sections as Asterisk's `main/config.c` does: a semicolon begins a comment unless a backslash is before it,
/// blanks at both ends of a value go.
fn sections(text: &str) -> Vec<Section> {
    let mut sections: Vec<Section> = Vec::new();
    for line in text.lines() {
        let mut kept = String::new();
        for c in line.chars() {
            match c {
                ';' if kept.ends_with('\\') => {
                    kept.pop();
                    kept.push(';');
                }
                ';' => break,
                c => kept.push(c),
            }
        }
        let line = kept.trim();
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            sections.push((name.to_owned(), BTreeMap::new()));
        } else if let Some((key, value)) = line.split_once('=') {
            let value = value.strip_prefix('>').unwrap_or(value).trim();
            sections.last_mut().unwrap().1.insert(key.trim().to_owned(), value.to_owned());
        } else {
            assert!(line.is_empty(), "Asterisk would not read {line:?}");
        }
    }
    sections
}

/// The options that we use, each with the object that the documentation of `res_pjsip` has it in.
const OPTIONS: [(&str, &[&str]); 3] = [
    (
        "endpoint",
        &[
            "type",
            "context",
            "disallow",
            "allow",
            "auth",
            "aors",
            "callerid",
            "media_encryption",
            "media_encryption_optimistic",
        ],
    ),
    ("auth", &["type", "auth_type", "username", "password"]),
    ("aor", &["type", "max_contacts", "remove_existing"]),
];

#[test]
fn asterisk_knows_the_accounts() {
    let state = listed(SHARED);
    let text = exported(Pbx::Asterisk, &state, true).unwrap();
    assert!(
        text.contains("; 00:04:f2:aa:bb:ce: line 1 has no SIP password and is left out."),
        "{text}"
    );
    let sections = sections(&text);
    let of = |kind: &str, name: &str| {
        let found = sections.iter().filter(|(own, options)| own == name && options["type"] == kind);
        let found: Vec<_> = found.collect();
        assert_eq!(found.len(), 1, "{kind} {name}\n{text}");
        found[0].1.clone()
    };
    assert_eq!(sections.len(), 6, "{text}");
    for (name, options) in &sections {
        let (_, known) = OPTIONS.iter().find(|(kind, _)| *kind == options["type"]).unwrap();
        assert!(options.keys().all(|key| known.contains(&key.as_str())), "{name} {options:?}");
        if options["type"] == "endpoint" {
            // What an endpoint names is there, and the aor has the name that registrations are for.
            assert_eq!(of("auth", &options["auth"])["username"], *name);
            assert_eq!(options["aors"], *name);
            of("aor", name);
        }
    }
    assert_eq!(of("auth", "4013")["password"], "pw;two");
    assert_eq!(of("aor", "4013")["max_contacts"], "2", "two phones share it");
    assert_eq!(of("endpoint", "4013")["media_encryption"], "sdes", "its site asks for SRTP");
    assert_eq!(of("endpoint", "4012")["callerid"], "\"Anna Berg\" <4012>");
    assert!(!of("endpoint", "4012").contains_key("media_encryption"));

    let bare = exported(Pbx::Asterisk, &state, false).unwrap();
    assert!(
        !bare.contains("pw") && !bare.contains("type = auth") && bare.contains("type = aor"),
        "{bare}"
    );
}

#[test]
fn freeswitch_knows_the_accounts() {
    let state = listed(&LIST.replace("u;1", "u&1"));
    let text = exported(Pbx::FreeSwitch, &state, true).unwrap();
    let xpath = |path: &str| {
        let mut lint = Command::new("xmllint");
        lint.args(["--xpath", path, "-"]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut lint = lint.spawn().unwrap();
        std::io::Write::write_all(&mut lint.stdin.take().unwrap(), text.as_bytes()).unwrap();
        let output = lint.wait_with_output().unwrap();
        assert!(output.status.success(), "{path}\n{text}");
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    };
    assert_eq!(xpath("count(/include/user)"), "1");
    assert_eq!(xpath("string(/include/user/@id)"), "u&1");
    assert_eq!(xpath("string(/include/user/@number-alias)"), "4012");
    assert_eq!(xpath("string(//params/param[@name='password']/@value)"), "a;b\\c\"&<'$");
    assert_eq!(
        xpath("string(//variable[@name='effective_caller_id_name']/@value)"),
        "Anna \"B\" <x>"
    );
    assert_eq!(
        exported(Pbx::FreeSwitch, &state, false).unwrap_err(),
        "sip-password: FreeSWITCH lets anybody in who claims to be a user without a password (export with --secrets)"
    );
}

#[test]
fn three_cx_takes_back_what_it_gave() {
    let mut ours = State::default();
    import(&mut ours, &data("ours.csv"), None);
    let text = exported(Pbx::ThreeCx, &ours, true).unwrap();
    let mut state = State::default();
    import(&mut state, text.as_bytes(), None);
    assert_eq!(entries(&state, true), entries(&ours, true), "{text}");
    let bare = exported(Pbx::ThreeCx, &ours, false).unwrap();
    assert!(!bare.contains("s3cret") && bare.contains("Cisco 7961"), "{bare}");
    let formula = exported(Pbx::ThreeCx, &listed(SHARED), true).unwrap();
    assert!(formula.contains("4013,'=Bert,"), "{formula}");
    assert!(export_csv(&listed(SHARED), &|_, _| true, true).contains("\"'=Bert\""));
}

#[test]
fn what_a_pbx_can_not_have() {
    let check = |pbx, row: &str, expected: &str| {
        let state = listed(&format!("mac,number,name,sip-user,sip-password\n{row}\n"));
        assert_eq!(exported(pbx, &state, true).unwrap_err(), expected, "{row}");
    };
    let asterisk = "pjsip.conf can't have this as the name of a section";
    check(
        Pbx::Asterisk,
        "001E7AC41022,1,,a]b,x",
        &format!("00:1e:7a:c4:10:22 sip-user: {asterisk}"),
    );
    check(
        Pbx::Asterisk,
        "001E7AC41022,1,,,x ",
        "00:1e:7a:c4:10:22 sip-password: pjsip.conf drops blanks at its ends",
    );
    check(
        Pbx::FreeSwitch,
        "001E7AC41022,1,${system(reboot)},,x",
        "00:1e:7a:c4:10:22 name: FreeSWITCH would take `${` in it for a variable",
    );
    check(
        Pbx::ThreeCx,
        "001E7AC41022,1a,,,=x",
        "00:1e:7a:c4:10:22 number: 3CX takes digits only for an extension; 00:1e:7a:c4:10:22 sip-password: a \
         spreadsheet would run it as a formula",
    );
}
