//! Lists of loads (`SIP41.9-4-2SR3-1S.loads`): which parts they name, and which of these are missing.

use std::{collections::BTreeMap, fs::File, os::unix::fs::FileExt};

use super::library::Held;

/// Lists are a few hundred bytes; what is longer is none.
const MAX_LIST: usize = 64 * 1024;

/// The most parts that are read out of one list. The longest known have about ten.
const MAX_PARTS: usize = 64;

/// What parts of loads end in.
const PARTS: [&str; 4] = [".sbn", ".sb2", ".sebn", ".bin"];

/// What is missing of each load, by the name of its list; loads that are whole are left out.
///
/// A list names its parts as plain text; with a signature in front and behind it is a binary file, and phones take it
/// with or without one (firmware research on 7941 and 7961, virtualab.ru). No source documents the form of the
/// signature or that sizes are told, so names are found by their endings, and of a part that is here no more is known
/// than that it is not empty.
pub(super) fn lacking(firmware: &BTreeMap<String, Held>) -> BTreeMap<String, Vec<String>> {
    let is_list = |name: &str| name.rsplit_once('.').is_some_and(|(_, end)| end == "loads");
    let lists = firmware.iter().filter(|(name, _)| is_list(name));
    let lack = |(name, list): (&String, &Held)| {
        let is_here = |part: &String| {
            let held = firmware.get(&part.to_lowercase());
            held.and_then(|held| held.file.metadata().ok()).is_some_and(|data| data.len() > 0)
        };
        let mut parts = parts(&read(&list.file)?);
        parts.retain(|part| !is_here(part));
        (!parts.is_empty()).then(|| (name.clone(), parts))
    };
    lists.filter_map(lack).collect()
}

fn read(file: &File) -> Option<Vec<u8>> {
    let length = usize::try_from(file.metadata().ok()?.len()).ok()?;
    let mut bytes = vec![0; length.min(MAX_LIST + 1)];
    file.read_exact_at(&mut bytes, 0).ok()?;
    (bytes.len() <= MAX_LIST).then_some(bytes)
}

/// The names of parts in a list, in its order, each once.
fn parts(list: &[u8]) -> Vec<String> {
    let in_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-".contains(byte);
    let mut parts: Vec<String> = Vec::new();
    for word in list.split(|byte| !in_name(byte)) {
        let word = String::from_utf8_lossy(word);
        let lower = word.to_ascii_lowercase();
        let is_part = PARTS.iter().any(|end| lower.len() > end.len() && lower.ends_with(end));
        if is_part && parts.len() < MAX_PARTS && !parts.iter().any(|part| *part == word) {
            parts.push(word.into_owned());
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{super::Library, *};

    #[test]
    fn names_of_parts() {
        let check = |list: &[u8], expected: &str| assert_eq!(parts(list).join(" "), expected);
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

    #[test]
    fn what_is_missing_of_a_load() {
        let directory = tempfile::tempdir().unwrap();
        let put = |name: &str, text: &str| fs::write(directory.path().join(name), text).unwrap();
        put("SIP41.loads", "jar41sip.sbn\ncnu41.sbn\ndsp41.sbn\n");
        put("whole.loads", "CNU41.sbn\n");
        put("cnu41.sbn", "x");
        put("dsp41.sbn", "");
        let (library, problems) = Library::load(directory.path(), directory.path());
        assert!(problems.is_empty(), "{problems:?}");
        assert_eq!(library.lacking("sccp/sip41.LOADS"), ["jar41sip.sbn", "dsp41.sbn"]);
        assert!(library.lacking("whole.loads").is_empty());
        assert!(library.lacking("cnu41.sbn").is_empty() && library.lacking("absent").is_empty());
    }
}
