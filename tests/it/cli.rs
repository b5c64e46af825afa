//! The commands, as an operator or a script runs them, without an appliance.

use std::{
    fs, io,
    process::{Command, Stdio},
};

use assert_cmd::Command as Run;
use serde_json::Value;

use crate::run::{BINARY, Home};

/// Runs `ringup` with the settings of `home`; exit code, standard output, standard error.
fn run(home: &Home, args: &[&str], input: &str) -> (i32, String, String) {
    let mut command = Run::new(BINARY);
    command.env_remove("RINGUP_LOG").current_dir(home.0.path());
    let output = command.args(args).write_stdin(input).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// Runs it and expects a code; standard output.
#[track_caller]
pub fn expect(home: &Home, args: &[&str], input: &str, code: i32) -> String {
    let (found, out, err) = run(home, args, input);
    assert_eq!(found, code, "{args:?}\n{out}\n{err}");
    out
}

const MAC: &str = "00:1e:7a:c4:10:22";

#[test]
fn exit_codes() {
    let home = Home::new("");
    let check = |args: &[&str], code: i32, says: &str| {
        let (found, out, err) = run(&home, args, "");
        assert_eq!(found, code, "{args:?}\n{out}\n{err}");
        assert!(out.contains(says) || err.contains(says), "{args:?}\n{out}\n{err}");
    };
    check(&["--help"], 0, "ringup lab");
    check(&["--version"], 0, "ringup");
    check(&["phones", "import", "--help"], 0, "--map 'MAC Address=mac'");
    check(&[], 64, "Usage");
    check(&["nonsense"], 64, "nonsense");
    check(&["phones", "show", "nonsense"], 64, "hexadecimal");
    check(&["phones", "list", "--stage", "up"], 64, "one of: silent");
    check(&["identify"], 64, "--option-60");
    check(&["identify", "--mac", "1"], 64, "12");
    check(&["check", "--config", "none.toml"], 66, "none.toml: there is no such file");
    check(&["serve", "--config", "none.toml"], 66, "none.toml: there is no such file");
    check(&["lab", "--operators", "0.0.0.0:8080"], 64, "of loopback");
    check(&["phones", "list", "--finding", "wrong"], 64, "one of: wrong-model");
    check(&["phones", "list", "--finding", "wrong-model"], 0, "no phone is like that");
    check(&["phones", "import", "x.csv", "--map", "MAC Address"], 64, "'MAC Address=mac'");
    check(&["render", MAC, "0004f2aabbcc.cfg"], 66, "is the file of 00:04:f2:aa:bb:cc");
    check(&["phones", "show", MAC], 66, "neither listed nor");
    check(&["phones", "import", "none.csv"], 66, "none.csv");
    check(&["profiles", "show", "none"], 66, "no family or vendor is called `none`");
    check(&["dhcp-snippet", "kea"], 64, "--server 10.20.0.2");
    check(&["dhcp-snippet", "vax", "--server", "10.20.0.2"], 64, "mikrotik");
    let none = ["dhcp-snippet", "kea", "--server", "10.20.0.2", "--family", "none"];
    check(&none, 66, "no family or vendor is called `none`");
    check(&["leases", "list"], 0, "no leases");
    check(&["leases", "import", "none.leases"], 66, "none.leases");
    check(&["leases", "import", "-"], 65, "there is nothing in it");
    check(&["restore", "none.backup"], 66, "there is no such file");
    check(&["password"], 65, "at least 8 characters");
}

#[test]
fn check_tells_everything_at_once() {
    let home = Home::new("");
    assert!(expect(&home, &["check"], "", 0).contains("nothing to mend"));

    fs::write(home.path("silly.toml"), "[site.default.failover]\nfail-back-timeout = 90\n")
        .unwrap();
    let args = ["check", "--config", "silly.toml"];
    assert!(
        expect(&home, &args, "", 1)
            .starts_with("silly.toml:2: warning: `fail-back-timeout` has no effect")
    );

    let elsewhere = "[dhcp]\nmode = \"serve\"\ninterfaces = [\"no-such-one\"]\n\
                     [[dhcp.subnet]]\nsubnet = \"10.20.0.0/22\"\n";
    fs::write(home.path("elsewhere.toml"), elsewhere).unwrap();
    let told = expect(&home, &["check", "--config", "elsewhere.toml"], "", 1);
    assert!(
        told.contains("this machine has no interface no-such-one")
            && told.contains("help: there are: "),
        "{told}"
    );

    let bad = "[dhcp]\nmode = \"serve\"\n\n[[dhcp.subnet]]\nsubnt = \"10.20.0.0/22\"\n";
    fs::write(home.path("bad.toml"), bad).unwrap();
    let out = expect(&home, &["check", "--config", "bad.toml"], "", 78);
    assert_eq!(
        out,
        "bad.toml:5: unknown key `subnt` in [[dhcp.subnet]]\n  help: did you mean `subnet`?\n1 error\n"
    );
    let json: Value =
        serde_json::from_str(&expect(&home, &["check", "--json", "--config", "bad.toml"], "", 78))
            .unwrap();
    assert_eq!(
        (&json["items"][0]["line"], &json["items"][0]["severity"]),
        (&5.into(), &"error".into())
    );

    fs::write(
        home.path("vendor.toml"),
        "[[dhcp.subnet]]\nsubnet = \"10.0.0.0/24\"\nfor.yealnk = { servers = [\"10.0.0.9\"] }\n",
    )
    .unwrap();
    let out = expect(&home, &["check", "--config", "vendor.toml"], "", 78);
    assert!(out.contains("vendor.toml:3: no family or vendor is called `yealnk`"), "{out}");
    assert!(out.contains("did you mean `yealink`?"), "{out}");
}

#[test]
fn a_password_fits_the_settings() {
    let home = Home::new("");
    let hash = expect(&home, &["password"], "correct horse\n", 0);
    assert!(hash.starts_with("$argon2id$v=19$m="), "{hash}");
    assert_ne!(
        hash,
        expect(&home, &["password"], "correct horse\n", 0),
        "every hash has a salt of its own"
    );
    let settings =
        format!("[http]\noperators = [\"0.0.0.0:8080\"]\npassword-hash = '{}'\n", hash.trim());
    fs::write(home.path("open.toml"), settings).unwrap();
    expect(&home, &["check", "--config", "open.toml"], "", 0);
}

#[test]
fn identify_answers_every_line() {
    let home = Home::new("");
    let cases = "{\"option_60\":\"Cisco Systems, Inc. IP Phone CP-7961G\\u0000\",\"mac\":\"001e7ac41022\"}\n\
                 nonsense\n{\"user_agent\":\"curl/8\"}\n";
    let out = expect(&home, &["identify", "--batch"], cases, 65);
    let lines: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 3, "{out}");
    assert_eq!((&lines[0]["vendor"], &lines[0]["mac"]), (&"Cisco".into(), &MAC.into()));
    assert!(lines[0]["model"].as_str().is_some_and(|model| model.starts_with("7961")), "{out}");
    assert!(lines[1]["vendor"].is_null() && lines[2]["vendor"].is_null(), "{out}");
    let out = expect(&home, &["identify", "--http-path", "/SEP001E7AC41022.cnf.xml?x=1"], "", 0);
    assert!(out.contains("vendor    Cisco") && out.contains(MAC), "{out}");
}

