//! What one resolver found out once and needs again for the next phone of the same kind. It goes with the resolver.

use std::{
    collections::HashMap,
    net::Ipv4Addr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::{
    config::Subnet,
    domain::{Ground, Timestamp},
    profile::{Catalog, Seen},
    wire::dhcp::Block,
};

use super::{Client, ClientKind, Provisioner};

/// The most answers of one sort that are kept; before one more, all are forgotten. Real fleets have a few dozen kinds of
/// phones, and host names come twice within a second, with the DISCOVER and with the REQUEST.
const MOST: usize = 4096;

/// The longest octets that are kept: whoever sends longer ones is looked at anew.
const LONGEST: usize = 255;

/// What was found out.
#[derive(Debug, Default)]
pub(super) struct Kept {
    /// By option and its octets.
    recognized: Answers<Recognized>,
    /// By User-Agent. Apart from the options, because anybody may make up as many as he likes.
    agents: Answers<Option<Ground>>,
    /// By all that decides which options a reply has.
    common: Answers<Common>,
}

/// Answers by octets that hold everything that the answer depends on.
#[derive(Debug)]
struct Answers<T>(Mutex<HashMap<Vec<u8>, Arc<T>>>);

/// What one option says about its sender.
#[derive(Clone, Debug, Default)]
pub(super) struct Recognized {
    /// What is evidence; its time is that of the first time.
    pub ground: Option<Ground>,
    /// What it is, if it is known not to be a phone.
    pub stranger: Option<String>,
}

/// What replies to clients of one kind have in common.
#[derive(Clone, Debug)]
pub struct Common {
    /// The next server.
    pub next: Ipv4Addr,
    /// The options.
    pub block: Arc<Block>,
}

/// What decides which options a reply has.
#[derive(Clone, Copy, Debug)]
pub struct Asking<'a> {
    /// Who asks.
    pub client: &'a Client,
    /// Where the client is; one of the settings.
    pub subnet: &'a Subnet,
    /// Our address as the client sees it.
    pub own: Ipv4Addr,
    /// The address that the client knows us by.
    pub identifier: Ipv4Addr,
    /// True for a lease, false for the answer to an INFORM.
    pub lease: bool,
    /// True for a phone that is in its VLAN already.
    pub arrived: bool,
    /// Its option 55.
    pub asked: &'a [u8],
}

impl<T> Default for Answers<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> Answers<T> {
    /// The answer for these octets, found out now if it is not known.
    fn get(&self, key: Option<Vec<u8>>, find_out: impl FnOnce() -> T) -> Arc<T> {
        let Some(key) = key else { return Arc::new(find_out()) };
        if let Some(known) = self.lock().get(&key) {
            return Arc::clone(known);
        }
        // Nobody waits meanwhile; two who find out the same find the same.
        let answer = Arc::new(find_out());
        let mut answers = self.lock();
        if answers.len() >= MOST {
            answers.clear();
        }
        answers.insert(key, Arc::clone(&answer));
        answer
    }

    /// Who panicked while holding the lock has inserted or forgotten whole answers only.
    fn lock(&self) -> MutexGuard<'_, HashMap<Vec<u8>, Arc<T>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    /// What one option says about its sender.
    pub fn recognized(
        &self,
        catalog: &Catalog,
        seen: &Seen<'_>,
        now: Timestamp,
    ) -> Arc<Recognized> {
        self.recognized.get(seen_key(seen), || Recognized {
            ground: catalog.recognize(seen, now),
            stranger: catalog.not_a_phone(seen).map(str::to_owned),
        })
    }

    /// What a request for a file shows about its sender, as [`Catalog::recognize`] has it: a phone sends the same
    /// User-Agent with each of its files.
    pub fn ground(&self, catalog: &Catalog, seen: &Seen<'_>, now: Timestamp) -> Option<Ground> {
        let Seen::UserAgent(text) = seen else { return catalog.recognize(seen, now) };
        let key = (text.len() <= LONGEST).then(|| text.as_bytes().to_vec());
        let known = self.agents.get(key, || catalog.recognize(seen, now));
        Some(Ground { at: now, ..(*known).clone()? })
    }
}

