//! What `ringup check` advises about sites: resolvers, SRTP, registrars, numbers, and values that no file takes.

use assert_cmd::Command as Run;

use crate::run::{BINARY, Home};

/// Runs `ringup` with the settings of `home`; exit code and standard output.
fn run(home: &Home, args: &[&str]) -> (i32, String) {
    let mut command = Run::new(BINARY);
    command.env_remove("RINGUP_LOG").current_dir(home.0.path());
    let output = command.args(args).output().unwrap();
    (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
}

/// What `check` says about these settings, once these phones are listed.
fn told(settings: &str, phones: &[&[&str]]) -> (i32, String) {
    let home = Home::new(settings);
    for phone in phones {
        let (code, out) = run(&home, &[&["phones", "set"], *phone].concat());
        assert_eq!(code, 0, "{phone:?}: {out}");
    }
    run(&home, &["check"])
}

const SERVER: &str = "server = [{ address = \"10.20.0.5\" }]\n";
const ONE: &[&str] = &["64167f1a0001", "model=VVX 411", "number=4012", "site=paris"];
const TWO: &[&str] = &["001e7ac41022", "model=7961G", "number=4012", "site=paris"];

fn check(settings: &str, phones: &[&[&str]], says: &str) {
    let (code, out) = told(settings, phones);
    assert_eq!((code, out.contains(says)), (1, true), "{settings}: {out}");
    assert!(out.ends_with("1 warning\n"), "{out}");
}

#[test]
fn nothing_to_advise() {
    let settings =
        format!("[site.paris]\n{SERVER}[site.paris.extra.poly]\n\"voice.volume\" = \"1\"\n");
    let (code, out) = told(&settings, &[ONE]);
    assert_eq!(code, 0, "{out}");
}

#[test]
fn registrars_and_numbers() {
    check(
        "[site.paris]\n",
        &[ONE],
        "inventory: warning: site `paris` has 1 phone and no registrar for them",
    );
    check(
        &format!("[site.paris]\n{SERVER}"),
        &[ONE, TWO],
        "site `paris`: 00:1e:7a:c4:10:22, 64:16:7f:1a:00:01 all have the number 4012",
    );
}

#[test]
fn srtp_that_is_turned_off_again() {
    let on = format!("[site.paris]\nsrtp = \"required\"\nsip-transport = \"tls\"\n{SERVER}");
    let extra = format!("{on}[site.paris.extra.poly]\n\"sec.srtp.enable\" = \"0\"\n");
    check(
        &extra,
        &[ONE],
        "`sec.srtp.enable` = \"0\" turns SRTP off again, which [site.paris] has on",
    );
    let set =
        ["64167f1a0001", "model=VVX 411", "number=4012", "site=paris", "set.sec.srtp.offer=0"];
    check(&on, &[&set], "64:16:7f:1a:00:01: set.sec.srtp.offer = 0 turns SRTP off");
    let yealink =
        format!("{on}[site.paris.extra.yealink]\n\"account.12.srtp_encryption\" = \"0\"\n");
    check(&yealink, &[ONE], "`account.12.srtp_encryption` = \"0\" turns SRTP off again");
}

#[test]
fn values_that_no_file_takes() {
    let extra = format!("[site.paris]\n{SERVER}[site.paris.extra.poly]\n\"no name\" = \"1\"\n");
    check(&extra, &[ONE], "`no name` can't be merged: ");
}
