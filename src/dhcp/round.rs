//! Datagrams that came together: decided under one lock, made fact in one commit, answered in one go.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use crate::{
    domain::{Change, Mac, Timestamp},
    net::Inbox,
    provision::{ClientKind, Looked, Provisioner, shown},
    store::State,
    telemetry::Counters,
    wire::dhcp::{Kind, Message, Reply, code},
};

use super::{
    arrival::Arrival,
    conflict::{Question, Unproven, prove},
    offers::Offers,
    pending::{Pending, settle},
    port::Port,
    responder::{Responder, Verdict},
    ring::{Put, Ring},
    server::{Came, Due, Parcel, Shared, name, send_all},
};

/// The most datagrams of one round: what everybody else who wants the state waits for, well under a millisecond.
pub(super) const ROUND: usize = 64;

/// How often the system is asked for more before a round: so much comes in for each that goes out that the ring, which
/// knows who goes first, fills up before the system's buffer does.
const MAX_TAKES: usize = 8;

/// Who sent a datagram, and which of our addresses it was sent to.
pub(super) type Way = (SocketAddrV4, Ipv4Addr);

/// What everything in a round has in common.
struct Here<'a> {
    own: &'a [(Ipv4Addr, u8)],
    vlan: Option<u16>,
    provisioner: &'a Provisioner,
    now: Timestamp,
}

/// A message that was read, and who seems to have sent it.
struct Heard<'a> {
    came: Came<'a>,
    message: Message<'a>,
    looked: Looked,
}

impl Here<'_> {
    fn arrival<'b>(&'b self, message: &'b Message<'b>, (_, peer, local): Came<'_>) -> Arrival<'b> {
        Arrival { message, peer, local, own: self.own, vlan: self.vlan }
    }
}

/// Does one round: takes in what the system has, decides what is next in turn, and carries it out. What waits for the
/// disk or the wire is left to tasks of its own.
pub(super) async fn go_round(
    port: &Arc<Port>,
    shared: &Arc<Shared>,
    (ring, inbox): (&mut Ring<Way>, &mut Inbox),
    pending: &mut Pending,
) {
    for _ in 0..MAX_TAKES {
        match port.try_receive(inbox) {
            // An error is told again by whoever waits for the socket.
            Ok(0) | Err(_) => break,
            Ok(_) => shared.take_in(inbox, ring),
        }
    }
    let letters = ring.take(ROUND);
    let dues = shared.decide_all(port, &letters);
    carry_out(port, shared, dues, pending).await;
}

async fn carry_out(port: &Arc<Port>, shared: &Arc<Shared>, dues: Vec<Due>, pending: &mut Pending) {
    let (mut now, mut parcels) = (Vec::new(), Vec::new());
    let (mut batches, mut transactions) = (Vec::new(), Vec::new());
    for due in dues {
        match due {
            Due::Nothing => {}
            Due::Send(parcel) => now.push(parcel),
            Due::Prove(offer) => {
                // The same DISCOVER again finds its offer made, and is answered at once: one that waits is enough.
                let waits = vec![(offer.asker, offer.parcel.xid, Kind::Discover)];
                pending.push(waits, prove(Arc::clone(port), Arc::clone(shared), *offer));
            }
            Due::Commit { batch, parcel, transaction } => {
                if !pending.begin(transaction) {
                    // The same REQUEST again while its lease is on its way to the disk: one ACK will do.
                    shared.counters.count("dhcp", "repeated");
                    continue;
                }
                batches.push(batch);
                parcels.push(parcel);
                transactions.push(transaction);
            }
        }
    }
    if !batches.is_empty() {
        // Queued here, in the order of the datagrams; only the waiting is somebody else's.
        let facts = shared.service.commit_all(batches);
        let (port, counters) = (Arc::clone(port), shared.counters.clone());
        pending.push(transactions, async move { settle(facts, parcels, &port, &counters).await });
    }
    send_all(port, &shared.counters, &now).await;
}

