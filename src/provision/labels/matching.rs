//! Which listed MAC was meant for which phone: one to one, cheapest in all, and only what stands out.

use std::collections::{BTreeMap, HashMap, HashSet};

use pathfinding::{kuhn_munkres::kuhn_munkres, matrix::Matrix};

use crate::domain::Mac;

use super::distance::{Digits, MISTAKE};

/// The most that a pair may cost: two mistakes.
pub const LIMIT: u32 = 2 * MISTAKE;

/// What costs as much as this is no alternative to anything: [`LIMIT`] and the margin by which a pair has to be better.
pub const HORIZON: u32 = 3 * MISTAKE;

/// The most MACs of one side that hang together by pairs within [`LIMIT`]. Among more than that nothing stands out.
const MAX_TANGLE: usize = 32;

/// So many candidates of one MAC decide as well as all of them.
const MAX_NEAR: usize = MAX_TANGLE + 2;

/// One MAC with what else tells whether it belongs to another. What is `None` is not known and counts for nothing.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Label {
    mac: Mac,
    vendor: Option<String>,
    model: Option<String>,
    place: Option<u32>,
    digits: Digits,
}

impl Label {
    /// A MAC of which nothing else is known.
    #[must_use]
    pub fn new(mac: Mac) -> Self {
        let digits = Digits::new(mac);
        Self { mac, vendor: None, model: None, place: None, digits }
    }

    /// The same, with whose prefix it has.
    #[must_use]
    pub fn made_by(self, vendor: Option<String>) -> Self {
        Self { vendor, ..self }
    }

    /// The same, with the model by the catalog's name.
    #[must_use]
    pub fn of_model(self, model: Option<String>) -> Self {
        Self { model, ..self }
    }

    /// The same, with where it is: any number that is the same for one subnet.
    #[must_use]
    pub fn at(self, place: Option<u32>) -> Self {
        Self { place, ..self }
    }

    /// The MAC.
    #[must_use]
    pub const fn mac(&self) -> Mac {
        self.mac
    }

    /// False for most of those that cost [`HORIZON`] or more.
    pub(super) const fn may_be_near(&self, other: Digits) -> bool {
        self.digits.may_be_near(other)
    }

    /// What it costs to believe that one of these was listed for the other, in hundredths of a mistake; `None` from
    /// [`HORIZON`] on. The same in both directions.
    #[must_use]
    pub fn cost(&self, other: &Self) -> Option<u32> {
        let differ = |one: &Option<String>, other: &Option<String>| {
            one.is_some() && other.is_some() && one != other
        };
        let read = self.digits.apart(other.digits)?;
        let vendor = u32::from(differ(&self.vendor, &other.vendor)) * 2 * MISTAKE;
        let model = u32::from(differ(&self.model, &other.model)) * MISTAKE;
        let cost = self.scaled(other, read + vendor + model);
        (cost < HORIZON).then_some(cost)
    }

    /// Less by a fifth in the same place.
    fn scaled(&self, other: &Self, cost: u32) -> u32 {
        let together = self.place.is_some() && self.place == other.place;
        if together { cost * 4 / 5 } else { cost }
    }

    /// How much dearer everything else has to be than this pair: one mistake, at the pair's own scale. Where all phones
    /// stand on one subnet the discount is everybody's, and must not make a pair stand out less than without it.
    fn margin(&self, other: &Self) -> u32 {
        self.scaled(other, MISTAKE)
    }
}

/// The two sides that are matched.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Side {
    /// Listed, never seen.
    Listed,
    /// Seen, not listed.
    Seen,
}

impl Side {
    const fn other(self) -> Self {
        match self {
            Self::Listed => Self::Seen,
            Self::Seen => Self::Listed,
        }
    }
}

/// Where labels are looked for.
pub trait Pool {
    /// Everything of `side` that costs less than [`HORIZON`] with `label`, with its cost.
    fn near(&self, side: Side, label: &Label) -> Vec<(Label, u32)>;

    /// True for every listed MAC, seen or not.
    fn is_listed(&self, mac: Mac) -> bool;
}

/// The one that `label`, of `side`, belongs to: a listed MAC to the phone that stands there, or the other way round.
///
/// `None` unless all of this holds: the pair costs [`LIMIT`] at most; for both, every other candidate costs a mistake
/// more; the cheapest assignment of all that hang together with them has the pair, and without it costs a mistake more;
/// and the listed MAC does not stand in a row with others of a carton.
#[must_use]
pub fn partner(pool: &impl Pool, side: Side, label: &Label) -> Option<Label> {
    let best = clear(pool, side, label)?;
    let back = clear(pool, side.other(), &best)?;
    let (listed, seen) = match side {
        Side::Listed => (label, &best),
        Side::Seen => (&best, label),
    };
    let mutual = back.mac == label.mac && !is_in_row(pool, listed.mac, seen.mac);
    (mutual && is_assigned(pool, listed, seen)).then_some(best)
}

/// The nearest on the other side, if nothing else comes close.
fn clear(pool: &impl Pool, side: Side, label: &Label) -> Option<Label> {
    let near = pool.near(side.other(), label);
    let (best, cost) = near.iter().min_by_key(|(other, cost)| (*cost, other.mac))?;
    let next = cost + label.margin(best);
    let others = near.iter().filter(|(other, _)| other.mac != best.mac);
    let stands_out = others.min_by_key(|(_, cost)| *cost).is_none_or(|(_, cost)| *cost >= next);
    (*cost <= LIMIT && stands_out).then(|| best.clone())
}

