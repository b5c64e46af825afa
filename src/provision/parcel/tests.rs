//! What is unpacked and what is refused: archives made on the spot, hostile ones among them.

use std::fs;

use super::{super::tests::catalog, *};

fn tar(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, content) in entries {
        let mut header = tar::Header::new_ustar();
        // Not through `set_path`, which would refuse what a hostile archive has.
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        builder.append(&header, *content).unwrap();
    }
    builder.into_inner().unwrap()
}

fn link(name: &str, to: &str) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_ustar();
    header.set_entry_type(tar::EntryType::Symlink);
    header.set_size(0);
    builder.append_link(&mut header, name, to).unwrap();
    builder.into_inner().unwrap()
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn zip(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(io::Cursor::new(Vec::new()));
    for (name, content) in entries {
        writer.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// All that lies in a directory, by path.
fn tree(root: &Path, below: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(below).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            tree(root, &path, found);
        } else {
            found.push(path.strip_prefix(root).unwrap().display().to_string());
        }
    }
    found.sort();
}

const BOUNDS: Bounds = Bounds { entries: 20, octets: 100_000, depth: 3 };

/// Adds one after the other; tells what the last one gave, and what lies there then.
fn add_all(files: &[(&str, Vec<u8>)]) -> (String, String) {
    let directory = tempfile::tempdir().unwrap();
    let firmware = directory.path().join("firmware");
    let mut last = String::new();
    for (name, content) in files {
        let path = directory.path().join(name);
        fs::write(&path, content).unwrap();
        last = match add(&path, &firmware, &catalog(), BOUNDS) {
            Ok(added) => format!(
                "{} + {} ({} known, {} left)",
                added.place,
                added.files.join(" "),
                added.known.len(),
                added.left
            ),
            Err(refused) => refused.to_string(),
        };
    }
    let mut found = Vec::new();
    if firmware.is_dir() {
        tree(&firmware, &firmware, &mut found);
    }
    (last, found.join(" "))
}

fn check(files: &[(&str, Vec<u8>)], expected: &str, there: &str) {
    let names: Vec<_> = files.iter().map(|(name, _)| name).collect();
    assert_eq!(add_all(files), (expected.to_owned(), there.to_owned()), "{names:?}");
}

const LOAD: &[(&str, &[u8])] = &[
    ("SIP41.9-4-2SR3-1S.loads", b"jar41sip.9-4-2.sbn\n"),
    ("jar41sip.9-4-2.sbn", b"xx"),
    ("copstart.sh", b"#!/bin/sh"),
];

const FILES: &str = "SIP41.9-4-2SR3-1S.loads jar41sip.9-4-2.sbn";

#[test]
fn what_vendors_ship() {
    let added = format!("c + {FILES} (0 known, 1 left)");
    let there = "c/SIP41.9-4-2SR3-1S.loads c/jar41sip.9-4-2.sbn";
    check(&[("c.zip", zip(LOAD))], &added, there);
    check(&[("c.tar", tar(LOAD))], &added, there);
    check(&[("c.cop.sgn", gzip(&tar(LOAD)))], &added, there);
    check(&[("c.cop.sgn", [b"signed".to_vec(), gzip(&tar(LOAD))].concat())], &added, there);
    check(&[("c.cop.sha512", tar(LOAD))], &added, there);
    // Folders inside do not count, and an archive inside is opened.
    let inner = gzip(&tar(&[("deep/er/jar41sip.9-4-2.sbn", b"xx"), LOAD[0]]));
    let outer = zip(&[("Firmware/inner.tgz", &inner), ("readme.txt", b"hi")]);
    check(&[("c.zip", outer)], &format!("c + {FILES} (0 known, 2 left)"), there);
    // Poly's releases have the same names: each has its folder.
    let poly = |text: &'static [u8]| zip(&[("3111-48400-001.sip.ld", text), ("sip.ver", text)]);
    check(
        &[("5.9.4.zip", poly(b"5.9.4")), ("6.4.0.zip", poly(b"6.4.0"))],
        "6.4.0 + 3111-48400-001.sip.ld sip.ver (0 known, 0 left)",
        "5.9.4/3111-48400-001.sip.ld 5.9.4/sip.ver 6.4.0/3111-48400-001.sip.ld 6.4.0/sip.ver",
    );
    let rom = "T46S(T48S,T42S,T41S)-66.86.0.15.rom";
    check(&[(rom, b"rom".to_vec())], &format!("{rom} + {rom} (0 known, 0 left)"), rom);
}