#[test]
fn a_closed_pipe_is_no_failure() {
    let (reader, writer) = io::pipe().unwrap();
    drop(reader);
    let mut command = Command::new(BINARY);
    command.args(["profiles", "list"]).stdin(Stdio::null()).stdout(writer).stderr(Stdio::piped());
    let output = command.output().unwrap();
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]));
}

#[test]
fn a_list_is_imported_whole_or_not_at_all() {
    let home = Home::new("");
    let empty = expect(&home, &["phones", "import", "-"], "", 65);
    assert!(empty.ends_with("\nnothing was imported\n"), "{empty}");
    let two = "mac,address,key.1\n001565000001,300.1.1.1,blf\n";
    let two = expect(&home, &["phones", "import", "-"], two, 65);
    assert!(two.contains("10.20.0.51; key.1: a key is "), "{two}");
    let csv = "mac,model,number,name,sip-password\n001E7AC41022,7961G,4012,Front desk,s3cret\n001565aabbcc,T46U,4013,Anna,x\n";
    fs::write(home.path("phones.csv"), csv).unwrap();
    let out = expect(&home, &["phones", "import", "phones.csv", "--dry-run"], "", 0);
    assert!(out.contains("2 added") && out.contains("this is a dry run"), "{out}");
    assert!(expect(&home, &["phones", "list"], "", 0).contains("no phones"));
    assert!(expect(&home, &["phones", "import", "phones.csv"], "", 0).contains("2 added"));
    let bad = "mac,number\n1.57E+11,4014\n001565aabbcd,4015\n";
    let out = expect(&home, &["phones", "import", "-"], bad, 65);
    assert!(out.contains("1.57E+11") && out.contains("nothing was imported"), "{out}");
    assert!(expect(&home, &["phones", "export", "--secrets"], "", 0).contains("s3cret"));
    assert!(!expect(&home, &["phones", "export"], "", 0).contains("s3cret"));
    assert!(expect(&home, &["phones", "undo"], "", 0).contains("taken back"));
    assert!(expect(&home, &["phones", "list"], "", 0).contains("no phones"));
}

