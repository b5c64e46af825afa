//! The operator's lists: what is taken, what is refused and why, and that writing out and reading in are one.

mod damage;
mod files;
mod mend;
mod properties;

use std::fmt::Write;

use super::{plan::Rules, *};
use crate::{
    config::{Site, Subnet},
    domain::Commit,
};

const MAC1: &str = "00:15:65:aa:bb:01";
const MAC2: &str = "00:15:65:aa:bb:02";

fn settings() -> Settings {
    let mut settings = Settings::default();
    for site in ["default", "paris"] {
        settings.sites.insert(site.to_owned(), Site::default());
    }
    settings
}

fn with_subnet() -> Settings {
    let mut settings = settings();
    settings.dhcp.subnets.push(Subnet {
        network: [10, 20, 0, 0].into(),
        prefix: 22,
        site: "paris".to_owned(),
        pool: Vec::new(),
        router: Vec::new(),
        dns: Vec::new(),
        ntp: Vec::new(),
        domain: None,
        search: Vec::new(),
        routes: Vec::new(),
        lease_time: std::time::Duration::from_hours(1),
        servers: Vec::new(),
        voice_vlan: None,
        option_82: crate::config::Option82::Relay,
        admit: crate::config::Admit::All,
        options: Vec::new(),
        for_family: std::collections::BTreeMap::new(),
    });
    settings
}

fn read(bytes: &[u8], state: &State, settings: &Settings, options: &ImportOptions) -> Import {
    let known = |model: &str| (model == "T46S").then_some(16).or((model == "7940").then_some(2));
    let help = |_: &str| "look".to_owned();
    plan::plan(
        bytes,
        "phones.csv",
        state,
        &Rules { settings, known: &known, help: &help, odd: &|_, _| Vec::new() },
        options,
    )
}

fn apply(state: &mut State, import: Import) {
    let changes = import.batch.map(|batch| batch.changes).unwrap_or_default();
    state.apply(&Commit { number: state.commit + 1, changes });
}

/// A state with a file imported.
fn state(file: &str) -> State {
    let mut state = State::default();
    let import = read(file.as_bytes(), &state, &settings(), &ImportOptions::default());
    assert!(!import.has_refusals(), "{import:?}");
    apply(&mut state, import);
    state
}

fn entry<'a>(state: &'a State, mac: &str) -> &'a Entry {
    state.phones[&mac.parse().unwrap()].entry.as_deref().unwrap()
}

/// Everything that an import says, one line a row or problem.
fn told(import: &Import) -> Vec<String> {
    let rows = import.rows.iter().map(|row| {
        let what = match &row.verdict {
            Verdict::Changed { fields } => format!("changed {}", fields.join(" ")),
            Verdict::Refused { faults } => {
                let faults: Vec<_> = faults.iter().map(ToString::to_string).collect();
                format!("refused {}", faults.join("; "))
            }
            other => other.as_str().to_owned(),
        };
        let mut told = format!("{} {} {what}", row.line, row.mac);
        for warning in &row.warnings {
            write!(told, " [{warning}]").unwrap();
        }
        told
    });
    import.problems.iter().map(ToString::to_string).chain(rows).collect()
}

/// Imports into an empty state with a subnet, and expects what is said.
fn check(file: &str, expected: &[&str]) {
    let import =
        read(file.as_bytes(), &State::default(), &with_subnet(), &ImportOptions::default());
    assert_eq!(told(&import), expected, "{file}");
    assert_eq!(
        import.batch.is_none(),
        import.has_refusals(),
        "nothing of a file with refused rows"
    );
}

