//! Making a phone come again: who can be told to, and the seam to the carrier that tells it.

use std::{fmt::Debug, net::Ipv4Addr};

use crate::{
    config::PeerRule,
    domain::{Change, Event, Mac, Reply, Secret, Timestamp, What},
    net::Interface,
    profile::{Family, Speaks},
    store::State,
};

use super::{Provisioner, Service, identify::rule, report::Look};

/// The event that no stranger can send: its body names the call of the phone's registration.
const REGISTERED_ONLY: &str = "service-control";

/// What came of asking a phone to come again.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Called {
    /// It is told to, in its family's own way; what it answers goes on its record.
    Asked {
        /// Where it is.
        address: Ipv4Addr,
        /// What it is sent.
        event: String,
    },
    /// Too many wait to be told already: ask again in a moment.
    Later,
    /// Nothing here reaches it: somebody has to restart it.
    Restart(Unreachable),
}

impl Called {
    /// The name in JSON.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Asked { .. } => "asked",
            Self::Later => "later",
            Self::Restart(_) => "restart",
        }
    }
}

/// Why a phone can't be told to come again from here.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Unreachable {
    /// A command without an appliance behind it.
    #[error("no appliance runs that could ask it")]
    NobodyHere,
    /// Never seen, or never with an address.
    #[error("its address is not known")]
    NoAddress,
    /// Somebody else has its last address by now.
    #[error("{0}, where it was last, is another phone's now")]
    AnotherHasIt(Ipv4Addr),
    /// Its last address is not leased to it, so anybody may have it.
    #[error("{0}, where it was last, is not leased to it")]
    NoLease(Ipv4Addr),
    /// An address that is on no network of ours.
    #[error("{0}, where it was last, is in no subnet of the settings")]
    Foreign(Ipv4Addr),
    /// Nobody knows what it is.
    #[error("what it is made by is not known, so neither is what it listens to")]
    NoFamily,
    /// Its family follows no NOTIFY, or no source says which.
    #[error("its family follows no NOTIFY that is known here")]
    NoEvent,
    /// `service-control` (enterprise loads for SIP).
    #[error("its family follows its call manager alone (NOTIFY `service-control`)")]
    Registered,
    /// A load for SCCP.
    #[error("with SCCP it follows its call manager alone (Reset)")]
    Sccp,
}

/// One phone to tell, with all that a carrier needs for it.
#[derive(Clone, Debug)]
pub struct Order {
    /// The phone.
    pub phone: Mac,
    /// Where it is.
    pub address: Ipv4Addr,
    /// The event that its family follows.
    pub event: String,
    /// The user of its first line; empty for none.
    pub user: String,
    /// The password of that line, for a phone that wants to see it. It leaves as a digest alone, and only where the phone's
    /// own file goes.
    pub password: Secret,
}

/// Makes phones come again. A carrier implements it; the appliance joins it in with [`Service::join_resync`].
pub trait Resync: Debug + Send + Sync {
    /// Tells a phone to fetch its files anew. Returns at once, and promises nothing but that the outcome is told to
    /// [`Service::answered`]; false if too many wait already.
    fn resync(&self, order: Order) -> bool;
}

/// The event that makes a phone of this family come again, where a carrier can send it.
///
/// # Errors
///
/// [`Unreachable::NoEvent`], [`Unreachable::Registered`] or [`Unreachable::Sccp`].
pub fn called(family: &Family, speaks: Speaks) -> Result<&str, Unreachable> {
    let has_sccp = family.files.iter().any(|file| file.speaks == Some(Speaks::Sccp));
    match family.resync.as_str() {
        "" => Err(Unreachable::NoEvent),
        _ if speaks == Speaks::Sccp && has_sccp => Err(Unreachable::Sccp),
        REGISTERED_ONLY => Err(Unreachable::Registered),
        event => Ok(event),
    }
}