#[test]
fn what_is_here_already() {
    let there = "c/SIP41.9-4-2SR3-1S.loads c/jar41sip.9-4-2.sbn";
    let again = [("c.zip", zip(LOAD)), ("again.zip", zip(LOAD))];
    check(&again, " +  (2 known, 1 left)", there);
    let other = zip(&[("jar41sip.9-4-2.sbn", b"other")]);
    let expected = "jar41sip.9-4-2.sbn is here already, with other content";
    check(&[("c.zip", zip(LOAD)), ("d.zip", other)], expected, there);
    // The rest of a load may be here already.
    let list = zip(&[("SIP41.9-4-3.loads", b"jar41sip.9-4-2.sbn")]);
    let expected = "e + SIP41.9-4-3.loads (0 known, 0 left)";
    check(
        &[("c.zip", zip(LOAD)), ("e.zip", list)],
        expected,
        &format!("{there} e/SIP41.9-4-3.loads"),
    );
}

#[test]
fn what_is_refused_leaves_nothing() {
    let check = |name: &str, content: Vec<u8>, why: &str| {
        let (told, there) = add_all(&[(name, content)]);
        assert!(told.contains(why), "{name}: {told}");
        assert_eq!(there, "", "{name}: {told}");
    };
    check("a.tar", tar(&[("../../a.sbn", b"x")]), "leads out");
    check("a.tar", tar(&[("/etc/a.sbn", b"x")]), "leads out");
    check("a.zip", zip(&[("..\\a.sbn", b"x")]), "leads out");
    check("a.tar", link("a.sbn", "/etc/passwd"), "is a link");
    check("a.tar", tar(&[("1/a.sbn", b"x"), ("2/A.sbn", b"y")]), "twice");
    check("a.tgz", gzip(&tar(&[("a.sbn", &vec![0; 200_000])])), "too much");
    check("a.zip", zip(&[("a.sbn", &vec![0; 200_000])]), "too much");
    let many: Vec<(String, &[u8])> = (0..30).map(|n| (format!("{n}.txt"), &b""[..])).collect();
    let many: Vec<(&str, &[u8])> = many.iter().map(|(name, text)| (name.as_str(), *text)).collect();
    check("a.zip", zip(&many), "more than 20 files");
    let mut nested = zip(&[("a.sbn", b"x")]);
    for _ in 0..3 {
        nested = zip(&[("in.zip", &nested)]);
    }
    check("a.zip", nested, "deep in each other");
    check("a.zip", zip(&[("readme.txt", b"x")]), "no firmware in it");
    check("a.zip", zip(LOAD)[..60].to_vec(), "damaged");
    check("a.tgz", gzip(&tar(LOAD))[..60].to_vec(), "damaged");
    check("a.zip", zip(&LOAD[..1]), "jar41sip.9-4-2.sbn is not here");
    check("a.zip", zip(&[LOAD[0], ("jar41sip.9-4-2.sbn", b"")]), "jar41sip.9-4-2.sbn is empty");
    let sums = format!("{}  a.sbn\n", "0".repeat(64));
    check(
        "a.zip",
        zip(&[("a.sbn", b"x"), ("SHA256SUMS", sums.as_bytes())]),
        "not what its SHA-256 says",
    );
    check("notes.pdf", b"x".to_vec(), "neither");
}