#[test]
fn rows_get_verdicts() {
    let mut state =
        state("mac,number,name,note\n001565aabb01,4012,Anna,x\n001565aabb02,4013,Bert,\n");
    let file = "Mac,Number,Name\n00-15-65-AA-BB-01,4012,Anna\n001565aabb02,4014,Berta\n001565aabb03,4015,Cara\n";
    let import = read(file.as_bytes(), &state, &settings(), &ImportOptions::default());
    assert_eq!(
        told(&import),
        [
            "2 00:15:65:aa:bb:01 same",
            "3 00:15:65:aa:bb:02 changed number name",
            "4 00:15:65:aa:bb:03 added"
        ]
    );
    let batch = import.batch.clone().unwrap();
    assert!(batch.undoable && batch.changes.len() == 2, "what is the same is not committed");
    apply(&mut state, import);
    assert_eq!(entry(&state, MAC1).note, "x", "a column that the file lacks is left alone");
    let again = read(file.as_bytes(), &state, &settings(), &ImportOptions::default());
    assert_eq!((again.count("same"), again.batch), (3, None));
}

#[test]
fn macs_as_people_and_scanners_write_them() {
    let check = |text: &str| {
        assert_eq!(mac(text).map(|mac| mac.to_string()), Ok(MAC1.to_owned()), "{text}");
    };
    for text in [
        "001565aabb01",
        "00:15:65:AA:BB:01",
        "0015.65aa.bb01",
        " 00 15 65 aa bb 01 ",
        "MAC:001565AABB01",
        "mac: 00-15-65-aa-bb-01",
        "MAC ADDRESS=001565AABB01",
        "SEP001565AABB01",
        "sep001565aabb01.cnf.xml",
        "MAC ID 001565AABB01",
    ] {
        check(text);
    }
}

#[test]
fn macs_that_are_none() {
    let check = |text: &str, expected: &str| {
        assert_eq!(mac(text).unwrap_err().to_string(), format!("mac: {expected}"), "{text}");
    };
    check("OO1565aabbcc", "`O` is not a hexadecimal digit (is it 00:15:65:aa:bb:cc?)");
    check("SEP00l565aabbcc", "`l` is not a hexadecimal digit (is it 00:15:65:aa:bb:cc?)");
    check(
        "1565112233",
        "10 digits: a spreadsheet dropped the zeros in front (is it 00:15:65:11:22:33?)",
    );
    check(
        "1.57E+11",
        "a spreadsheet turned it into the number 1.57E+11 (make the column text, and enter the address again)",
    );
    check(
        "1,57e+09",
        "a spreadsheet turned it into the number 1,57e+09 (make the column text, and enter the address again)",
    );
    check("001565aabb", "10 hexadecimal digits where a MAC address has 12");
    check("000000000000", "all zeros name no phone");
    check("ffffffffffff", "a group address names no single phone");
    check("T46S", "`T` is not a hexadecimal digit");
    check("", "there is none");
    check("SEP", "there is none");
}

#[test]
fn rows_that_are_refused() {
    check(
        "mac,number\n001565aabb01,4012\n001565aabb01,4013\n",
        &[
            "2 00:15:65:aa:bb:01 refused mac: row 3 lists the same phone (several lines take a column `line`)",
            "3 00:15:65:aa:bb:01 refused mac: row 2 lists the same phone (several lines take a column `line`)",
        ],
    );
    check(
        "mac,name\n001565aabb01,An\u{1}na\n001565aabb02,B\u{fffe}\n",
        &[
            "2 00:15:65:aa:bb:01 refused name: the character U+0001 can't be in a configuration (is it `An na`?)",
            "3 00:15:65:aa:bb:02 refused name: the character U+FFFE can't be in a configuration (is it `B`?)",
        ],
    );
    check(
        "mac,name\n001565aabb01,\"An\nna\"\n001565aabb0x,B\n",
        &[
            "2 00:15:65:aa:bb:01 refused name: the character U+000A can't be in a configuration (is it `An na`?)",
            "4 001565aabb0x refused mac: `x` is not a hexadecimal digit",
        ],
    );
    check(
        "mac,sip-password\n001565aabb01,a\tb\n",
        &[
            "2 00:15:65:aa:bb:01 refused sip-password: the character U+0009 can't be in a configuration",
        ],
    );
    check(
        "mac,number,sip-user\n001565aabb01,4.0E+3,a b\n",
        &[
            "2 00:15:65:aa:bb:01 refused number: a spreadsheet turned it into the number 4.0E+3 (make the column text, \
         and enter it again); sip-user: there is a blank in it (is it ab?)",
        ],
    );
    check(
        "mac,site,key.1,key.2,key.3\n001565aabb01,pariss,x,blf:,line:99\n",
        &[
            "2 00:15:65:aa:bb:01 refused key.1: a key is `line:2`, `blf:4013:Anna` or `speed:0123:Taxi`; key.2: there is \
         no number in it; key.3: no phone has a line of that number; site: the settings have no site `pariss` (is it \
         `paris`?)",
        ],
    );
    check(
        "mac,number\n001565aabb01,4012,x\n",
        &["2 00:15:65:aa:bb:01 refused cell 3: the header has no column for it"],
    );
    check(
        &format!("mac,note\n001565aabb01,{}\n", "x".repeat(1001)),
        &["2 00:15:65:aa:bb:01 refused note: longer than 1000 characters"],
    );
}