impl Provisioner {
    /// What replies to such a client have in common, made now by `make` if it is not known. Only what is in `asking`
    /// may decide about it.
    pub fn common(&self, asking: &Asking<'_>, make: impl FnOnce() -> Common) -> Arc<Common> {
        let subnets = &self.settings().dhcp.subnets;
        let place = subnets.iter().position(|subnet| std::ptr::eq(subnet, asking.subnet));
        self.kept.common.get(place.and_then(|place| asking.key(place)), make)
    }
}

impl Asking<'_> {
    /// All of it as octets; `place` is that of the subnet among the settings.
    fn key(&self, place: usize) -> Option<Vec<u8>> {
        let mut key = Vec::with_capacity(96);
        key.extend(place.to_ne_bytes());
        key.extend(self.own.octets().into_iter().chain(self.identifier.octets()));
        let Client { kind, vendor, family, .. } = self.client;
        let (kind, what) = match kind {
            ClientKind::Phone => (0, ""),
            ClientKind::NotPhone(what) => (1, what.as_str()),
            ClientKind::Unknown => (2, ""),
        };
        let given = [vendor.is_some(), family.is_some(), self.lease, self.arrived];
        key.push(kind);
        key.extend(given.map(u8::from));
        let texts =
            [what, vendor.as_deref().unwrap_or(""), family.as_ref().map_or("", |it| it.as_str())];
        for part in texts.map(str::as_bytes).into_iter().chain([self.asked]) {
            key.push(u8::try_from(part.len()).ok()?);
            key.extend(part);
        }
        Some(key)
    }
}

/// An option's code and its octets; `None` for what comes once only, or is cheaper to look at than to look up.
fn seen_key(seen: &Seen<'_>) -> Option<Vec<u8>> {
    let (code, octets) = match seen {
        Seen::Option60(octets) => (60, *octets),
        Seen::Option125(octets) => (125, *octets),
        Seen::Option55(octets) => (55, *octets),
        Seen::Option12(octets) => (12, *octets),
        _ => return None,
    };
    (octets.len() <= LONGEST).then(|| [&[code], octets].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_found_out_once_and_never_too_many_are_kept() {
        let answers = Answers::default();
        let get = |number: usize| *answers.get(Some(number.to_ne_bytes().to_vec()), || number);
        assert_eq!(get(1), 1);
        assert_eq!(*answers.get(Some(1_usize.to_ne_bytes().to_vec()), || 2), 1);
        assert_eq!(*answers.get(None, || 2), 2);
        (0..3 * MOST).for_each(|number| assert_eq!(get(number), number));
        assert!(answers.lock().len() <= MOST);
    }

    #[test]
    fn one_kind_of_evidence_does_not_answer_for_another() {
        let (catalog, kept) = (Catalog::load(None).0, Kept::default());
        let at = Timestamp::from_second(1_800_000_000).unwrap();
        let words: [&[u8]; 4] = [b"yealink", b"SIP-T46S", b"MSFT 5.0", &[1, 3, 6]];
        for _ in 0..2 {
            for octets in words {
                for seen in [
                    Seen::Option60(octets),
                    Seen::Option12(octets),
                    Seen::Option55(octets),
                    Seen::Option125(octets),
                ] {
                    let found = kept.recognized(&catalog, &seen, at);
                    assert_eq!(found.ground, catalog.recognize(&seen, at), "{seen:?}");
                    assert_eq!(found.stranger.as_deref(), catalog.not_a_phone(&seen), "{seen:?}");
                }
            }
        }
        assert!(kept.recognized(&catalog, &Seen::Option60(b"MSFT 5.0"), at).stranger.is_some());
    }

    #[test]
    fn an_agent_is_who_it_is_at_any_time() {
        let (catalog, kept) = (Catalog::load(None).0, Kept::default());
        let long = format!("Yealink SIP-T46S {}", "6".repeat(LONGEST));
        for second in [1_800_000_000, 1_800_000_060] {
            let at = Timestamp::from_second(second).unwrap();
            for text in ["Yealink SIP-T46S 66.86.0.15 00:15:65:aa:bb:cc", "curl/8.5.0", &long] {
                let (agent, name) = (Seen::UserAgent(text), Seen::Register(text));
                assert_eq!(kept.ground(&catalog, &agent, at), catalog.recognize(&agent, at));
                assert_eq!(kept.ground(&catalog, &name, at), catalog.recognize(&name, at));
            }
        }
        assert_eq!(kept.agents.lock().len(), 2);
    }
}