impl Look<'_> {
    /// The event that makes this phone come again.
    pub fn called(&self) -> Result<&str, Unreachable> {
        let family = self.family.ok_or(Unreachable::NoFamily)?;
        called(family, self.provisioner.speaks(&self.site_name, self.staged))
    }

    /// What helps a phone that was asked to come again and will not.
    pub fn recall(&self) -> Option<String> {
        let recalled = self.boot.recall()?;
        if let Reply::Accepted { .. } = recalled.reply {
            return None;
        }
        let how = self.family.map_or("", |family| family.advice.resync.as_str());
        let restart = "restart it by its power".to_owned();
        Some(if how.is_empty() { restart } else { format!("{restart}; for the next time: {how}") })
    }

    /// Where it is, if that is on a network of ours and nobody else's address. `here` are the networks of this machine,
    /// which count where the settings name no subnet.
    fn place(&self, here: &[(Ipv4Addr, u8)]) -> Result<Ipv4Addr, Unreachable> {
        let address = self.boot.address.ok_or(Unreachable::NoAddress)?;
        match self.holder(address.into()) {
            Some(holder) if holder != self.mac => return Err(Unreachable::AnotherHasIt(address)),
            // An address that a message told of is anybody's word: own files don't go there either.
            None if rule(self.provisioner.settings()) == PeerRule::Lease => {
                return Err(Unreachable::NoLease(address));
            }
            _ => {}
        }
        let subnets = &self.provisioner.settings().dhcp.subnets;
        let near = |(own, prefix): &(Ipv4Addr, u8)| is_within(address, *own, *prefix);
        let ours = if subnets.is_empty() {
            here.iter().any(near)
        } else {
            subnets.iter().any(|subnet| subnet.contains(address))
        };
        let one = !address.is_multicast() && !address.is_broadcast() && !address.is_unspecified();
        if ours && one { Ok(address) } else { Err(Unreachable::Foreign(address)) }
    }
}

/// True for two addresses of one network.
fn is_within(address: Ipv4Addr, own: Ipv4Addr, prefix: u8) -> bool {
    let far = 32_u32.saturating_sub(prefix.into());
    let network = |address: Ipv4Addr| u32::from(address).checked_shr(far).unwrap_or(0);
    network(address) == network(own)
}

impl Provisioner {
    /// Works out how a phone is told to come again. `here` are the networks of this machine.
    ///
    /// # Errors
    ///
    /// [`Unreachable`]: somebody has to restart it.
    pub fn order(
        &self,
        state: &State,
        phone: Mac,
        here: &[(Ipv4Addr, u8)],
        now: Timestamp,
    ) -> Result<Order, Unreachable> {
        let known = state.phones.get(&phone).ok_or(Unreachable::NoAddress)?;
        let look = Look::new(self, phone, known, state, now);
        // Whoever was never here has shown no make either: that it was never here is what helps.
        let address = look.place(here)?;
        let event = look.called()?.to_owned();
        let line = look.entry.and_then(|entry| entry.lines.first());
        let (user, password) = line
            .map(|line| (line.user().to_owned(), line.sip_password.clone()))
            .unwrap_or_default();
        Ok(Order { phone, address, event, user, password })
    }
}

impl Service {
    /// How a phone is told to come again, without telling it.
    ///
    /// # Errors
    ///
    /// [`Unreachable`].
    pub fn order(&self, phone: Mac) -> Result<Order, Unreachable> {
        if self.resync.get().is_none() {
            return Err(Unreachable::NobodyHere);
        }
        let provisioner = self.provisioner();
        // Where no settings say which networks are ours, those are that this machine is on.
        let here = if provisioner.settings().dhcp.subnets.is_empty() {
            Interface::all().unwrap_or_default()
        } else {
            Vec::new()
        };
        let here: Vec<_> = here.into_iter().flat_map(|one| one.addresses).collect();
        provisioner.order(&self.view.read(), phone, &here, Timestamp::now())
    }

    /// Makes a phone come again, where something here can.
    #[must_use]
    pub fn resync(&self, phone: Mac) -> Called {
        let order = match self.order(phone) {
            Ok(order) => order,
            Err(why) => return Called::Restart(why),
        };
        let Some(carrier) = self.resync.get() else {
            return Called::Restart(Unreachable::NobodyHere);
        };
        let (address, event) = (order.address, order.event.clone());
        if carrier.resync(order) { Called::Asked { address, event } } else { Called::Later }
    }

    /// Joins in what makes phones come again. The first one stays.
    pub fn join_resync(&self, resync: Box<dyn Resync>) {
        let _ = self.resync.set(resync);
    }

    /// Puts on record what a phone answered that was told to come again.
    pub fn answered(&self, phone: Mac, event: String, reply: Reply, now: Timestamp) {
        self.counters.count("resync", reply.as_str());
        self.recalls.answered(phone, &reply);
        let what = What::Recalled { event, reply };
        self.recorder.record(Change::Happened(phone, Event { at: now, what }));
    }
}

#[cfg(test)]
mod tests;
