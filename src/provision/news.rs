//! Which evidence and which address is new enough to be recorded.

use std::{
    collections::HashMap,
    net::Ipv4Addr,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use jiff::SignedDuration;

use crate::domain::{Ground, Mac, Origin, Timestamp};

/// How long evidence may be on its way to the state.
const ON_ITS_WAY: Duration = Duration::from_secs(10);

/// How long a name that tells much holds against later ones that tell less and something else.
const OUTLIVED: SignedDuration = SignedDuration::from_hours(24);

/// Phones remembered at a time; one more and all are forgotten, which costs a few writes and nothing else.
const MAX_PHONES: usize = 4096;

/// Evidence that is recorded and may not be fact yet: a phone asks for its files faster than they are committed.
#[derive(Debug, Default)]
pub(super) struct News(Mutex<HashMap<Mac, (Instant, Vec<Ground>)>>);

impl News {
    /// Those of `grounds` that say something new against what is `known` or on its way.
    pub fn of(&self, phone: Mac, grounds: &[Ground], mut known: Vec<Ground>) -> Vec<Ground> {
        let mut under_way = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let recent = under_way.remove(&phone).filter(|(then, _)| then.elapsed() < ON_ITS_WAY);
        let mut shown = recent.map(|(_, shown)| shown).unwrap_or_default();
        for ground in &shown {
            replace(&mut known, ground);
        }
        let mut news = grounds.to_vec();
        news.retain(|ground| is_news(ground, known.iter().find(|one| one.from == ground.from)));
        for ground in &news {
            replace(&mut shown, ground);
        }
        if under_way.len() >= MAX_PHONES {
            under_way.clear();
        }
        if !shown.is_empty() {
            under_way.insert(phone, (Instant::now(), shown));
        }
        news
    }
}

/// Something about phones that is recorded and may not be fact yet: where they are ([`Moves`]), whose files they asked
/// for ([`Mistakes`]). Bounded as [`News`] is.
#[derive(Debug)]
pub(super) struct Latest<T>(Mutex<HashMap<Mac, (Instant, T)>>);

/// Addresses.
pub(super) type Moves = Latest<Ipv4Addr>;

/// Other phones whose files a phone asked for.
pub(super) type Mistakes = Latest<Mac>;

impl<T> Default for Latest<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Copy + PartialEq> Latest<T> {
    /// True if what is so of a phone differs from what was `known`, or is on its way to the record.
    pub fn is_news(&self, phone: Mac, address: T, known: Option<T>) -> bool {
        let mut under_way = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let recent = under_way.get(&phone).filter(|(then, _)| then.elapsed() < ON_ITS_WAY);
        if recent.map(|(_, address)| *address).or(known) == Some(address) {
            return false;
        }
        if under_way.len() >= MAX_PHONES {
            under_way.clear();
        }
        under_way.insert(phone, (Instant::now(), address));
        true
    }
}

/// Puts a ground in place of the one of its origin.
fn replace(grounds: &mut Vec<Ground>, ground: &Ground) {
    grounds.retain(|one| one.from != ground.from);
    grounds.push(ground.clone());
}

/// True if a ground says something that the known one of the same origin does not.
///
/// A phone asks for many files: a name that tells the model is not replaced by one that tells the family only, or every
/// boot would write and forget it anew. A name that tells no vendor tells nothing.
fn is_news(ground: &Ground, known: Option<&Ground>) -> bool {
    let Some(known) = known else {
        return ground.from != Origin::FileName || ground.vendor.is_some();
    };
    if ground.from != Origin::FileName {
        let timeless = |ground: &Ground| Ground { at: Timestamp::UNIX_EPOCH, ..ground.clone() };
        return timeless(ground) != timeless(known);
    }
    let says =
        |ground: &Ground| (ground.model.clone(), ground.family.clone(), ground.vendor.clone());
    let weight = |ground: &Ground| {
        (ground.model.is_some(), ground.family.is_some(), ground.vendor.is_some())
    };
    let contradicts = [(&ground.vendor, &known.vendor), (&ground.model, &known.model)]
        .into_iter()
        .any(|(new, old)| new.is_some() && old.is_some() && new != old)
        || ground.family.is_some() && known.family.is_some() && ground.family != known.family;
    // It was loaded with other firmware, or the label moved to another phone: what it said long ago is not what it is.
    let outlived = contradicts && ground.at.duration_since(known.at) > OUTLIVED;
    says(ground) != says(known) && (weight(ground) >= weight(known) || outlived)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ground(model: &str, family: Option<&str>, at: i64) -> Ground {
        Ground {
            from: Origin::FileName,
            value: at.to_string(),
            vendor: Some("Cisco".to_owned()),
            family: family.map(crate::domain::FamilyName::new),
            model: (!model.is_empty()).then(|| model.to_owned()),
            firmware: None,
            mac: None,
            at: Timestamp::from_second(at).unwrap(),
        }
    }

    #[test]
    fn what_is_news() {
        let with = |from, ground: Ground| Ground { from, ..ground };
        let check = |new: Ground, known: Ground, expected: bool| {
            assert_eq!(is_news(&new, Some(&known)), expected, "{new:?} after {known:?}");
        };
        check(ground("7961", Some("79xx"), 2), ground("", Some("79xx"), 1), true);
        check(ground("", Some("79xx"), 2), ground("7961", Some("79xx"), 1), false);
        check(ground("7961", Some("79xx"), 2), ground("7961", Some("79xx"), 1), false);
        check(ground("7941", Some("79xx"), 2), ground("7961", Some("79xx"), 1), true);
        check(ground("", None, 2), ground("", Some("79xx"), 1), false);
        let day = 24 * 60 * 60;
        check(ground("", Some("mpp"), day), ground("7961", Some("79xx"), 1), false);
        check(ground("", Some("mpp"), day + 2), ground("7961", Some("79xx"), 1), true);
        check(ground("", Some("79xx"), day + 2), ground("7961", Some("79xx"), 1), false);
        let agent = |at| with(Origin::UserAgent, ground("7961", None, at));
        check(agent(2), agent(1), true);
        check(Ground { at: Timestamp::MAX, ..agent(1) }, agent(1), false);
        assert!(is_news(&agent(1), None));
    }

    #[test]
    fn where_it_was_last_counts() {
        let phone: Mac = "001565000001".parse().unwrap();
        let [here, there] = [1, 2].map(|last| Ipv4Addr::new(10, 0, 0, last));
        let moves = Moves::default();
        assert!(!moves.is_news(phone, here, Some(here)));
        assert!(moves.is_news(phone, there, Some(here)));
        // Not fact yet, and said already; back again before it is fact.
        assert!(!moves.is_news(phone, there, Some(here)));
        assert!(moves.is_news(phone, here, Some(here)));
        for number in 0..10_000_u32 {
            let [a, b, c, d] = number.to_be_bytes();
            moves.is_news(Mac::new([0, 0x15, a, b, c, d]).unwrap(), here, None);
        }
        assert!(moves.0.lock().unwrap().len() <= MAX_PHONES);
    }

    #[test]
    fn what_is_on_its_way_counts() {
        let phone: Mac = "001565000001".parse().unwrap();
        let news = News::default();
        let count = |ground: &Ground| news.of(phone, std::slice::from_ref(ground), vec![]).len();
        let (model, family) = (ground("T46S", Some("yealink"), 1), ground("", Some("yealink"), 2));
        assert_eq!((count(&model), count(&family), count(&model)), (1, 0, 0));
    }
}
