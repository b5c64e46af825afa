//! `ringup lab`: a newcomer's first minute.

use std::{
    collections::BTreeSet,
    fs,
    io::{BufRead, BufReader},
    process::{Command, Stdio},
};

use crate::run::{BINARY, signal};

fn leftovers() -> BTreeSet<String> {
    let entries = fs::read_dir(std::env::temp_dir()).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    names.filter(|name| name.starts_with("ringup-lab-")).collect()
}

#[test]
fn every_phone_is_as_expected() {
    let lab = Command::new(BINARY)
        .args(["lab", "--for", "120s", "--operators", "127.0.0.1:0"])
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&lab.stdout);
    assert_eq!(lab.status.code(), Some(0), "{told}\n{}", String::from_utf8_lossy(&lab.stderr));
    assert!(told.contains("78 of 78 as expected"), "{told}");
}

#[test]
fn ctrl_c_leaves_nothing_behind() {
    let mut lab = Command::new(BINARY)
        .args(["lab", "--phones", "6", "--operators", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mine = format!("ringup-lab-{}", lab.id());
    let mut lines = BufReader::new(lab.stdout.take().unwrap()).lines();
    // The first progress line: everything runs and its directory is there.
    let progress = lines.by_ref().map(Result::unwrap).find(|line| line.contains(" as expected: "));
    assert!(progress.is_some());
    assert!(leftovers().contains(&mine));
    signal(lab.id(), "INT");
    let summary: Vec<String> = lines.map(Result::unwrap).collect();
    assert!(summary.iter().any(|line| line.contains("expected")), "{summary:?}");
    assert!(
        summary.iter().any(|line| line.contains(" of 4  healthy") || line.contains("  healthy  ")),
        "{summary:?}"
    );
    assert_eq!(lab.wait().unwrap().code(), Some(0));
    assert!(!leftovers().contains(&mine));
}

/// Whoever reads only the head of it gets no panic.
#[test]
fn a_closed_pipe_is_no_failure() {
    let mut lab = Command::new(BINARY)
        .args(["lab", "--phones", "2", "--for", "30s", "--operators", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(lab.stdout.take());
    let lab = lab.wait_with_output().unwrap();
    assert_eq!((lab.status.code(), &*String::from_utf8_lossy(&lab.stderr)), (Some(0), ""));
}
