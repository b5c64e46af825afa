//! Labels that were read wrongly: what a listed MAC shows by itself, and which phone it was meant for.
//!
//! Entries never seen are set against phones that are here and not listed. Nothing of it is stored: what belongs to one
//! MAC is found by an index of those near it, so a report of one phone costs the same whether ten phones are listed or
//! ten thousand.

mod distance;
mod matching;
#[cfg(test)]
mod tests;
mod words;

pub use distance::MISTAKE;
pub use matching::{Gathered, HORIZON, LIMIT, Label, Lists, MAX_TANGLE, Pool, Side, partner};

use std::{
    hash::{BuildHasher, BuildHasherDefault, DefaultHasher},
    net::{IpAddr, Ipv4Addr},
};

use crate::{
    domain::{Entry, Finding, FindingKind, Mac, Origin, Repair, Role, Timestamp, conclude},
    profile::Seen,
    store::{Phone, State},
};

use super::{Provisioner, identify::subnet_of, reads::Reads, report::Look};
use distance::Digits;

/// What is wrong with the label that an entry was read from.
pub(super) fn bad_label(look: &Look<'_>) -> Option<Finding> {
    let entry = look.entry?;
    let unseen = !look.boot.is_seen();
    // Once a phone was seen under a MAC, the label was read rightly, whatever else may be odd about it.
    placeholder(look.mac)
        .or_else(|| meant(look).filter(|_| unseen))
        .or_else(|| local(look.mac).filter(|_| unseen))
        .or_else(|| elses(look, entry).filter(|_| unseen))
}

fn finding(text: String, remedy: impl Into<String>) -> Finding {
    Finding {
        kind: FindingKind::BadLabel,
        text,
        remedy: remedy.into(),
        grounds: Vec::new(),
        repair: None,
    }
}

/// True for the start of a block: no maker gives it to a phone, and samples and forms are full of them.
pub(super) fn is_placeholder(mac: Mac) -> bool {
    matches!(mac.octets(), [_, _, _, 0, 0, 0])
}

fn placeholder(mac: Mac) -> Option<Finding> {
    let text = format!("{mac} is a placeholder and no phone's address");
    is_placeholder(mac).then(|| finding(text, "read the label of the phone again, or scan it"))
}

fn meant(look: &Look<'_>) -> Option<Finding> {
    let seen = look.meant()?;
    let text = format!(
        "never seen; {} is here, not listed, and {}",
        seen.lower(),
        words::difference(look.mac, seen)
    );
    let remedy = format!(
        "compare with the label on the phone; `ringup phones accept {} bad-label` lists it as {}",
        look.mac.lower(),
        seen.lower()
    );
    let repair = Some(Repair { mac: Some(seen), ..Repair::default() });
    Some(Finding { repair, ..finding(text, remedy) })
}

/// False for most of those between which no mistakes are few enough.
pub(super) fn may_be_near(one: Mac, other: Mac) -> bool {
    Digits::new(one).may_be_near(Digits::new(other))
}

/// True for an address that no maker gave out (IEEE 802, the second bit of the first octet).
pub(super) const fn is_local(mac: Mac) -> bool {
    mac.octets()[0] & 2 != 0
}

fn local(mac: Mac) -> Option<Finding> {
    let text = format!("{mac} is locally administered: no maker prints such an address on a phone");
    is_local(mac).then(|| finding(text, "compare the first two digits with the label"))
}

/// A prefix that nobody knows says nothing: the families' lists are never complete.
fn elses(look: &Look<'_>, entry: &Entry) -> Option<Finding> {
    let catalog = look.provisioner.catalog();
    let (family, _) = catalog.model(&entry.model)?;
    let maker = catalog.recognize(&Seen::Prefix(look.mac), look.boot.since)?.vendor?;
    (!family.is_by(&maker)).then(|| {
        let text = format!(
            "by its prefix {} is made by {maker}, listed is a {} {}: model or label wrong",
            look.mac, family.vendor, entry.model
        );
        finding(text, "compare model and MAC with the label on the phone")
    })
}

impl Provisioner {
    /// The phone that an entry was meant for, if its MAC was never seen and exactly one phone that is here and not
    /// listed stands out. Nothing is changed by it: an operator compares, and accepts.
    #[must_use]
    pub fn meant_by(&self, state: &State, listed: Mac) -> Option<Mac> {
        self.pairs(state, &Reads::at(Timestamp::UNIX_EPOCH)).meant_by(listed)
    }

    /// What is listed and what is here; who is looked for is noted.
    pub(super) const fn pairs<'a>(&'a self, state: &'a State, reads: &'a Reads) -> Here<'a> {
        Here { provisioner: self, state, reads }
    }

    /// All that others' pairs rest on of this phone, as a number: 0 for one that is neither listed nor a candidate.
    pub(super) fn standing(&self, state: &State, mac: Mac) -> u64 {
        let reads = Reads::at(Timestamp::UNIX_EPOCH);
        let pool = self.pairs(state, &reads);
        let label = pool.listed(mac).map(|label| (Side::Listed, label));
        let label = label.or_else(|| pool.seen(mac).map(|label| (Side::Seen, label)));
        let standing = (label, pool.has_entry(mac));
        if standing == (None, false) {
            0
        } else {
            BuildHasherDefault::<DefaultHasher>::default().hash_one(standing)
        }
    }

    /// The entry that was meant for a phone which is here and not listed: [`Self::meant_by`] the other way round.
    #[must_use]
    pub fn listed_for(&self, state: &State, seen: Mac) -> Option<Mac> {
        let reads = Reads::at(Timestamp::UNIX_EPOCH);
        let pool = self.pairs(state, &reads);
        let label = pool.seen(seen)?;
        partner(&pool, Side::Seen, &label).map(|listed| listed.mac())
    }

    /// The entry whose `bad-label` finding names this phone that is here and not listed, and in what their MACs differ.
    #[must_use]
    pub fn misread_as(&self, state: &State, seen: Mac) -> Option<(Mac, String)> {
        let listed = self.listed_for(state, seen)?;
        let differs = || (listed, words::difference(listed, seen));
        (self.meant_by(state, listed) == Some(seen)).then(differs)
    }
}

