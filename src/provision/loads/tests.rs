//! Loads in a directory: what belongs together, and what is wrong with it.

use std::fs;

use super::{super::Library, *};

#[test]
fn names_of_parts() {
    let check = |list: &[u8], expected: &str| assert_eq!(names(list).join(" "), expected);
    check(b"jar41sccp.9-4-2.sbn\r\ncnu41.9-4-2.sbn\r\n", "jar41sccp.9-4-2.sbn cnu41.9-4-2.sbn");
    // Signed: octets of a signature on both sides, and NULs between.
    check(
        b"\x01\x00\x02\x01\x8a\xff\x00cnu41.sbn\x00Dsp41.sbn\x00\x00cnu41.sbn\x00\xfe\x80",
        "cnu41.sbn Dsp41.sbn",
    );
    check(b"P00308010200.sb2\nP00308010200.bin\n", "P00308010200.sb2 P00308010200.bin");
    check(b".sbn a.loads readme.txt \xff\xff", "");
    check(b"", "");
}

/// A directory with these files, and its loads as `NAME layout: PART size[!fault] …`.
fn told(files: &[(&str, &str)]) -> (tempfile::TempDir, Library, Vec<String>) {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = directory.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let nowhere = directory.path().join("nowhere");
    let (library, problems) = Library::load(&nowhere, directory.path());
    assert!(problems.is_empty(), "{problems:?}");
    let part = |part: &Part| {
        let bytes = part.bytes.map_or("-".to_owned(), |bytes| bytes.to_string());
        let sum = if part.summed { "=" } else { "" };
        let fault = part.fault.map_or(String::new(), |fault| format!("!{fault:?}"));
        format!("{} {bytes}{sum}{fault}", part.name)
    };
    let tell = |load: &Load| {
        let parts: Vec<_> = load.parts.iter().map(part).collect();
        format!("{} {}: {}", load.name, load.layout.as_str(), parts.join(", "))
    };
    let told = library.loads().iter().map(tell).collect();
    (directory, library, told)
}

/// `sha256sum` of `x`.
const X: &str = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881";

#[test]
fn what_makes_a_load() {
    let check = |files: &[(&str, &str)], expected: &[&str]| assert_eq!(told(files).2, expected);
    check(
        &[("SIP41.loads", "jar.sbn\ncnu.sbn\n"), ("jar.sbn", "x"), ("CNU.sbn", "xx")],
        &["SIP41.loads list: SIP41.loads 16, jar.sbn 1, CNU.sbn 2"],
    );
    check(
        &[("SIP41.loads", "jar.sbn\ndsp.sbn\n"), ("dsp.sbn", "")],
        &["SIP41.loads list: SIP41.loads 16, jar.sbn -!Absent, dsp.sbn 0!Empty"],
    );
    // Two releases with a part of one name: each has its own.
    check(
        &[("1/a.loads", "p.sbn"), ("1/p.sbn", "x"), ("2/b.loads", "p.sbn"), ("2/p.sbn", "xx")],
        &["1/a.loads list: 1/a.loads 5, 1/p.sbn 1", "2/b.loads list: 2/b.loads 5, 2/p.sbn 2"],
    );
    check(
        &[
            ("5.9/3111-48400-001.sip.ld", "x"),
            ("5.9/3111-46161-001.sip.ld", "xx"),
            ("6.4/sip.ld", "x"),
        ],
        &[
            "5.9/sip.ld split: 5.9/3111-46161-001.sip.ld 2, 5.9/3111-48400-001.sip.ld 1",
            "6.4/sip.ld combined: 6.4/sip.ld 1",
        ],
    );
    check(
        &[("T46S(T48S,T42S,T41S)-66.86.0.15.rom", "x")],
        &["T46S(T48S,T42S,T41S)-66.86.0.15.rom platform: T46S(T48S,T42S,T41S)-66.86.0.15.rom 1"],
    );
}

#[test]
fn sums_beside_the_files() {
    let check = |manifest: (&str, String), expected: &str| {
        let text = manifest.1.as_str();
        let (_kept, library, told) = told(&[("v/a.rom", "x"), (manifest.0, text)]);
        assert_eq!(told, [expected], "{manifest:?}");
        let is_sound = library.lacking("a.rom").is_empty() && library.lacking("v/a.rom").is_empty();
        assert_eq!(is_sound, !expected.contains('!'), "{manifest:?}");
    };
    check(("v/SHA256SUMS", format!("{X}  a.rom\n")), "v/a.rom platform: v/a.rom 1=");
    check(("SHA256SUMS", format!("{X} *./v/a.rom\n")), "v/a.rom platform: v/a.rom 1=");
    check(("v/a.rom.sha256", format!("{X}\n")), "v/a.rom platform: v/a.rom 1=");
    let other = X.replace('2', "3");
    check(("v/SHA256SUMS", format!("{other}  a.rom\n")), "v/a.rom platform: v/a.rom 1=!Altered");
    check(("v/SHA256SUMS", format!("{X}  other.rom\n")), "v/a.rom platform: v/a.rom 1");
    check(("v/SHA256SUMS", "garbage a.rom\n".to_owned()), "v/a.rom platform: v/a.rom 1");
}

#[test]
fn what_is_missing_of_a_load() {
    let (_kept, library, _) = told(&[
        ("SIP41.loads", "jar41sip.sbn\ncnu41.sbn\ndsp41.sbn\n"),
        ("whole.loads", "CNU41.sbn\n"),
        ("cnu41.sbn", "x"),
        ("dsp41.sbn", ""),
    ]);
    assert_eq!(library.lacking("sccp/sip41.LOADS"), ["jar41sip.sbn", "dsp41.sbn"]);
    assert!(library.lacking("whole.loads").is_empty());
    assert!(library.lacking("cnu41.sbn").is_empty() && library.lacking("absent").is_empty());
}
