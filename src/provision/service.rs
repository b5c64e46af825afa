//! What carriers call: resolve, admit if need be, record.

use std::{
    net::IpAddr,
    sync::{Arc, OnceLock, PoisonError, RwLock},
};

use tokio::sync::watch;

use crate::{
    domain::{Batch, Change, Claim, Commit, Event, Ground, Mac, StagingChange, Timestamp, What},
    store::{CommitError, Feed, Journal, View},
    telemetry::Counters,
};

use super::{
    Admission, Delivery, Ledger, Notices, Opened, Pools, Provisioner, Recalls, Recorder, Refusal,
    Request, Resync, Why,
    identify::{holder, is_forged},
    news::{Mistakes, Moves, News},
};

/// How often an admission is proposed anew after somebody else took its number. Each loss means that another phone was
/// admitted, so losing this often in a row takes as many phones within milliseconds; the phone then asks again by itself.
const MAX_TRIES: usize = 64;

/// What carriers call. One per appliance, shared by all of them.
#[derive(Debug)]
pub struct Service {
    /// The way in for facts.
    pub journal: Journal,
    /// The way in for progress.
    pub recorder: Recorder,
    /// What is fact.
    pub view: View,
    /// News of commits.
    pub feed: Feed,
    /// What happened how often.
    pub counters: Counters,
    /// What operators should know as long as it holds.
    pub notices: Notices,
    /// How full the pools were over time, as long as somebody looks at them.
    pub pools: Pools,
    /// The findings of all phones, as long as somebody looks at them.
    pub ledger: Ledger,
    /// Phones that are told to come again, many at a time.
    pub recalls: Recalls,
    provisioner: RwLock<Arc<Provisioner>>,
    /// How often it was replaced.
    replaced: watch::Sender<u64>,
    news: News,
    moves: Moves,
    pub(super) resync: OnceLock<Box<dyn Resync>>,
    mistakes: Mistakes,
}

impl Service {
    /// Puts a resolver in force and starts the recorder, on the Tokio runtime that this is called from.
    #[must_use]
    pub fn start(
        provisioner: Provisioner,
        journal: Journal,
        view: View,
        feed: Feed,
        counters: Counters,
    ) -> Self {
        let (recorder, task) = Recorder::new(journal.clone(), counters.clone());
        tokio::spawn(task);
        let provisioner = RwLock::new(Arc::new(provisioner));
        let replaced = watch::Sender::new(0);
        let notices = Notices::default();
        let (news, moves, mistakes) = (News::default(), Moves::default(), Mistakes::default());
        Self {
            journal,
            recorder,
            view,
            feed,
            counters,
            notices,
            pools: Pools::default(),
            ledger: Ledger::default(),
            recalls: Recalls::default(),
            provisioner,
            replaced,
            news,
            moves,
            resync: OnceLock::new(),
            mistakes,
        }
    }