/// Does something so that a panic in it hurts nothing else.
fn spared<T>(counters: &Counters, what: impl FnOnce() -> T) -> Option<T> {
    let done = catch_unwind(AssertUnwindSafe(what));
    done.map_err(|_| counters.count("dhcp", "panicked")).ok()
}

impl Shared {
    /// Takes what the system handed over into the ring.
    pub(super) fn take_in(&self, inbox: &Inbox, ring: &mut Ring<Way>) {
        let state = self.service.view.read();
        for number in 0.. {
            let Some((peer, datagram)) = inbox.datagram(number) else { break };
            let (SocketAddr::V4(peer), Some(IpAddr::V4(local))) = (peer, inbox.asked(number))
            else {
                self.counters.count("dhcp", "receive-failed");
                continue;
            };
            // Listed, or with a lease.
            let put = ring.put(datagram, (peer, local), |glance| {
                let known = Mac::new(glance.mac).ok();
                let known = known.and_then(|mac| state.phones.get(&mac));
                known.is_some_and(|phone| phone.entry.is_some() || phone.boot.address.is_some())
            });
            match put {
                Put::Waits => {}
                Put::Again => self.counters.count("dhcp", "replaced"),
                Put::Crowded => self.counters.count("dhcp", "crowded-out"),
            }
        }
    }

    /// Handles one datagram so that nothing in it can hurt the next. `in_use` is the address that it was to be offered,
    /// where somebody was found using it.
    pub(super) fn isolated(&self, port: &Port, came: Came<'_>, in_use: Option<Ipv4Addr>) -> Due {
        self.decide(port, std::iter::once(came), in_use).pop().unwrap_or(Due::Nothing)
    }

    /// Handles datagrams so that none of them can hurt another: what is due, in their order.
    fn decide_all(&self, port: &Port, letters: &[(Vec<u8>, Way)]) -> Vec<Due> {
        let came = letters.iter().map(|(datagram, (peer, local))| (&datagram[..], *peer, *local));
        self.decide(port, came, None)
    }