/// What is listed and what is here, out of the state.
pub(super) struct Here<'a> {
    provisioner: &'a Provisioner,
    state: &'a State,
    reads: &'a Reads,
}

impl Here<'_> {
    /// As [`Provisioner::meant_by`].
    pub(super) fn meant_by(&self, listed: Mac) -> Option<Mac> {
        let label = self.listed(listed)?;
        partner(self, Side::Listed, &label).map(|seen| seen.mac())
    }

    fn has_entry(&self, mac: Mac) -> bool {
        self.state.phones.get(&mac).is_some_and(|phone| phone.entry.is_some())
    }

    fn label(&self, side: Side, mac: Mac) -> Option<Label> {
        match side {
            Side::Listed => self.listed(mac),
            Side::Seen => self.seen(mac),
        }
    }

    /// An entry that was never seen.
    fn listed(&self, mac: Mac) -> Option<Label> {
        let phone = self.state.phones.get(&mac).filter(|phone| !phone.boot.is_seen())?;
        let entry = phone.entry.as_deref()?;
        let model = self.provisioner.catalog().model(&entry.model);
        let family = model.map(|(family, _)| family.vendor.clone());
        let label = Label::new(mac).made_by(self.maker(mac).or(family));
        Some(label.of_model(model.map(|(_, model)| model.name.clone())).at(self.place(entry)))
    }

    /// A phone that is here and not listed. What shows no sign of being a phone is no candidate.
    fn seen(&self, mac: Mac) -> Option<Label> {
        let phone = self.state.phones.get(&mac)?;
        if phone.entry.is_some() || !phone.boot.is_seen() || self.is_no_phone(phone) {
            return None;
        }
        let (identity, maker) = (conclude(&phone.grounds), self.maker(mac));
        let asked = phone.boot.transfers.iter().any(|one| one.role != Role::Extra);
        let is_phone = asked || identity.vendor.is_some() || maker.is_some();
        let model = identity
            .model
            .map(|model| super::identify::model_name(self.provisioner.catalog(), &model));
        let label = Label::new(mac).made_by(maker.or(identity.vendor)).of_model(model);
        is_phone.then(|| label.at(phone.boot.address.and_then(|address| self.subnet(address))))
    }

    fn is_no_phone(&self, phone: &Phone) -> bool {
        let class = phone.grounds.iter().find(|ground| ground.from == Origin::Option60);
        let other = |class: &str| {
            self.provisioner.catalog().not_a_phone(&Seen::Option60(class.as_bytes())).is_some()
        };
        class.is_some_and(|ground| other(&ground.value))
    }

    /// Whose prefix a MAC has, where that is one vendor's.
    fn maker(&self, mac: Mac) -> Option<String> {
        self.provisioner.catalog().recognize(&Seen::Prefix(mac), Timestamp::UNIX_EPOCH)?.vendor
    }

    /// Where an entry says that its phone is: the subnet of its address, else the only one of its site.
    fn place(&self, entry: &Entry) -> Option<u32> {
        if let Some(address) = entry.address {
            return self.subnet(address);
        }
        let site = entry.site.as_ref()?;
        let subnets = &self.provisioner.settings().dhcp.subnets;
        let mut here = subnets.iter().filter(|subnet| subnet.site == *site);
        here.next().filter(|_| here.next().is_none()).map(|subnet| u32::from(subnet.network))
    }

    fn subnet(&self, address: Ipv4Addr) -> Option<u32> {
        let subnet = subnet_of(self.provisioner.settings(), IpAddr::V4(address))?;
        Some(u32::from(subnet.network))
    }
}

impl Pool for Here<'_> {
    fn near(&self, side: Side, label: &Label) -> Option<Vec<(Label, u32)>> {
        self.reads.near(label.mac());
        let mut gathered = Gathered::default();
        let visit = |mac| gathered.take(label, mac, || self.label(side, mac));
        match side {
            Side::Listed => self.state.silent_near(label.mac(), visit),
            Side::Seen => self.state.strangers_near(label.mac(), visit),
        }
        gathered.all()
    }

    fn has_rival(&self, side: Side, label: &Label, best: Mac, cost: u32) -> bool {
        self.reads.around(label.mac());
        let near = |mac: &Mac| *mac != best && label.may_be_near(Digits::new(*mac));
        let is_rival = |mac: Mac| {
            let other = self.label(side, mac);
            other.and_then(|other| label.cost(&other)).is_some_and(|rivals| rivals < cost)
        };
        match side {
            Side::Listed => self.state.silent().filter(near).any(is_rival),
            Side::Seen => self.state.strangers().filter(near).any(is_rival),
        }
    }

    fn is_listed(&self, mac: Mac) -> bool {
        self.reads.near(mac);
        self.has_entry(mac)
    }
}
