//! Which listed MAC was meant for which phone: one to one, cheapest in all, and only what stands out.

use std::{
    collections::{BTreeMap, HashMap},
    ops::ControlFlow,
    sync::Arc,
};

use pathfinding::{kuhn_munkres::kuhn_munkres, matrix::Matrix};

use crate::domain::{Mac, Nearby};

use super::distance::{Digits, MISTAKE};

/// The most that a pair may cost: two mistakes.
pub const LIMIT: u32 = 2 * MISTAKE;

/// What costs as much as this is no alternative to anything: [`LIMIT`] and the margin by which a pair has to be better.
pub const HORIZON: u32 = 3 * MISTAKE;

/// The most MACs of one side that hang together by pairs within [`LIMIT`]. Among more than that nothing stands out.
pub const MAX_TANGLE: usize = 32;

/// One MAC with what else tells whether it belongs to another. What is `None` is not known and counts for nothing.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Label {
    mac: Mac,
    vendor: Option<Arc<str>>,
    model: Option<Arc<str>>,
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
        Self { vendor: vendor.map(Arc::from), ..self }
    }

    /// The same, with the model by the catalog's name.
    #[must_use]
    pub fn of_model(self, model: Option<String>) -> Self {
        Self { model: model.map(Arc::from), ..self }
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
        let differ = |one: &Option<Arc<str>>, other: &Option<Arc<str>>| {
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
    /// Everything of `side` that costs [`LIMIT`] at most with `label`, with its cost; `None` for more than
    /// [`MAX_TANGLE`], among which nothing stands out.
    fn near(&self, side: Side, label: &Label) -> Option<Vec<(Label, u32)>>;

    /// True if something of `side` besides `best` costs less than that with `label`.
    fn has_rival(&self, side: Side, label: &Label, best: Mac, cost: u32) -> bool;

    /// True for every listed MAC, seen or not.
    fn is_listed(&self, mac: Mac) -> bool;
}

/// Gathers what [`Pool::near`] answers from candidates that may come several times.
#[derive(Debug, Default)]
pub struct Gathered {
    found: Vec<(Label, u32)>,
    too_many: bool,
}

impl Gathered {
    /// Takes a candidate; breaks when there are too many. `other` makes its label.
    pub fn take(
        &mut self,
        label: &Label,
        mac: Mac,
        other: impl FnOnce() -> Option<Label>,
    ) -> ControlFlow<()> {
        // Nearly all that an index shows ends here.
        if !label.digits.may_be_within(Digits::new(mac), 2)
            || self.found.iter().any(|(other, _)| other.mac == mac)
        {
            return ControlFlow::Continue(());
        }
        let cost = other().and_then(|other| Some((label.cost(&other)?, other)));
        let Some((cost, other)) = cost.filter(|(cost, _)| *cost <= LIMIT) else {
            return ControlFlow::Continue(());
        };
        self.found.push((other, cost));
        self.too_many = self.found.len() > MAX_TANGLE;
        if self.too_many { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    /// What was found.
    #[must_use]
    pub fn all(self) -> Option<Vec<(Label, u32)>> {
        (!self.too_many).then_some(self.found)
    }
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
    let near = pool.near(side.other(), label)?;
    let (best, cost) = near.iter().min_by_key(|(other, cost)| (*cost, other.mac))?;
    let next = cost + label.margin(best);
    let mut others = near.iter().filter(|(other, _)| other.mac != best.mac);
    // Those further away are many and seldom asked for: only where the best one has more than one mistake itself.
    let rivals = others.any(|(_, cost)| *cost < next)
        || next > LIMIT && pool.has_rival(side.other(), label, best.mac, next);
    (!rivals).then(|| best.clone())
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
            for (other, cost) in pool.near(side.other(), &label)? {
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

impl<'a> Lists<'a> {
    /// All pairs that stand out, as (listed, seen).
    #[must_use]
    pub fn pairs(&self) -> Vec<(Mac, Mac)> {
        let known = self.indexed();
        let pair = |label: &Label| Some((label.mac, partner(&known, Side::Listed, label)?.mac));
        self.listed.iter().filter_map(pair).collect()
    }

    /// The same with what makes a look into them short.
    pub(super) fn indexed(&self) -> Known<'a> {
        Known { listed: Known::side(self.listed), seen: Known::side(self.seen) }
    }
}

/// Two lists with an index of each.
pub(super) struct Known<'a> {
    listed: Indexed<'a>,
    seen: Indexed<'a>,
}

struct Indexed<'a> {
    labels: &'a [Label],
    by_mac: HashMap<Mac, &'a Label>,
    nearby: Nearby,
}

impl<'a> Known<'a> {
    fn side(labels: &'a [Label]) -> Indexed<'a> {
        let mut nearby = Nearby::default();
        for label in labels {
            nearby.insert(label.mac);
        }
        Indexed { labels, by_mac: labels.iter().map(|label| (label.mac, label)).collect(), nearby }
    }

    const fn of(&self, side: Side) -> &Indexed<'a> {
        match side {
            Side::Listed => &self.listed,
            Side::Seen => &self.seen,
        }
    }
}

impl Pool for Known<'_> {
    fn near(&self, side: Side, label: &Label) -> Option<Vec<(Label, u32)>> {
        let (there, mut gathered) = (self.of(side), Gathered::default());
        there.nearby.visit(label.mac, |mac| {
            gathered.take(label, mac, || there.by_mac.get(&mac).copied().cloned())
        });
        gathered.all()
    }

    fn has_rival(&self, side: Side, label: &Label, best: Mac, cost: u32) -> bool {
        let near = |other: &&Label| other.mac != best && label.may_be_near(other.digits);
        let is_rival = |other: &Label| label.cost(other).is_some_and(|rivals| rivals < cost);
        self.of(side).labels.iter().filter(near).any(is_rival)
    }

    fn is_listed(&self, mac: Mac) -> bool {
        self.listed.by_mac.contains_key(&mac)
    }
}
