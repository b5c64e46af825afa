//! Asks the wire whether an address is in use before it is offered (RFC 2131 §3.1, RFC 5227).

use std::{
    collections::{HashMap, hash_map::Entry},
    net::{Ipv4Addr, SocketAddrV4},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{sync::oneshot, time::timeout};

use crate::{
    domain::{Batch, Change, Mac, Timestamp},
    provision::{CAUSE_OF_CONFLICTS, MANY_CONFLICTS},
    store::State,
    wire::{arp::Arp, ethernet::Ethernet},
};

use super::{
    port::Port,
    server::{Due, Parcel, Shared, send},
};

/// How often a probe is sent, and how long each waits for its answer: 300 ms in all. RFC 5227 takes seconds, which is
/// the client's to do; a station on the same wire answers within a few milliseconds.
const PROBES: u32 = 2;
const WAIT: Duration = Duration::from_millis(150);

/// The most addresses that are asked about at once. In a storm of more unknown clients than that the others are offered
/// theirs unasked: they look themselves, and DECLINE.
const MAX_PROBES: usize = 512;

/// How many addresses are tried for one DISCOVER. The client sends another one soon.
const TRIES: u32 = 3;

/// Addresses that are being asked about, each with who is to get it and who waits to hear of it.
#[derive(Debug, Default)]
pub(super) struct Probes(Mutex<HashMap<Ipv4Addr, Probe>>);

#[derive(Debug)]
struct Probe {
    asker: [u8; 6],
    found: oneshot::Sender<[u8; 6]>,
}

impl Probes {
    /// Begins to listen for `address` on behalf of `asker`; `None` if too many are asked about, or this one is already.
    pub fn begin(&self, address: Ipv4Addr, asker: [u8; 6]) -> Option<oneshot::Receiver<[u8; 6]>> {
        let mut probes = self.lock();
        let room = probes.len() < MAX_PROBES;
        match probes.entry(address) {
            Entry::Vacant(place) if room => {
                let (found, heard) = oneshot::channel();
                place.insert(Probe { asker, found });
                Some(heard)
            }
            _ => None,
        }
    }

    pub fn end(&self, address: Ipv4Addr) {
        self.lock().remove(&address);
    }

    /// Takes in a frame. Whoever says that the address is its own counts, but for us and for the client itself. A probe
    /// of somebody else does not: switches that track devices send them (RFC 5227 §2.1.1 takes them for a conflict).
    /// Tells what somebody else says.
    pub fn hear(&self, frame: &[u8], own: [u8; 6]) -> Option<Arp> {
        let arp = Ethernet::decode(frame).and_then(|frame| Arp::decode(&frame))?;
        let mut probes = self.lock();
        let other = |probe: &Probe| ![own, probe.asker].contains(&arp.hardware);
        if probes.get(&arp.address).is_some_and(other)
            && let Some(probe) = probes.remove(&arp.address)
        {
            // Nobody may wait any more: then it was too late.
            let _ = probe.found.send(arp.hardware);
        }
        (arp.hardware != own).then_some(arp)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Ipv4Addr, Probe>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A DISCOVER that is kept as it came, to be decided about once more.
#[derive(Debug)]
pub(super) struct Question {
    pub datagram: Vec<u8>,
    pub peer: SocketAddrV4,
    pub local: Ipv4Addr,
}

/// An offer that waits for the word of the wire.
#[derive(Debug)]
pub(super) struct Unproven {
    pub question: Question,
    pub asker: Mac,
    pub address: Ipv4Addr,
    pub parcel: Parcel,
    /// What goes into the record with the offer.
    pub changes: Vec<Change>,
}

/// Sends an offer once its address is found free; one that is in use is set aside, and another one is tried.
pub(super) async fn prove(port: Arc<Port>, shared: Arc<Shared>, mut offer: Unproven) {
    for _ in 0..TRIES {
        let Some(user) = in_use(&port, offer.address, offer.asker.octets()).await else {
            shared.record(offer.changes);
            return send(&port, &shared.counters, &offer.parcel).await;
        };
        shared.counters.count("dhcp", "address-in-use");
        let user = Mac::new(user).map_or_else(|_| "somebody".to_owned(), |user| user.to_string());
        tracing::debug!(address = %offer.address, user, "an address of the pool is in use");
        let Question { datagram, peer, local } = &offer.question;
        let aside = shared.isolated(&port, (datagram, *peer, *local), Some(offer.address));
        let Due::Commit { batch, .. } = aside else { return };
        if !shared.settled(batch).await {
            return;
        }
        match shared.isolated(&port, (datagram, *peer, *local), None) {
            Due::Prove(next) => offer = *next,
            Due::Send(parcel) => return send(&port, &shared.counters, &parcel).await,
            Due::Nothing | Due::Commit { .. } => return,
        }
    }
}

/// Who uses an address, as far as it answers within 300 ms.
async fn in_use(port: &Port, address: Ipv4Addr, asker: [u8; 6]) -> Option<[u8; 6]> {
    let mut found = port.probes.begin(address, asker)?;
    let mut user = None;
    for _ in 0..PROBES {
        if port.probe(address).await.is_err() {
            break;
        }
        if let Ok(heard) = timeout(WAIT, &mut found).await {
            user = heard.ok();
            break;
        }
    }
    port.probes.end(address);
    user
}

impl Shared {
    /// Commits a batch that nobody waits for; true if it is fact.
    async fn settled(&self, batch: Batch) -> bool {
        let fact = self.service.commit(batch).await;
        if let Err(error) = &fact {
            self.counters.count("dhcp", "not-committed");
            tracing::debug!(%error, "no address is set aside");
        }
        fact.is_ok()
    }

    /// Says on the page, as long as it holds, that conflicts come from all sides.
    pub(super) fn notice_conflicts(&self, now: Timestamp) {
        let told = conflicts(&self.service.view.read(), now);
        if self.service.notices.set("dhcp conflicts", told.clone())
            && let Some(told) = told
        {
            tracing::warn!("{told}");
        }
    }
}

/// What many phones that find their addresses in use have in common, in one sentence.
fn conflicts(state: &State, now: Timestamp) -> Option<String> {
    let aside = state.latest_aside().take_while(|aside| now < aside.until);
    let mut phones: Vec<Mac> = aside.map(|aside| aside.by).collect();
    phones.sort_unstable();
    phones.dedup();
    (phones.len() >= MANY_CONFLICTS).then(|| {
        let count = phones.len() / MANY_CONFLICTS * MANY_CONFLICTS;
        format!(
            "{count} phones or more found the address that they were to get in use: {CAUSE_OF_CONFLICTS}"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Commit, Quarantine};

    const ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 20, 0, 50);
    const OWN: [u8; 6] = [2, 0, 0, 0, 0, 1];
    const ASKER: [u8; 6] = [2, 0, 0, 0, 0, 2];
    const OTHER: [u8; 6] = [2, 0, 0, 0, 0, 3];

    fn says(hardware: [u8; 6], address: Ipv4Addr) -> Vec<u8> {
        Arp { hardware, address }.request(Ipv4Addr::new(10, 20, 0, 1))
    }

    #[test]
    fn rfc_5227_who_is_in_the_way() {
        let check = |frame: &[u8], expected: Option<[u8; 6]>| {
            let probes = Probes::default();
            let mut heard = probes.begin(ADDRESS, ASKER).unwrap();
            probes.hear(frame, OWN);
            assert_eq!(heard.try_recv().ok(), expected, "{frame:02x?}");
        };
        check(&says(OTHER, ADDRESS), Some(OTHER));
        check(&says(OWN, ADDRESS), None);
        check(&says(ASKER, ADDRESS), None);
        check(&says(OTHER, Ipv4Addr::new(10, 20, 0, 51)), None);
        let probe = Arp { hardware: OTHER, address: Ipv4Addr::UNSPECIFIED }.request(ADDRESS);
        check(&probe, None);
        check(&says(OTHER, ADDRESS)[..30], None);
    }

    #[test]
    fn as_many_probes_as_there_is_room_for() {
        let probes = Probes::default();
        let at = |number: usize| Ipv4Addr::from(u32::try_from(number).unwrap() + 1);
        let kept: Vec<_> = (0..MAX_PROBES).map(|it| probes.begin(at(it), ASKER).unwrap()).collect();
        assert!(
            probes.begin(at(0), ASKER).is_none() && probes.begin(at(MAX_PROBES), ASKER).is_none()
        );
        probes.end(at(0));
        assert!(probes.begin(at(MAX_PROBES), ASKER).is_some());
        assert_eq!(kept.len(), MAX_PROBES);
    }

    #[test]
    fn rfc_2131_section_4_3_3_many_declines_are_one_notice() {
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let mut state = State::default();
        let told = |state: &mut State, last: u8, by: u8| {
            let address = Ipv4Addr::new(10, 20, 0, last);
            let (by, until) =
                (Mac::new([2, 0, 0, 0, 0, by]).unwrap(), now + Duration::from_mins(10));
            let changes = vec![Change::Quarantined(Quarantine { address, until, times: 1, by })];
            state.apply(&Commit { number: state.commit + 1, changes });
            conflicts(state, now)
        };
        for last in 1..20 {
            assert_eq!(told(&mut state, last, 9), None, "one phone on its own");
        }
        assert_eq!((1..4).find_map(|by| told(&mut state, 20 + by, by)), None);
        let text = told(&mut state, 30, 4).unwrap();
        assert!(text.contains("proxy ARP") && text.contains("device tracking"), "{text}");
        assert_eq!(conflicts(&state, now + Duration::from_mins(10)), None, "it is over");
    }
}
