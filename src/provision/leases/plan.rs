//! Which of another server's leases can become ours.

use std::{collections::HashMap, net::Ipv4Addr};

use jiff::SignedDuration;

use crate::{
    config::{Settings, Subnet},
    domain::{Batch, Change, Claim, ClientKey, Lease, Mac, Timestamp},
    store::State,
};

use super::{Document, Planned, Record, Row, Until, Verdict};

/// The longest lease that DHCP can express, in seconds; it stands for one without end.
const FOREVER: i64 = u32::MAX as i64;

/// A verdict with its reason.
type Judged = Result<Lease, (Verdict, String)>;

/// Judges every lease of a file, and plans the batch that takes the good ones over.
///
/// Pure: what holds at `now` in `state`. The batch claims each address, so it fails whole if somebody gets one of them
/// meanwhile; then plan anew.
#[must_use]
pub fn plan(document: &Document, state: &State, settings: &Settings, now: Timestamp) -> Planned {
    let judge = Judge { state, settings, now };
    let mut judged: Vec<(Ipv4Addr, &Record, Judged)> = document
        .records
        .iter()
        .map(|(address, record)| (*address, record, judge.lease(*address, record)))
        .collect();
    keep_latest(&mut judged);
    let mut rows: Vec<Row> = judged.iter().map(|one| judge.row(one)).collect();
    rows.extend(document.faults.iter().map(|(line, reason)| Row {
        line: *line,
        address: None,
        mac: None,
        verdict: Verdict::Refused,
        reason: reason.clone(),
    }));
    rows.sort_by_key(|row| row.line);
    let leases: Vec<Lease> = judged.into_iter().filter_map(|(_, _, judged)| judged.ok()).collect();
    let claim = |lease: &Lease| Claim::Address {
        address: lease.address,
        client: lease.client.clone(),
        now,
    };
    let claims = leases.iter().map(claim).collect();
    let changes: Vec<Change> = leases.into_iter().map(Change::Leased).collect();
    let batch = (!changes.is_empty()).then_some(Batch { claims, changes, undoable: false });
    Planned { rows, batch }
}

/// Here a client holds one address. Of several in the file it keeps the one that ends last.
fn keep_latest(judged: &mut [(Ipv4Addr, &Record, Judged)]) {
    let mut latest: HashMap<ClientKey, Lease> = HashMap::new();
    for lease in judged.iter().filter_map(|(_, _, judged)| judged.as_ref().ok()) {
        let known = latest.entry(lease.client.clone()).or_insert_with(|| lease.clone());
        if lease.until > known.until {
            *known = lease.clone();
        }
    }
    for (address, _, judged) in judged {
        let kept = judged.as_ref().ok().and_then(|lease| latest.get(&lease.client));
        if let Some(kept) = kept.filter(|kept| kept.address != *address) {
            let reason = format!("the same client has a later lease of {}", kept.address);
            *judged = Err((Verdict::Skipped, reason));
        }
    }
}

struct Judge<'a> {
    state: &'a State,
    settings: &'a Settings,
    now: Timestamp,
}

impl Judge<'_> {
    fn lease(&self, address: Ipv4Addr, record: &Record) -> Judged {
        let until = self.end(record)?;
        let subnets = &self.settings.dhcp.subnets;
        let Some(subnet) = subnets.iter().find(|subnet| subnet.contains(address)) else {
            let reason = if subnets.is_empty() {
                "the settings have no [[dhcp.subnet]]"
            } else {
                "on none of the subnets here"
            };
            return skipped(reason);
        };
        let Some(mac) = record.mac else { return refused("its holder has no Ethernet address") };
        let Some(client) = record.key() else { return refused("nothing tells its holder") };
        self.may_have(subnet, address, mac)?;
        self.is_free(address, &client, until)?;
        let since = record.since.unwrap_or(self.now).min(self.now);
        Ok(Lease { address, client, mac, since, until })
    }

    /// When it ends.
    fn end(&self, record: &Record) -> Result<Timestamp, (Verdict, String)> {
        if let Some(ended) = record.ended {
            return skipped(ended);
        }
        match record.until {
            Until::Never => Ok(self
                .now
                .checked_add(SignedDuration::from_secs(FOREVER))
                .unwrap_or(Timestamp::MAX)),
            Until::Time(until) if until <= self.now => skipped("expired"),
            Until::Time(until) => Ok(until),
        }
    }

    /// An address that the phone would be refused at its next start is not worth a lease.
    fn may_have(
        &self,
        subnet: &Subnet,
        address: Ipv4Addr,
        mac: Mac,
    ) -> Result<(), (Verdict, String)> {
        let host = u32::from(address) & !u32::from(subnet.mask());
        let ends = [0, !u32::from(subnet.mask())];
        if ends.contains(&host)
            || subnet.router.contains(&address)
            || subnet.servers.contains(&address)
        {
            return refused("the address belongs to the network itself");
        }
        match self.state.reserved_for(address) {
            Some(other) if other != mac => {
                return refused(&format!("the address is reserved for {other}"));
            }
            Some(_) => return Ok(()),
            None => {}
        }
        let aside = self.state.quarantine.get(&address);
        if aside.is_some_and(|aside| self.now < aside.until) {
            return refused("the address is set aside: somebody was found using it");
        }
        if !subnet.pool.iter().any(|(first, last)| (first..=last).contains(&&address)) {
            return refused(
                "outside the pools of its subnet: widen one, or list the phone with this address",
            );
        }
        Ok(())
    }

    fn is_free(
        &self,
        address: Ipv4Addr,
        client: &ClientKey,
        until: Timestamp,
    ) -> Result<(), (Verdict, String)> {
        match self.state.holder(address, self.now) {
            Some(held) if held.client != *client => {
                return refused(&format!("{} holds it here already", held.mac));
            }
            Some(held) if held.until >= until => return Err((Verdict::Same, String::new())),
            Some(_) | None => {}
        }
        let own = self.state.clients.get(client).and_then(|own| self.state.holder(*own, self.now));
        match own.filter(|own| own.address != address) {
            Some(own) => refused(&format!("its holder has {} here already", own.address)),
            None => Ok(()),
        }
    }

    fn row(&self, (address, record, judged): &(Ipv4Addr, &Record, Judged)) -> Row {
        let (verdict, reason) = match judged {
            Ok(lease) => (Verdict::Imported, self.remark(lease)),
            Err((verdict, reason)) => (*verdict, reason.clone()),
        };
        Row { line: record.line, address: Some(*address), mac: record.mac, verdict, reason }
    }

    /// What is odd about a lease that is taken over all the same.
    fn remark(&self, lease: &Lease) -> String {
        let entry = self.state.phones.get(&lease.mac).and_then(|phone| phone.entry.as_deref());
        match entry.and_then(|entry| entry.address).filter(|address| *address != lease.address) {
            Some(own) => format!("its entry reserves {own}: it moves there at its next start"),
            None => String::new(),
        }
    }
}

fn skipped<T>(reason: &str) -> Result<T, (Verdict, String)> {
    Err((Verdict::Skipped, reason.to_owned()))
}

fn refused<T>(reason: &str) -> Result<T, (Verdict, String)> {
    Err((Verdict::Refused, reason.to_owned()))
}
