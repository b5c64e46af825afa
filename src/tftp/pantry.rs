//! Files read once and shared by all transfers that carry them.

use std::{
    collections::HashMap,
    fs::File,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use crate::provision::Body;

/// The largest file that is read whole. A larger one is read block by block, as all are if there is no room.
const LARGEST: u64 = 64 << 20;

/// Octets that are held at once: loads of a few families. A file is let go with the last transfer that carries it.
const ROOM: u64 = 256 << 20;

/// The files under way, by where their handles are.
#[derive(Debug, Default)]
pub struct Pantry(Mutex<HashMap<usize, Jar>>);

#[derive(Debug)]
struct Jar {
    // The handle's place is used again once it is gone.
    file: Weak<File>,
    bytes: Weak<[u8]>,
}

impl Pantry {
    /// The same content, in memory if it can be. Reads a file at its first use: it is opened already, and the readers of
    /// all its blocks would wait for the same octets.
    pub fn shared(&self, body: Body, length: u64) -> Body {
        let Body::File(file) = &body else { return body };
        if length > LARGEST {
            return body;
        }
        let mut jars = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = Arc::as_ptr(file).addr();
        let known = jars.get(&place).filter(|jar| jar.file.strong_count() > 0);
        if let Some(bytes) = known.and_then(|jar| jar.bytes.upgrade())
            && bytes.len() as u64 == length
        {
            return Body::Bytes(bytes);
        }
        jars.retain(|_, jar| jar.bytes.strong_count() > 0);
        let held: u64 =
            jars.values().filter_map(|jar| Some(jar.bytes.upgrade()?.len() as u64)).sum();
        if held + length > ROOM {
            return body;
        }
        let Some(bytes) = whole(&body, length) else { return body };
        jars.insert(place, Jar { file: Arc::downgrade(file), bytes: Arc::downgrade(&bytes) });
        Body::Bytes(bytes)
    }
}

/// All of it; `None` if it can't be read or became shorter, which whoever reads it by blocks finds out and tells.
fn whole(body: &Body, length: u64) -> Option<Arc<[u8]>> {
    let mut bytes = vec![0; usize::try_from(length).ok()?];
    let read = body.read_at(0, &mut bytes).ok()?;
    (read == bytes.len()).then(|| bytes.into())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn file(content: &[u8]) -> Arc<File> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(content).unwrap();
        Arc::new(file)
    }

    fn bytes(body: Body) -> Option<Arc<[u8]>> {
        match body {
            Body::Bytes(bytes) => Some(bytes),
            Body::File(_) => None,
        }
    }

    #[test]
    fn a_file_is_read_once_while_somebody_has_it() {
        let (pantry, load) = (Pantry::default(), file(b"firmware"));
        let take = || bytes(pantry.shared(Body::File(Arc::clone(&load)), 8)).unwrap();
        let (one, two) = (take(), take());
        assert_eq!(&one[..], b"firmware");
        assert!(Arc::ptr_eq(&one, &two));
        drop((one, two));
        let other = file(b"other");
        let other = bytes(pantry.shared(Body::File(other), 5)).unwrap();
        assert_eq!(&other[..], b"other");
        assert_eq!(pantry.0.lock().unwrap().len(), 1, "what nobody carries is let go");
    }

    #[test]
    fn what_does_not_fit_or_is_shorter_stays_a_file() {
        let pantry = Pantry::default();
        let as_file = |length| bytes(pantry.shared(Body::File(file(b"short")), length)).is_none();
        assert!(as_file(LARGEST + 1));
        assert!(as_file(6));
        assert!(!as_file(5));
    }
}
