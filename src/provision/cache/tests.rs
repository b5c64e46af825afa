//! The shelves: made once, bounded, never of another stamp.

use std::{
    sync::{
        Barrier,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use super::*;

fn key(number: usize) -> Key {
    Key {
        source: (0, number),
        model: "T46S".to_owned(),
        site: "default".to_owned(),
        staged: false,
        phone: None,
        subnet: None,
        local: [10, 0, 0, 1].into(),
        secrets: Secrets::Plain,
        contradicts: false,
        instead: None,
    }
}

fn stamp(location: &str) -> Stamp {
    let entry = Entry { location: location.to_owned(), ..Entry::default() };
    Stamp { entry: Some(Arc::new(entry)), book: 0 }
}

fn made(octets: usize) -> Made {
    Made { bytes: vec![0; octets].into(), etag: octets.to_string() }
}

/// What all files cost, counted anew.
fn counted(cache: &Cache) -> usize {
    let shelves = cache.lock();
    let cost = |shelf: &HashMap<Key, Kept>| shelf.values().map(|kept| kept.cost).sum::<usize>();
    assert_eq!(cost(&shelves.young), shelves.octets, "the books are right");
    shelves.octets + cost(&shelves.old)
}

#[test]
fn those_who_ask_together_have_it_made_once() {
    let (cache, times, start) = (Cache::default(), AtomicUsize::new(0), Barrier::new(8));
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                start.wait();
                for number in 0..100 {
                    let made = cache.get(&key(number), stamp("here"), || {
                        times.fetch_add(1, Ordering::Relaxed);
                        thread::yield_now();
                        Ok(made(number))
                    });
                    assert_eq!(made.unwrap().bytes.len(), number);
                }
            });
        }
    });
    assert_eq!(times.into_inner(), 100);
    assert_eq!(counted(&cache), 100 * COST + (0..100).sum::<usize>());
}

#[test]
fn another_stamp_is_another_file_and_the_old_one_goes() {
    let cache = Cache::default();
    let length =
        |stamp: Stamp, octets| cache.get(&key(1), stamp, || Ok(made(octets))).unwrap().bytes.len();
    assert_eq!((length(stamp("here"), 1), length(stamp("here"), 2)), (1, 1), "equal is the same");
    assert_eq!((length(stamp("there"), 3), length(stamp("here"), 4)), (3, 4));
    let book = |book| Stamp { entry: None, book };
    assert_eq!((length(book(1), 5), length(book(2), 6), length(book(2), 7)), (5, 6, 6));
    assert_eq!(counted(&cache), COST + 6);
}

#[test]
fn what_has_a_flaw_is_looked_at_once() {
    let cache = Cache::default();
    let flawed = |flaw| cache.get(&key(1), stamp("here"), || Err(flaw)).unwrap_err();
    assert_eq!(flawed(Flaw::Absent), Flaw::Absent);
    assert_eq!(flawed(Flaw::Unrenderable("no more".to_owned())), Flaw::Absent);
}

#[test]
fn memory_is_bounded_and_what_is_asked_for_stays() {
    let (cache, size) = (Cache::default(), 100_000);
    let mut again = 0;
    for number in 1..3000 {
        cache.get(&key(number), stamp("here"), || Ok(made(size))).unwrap();
        // Counts 0, which everybody asks for all the time.
        cache
            .get(&key(0), stamp("here"), || {
                again += 1;
                Ok(made(size))
            })
            .unwrap();
        assert!(counted(&cache) <= ROOM + size + COST, "{number}");
    }
    assert_eq!(again, 1);
    let mut times = 0;
    for _ in 0..2 {
        let large = || {
            times += 1;
            Ok(made(LARGEST + 1))
        };
        cache.get(&key(5000), stamp("here"), large).unwrap();
    }
    assert_eq!(times, 2, "what is too large is not kept");
    assert!(counted(&cache) <= ROOM + size + COST);
}

#[test]
fn nothing_of_it_is_shown() {
    let cache = Cache::default();
    let secret = || Ok(Made { bytes: b"hunter2"[..].into(), etag: String::new() });
    let made = cache.get(&key(1), stamp("here"), secret);
    let shown = format!("{cache:?} {made:?}");
    assert!(!shown.contains("hunter2") && !shown.contains("104"), "{shown}");
}