#[test]
fn entries_from_set_to_restore() {
    let home = Home::new("");
    let front = [
        "phones",
        "set",
        "001E7AC41022",
        "model=7961G",
        "number=4012",
        "name=Front desk",
        "sip-password=s3cret",
    ];
    expect(&home, &front, "", 0);
    expect(
        &home,
        &["phones", "set", "001565aabbcc", "model=T46U", "number=4013", "name=Anna"],
        "",
        0,
    );

    let out = expect(&home, &["phones", "list", "--query", "4012"], "", 0);
    assert!(out.contains(MAC) && out.contains("Front desk") && !out.contains("Anna"), "{out}");
    expect(&home, &["phones", "set", MAC, "name=Reception", "note=by the door"], "", 0);
    let out = expect(&home, &["phones", "show", MAC], "", 0);
    assert!(
        out.contains("Reception") && out.contains("by the door") && !out.contains("s3cret"),
        "{out}"
    );
    assert!(expect(&home, &["phones", "show", MAC, "--secrets"], "", 0).contains("s3cret"));
    let out = expect(&home, &["render", MAC, "SEP001E7AC41022.cnf.xml"], "", 0);
    assert!(out.contains("<device") && out.contains("Reception"), "{out}");
    expect(&home, &["render", MAC, "none.such"], "", 66);
    fs::write(home.path("files/broken.xml.j2"), "<a>{{ mac }}").unwrap();
    expect(&home, &["render", MAC, "broken.xml"], "", 65);

    expect(&home, &["backup", "all.backup"], "", 0);
    expect(&home, &["backup", "all.backup"], "", 74);
    expect(&home, &["phones", "forget", MAC], "", 0);
    expect(&home, &["phones", "show", MAC], "", 66);
    assert!(expect(&home, &["state", "check"], "", 0).contains("(1 listed)"));
    expect(&home, &["state", "size"], "", 0);

    expect(&home, &["restore", "all.backup"], "", 78);
    fs::write(home.path("none.backup"), "nothing").unwrap();
    expect(&home, &["restore", "none.backup"], "", 65);
    fs::rename(home.path("state"), home.path("state.old")).unwrap();
    fs::write(home.path("not.backup"), "x").unwrap();
    expect(&home, &["restore", "not.backup"], "", 65);
    expect(&home, &["restore", "all.backup"], "", 0);
    let out = expect(&home, &["phones", "list", "--json"], "", 0);
    let json: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(json["items"].as_array().map(Vec::len), Some(2), "{out}");
}

