//! What becomes of the phones of open batches by itself: each is ready some time, and what was wrong goes away, because a
//! phone took its load, a file was put into its place, or other settings are in force.

use std::collections::BTreeMap;

use crate::{
    domain::{Change, Finding, FindingKind, Mac, Staged, StagingChange, StagingId, Timestamp},
    provision::{Provisioner, Service, diagnosis::SETTLED},
    store::State,
};

/// Phones looked at under one lock: short enough that no ACK waits for it.
const AT_A_TIME: usize = 64;

/// What the last looks found. In memory only, one entry a phone of an open batch: what goes away while ringup is not
/// running is told by nobody.
#[derive(Debug, Default)]
pub struct Watch(BTreeMap<Mac, Seen>);

/// What was seen of one phone.
#[derive(Debug, Default)]
struct Seen {
    /// The last time that it was looked at and not ready.
    unready: Timestamp,
    /// What is wrong; true where that was so before the last look and was not at it.
    wrong: Vec<(Finding, bool)>,
}

impl Watch {
    /// Looks at all of them, a few at a time, and tells what is news.
    pub async fn look(&mut self, service: &Service) -> Vec<Change> {
        let staged: Vec<(StagingId, Mac)> = {
            let state = service.view.read();
            let open = state.stagings.iter().filter(|(_, one)| one.end.is_none());
            open.flat_map(|(id, one)| one.phones.keys().map(|mac| (*id, *mac))).collect()
        };
        let mut before = std::mem::take(&mut self.0);
        let mut news = Vec::new();
        for some in staged.chunks(AT_A_TIME) {
            {
                let (provisioner, state) = (service.provisioner(), service.view.read());
                for (id, mac) in some {
                    let mut seen = before.remove(mac).unwrap_or_default();
                    let told = seen.look(&provisioner, &state, (*id, *mac), Timestamp::now());
                    news.extend(told.into_iter().map(|one| Change::Staging(*id, Box::new(one))));
                    self.0.insert(*mac, seen);
                }
            }
            tokio::task::yield_now().await;
        }
        news
    }
}

impl Seen {
    /// Looks at one phone.
    fn look(
        &mut self,
        provisioner: &Provisioner,
        state: &State,
        (id, mac): (StagingId, Mac),
        now: Timestamp,
    ) -> Vec<StagingChange> {
        let staged = state.stagings.get(&id).and_then(|batch| batch.phones.get(&mac));
        let (Some(staged), Some(phone)) = (staged, state.phones.get(&mac)) else {
            return Vec::new();
        };
        let report = provisioner.report(mac, phone, state, now);
        let gone = self.gone(report.findings, staged, phone.boot.is_seen()).into_iter();
        // What is put aside is unplugged: nothing about it is mended by that.
        let gone = gone.filter(|_| staged.failed.is_none());
        let mut news: Vec<_> = gone.map(|text| StagingChange::Solved(mac, text)).collect();
        if !report.ready {
            self.unready = now;
        } else if staged.settled.is_none() {
            // Its events tell the moment; where settings or a file made it ready, the looks before and after do.
            let rested = phone.boot.round.checked_add(SETTLED).unwrap_or(now);
            let at = rested.max(phone.boot.since).max(self.unready).min(now);
            news.push(StagingChange::Settled(mac, at));
        }
        news
    }

