//! The journal's files: torn ends are silent, damage is not, and nothing whole is left unread.

use tempfile::TempDir;

use super::*;

/// A file with these records, and where each begins.
fn written(records: &[&[u8]]) -> (TempDir, Vec<usize>) {
    let dir = TempDir::new().unwrap();
    let mut log = Log::new(dir.path());
    let mut starts = Vec::new();
    for record in records {
        starts.push(length(&dir));
        log.append(1, record).unwrap();
    }
    starts.push(length(&dir));
    (dir, starts)
}

fn length(dir: &TempDir) -> usize {
    fs::metadata(path(dir.path(), 1)).map_or(0, |file| usize::try_from(file.len()).unwrap())
}

fn found(dir: &TempDir) -> (Vec<Vec<u8>>, bool) {
    let mut files = read(dir.path()).unwrap();
    assert_eq!(files.len(), 1);
    let file = files.remove(0);
    (file.records, file.damage.is_some())
}

#[test]
fn records_come_back_file_by_file() {
    let (dir, _) = written(&[b"one", b"", b"three"]);
    let mut log = Log::new(dir.path());
    log.append(10, b"ten").unwrap();
    log.append(2, b"two").unwrap();
    let files = read(dir.path()).unwrap();
    let numbers: Vec<_> = files.iter().map(|file| (file.number, file.records.len())).collect();
    assert_eq!(numbers, [(1, 3), (2, 1), (10, 1)]);
    assert_eq!(files[0].records, [&b"one"[..], b"", b"three"]);
    remove(dir.path(), 2).unwrap();
    assert_eq!(super::numbers(dir.path()).unwrap(), [10]);
    assert!(Log::new(dir.path()).append(10, b"x").is_err(), "a file is never continued");
}

#[test]
fn a_torn_end_is_silent_at_every_octet() {
    let (dir, starts) = written(&[b"first", b"second", b"and the last one"]);
    let whole = fs::read(path(dir.path(), 1)).unwrap();
    for length in starts[2]..starts[3] {
        fs::write(path(dir.path(), 1), &whole[..length]).unwrap();
        let expected = vec![b"first".to_vec(), b"second".to_vec()];
        assert_eq!(found(&dir), (expected.clone(), false), "{length} octets");
        // A file system may have made the file longer and not yet written what is in it.
        let zeros = [&whole[..length], &vec![0; whole.len() - length + 9]].concat();
        fs::write(path(dir.path(), 1), zeros).unwrap();
        let zero_end = length + 1 == whole.len() && whole[length] == 0;
        assert_eq!(found(&dir) == (expected, false), !zero_end, "{length} octets and zeros");
    }
}

#[test]
fn a_flipped_bit_costs_its_record_and_is_told() {
    let (dir, starts) = written(&[b"first", b"second", b"third"]);
    let whole = fs::read(path(dir.path(), 1)).unwrap();
    for position in starts[1]..starts[2] {
        for bit in 0..8 {
            let mut damaged = whole.clone();
            damaged[position] ^= 1 << bit;
            fs::write(path(dir.path(), 1), damaged).unwrap();
            let expected = (vec![b"first".to_vec(), b"third".to_vec()], true);
            assert_eq!(found(&dir), expected, "bit {bit} of octet {position}");
        }
    }
}

#[test]
fn a_record_inside_another_is_none() {
    // What a client might write into its identifier, if it knew all but the place.
    let (inner, _) = written(&[b"evil"]);
    let inner = fs::read(path(inner.path(), 1)).unwrap();
    let (dir, starts) = written(&[b"first", &inner]);
    let whole = fs::read(path(dir.path(), 1)).unwrap();
    let torn = &whole[..starts[2] - 1];
    assert!(torn.windows(4).any(|window| window.starts_with(MAGIC)));
    fs::write(path(dir.path(), 1), [torn, &[0xff]].concat()).unwrap();
    assert_eq!(found(&dir), (vec![b"first".to_vec()], false));
}

#[test]
fn a_newer_record_is_an_error() {
    let (dir, _) = written(&[b"first"]);
    let mut octets = fs::read(path(dir.path(), 1)).unwrap();
    octets[3] = VERSION + 1;
    let sum = crc(&octets[..8], 0, b"first");
    octets[8..12].copy_from_slice(&sum);
    fs::write(path(dir.path(), 1), octets).unwrap();
    assert!(matches!(read(dir.path()), Err(Unread::Newer(found)) if found == VERSION + 1));
}