#[test]
fn a_phone_takes_the_place_of_another() {
    let home = Home::new("");
    let set = ["phones", "set", MAC, "model=7961G", "number=4012", "sip-password=s3cret"];
    expect(&home, &set, "", 0);
    let other = ["phones", "replace", MAC, "001565aabbcc"];
    let (code, _, err) = run(&home, &other, "");
    assert!(code == 65 && err.contains("made by Yealink") && err.contains("--yes"), "{code} {err}");
    let out = expect(&home, &["phones", "replace", MAC, "001E7AC41099"], "", 0);
    assert!(out.contains("and is 4012") && out.contains("new SIP passwords: 1"), "{out}");
    let accounts = expect(&home, &["phones", "export", "--format", "pjsip", "--secrets"], "", 0);
    assert!(accounts.contains("username = 4012") && !accounts.contains("s3cret"), "{accounts}");
    expect(&home, &["phones", "export", "--format", "freeswitch"], "", 65);
    assert!(expect(&home, &["phones", "undo"], "", 0).contains("taken back"));
    assert!(expect(&home, &["phones", "show", MAC, "--secrets"], "", 0).contains("s3cret"));
    let (code, _, err) = run(&home, &["phones", "accept", MAC], "");
    assert!(code == 65 && err.contains("proposes a repair"), "{code} {err}");
}

#[test]
fn a_foreign_list_is_told_by_its_columns() {
    let home = Home::new("");
    let csv = "Device Name,Description,Device Type,Directory Number 1\nSEP001E7AC41022,Hall,Cisco 7961,4012\n";
    let out = expect(&home, &["phones", "import", "-"], csv, 0);
    assert!(out.contains("read as phones of Cisco Unified CM") && out.contains("1 added"), "{out}");
    expect(&home, &["phones", "import", "-", "--from", "3cx"], csv, 65);
    expect(&home, &["phones", "import", "-", "--from", "excel"], csv, 64);
    assert!(expect(&home, &["phones", "list"], "", 0).contains("4012"));
}

/// Entries that the settings and the catalog do not know are told by `check`.
#[test]
fn check_reads_the_inventory() {
    let home = Home::new("[site.paris]\nserver = [{ address = \"10.20.0.5\" }]\n");
    expect(&home, &["phones", "set", MAC, "model=7961G", "site=paris"], "", 0);
    expect(&home, &["check"], "", 0);
    let path = home.path("ringup.toml");
    fs::write(&path, fs::read_to_string(&path).unwrap().replace("paris", "lyon")).unwrap();
    let out = expect(&home, &["check"], "", 1);
    assert!(
        out.contains(
            "inventory: warning: 00:1e:7a:c4:10:22: its site `paris` is not in the settings"
        ),
        "{out}"
    );
}

#[test]
fn a_copied_template_wins() {
    let home = Home::new("");
    expect(&home, &["phones", "set", "001565aabbcc", "model=T46U", "number=4013"], "", 0);
    let out = expect(&home, &["profiles", "export", "yealink-desk", "phone.cfg.j2"], "", 0);
    assert!(out.ends_with("profiles/yealink-desk/phone.cfg.j2\n"), "{out}");
    let path = home.path("profiles/yealink-desk/phone.cfg.j2");
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(
        text,
        expect(&home, &["profiles", "export", "yealink-desk", "phone.cfg.j2", "--stdout"], "", 0)
    );
    fs::write(&path, text + "# of our own\n").unwrap();
    assert!(
        expect(&home, &["render", "001565aabbcc", "001565aabbcc.cfg"], "", 0)
            .contains("# of our own")
    );
    expect(&home, &["profiles", "export", "yealink-desk", "phone.cfg.j2"], "", 74);
    expect(&home, &["profiles", "export", "yealink-desk", "none"], "", 66);
}

/// A phone without an address asks the server of its site's subnet, or the one that is named; else that is said.
#[test]
fn a_file_names_the_server_that_its_phone_will_ask() {
    let subnet = |subnet: &str, site: &str, more: &str| {
        format!("[[dhcp.subnet]]\nsubnet = \"{subnet}\"\nsite = \"{site}\"\n{more}\n")
    };
    let check = |subnets: &str, args: &[&str], server: &str| {
        let home = Home::new(&format!("[site.paris]\n[site.lyon]\n[dhcp]\n{subnets}"));
        expect(&home, &["phones", "set", MAC, "model=T46S", "number=4012", "site=paris"], "", 0);
        let name = "y000000000066.cfg";
        let (code, out, err) = run(&home, &[&["render", MAC, name], args].concat(), "");
        assert!(code == 0 && out.contains(&format!("http://{server}")), "{out}{err}");
        assert_eq!(err.contains("--server"), server == "0.0.0.0", "{err}");
    };
    let named = "servers = [\"10.20.0.2\"]";
    let lyon = subnet("10.30.0.0/24", "lyon", "servers = [\"10.30.0.2\"]");
    check(&(subnet("10.20.0.0/22", "paris", named) + &lyon), &[], "10.20.0.2");
    // The interface's own address: loopback is on every machine.
    check(&(subnet("127.0.0.0/8", "paris", "") + &lyon), &[], "127.0.0.1");
    check(&lyon, &[], "0.0.0.0");
    check(&lyon, &["--server", "10.9.9.9"], "10.9.9.9");
    let other = subnet("10.40.0.0/24", "paris", "servers = [\"10.40.0.2\"]");
    check(&(subnet("10.20.0.0/22", "paris", named) + &other), &[], "0.0.0.0");
}