    fn decide<'a>(
        &self,
        port: &Port,
        came: impl Iterator<Item = Came<'a>>,
        in_use: Option<Ipv4Addr>,
    ) -> Vec<Due> {
        let (own, provisioner) = (port.own(), self.service.provisioner());
        let (vlan, now) = (port.vlan(), Timestamp::now());
        let here = Here { own: &own, vlan, provisioner: &provisioner, now };
        let read = came.filter_map(|came| {
            spared(&self.counters, || self.read(&here, &port.name, came)).flatten()
        });
        let heard: Vec<Heard<'_>> = read.collect();
        let verdicts = self.judge(&here, &heard, in_use);
        let verdicts = heard.iter().zip(verdicts);
        let dues = verdicts.filter_map(|(heard, verdict)| {
            let verdict = verdict?;
            spared(&self.counters, || self.due(&here, heard, verdict))
        });
        dues.collect()
    }

    /// Reads a datagram, and recognizes who sent it as far as that takes no look at the record.
    fn read<'a>(&self, here: &Here<'_>, port: &str, came: Came<'a>) -> Option<Heard<'a>> {
        let (datagram, peer, _) = came;
        let message = match Message::request(datagram) {
            Ok(message) => message,
            Err(error) => {
                self.counters.count("dhcp", error.as_str());
                tracing::debug!(%error, %peer, port, "not a DHCP request");
                return None;
            }
        };
        self.counters.count("dhcp", name(message.kind()));
        let looked = here.provisioner.look(message.mac(), &shown(&message), here.now);
        Some(Heard { came, message, looked })
    }

    /// Decides about messages under one lock; nothing about one that panics.
    fn judge(
        &self,
        here: &Here<'_>,
        heard: &[Heard<'_>],
        in_use: Option<Ipv4Addr>,
    ) -> Vec<Option<Verdict>> {
        // What unwinding may leave half done is the offers, each of whose maps is right by itself.
        let mut offers = self.offers();
        let state = self.service.view.read();
        // Not that of reading: another port may have decided in the meantime, and time must not run backwards.
        let here = &Here { now: Timestamp::now(), ..*here };
        let mut verdict =
            |heard: &Heard<'_>| self.verdict(here, heard, &state, &mut offers, in_use);
        heard.iter().map(|heard| spared(&self.counters, || verdict(heard))).collect()
    }

    fn verdict(
        &self,
        here: &Here<'_>,
        heard: &Heard<'_>,
        state: &State,
        offers: &mut Offers,
        in_use: Option<Ipv4Addr>,
    ) -> Verdict {
        let arrival = here.arrival(&heard.message, heard.came);
        let client = here.provisioner.client_in(state, heard.looked.clone());
        if matches!(client.kind, ClientKind::NotPhone(_)) {
            self.counters.count("dhcp", "not-a-phone");
        }
        let (provisioner, now) = (here.provisioner, here.now);
        let mut responder = Responder { provisioner, state, offers, now };
        match in_use {
            Some(address) => responder.in_use(&arrival, &client, address),
            None => responder.decide(&arrival, &client),
        }
    }

    fn due(&self, here: &Here<'_>, heard: &Heard<'_>, verdict: Verdict) -> Due {
        let arrival = &here.arrival(&heard.message, heard.came);
        let message = arrival.message;
        match verdict {
            Verdict::Answer { reply, changes, unproven: Some(address) } => {
                let (datagram, peer, local) = heard.came;
                let question = Question { datagram: datagram.to_vec(), peer, local };
                let (asker, parcel) = (message.mac(), parcel(arrival, &reply));
                Due::Prove(Box::new(Unproven { question, asker, address, parcel, changes }))
            }
            Verdict::Answer { reply, changes, unproven: None } => {
                self.record(changes);
                Due::Send(parcel(arrival, &reply))
            }
            Verdict::Bind { reply, batch } => Due::Commit {
                batch,
                parcel: reply.map(|reply| parcel(arrival, &reply)),
                transaction: (message.mac(), message.xid(), message.kind()),
            },
            Verdict::Ignore { silence, changes } => {
                self.counters.count("dhcp", silence.as_str());
                self.record(changes);
                Due::Nothing
            }
        }
    }

    pub(super) fn record(&self, changes: Vec<Change>) {
        for change in changes {
            self.service.recorder.record(change);
        }
    }
}

fn parcel(arrival: &Arrival<'_>, reply: &Reply) -> Parcel {
    let own = reply.find(code::SERVER_ID).and_then(|octets| octets.first_chunk::<4>());
    // The address that a relay gives us in our place is not one that we can send from.
    let own = own.filter(|_| arrival.stand_in().is_none());
    let from = own.map_or(arrival.local, |octets| Ipv4Addr::from(*octets));
    let xid = arrival.message.xid();
    Parcel { xid, bytes: reply.encode(), to: arrival.reply_to(reply), from, kind: reply.kind() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_panics_hurts_nobody_else_in_its_round() {
        let counters = Counters::default();
        let offers = std::sync::Mutex::new(Offers::new());
        let mut held = offers.lock().unwrap();
        let client = |number: u8| crate::domain::ClientKey::identifier(&[number]);
        let mut decide = |number: u8| {
            held.put(&client(number), Some([10, 20, 0, number].into()), 1, Timestamp::UNIX_EPOCH);
            assert_ne!(number, 3, "poison");
            number
        };
        let dues: Vec<u8> =
            (1..=5).filter_map(|number| spared(&counters, || decide(number))).collect();
        assert_eq!(dues, [1, 2, 4, 5]);
        assert_eq!(counters.value("dhcp", "panicked"), 1);
        drop(held);
        // The lock that they shared is as good as before.
        let offers = offers.lock().unwrap();
        assert_eq!(offers.holder([10, 20, 0, 5].into()), Some(&client(5)));
    }
}