#[test]
fn addresses() {
    check(
        "mac,address\n001565aabb01,10.20.0.51\n001565aabb02,10.20.0.51\n001565aabb03,10.20.3.255\n",
        &[
            "2 00:15:65:aa:bb:01 refused address: 10.20.0.51 is reserved for 00:15:65:aa:bb:02 in row 3",
            "3 00:15:65:aa:bb:02 refused address: 10.20.0.51 is reserved for 00:15:65:aa:bb:01 in row 2",
            "4 00:15:65:aa:bb:03 refused address: 10.20.3.255 is no phone's: it names the subnet",
        ],
    );
    check(
        "mac,address\n001565aabb01,10.21.0.1\n001565aabb02,x\n",
        &[
            "2 00:15:65:aa:bb:01 refused address: 10.21.0.1 is in no subnet of the settings",
            "3 00:15:65:aa:bb:02 refused address: not an IPv4 address such as 10.20.0.51",
        ],
    );
    let state = state("mac,address\n001565aabb01,10.20.0.51\n001565aabb02,10.20.0.52\n");
    let check = |file: &str, expected: &[&str]| {
        let import = read(file.as_bytes(), &state, &with_subnet(), &ImportOptions::default());
        assert_eq!(told(&import), expected);
    };
    check(
        "mac,address\n001565aabb03,10.20.0.51\n",
        &["2 00:15:65:aa:bb:03 refused address: 10.20.0.51 is reserved for 00:15:65:aa:bb:01"],
    );
    check(
        "mac,address\n001565aabb01,10.20.0.52\n001565aabb02,10.20.0.51\n",
        &["2 00:15:65:aa:bb:01 changed address", "3 00:15:65:aa:bb:02 changed address"],
    );
    // The second keeps its address because it is refused, so the first can't have it either.
    check(
        "mac,address,site\n001565aabb01,10.20.0.52,\n001565aabb02,10.20.0.53,x\n",
        &[
            "2 00:15:65:aa:bb:01 refused address: 10.20.0.52 is reserved for 00:15:65:aa:bb:02",
            "3 00:15:65:aa:bb:02 refused site: the settings have no site `x` (is it `paris`?)",
        ],
    );
}

#[test]
fn odd_models_are_taken_with_a_warning() {
    check(
        "mac,model,number,line.2.number,line.3.number\n001565aabb01,CP-7940,1,2,3\n001565aabb02,T99,,,\n",
        &[
            "2 00:15:65:aa:bb:01 added [3 lines are listed, and a 7940 has 2]",
            "3 00:15:65:aa:bb:02 added [no profile knows the model T99: look]",
        ],
    );
}