/// Whoever misspells a model is told which are near, wherever it was written.
#[test]
fn the_nearest_models_are_named() {
    let home = Home::new("");
    let near =
        "did you mean `7961G-GE`, `7941G-GE`, `7961G`? `ringup profiles list --models` lists all";
    let (code, _, err) = run(&home, &["phones", "set", MAC, "model=7961G-EG"], "");
    assert!(code == 0 && err.contains(near), "{err}");
    let (code, out, _) = run(&home, &["check"], "");
    assert!(code == 1 && out.contains(near), "{out}");
    let csv = "mac,model\n001e7ac41023,7961G-EG\n";
    let (_, out, _) = run(&home, &["phones", "import", "-"], csv);
    assert!(out.contains(near), "{out}");
    let models = expect(&home, &["profiles", "list", "--models"], "", 0);
    assert!(models.lines().any(|line| line.starts_with("7961G-GE ")), "{models}");
    expect(&home, &["profiles", "list", "--models", "--json"], "", 0);
}

#[test]
fn a_family_says_what_is_not_known_of_it() {
    let home = Home::new("");
    let check = |family: &str, says: &[&str]| {
        let out = expect(&home, &["profiles", "show", family], "", 0);
        assert!(says.iter().all(|says| out.contains(says)), "{out}");
    };
    let own = "not made: the operator's own file of that name";
    let reset = "30VIP: press **# and 1, then enter 0 for each value";
    check("cisco-legacy-sccp", &["SEP{MAC}.cnf  own, required, not made", own, reset]);
    check("algo", &["factory settings\n    not documented"]);
    check("grandstream-ht", &["HT503: unplug the network cable"]);
    check("cisco-spa", &["its MAC in an address\n    $MA"]);
}

/// What a phone's files can't say is told where it is listed, and by `check`, with the field and the reason.
#[test]
fn what_files_cannot_say_is_told() {
    let home = Home::new("[[site.default.server]]\naddress = \"10.20.0.5\"\n");
    let cases = [
        ("N510", "sip-password=a\"b", "`lines[0].password` holds `\"`"),
        ("OBi202", "sip-password=$MAC", "`lines[0].password` holds `$`"),
        ("X4", "key.2=blf:4013@pbx", "`keys[0].value` holds `@`"),
        ("KX-HDV230", "key.2=speed:1;2", "`keys[0].value` holds `;`"),
        ("SPA504G", "key.2=speed:1;2", "`keys[0].value` holds `;`"),
        ("7961G", "key.1=blf:4013", "key.1 is left out: its button is that of line 1"),
        ("405HD", "key.3=blf:4013", "key.3 is left out"),
        ("7961G", "sip-password=$MAC", ""),
        ("T46S", "key.2=blf:4013", ""),
    ];
    let mut told = Vec::new();
    for (at, (model, field, says)) in cases.into_iter().enumerate() {
        let (mac, model) = (format!("02:1e:7a:c4:10:{at:02x}"), format!("model={model}"));
        let number = format!("number=40{at}");
        let (code, _, err) = run(&home, &["phones", "set", &mac, &model, &number, field], "");
        assert!(code == 0 && err.contains(says), "{field}: {err}");
        assert_eq!(err.is_empty(), says.is_empty(), "{field}: {err}");
        told.push((mac, says));
    }
    let (_, out, _) = run(&home, &["check"], "");
    for (mac, says) in told {
        let line = out.lines().find(|line| line.contains(&mac)).unwrap_or_default();
        assert!(line.contains(says) && line.is_empty() == says.is_empty(), "{mac}: {out}");
    }
    let csv = "mac,model,number,sip-password,key.1\n021e7ac41099,N510,1,\"a\"\"b\",\n021e7ac41098,7961G,2,,blf:3\n";
    let (_, out, _) = run(&home, &["phones", "import", "-", "--dry-run"], csv);
    assert!(out.contains("holds `\"`") && out.contains("key.1 is left out"), "{out}");
}