    /// Takes in what is wrong now, and tells what is not any more. At two looks in a row: an operator's edit tells by
    /// itself what it mended, and what comes and goes is not solved. Nor is the label of a phone that nobody has `seen`: who it
    /// is mistaken for has changed, and no more.
    fn gone(&mut self, now: Vec<Finding>, staged: &Staged, seen: bool) -> Vec<String> {
        let told = |kind: FindingKind| {
            staged.solved.iter().any(|text| text.starts_with(&format!("{}: ", kind.as_str())))
        };
        let is_there = |kind: FindingKind| now.iter().any(|other| other.kind == kind);
        let mut gone = Vec::new();
        self.wrong.retain_mut(|(finding, missed)| {
            if is_there(finding.kind) {
                return false;
            }
            let proven = seen || finding.kind != FindingKind::BadLabel;
            if *missed && proven && !told(finding.kind) {
                gone.push(format!("{}: {}", finding.kind.as_str(), finding.text));
            }
            !std::mem::replace(missed, true)
        });
        // That it was not listed is remembered by who lists it on the bench.
        let fresh = now.into_iter().filter(|one| one.kind != FindingKind::NotListed);
        self.wrong.extend(fresh.map(|one| (one, false)));
        gone
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{
        domain::{Asked, Carrier, Event, Purpose, Required, Role, What},
        profile::Seen as Said,
        provision::tests::{listed, mac, now, provisioner, settings, showed, state},
    };

    const PHONE: &str = "00:15:65:aa:bb:cc";

    /// What is told of a phone of a batch at one look, that many seconds after it had its file.
    fn look(watched: &mut Seen, seconds: u64, more: Vec<Change>) -> Vec<String> {
        let staging = |change| Change::Staging(1, Box::new(change));
        let phone = mac(PHONE);
        let (purpose, by) = (Purpose::default(), String::new());
        let opened = StagingChange::Opened { purpose, ports: [].into(), at: now() };
        let scanned = StagingChange::Scanned { phone, by, at: now(), slot: None };
        let asked = Asked {
            name: "001565aabbcc.cfg".to_owned(),
            carrier: Carrier::Http,
            role: Role::Own,
            required: Some(Required { slot: 0, of: 1 }),
            first: true,
        };
        let what = What::Unchanged { asked, etag: "e".to_owned() };
        let mut changes = vec![
            listed(PHONE, "T46S", "4012"),
            staging(opened),
            staging(scanned),
            Change::Happened(phone, Event { at: now(), what }),
        ];
        changes.extend(more);
        let (state, at) = (state(changes.clone()), now() + Duration::from_secs(seconds));
        let told = watched.look(&provisioner(settings(), changes), &state, (1, phone), at);
        let told = told.into_iter().map(|one| match one {
            StagingChange::Settled(_, at) => {
                format!("settled {}", at.as_second() - now().as_second())
            }
            StagingChange::Solved(_, text) => text,
            other => panic!("{other:?}"),
        });
        told.collect()
    }

    #[test]
    fn ready_is_a_minute_without_a_restart() {
        let mut watched = Seen::default();
        let nothing: [&str; 0] = [];
        assert_eq!(look(&mut watched, 10, vec![]), nothing);
        assert_eq!(look(&mut watched, 59, vec![]), nothing, "it may restart yet");
        assert_eq!(look(&mut watched, 64, vec![]), ["settled 60"], "not when it was looked at");
        // Settings that come into force make it ready when they do: it was not at the look before.
        let mut late = Seen { unready: now() + Duration::from_mins(5), ..Seen::default() };
        assert_eq!(look(&mut late, 305, vec![]), ["settled 300"]);
        let settled = StagingChange::Settled(mac(PHONE), now());
        let once = vec![Change::Staging(1, Box::new(settled))];
        assert_eq!(look(&mut Seen::default(), 900, once), nothing);
    }

    /// A pair is none any more once the other one is listed, or another phone is as near: that proves no label.
    #[test]
    fn a_label_that_is_not_doubted_any_more_is_not_proven() {
        let label = || Finding {
            kind: FindingKind::BadLabel,
            text: "never seen".to_owned(),
            remedy: String::new(),
            grounds: Vec::new(),
            repair: None,
        };
        let looks = |seen| {
            let (mut watched, staged) = (Seen::default(), Staged::default());
            assert_eq!(watched.gone(vec![label()], &staged, false), [""; 0]);
            assert_eq!(watched.gone(vec![], &staged, seen), [""; 0]);
            watched.gone(vec![], &staged, seen)
        };
        assert_eq!(looks(false), [""; 0]);
        assert_eq!(looks(true), ["bad-label: never seen"]);
    }

    #[test]
    fn what_goes_away_by_itself_is_solved_once() {
        let wrong = || vec![showed(PHONE, Said::UserAgent("Yealink SIP-T48S 66.86.0.160"))];
        let mut watched = Seen::default();
        let nothing: [&str; 0] = [];
        assert_eq!(look(&mut watched, 1, wrong()), nothing);
        assert_eq!(look(&mut watched, 2, vec![]), nothing, "an operator's edit tells by itself");
        let solved = look(&mut watched, 3, vec![]);
        assert_eq!(solved.len(), 1, "{solved:?}");
        assert!(solved[0].starts_with("wrong-model: listed as T46S"), "{solved:?}");
        assert_eq!(look(&mut watched, 4, vec![]), nothing);
        // What comes and goes, what was told already, and what is put aside.
        assert_eq!(look(&mut watched, 5, wrong()), nothing);
        assert_eq!(look(&mut watched, 6, vec![]), nothing);
        assert_eq!(look(&mut watched, 7, wrong()), nothing);
        assert_eq!(look(&mut watched, 8, vec![]), nothing);
        let told = |change| vec![Change::Staging(1, Box::new(change))];
        let known = told(StagingChange::Solved(mac(PHONE), "wrong-model: by hand".to_owned()));
        assert_eq!(look(&mut watched, 9, known), nothing);
        assert_eq!(look(&mut watched, 10, wrong()), nothing);
        assert_eq!(look(&mut watched, 11, vec![]), nothing);
        let aside = told(StagingChange::Failed(mac(PHONE), Some("scratched".to_owned())));
        assert_eq!(look(&mut watched, 12, aside), nothing);
    }
}