#[test]
fn several_lines() {
    let rows =
        "mac,line,number,name,model\n001565aabb01,,4012,Anna,T46S\n001565aabb01,2,4112,Desk,\n";
    let wide =
        "mac,number,name,model,line.2.number,line.2.name\n001565aabb01,4012,Anna,T46S,4112,Desk\n";
    assert_eq!(state(rows), state(wide));
    assert_eq!(entry(&state(rows), MAC1).lines[1].number, "4112");

    let check = |file: &str, expected: &[&str]| {
        let import = read(file.as_bytes(), &state(wide), &settings(), &ImportOptions::default());
        assert_eq!(told(&import), expected);
    };
    check("mac,number\n001565aabb01,4012\n", &["2 00:15:65:aa:bb:01 same"]);
    check(
        "mac,line,number\n001565aabb01,1,4012\n",
        &["2 00:15:65:aa:bb:01 changed line.2.number line.2.name"],
    );
    check("mac,line.2.name\n001565aabb01,Den\n", &["2 00:15:65:aa:bb:01 changed line.2.name"]);
    check(
        "mac,line,number,model\n001565aabb01,1,4012,T46S\n001565aabb01,2,4112,T48S\n",
        &[
            "2 00:15:65:aa:bb:01 refused mac: row 3 of the same phone is refused",
            "3 00:15:65:aa:bb:01 refused model: row 2 of the same phone says something else",
        ],
    );
    check(
        "mac,line,number\n001565aabb01,1,4012\n001565aabb01,3,4113\n",
        &[
            "2 00:15:65:aa:bb:01 refused line.2.number: line 2 has no number",
            "3 00:15:65:aa:bb:01 refused mac: row 2 of the same phone is refused",
        ],
    );
    check(
        "mac,line,number\n001565aabb01,x,4012\n001565aabb01,2,1\n001565aabb01,2,2\n",
        &[
            "2 00:15:65:aa:bb:01 refused line: a line has a number from 1 to 48",
            "3 00:15:65:aa:bb:01 refused mac: row 4 lists the same line 2 of this phone",
            "4 00:15:65:aa:bb:01 refused mac: row 3 lists the same line 2 of this phone",
        ],
    );
}

#[test]
fn options_decide_what_happens() {
    let state = state("mac,site\n001565aabb01,paris\n001565aabb02,paris\n001565aabb03,\n");
    let (good, bad) =
        ("mac,site\n001565aabb01,paris\n001565aabb04,paris\n", "mac\n001565aabb04\nx\n");
    let batch = |file: &str, options: ImportOptions| {
        read(file.as_bytes(), &state, &settings(), &options).batch.map(|batch| batch.changes.len())
    };
    let prune = || Some("paris".to_owned());
    assert_eq!(batch(good, ImportOptions::default()), Some(1));
    assert_eq!(batch(good, ImportOptions { dry_run: true, ..ImportOptions::default() }), None);
    assert_eq!(batch(bad, ImportOptions::default()), None);
    assert_eq!(batch(bad, ImportOptions { partial: true, ..ImportOptions::default() }), Some(1));
    let options = ImportOptions { prune_site: prune(), ..ImportOptions::default() };
    let import = read(good.as_bytes(), &state, &settings(), &options);
    assert_eq!(import.removed, [MAC2.parse().unwrap()]);
    assert_eq!(
        import.batch.unwrap().changes.last(),
        Some(&Change::Unlisted(MAC2.parse().unwrap()))
    );
    // A MAC that can't be read may be the phone that would be removed.
    let options = ImportOptions { prune_site: prune(), partial: true, ..ImportOptions::default() };
    let import = read(bad.as_bytes(), &state, &settings(), &options);
    assert_eq!((import.removed.len(), import.batch.unwrap().changes.len()), (0, 1));
    assert_eq!(import.problems.len(), 1);
}