/// The store is the appliance's while it runs: commands reach it over its socket.
#[test]
fn commands_reach_a_running_appliance() {
    let home = Home::new(
        "[tftp]\nlisten = [\"127.0.0.1:16981\"]\n[http]\nphones = [\"127.0.0.1:18981\"]\noperators = [\"127.0.0.1:18982\"]\n\
         [site.default]\nserver = [{ address = \"10.20.0.5\" }]\n",
    );
    let serving = home.serve(&[]);
    expect(&home, &["phones", "set", MAC, "model=7961G", "number=4012"], "", 0);
    assert_eq!(serving.phone(MAC)["entry"]["number"], "4012");
    assert!(expect(&home, &["phones", "list"], "", 0).contains("4012"));
    expect(&home, &["check"], "", 0);
    expect(&home, &["state", "size"], "", 0);
    // These need the store for themselves.
    expect(&home, &["state", "check"], "", 69);
    expect(&home, &["backup", "all.backup"], "", 0);
    expect(&home, &["restore", "all.backup"], "", 69);
    assert_eq!(serving.stop(), Some(0));
    assert!(expect(&home, &["phones", "list"], "", 0).contains("4012"));
}

#[test]
fn a_snippet_is_for_the_families_in_use() {
    let home = Home::new(
        "[dhcp]\n[[dhcp.subnet]]\nsubnet = \"10.20.0.0/22\"\nservers = [\"10.20.0.2\"]\n\
         for.yealink-desk = { servers = [\"10.1.1.5\"] }\n",
    );
    let check = |args: &[&str], families: [bool; 3]| {
        let text = expect(&home, &[&["dhcp-snippet", "isc"], args].concat(), "", 0);
        let has = ["Cisco Systems", "Polycom", "yealink"].map(|class| text.contains(class));
        assert_eq!(has, families, "{args:?}\n{text}");
    };
    check(&[], [true, true, true]);
    assert!(!home.path("state").exists(), "looking makes no state");
    expect(&home, &["phones", "import", "-"], &format!("mac,model\n{MAC},7961G\n"), 0);
    // The listed one, and the one that another server provisions.
    check(&[], [true, false, true]);
    check(&["--all"], [true, true, true]);
    check(&["--family", "Poly"], [false, true, false]);
}

#[test]
fn leases_of_another_server() {
    let home = Home::new(
        "[dhcp]\n[[dhcp.subnet]]\nsubnet = \"10.20.0.0/22\"\npool = [\"10.20.0.50-10.20.0.90\"]\n",
    );
    let file = "0 00:15:65:00:00:01 10.20.0.51 * 01:00:15:65:00:00:01\n\
                1 00:15:65:00:00:02 10.20.0.52 * *\n\
                0 00:15:65:00:00:03 10.20.0.1 * *\n";
    let out = expect(&home, &["leases", "import", "-", "--dry-run"], file, 65);
    assert!(
        out.contains("1 imported, 0 the same, 1 skipped, 1 refused; nothing was changed"),
        "{out}"
    );
    assert!(out.contains("outside the pools"), "{out}");
    assert_eq!(expect(&home, &["leases", "list"], "", 0), "no leases\n");
    // What can be taken over is, whatever else is in the file.
    expect(&home, &["leases", "import", "-"], file, 65);
    let out = expect(&home, &["leases", "list"], "", 0);
    assert!(out.contains("10.20.0.51  00:15:65:00:00:01  active"), "{out}");
    let leases: Value =
        serde_json::from_str(&expect(&home, &["leases", "list", "--active", "--json"], "", 0))
            .unwrap();
    assert_eq!(leases["items"].as_array().unwrap().len(), 1);
}
