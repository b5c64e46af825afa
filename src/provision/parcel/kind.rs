//! How a file is packed, by what it begins with: names lie, and Cisco signs in front of its archives.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
};

/// How far in an archive may begin. A signature in front of one is a few hundred octets.
const SIGNATURE: usize = 64 * 1024;

/// Endings that say how a file is packed, in lower case.
const ENDINGS: [&str; 9] =
    [".cop.sgn", ".cop.sha512", ".sgn", ".sha512", ".tar.gz", ".zip", ".tgz", ".tar", ".cop"];

/// How a file is packed, and where the archive begins in it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    Zip,
    Tar(u64),
    Gzip(u64),
    Plain,
}

/// True for a name that says that it is an archive. `.sgn` alone does not: Cisco's loads end so, too.
pub(super) fn is_archive(base: &str) -> bool {
    bare(base).is_some()
}

/// The name without its last such ending.
pub(super) fn bare(name: &str) -> Option<&str> {
    let lower = name.to_ascii_lowercase();
    let end = ENDINGS.iter().find(|end| lower.len() > end.len() && lower.ends_with(**end))?;
    let packed = !matches!(*end, ".sgn" | ".sha512");
    packed.then(|| &name[..name.len() - end.len()])
}

/// Finds out how a file is packed.
pub(super) fn of(file: &mut File) -> io::Result<Kind> {
    let mut head = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.take(SIGNATURE as u64).read_to_end(&mut head)?;
    file.seek(SeekFrom::Start(0))?;
    Ok(told(&head))
}

/// The same from its first octets. A gzip member begins with 1f 8b 08 (RFC 1952 §2.3.1); a tar has `ustar` 257 octets
/// behind where it begins (POSIX.1-2017, pax).
fn told(head: &[u8]) -> Kind {
    if head.starts_with(b"PK\x03\x04") {
        return Kind::Zip;
    }
    // Reserved flags are zero: three octets alone would be found by chance in a signature.
    let gzip = head.windows(4).position(|it| it[..3] == *b"\x1f\x8b\x08" && it[3] & 0xe0 == 0);
    let tar = head.windows(5).position(|it| it == b"ustar").filter(|at| *at >= 257);
    match (tar, gzip) {
        (Some(tar), gzip) if gzip.is_none_or(|gzip| tar - 257 < gzip) => {
            Kind::Tar(tar as u64 - 257)
        }
        (_, Some(gzip)) => Kind::Gzip(gzip as u64),
        _ => Kind::Plain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_what_it_begins_with() {
        let check = |head: &[u8], expected| assert_eq!(told(head), expected, "{head:?}");
        let tar = [vec![0; 257], b"ustar\x0000".to_vec()].concat();
        check(b"PK\x03\x04rest", Kind::Zip);
        check(b"\x1f\x8b\x08\x00rest", Kind::Gzip(0));
        check(b"signed\x1f\x8b\x08\x08rest", Kind::Gzip(6));
        check(b"\x1f\x8b\x08\xff by chance", Kind::Plain);
        check(&tar, Kind::Tar(0));
        check(&[b"signature".to_vec(), tar].concat(), Kind::Tar(9));
        check(b"ustar", Kind::Plain);
        check(b"", Kind::Plain);
    }

    #[test]
    fn endings() {
        let check = |name, expected| assert_eq!(bare(name), expected, "{name}");
        check("cmterm-7941.9-4-2.cop.sgn", Some("cmterm-7941.9-4-2"));
        check("cmterm-88xx.14-3-1.k4.cop.sha512", Some("cmterm-88xx.14-3-1.k4"));
        check("UCS_5_9.ZIP", Some("UCS_5_9"));
        check("a.tar.gz", Some("a"));
        check("term61.default.sgn", None);
        check("jar41.sbn", None);
        check(".zip", None);
    }
}