    /// The resolver in force. Take it once per request.
    #[must_use]
    pub fn provisioner(&self) -> Arc<Provisioner> {
        Arc::clone(&self.provisioner.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts a new resolver in force; requests under way finish with the old one.
    pub fn replace(&self, mut provisioner: Provisioner) {
        let mut current = self.provisioner.write().unwrap_or_else(PoisonError::into_inner);
        provisioner.peers = Arc::clone(&current.peers);
        *current = Arc::new(provisioner);
        drop(current);
        self.replaced.send_modify(|times| *times += 1);
    }

    /// Tells whenever [`Service::replace`] puts other settings in force.
    #[must_use]
    pub fn replaced(&self) -> watch::Receiver<u64> {
        self.replaced.subscribe()
    }

    /// Opens a file for a peer: lists the phone first where auto-registration says so, and records what happened.
    ///
    /// Dropping the future takes nothing back: a phone that was being listed is listed.
    ///
    /// # Errors
    ///
    /// A [`Refusal`], recorded already.
    pub async fn open(
        &self,
        request: &Request<'_>,
        now: Timestamp,
    ) -> Result<(Opened, Delivery), Refusal> {
        let provisioner = self.provisioner();
        let mut result = provisioner.open(request, now);
        for _ in 0..MAX_TRIES {
            let Ok(Opened { admit: admission, seat, .. }) = &result else { break };
            let mut batch = admission.as_ref().map(|one| admit(one, now)).unwrap_or_default();
            if let Some(seat) = seat {
                seat.claim(now, &mut batch);
            }
            if batch.changes.is_empty() {
                break;
            }
            let admits = admission.is_some();
            match self.commit(batch).await {
                Ok(_) => {
                    self.counters.count("provision", if admits { "admitted" } else { "placed" });
                    return self.deliver(&provisioner, request, result, now);
                }
                // Somebody was faster: with this phone or with this number. What is fact now decides anew.
                Err(CommitError::Taken(_)) => result = provisioner.open(request, now),
                Err(error) => result = result.and_then(|opened| Err(unlistable(opened, &error))),
            }
        }
        if let Ok(Opened { admit: Some(_), .. }) = &result {
            let text = CommitError::Store("too many phones are listed at once".to_owned());
            result = result.and_then(|opened| Err(unlistable(opened, &text)));
        }
        self.deliver(&provisioner, request, result, now)
    }

    /// Looks at a file without taking it (HTTP HEAD): nothing is recorded or admitted.
    ///
    /// # Errors
    ///
    /// A [`Refusal`].
    pub fn peek(&self, request: &Request<'_>, now: Timestamp) -> Result<Opened, Refusal> {
        self.provisioner().open(request, now)
    }

    /// Records that a phone asked whether the file that it has is still the right one, and it is (HTTP 304). `opened`
    /// is what [`Service::peek`] gave for `request`.
    pub fn unchanged(&self, request: &Request<'_>, opened: &Opened, now: Timestamp) {
        self.counters.count("provision", "unchanged");
        let Some(phone) = opened.phone else { return };
        let ends = (request.peer, phone);
        if is_forged(self.provisioner().settings(), &self.view.read(), ends, now) {
            return;
        }
        self.place(phone, request.peer, now);
        self.show(phone, &opened.grounds);
        self.produce(phone, opened);
        let (asked, etag) = (opened.asked.clone(), opened.etag.clone());
        self.recorder.happened(phone, now, What::Unchanged { asked, etag });
    }

    /// Commits a batch behind everything that was recorded before it: a lease does not overtake the DISCOVER that led
    /// to it, nor a new round the end of a transfer of the round before.
    ///
    /// As [`Journal::commit`]: queued before this returns, and dropping the future takes nothing back.
    pub fn commit(
        &self,
        batch: Batch,
    ) -> impl Future<Output = Result<Arc<Commit>, CommitError>> + Send + use<> {
        for reports in self.recorder.take() {
            // Not waited for. A store without room for them has none for the batch either, and says so to its owner.
            drop(self.journal.commit(reports));
        }
        self.journal.commit(batch)
    }

    /// The same for batches that came together: each becomes fact or not for itself, in this order.
    ///
    /// # Errors
    ///
    /// [`CommitError`], in the place of the batch that it is about.
    pub fn commit_all(
        &self,
        batches: Vec<Batch>,
    ) -> impl Future<Output = Vec<Result<Arc<Commit>, CommitError>>> + Send + use<> {
        for reports in self.recorder.take() {
            drop(self.journal.commit(reports));
        }
        self.journal.commit_all(batches)
    }

    /// Waits until everything that was recorded so far is fact.
    pub async fn drain(&self) {
        self.recorder.drain().await;
    }

    /// Records the outcome of opening a file and starts its report.
    fn deliver(
        &self,
        provisioner: &Provisioner,
        request: &Request<'_>,
        result: Result<Opened, Refusal>,
        now: Timestamp,
    ) -> Result<(Opened, Delivery), Refusal> {
        let phone = match &result {
            Ok(opened) => opened.phone,
            Err(refusal) => refusal.phone,
        };
        let recorded =
            phone.is_some_and(|phone| self.is_recorded(provisioner, request, &result, phone, now));
        match result {
            Ok(mut opened) => {
                self.counters.count("provision", "opened");
                opened.phone = phone.filter(|_| recorded);
                if let Some(phone) = opened.phone {
                    self.place(phone, request.peer, now);
                    self.show(phone, &opened.grounds);
                    self.produce(phone, &opened);
                    if let Some(place) = opened.there.take() {
                        self.recorder.record(Change::Placed(phone, Some(place)));
                    }
                }
                tracing::debug!(name = %opened.asked.name, peer = %request.peer, source = %opened.source, "opened");
                let delivery = Delivery::begin(self.recorder.clone(), &opened, now);
                Ok((opened, delivery))
            }
            Err(refusal) => {
                self.counters.count("refused", refusal.why.as_str());
                if let Why::NotItsAddress { phone, peer } = refusal.why {
                    self.mistaken(&refusal.asked.name, phone, peer, now);
                }
                tracing::debug!(name = %refusal.asked.name, peer = %request.peer, why = %refusal.why, "refused");
                if let Some(phone) = phone.filter(|_| recorded) {
                    // Who is not the phone shows nothing about it: neither where it is nor what it is.
                    if !is_withheld(&refusal) {
                        self.place(phone, request.peer, now);
                        self.show(phone, &refusal.grounds);
                    }
                    let (asked, why) = (refusal.asked.clone(), refusal.why.to_string());
                    self.recorder.happened(
                        phone,
                        now,
                        What::Refused { asked, why, normal: refusal.normal },
                    );
                }
                Err(refusal)
            }
        }
    }

    /// True if this request goes on the phone's record. Remembers who was behind the peer's address.
    ///
    /// What comes from an address that can't be the phone's is put on record only where the phone is known and its own
    /// file was withheld; else whoever sits beside it could begin a round of its boot, or bring thousands of phones up
    /// that are not there. A phone without a lease may have an address by hand: then it counts as a stranger's.
    fn is_recorded(
        &self,
        provisioner: &Provisioner,
        request: &Request<'_>,
        result: &Result<Opened, Refusal>,
        phone: Mac,
        now: Timestamp,
    ) -> bool {
        let peer = request.peer.to_canonical();
        let (stranger, leased, forged) = {
            let state = self.view.read();
            let forged = is_forged(provisioner.settings(), &state, (peer, phone), now);
            let leased = holder(&state, peer, now) == Some(phone);
            (!state.phones.contains_key(&phone), leased, forged)
        };
        if result.as_ref().is_err_and(is_withheld) {
            return !stranger;
        }
        // A holder of a lease is one of as many as there are addresses.
        !forged && (provisioner.peers.remember(peer, phone, stranger && !leased) || leased)
    }

    /// Records where a phone is, where that is new: nobody else tells the address of one that has it typed in.
    fn place(&self, phone: Mac, peer: IpAddr, now: Timestamp) {
        let IpAddr::V4(address) = peer.to_canonical() else { return };
        let state = self.view.read();
        let known = state.phones.get(&phone).and_then(|phone| phone.boot.address);
        let leased = holder(&state, peer, now) == Some(phone);
        drop(state);
        if !leased && self.moves.is_news(phone, address, known) {
            self.recorder.happened(phone, now, What::Appeared { address });
        }
    }

    /// Tells the batch on the bench which bytes it waits for, where that is new: the entity tag of what was made with
    /// production values. So a transfer that began before the hand-over seals nothing, unless its bytes are the same.
    fn produce(&self, phone: Mac, opened: &Opened) {
        let Some(id) = opened.seals else { return };
        let (name, etag) = (opened.asked.name.clone(), opened.etag.clone());
        let is_known = {
            let state = self.view.read();
            let one = state.stagings.get(&id).and_then(|staging| staging.phones.get(&phone));
            one.is_none_or(|one| one.produced.iter().any(|it| *it == (name.clone(), etag.clone())))
        };
        if !is_known {
            let produced = StagingChange::Produced { phone, name, etag };
            self.recorder.record(Change::Staging(id, Box::new(produced)));
        }
    }

    /// Records on a phone that it asked for another one's file: only who holds a lease can be told by its address, and
    /// there are no more of these than addresses. Once for each phone whose files it asks for, in each round.
    fn mistaken(&self, name: &str, of: Mac, peer: IpAddr, now: Timestamp) {
        let state = self.view.read();
        let Some(asker) = holder(&state, peer, now) else { return };
        if of.is_second_port_of(asker) || asker.is_second_port_of(of) {
            return;
        }
        let known = state.phones.get(&asker).and_then(|phone| phone.boot.mistake.as_ref());
        let known = known.map(|mistake| mistake.of);
        drop(state);
        if self.mistakes.is_news(asker, of, known) {
            self.recorder.happened(asker, now, What::Mistaken { name: name.to_owned(), of });
        }
    }

    /// Records what a request showed, where that is new.
    fn show(&self, phone: Mac, grounds: &[Ground]) {
        let known = self.view.read().phones.get(&phone).map(|phone| phone.grounds.clone());
        for ground in self.news.of(phone, grounds, known.unwrap_or_default()) {
            self.recorder.record(Change::Showed(phone, ground));
        }
    }
}

/// True for a refusal that says that the peer is not the phone, as far as anybody knows.
const fn is_withheld(refusal: &Refusal) -> bool {
    matches!(refusal.why, Why::NotItsAddress { .. } | Why::NoLease { .. })
}

fn admit(admission: &Admission, now: Timestamp) -> Batch {
    let (phone, number) = (admission.phone, admission.number.clone());
    Batch {
        claims: vec![Claim::Unlisted(phone), Claim::Number(phone, number.clone())],
        changes: vec![
            Change::Numbered(phone, number.clone()),
            Change::Listed(phone, admission.entry.clone()),
            Change::Happened(phone, Event { at: now, what: What::Admitted { number } }),
        ],
        undoable: false,
    }
}

/// The refusal of a file whose phone could not be listed.
fn unlistable(opened: Opened, error: &CommitError) -> Refusal {
    let text = format!("the phone can't be listed: {error}");
    let Opened { phone, asked, grounds, .. } = opened;
    Refusal { why: Why::Unrenderable { text }, phone, asked, normal: false, grounds }
}