#[test]
fn masked_passwords_stay_as_they_are() {
    let state = state("mac,number,sip-password\n001565aabb01,4012,s3cret\n");
    let masked = export_csv(&state, &|_, _| true, false);
    assert!(!masked.contains("s3cret") && masked.contains(MASK));
    let import = read(masked.as_bytes(), &state, &settings(), &ImportOptions::default());
    assert_eq!(told(&import), ["2 00:15:65:aa:bb:01 same"]);
    let import = read(masked.as_bytes(), &State::default(), &settings(), &ImportOptions::default());
    assert_eq!(
        told(&import),
        ["2 00:15:65:aa:bb:01 added [sip-password is masked in the file: there is none to keep]",]
    );
    let mut fresh = State::default();
    apply(&mut fresh, import);
    assert!(entry(&fresh, MAC1).lines[0].sip_password.is_empty());
    assert!(!export_json(&state, &|_, _| true, false).contains("s3cret"));
    assert!(export_json(&state, &|_, _| true, true).contains(r#""sip-password":"s3cret""#));
}

#[test]
fn auto_registered_entries_become_the_operators() {
    let mut state = state("mac,number\n001565aabb01,4012\n");
    let auto = Entry { auto_registered: true, ..entry(&state, MAC1).clone() };
    let changes = vec![Change::Listed(MAC1.parse().unwrap(), Box::new(auto))];
    state.apply(&Commit { number: 2, changes });
    let import = |file: &str| read(file.as_bytes(), &state, &settings(), &ImportOptions::default());
    assert_eq!(told(&import("mac,number\n001565aabb01,4012\n")), ["2 00:15:65:aa:bb:01 same"]);
    let batch = import("mac,number\n001565aabb01,4013\n").batch.unwrap();
    assert!(matches!(&batch.changes[..], [Change::Listed(_, entry)] if !entry.auto_registered));
}

#[test]
fn fields_one_by_one() {
    let entry = Entry::default();
    let check = |field: &str, value: &str, expected: &str| {
        let shown = match set(&entry, field, value) {
            Ok(entry) => field::show(&entry, &column::Column::parse(field).unwrap(), true),
            Err(fault) => fault.to_string(),
        };
        assert_eq!(shown, expected, "{field}={value}");
    };
    check("model", "cp-7961G", "7961G");
    check("model", "CP-cp-7961G", "7961G");
    check("model", "Cp-", "Cp-");
    check("Number", " 4012 ", "4012");
    check("sip_password", " x ", " x ");
    check("key.1", "BLF:4013:Anna: desk", "blf:4013:Anna: desk");
    check("module.2.key.7", "line:2", "line:2");
    check("set.voice.Volume", "1", "1");
    check("var.Floor", "=3", "=3");
    check("var.Floor", "'=3", "=3");
    check("var.Floor", "''x", "'x");
    check("address", "10.0.0.256", "address: not an IPv4 address such as 10.20.0.51");
    check("mac", "x", "mac: a phone keeps its address; `phones replace` swaps phones");
    check("line", "2", "line: name a field of the line, such as line.2.number");
    check("line.2.name", "x", "number: line 1 has no number");
    check("modle", "x", "modle: nobody knows `modle`; did you mean `model`?");
    check("var.a b", "x", "var.a b: what follows `var.` is a name of letters, digits, `_` and `-`");
    check("module.0.key.1", "x", "module.0.key.1: a module has a number from 1 to 255");
    check("key.0", "x", "key.0: a key has a position from 1 to 65535");
}

#[test]
fn edits_are_checked_against_the_rest() {
    let state = state("mac,number,address\n001565aabb01,4012,10.20.0.51\n");
    let edit = |mac: &str, assignments: &[(&str, &str)]| {
        let owned = |(field, value): &(&str, &str)| ((*field).to_owned(), (*value).to_owned());
        let assignments: Vec<_> = assignments.iter().map(owned).collect();
        edit(&state, &with_subnet(), mac.parse().unwrap(), &assignments)
    };
    // Lines may come in any order, as long as they are whole in the end.
    let batch = edit(MAC1, &[("line.2.name", "x"), ("line.2.number", "4112")]).unwrap();
    assert!(matches!(&batch.changes[..], [Change::Listed(_, entry)] if entry.lines.len() == 2));
    let faults =
        edit(MAC2, &[("address", "10.20.0.51"), ("site", "x"), ("key.1", "?")]).unwrap_err();
    let columns: Vec<_> = faults.iter().map(|fault| fault.column.as_str()).collect();
    assert_eq!(columns, ["key.1", "site", "address"]);
}
