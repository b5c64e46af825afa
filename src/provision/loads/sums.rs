//! SHA-256 of files, as manifests beside them give it: `SHA256SUMS`, or `NAME.sha256`.

use std::{collections::BTreeMap, fs::File, os::unix::fs::FileExt};

use sha2::{Digest, Sha256};

use super::{super::library::Held, super::name, ends, read};

/// Names of manifests, in lower case.
const MANIFESTS: [&str; 3] = ["sha256sums", "sha256sums.txt", "sha256sum.txt"];

/// Octets that are read at once.
const CHUNK: usize = 256 * 1024;

/// True for the name of a manifest.
pub(in crate::provision) fn is_manifest(path: &str) -> bool {
    let base = name::base(path).to_lowercase();
    MANIFESTS.contains(&base.as_str()) || ends(&base, ".sha256")
}

/// The sums that the manifests give, by path in lower case. A manifest speaks of its own folder and those below it.
pub(super) fn all(files: &BTreeMap<String, Held>) -> BTreeMap<String, String> {
    let mut sums = BTreeMap::new();
    for (path, held) in files.iter().filter(|(path, _)| is_manifest(path)) {
        let text = read(&held.file).unwrap_or_default();
        let folder = &path[..path.len() - name::base(path).len()];
        let alone = name::base(path).strip_suffix(".sha256");
        for line in String::from_utf8_lossy(&text).lines() {
            let mut words = line.split_whitespace();
            let sum = words.next().unwrap_or_default().to_ascii_lowercase();
            if sum.len() != 64 || !sum.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                continue;
            }
            // `sha256sum` puts a star before the names of files that it read as they are.
            let rest = line.trim_start().get(64..).unwrap_or_default().trim();
            let named = rest.strip_prefix('*').unwrap_or(rest).trim_start_matches("./");
            let named = if named.is_empty() { alone.unwrap_or_default() } else { named };
            sums.insert(format!("{folder}{}", named.to_lowercase()), sum);
        }
    }
    sums
}

/// True if the content has this sum.
pub(super) fn is(file: &File, sum: &str) -> bool {
    use std::fmt::Write as _;
    let (mut hash, mut at, mut buffer) = (Sha256::new(), 0_u64, vec![0; CHUNK]);
    loop {
        match file.read_at(&mut buffer, at) {
            Ok(0) => break,
            Ok(read) => {
                hash.update(&buffer[..read]);
                at += read as u64;
            }
            Err(_) => return false,
        }
    }
    let hex = hash.finalize().iter().fold(String::new(), |mut text, octet| {
        // Writing to a string can't fail.
        let _ = write!(text, "{octet:02x}");
        text
    });
    hex == sum
}