/// True if the list itself vouches for a MAC: its neighbours, one or two away as cartons are numbered, are listed too,
/// and the phone that is here fits in no better. Then this label is right and its phone is still in the box.
fn is_in_row(pool: &impl Pool, listed: Mac, seen: Mac) -> bool {
    let neighbours = |mac: Mac| {
        let near = [-2_i64, -1, 1, 2].into_iter().filter_map(|step| moved(mac, step));
        near.filter(|near| *near != listed && pool.is_listed(*near)).count()
    };
    let own = neighbours(listed);
    own > 0 && own >= neighbours(seen)
}

/// The MAC some steps further on.
fn moved(mac: Mac, step: i64) -> Option<Mac> {
    let [_, _, octets @ ..] = mac.value().checked_add_signed(step)?.to_be_bytes();
    Mac::new(octets).ok()
}

/// All that hangs together with a pair by other pairs within [`LIMIT`].
#[derive(Default)]
struct Tangle {
    /// Places of the listed and of the seen ones in the matrix.
    listed: BTreeMap<Mac, usize>,
    seen: BTreeMap<Mac, usize>,
    costs: Vec<(usize, usize, u32)>,
}

impl Tangle {
    /// Follows all pairs from `first` on; `None` for too many.
    fn around(pool: &impl Pool, first: &Label) -> Option<Self> {
        let mut tangle = Self::default();
        tangle.listed.insert(first.mac, 0);
        let mut open = vec![(Side::Listed, first.clone())];
        while let Some((side, label)) = open.pop() {
            let here = *tangle.side(side).get(&label.mac)?;
            for (other, cost) in pool.near(side.other(), &label) {
                if cost > LIMIT {
                    continue;
                }
                let places = tangle.side(side.other());
                let (known, count) = (places.get(&other.mac).copied(), places.len());
                if known.is_none() && count == MAX_TANGLE {
                    return None;
                }
                let there = known.unwrap_or(count);
                places.insert(other.mac, there);
                if side == Side::Listed {
                    tangle.costs.push((here, there, cost));
                }
                if known.is_none() {
                    open.push((side.other(), other));
                }
            }
        }
        Some(tangle)
    }

    const fn side(&mut self, side: Side) -> &mut BTreeMap<Mac, usize> {
        match side {
            Side::Listed => &mut self.listed,
            Side::Seen => &mut self.seen,
        }
    }

    /// How much the cheapest assignment saves against leaving everybody alone, which costs [`HORIZON`] for each pair.
    fn saved(&self, without: Option<(usize, usize)>) -> i64 {
        let size = self.listed.len().max(self.seen.len());
        // A square, because the algorithm assigns every row; what is no pair saves nothing.
        let mut saved = Matrix::new(size, size, 0);
        for (row, column, cost) in &self.costs {
            if without != Some((*row, *column)) {
                saved[(*row, *column)] = i64::from(HORIZON - cost);
            }
        }
        kuhn_munkres(&saved).0
    }
}

/// True if the cheapest one-to-one assignment has this pair, and every one without it costs a mistake more.
fn is_assigned(pool: &impl Pool, listed: &Label, seen: &Label) -> bool {
    let Some(tangle) = Tangle::around(pool, listed) else { return false };
    let Some(column) = tangle.seen.get(&seen.mac) else { return false };
    let with = tangle.saved(None);
    with - tangle.saved(Some((0, *column))) >= i64::from(listed.margin(seen))
}

/// Two lists in memory.
#[derive(Clone, Copy, Debug)]
pub struct Lists<'a> {
    /// Listed, never seen.
    pub listed: &'a [Label],
    /// Seen, not listed.
    pub seen: &'a [Label],
}

impl Lists<'_> {
    /// All pairs that stand out, as (listed, seen). Each MAC is looked at with each of the other side once.
    #[must_use]
    pub fn pairs(&self) -> Vec<(Mac, Mac)> {
        let mut near: HashMap<(Side, Mac), Vec<(Label, u32)>> = HashMap::new();
        for one in self.listed {
            let mut theirs = self.near(Side::Seen, one);
            for (other, cost) in &theirs {
                let list = near.entry((Side::Listed, other.mac)).or_default();
                list.push((one.clone(), *cost));
                if list.len() > 4 * MAX_NEAR {
                    shorten(list);
                }
            }
            shorten(&mut theirs);
            near.insert((Side::Seen, one.mac), theirs);
        }
        let listed = self.listed.iter().map(Label::mac).collect();
        let known = Known { near, listed };
        let pair = |label: &Label| Some((label.mac, partner(&known, Side::Listed, label)?.mac));
        self.listed.iter().filter_map(pair).collect()
    }
}

impl Pool for Lists<'_> {
    fn near(&self, side: Side, label: &Label) -> Vec<(Label, u32)> {
        let others = if side == Side::Listed { self.listed } else { self.seen };
        let near = others.iter().filter(|other| label.may_be_near(other.digits));
        near.filter_map(|other| Some((other.clone(), label.cost(other)?))).collect()
    }

    fn is_listed(&self, mac: Mac) -> bool {
        self.listed.iter().any(|label| label.mac == mac)
    }
}

/// Keeps the nearest: more of them change nothing, because the tangle is too big then.
fn shorten(near: &mut Vec<(Label, u32)>) {
    near.sort_unstable_by_key(|(other, cost)| (*cost, other.mac));
    near.truncate(MAX_NEAR);
}

/// Two lists of which it is known who is near whom.
struct Known {
    /// By the side that is looked through, and the MAC that it is looked through for.
    near: HashMap<(Side, Mac), Vec<(Label, u32)>>,
    listed: HashSet<Mac>,
}

impl Pool for Known {
    fn near(&self, side: Side, label: &Label) -> Vec<(Label, u32)> {
        self.near.get(&(side, label.mac)).cloned().unwrap_or_default()
    }

    fn is_listed(&self, mac: Mac) -> bool {
        self.listed.contains(&mac)
    }
}
