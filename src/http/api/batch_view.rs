//! Batches as JSON.

use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    domain::{Mac, Staging, StagingId, Timestamp},
    provision::Provisioner,
    store::State,
};

use super::view::{PhoneView, moment};

/// All batches.
#[derive(Debug, Serialize, ToSchema)]
pub struct BatchesView {
    /// The latest first.
    pub(super) items: Vec<BatchView>,
    /// Always null: this is all.
    pub(super) next: Option<String>,
}

/// A batch of phones on the bench.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub struct BatchView {
    /// Its number.
    pub id: StagingId,
    /// What it is called.
    pub name: String,
    /// Who stages it.
    pub operator: String,
    /// The site that its phones go to.
    pub site: Option<String>,
    /// How many phones are to come; 0 if nobody said.
    pub planned: u16,
    /// True if slots are given out in the order of plugging in.
    pub by_plugging: bool,
    /// `open`, `handed-over` or `closed`.
    pub standing: &'static str,
    /// When it was opened.
    pub start: String,
    /// When it was handed over.
    pub handed_over: Option<String>,
    /// When it was closed.
    pub end: Option<String>,
    /// How many of its phones there are.
    pub scanned: usize,
    /// How many of them had all of their configuration once.
    pub ready: usize,
    /// How many have their production files to the last byte.
    pub sealed: usize,
    /// How many are put aside.
    pub failed: usize,
    /// The slot that the next phone gets.
    pub next_slot: u16,
    /// How many phones nobody could tell to come again, so that somebody has to restart them; said at the hand-over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restart: Option<usize>,
    /// Which these are; said at the hand-over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by_hand: Option<Vec<ByHand>>,
    /// Its phones by slot; left out in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phones: Option<Vec<StagedView>>,
    /// The number of the last commit that changed it.
    pub changed: u64,
}

/// A phone that somebody has to restart.
#[derive(Debug, Serialize, ToSchema)]
pub struct ByHand {
    /// Its MAC.
    pub mac: String,
    /// Why ringup can't tell it to come again.
    pub why: String,
}

/// A phone of a batch.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub struct StagedView {
    /// Six octets, lower case, with colons.
    pub mac: String,
    /// Its place on the bench, from 1.
    pub slot: Option<u16>,
    /// Who scanned it.
    pub by: String,
    /// When it was scanned.
    pub at: String,
    /// `green`, `amber` or `red`.
    pub light: &'static str,
    /// Why, in one line.
    pub says: String,
    /// The MAC whose `bad-label` repair (`accept`) puts its label right: its own, or that of the entry that was meant for it.
    pub repair: Option<String>,
    /// When it first had all of its configuration, and was registered where its site asks for that (`ready-when`).
    pub ready: Option<String>,
    /// How many seconds that took from the start of that boot.
    pub took: Option<i64>,
    /// When it was first ready: had what its site asks for (`ready-when`), ran the load that it is to run, and stayed up for
    /// 60 s.
    pub settled: Option<String>,
    /// How many seconds that took from the start of the boot that brought its configuration.
    pub time_to_ready: Option<i64>,
    /// When its last production file was delivered to the last byte.
    pub sealed: Option<String>,
    /// Why it is put aside.
    pub failed: Option<String>,
    /// What was wrong with it and was mended in this batch.
    pub solved: Vec<String>,
    /// The switch port that it is plugged in at, as the switch says.
    pub port: String,
    /// The phone as it is now; null if it is neither listed nor seen.
    pub phone: Option<PhoneView>,
}

impl BatchView {
    /// A batch without its phones.
    #[must_use]
    pub fn of(id: StagingId, staging: &Staging) -> Self {
        let phones = staging.phones.values();
        Self {
            id,
            name: staging.purpose.name.clone(),
            operator: staging.purpose.operator.clone(),
            site: staging.purpose.site.clone(),
            planned: staging.purpose.planned,
            by_plugging: staging.purpose.by_plugging,
            standing: staging.standing().as_str(),
            start: moment(staging.start),
            handed_over: staging.handed_over.map(moment),
            end: staging.end.map(moment),
            scanned: phones.len(),
            ready: phones.clone().filter(|one| one.ready.is_some()).count(),
            sealed: phones.clone().filter(|one| one.sealed.is_some()).count(),
            failed: phones.clone().filter(|one| one.failed.is_some()).count(),
            next_slot: staging.free_slot(),
            restart: None,
            by_hand: None,
            phones: None,
            changed: staging.changed,
        }
    }

    /// A batch with its phones, those with a slot first.
    #[must_use]
    pub fn whole(
        provisioner: &Provisioner,
        state: &State,
        (id, staging): (StagingId, &Staging),
        now: Timestamp,
    ) -> Self {
        let mut order: Vec<_> = staging.phones.iter().collect();
        order.sort_by_key(|(mac, one)| (one.slot.unwrap_or(u16::MAX), one.at, **mac));
        let shown = order.into_iter();
        let phones =
            shown.filter_map(|(mac, _)| StagedView::of(provisioner, state, staging, *mac, now));
        Self { phones: Some(phones.collect()), ..Self::of(id, staging) }
    }
}

impl StagedView {
    /// A phone of a batch as it is now; `None` if the batch does not have it.
    #[must_use]
    pub fn of(
        provisioner: &Provisioner,
        state: &State,
        staging: &Staging,
        phone: Mac,
        now: Timestamp,
    ) -> Option<Self> {
        let one = staging.phones.get(&phone)?;
        let light = provisioner.light(state, staging, phone, now);
        let ready = provisioner.ready_at(state, phone, one);
        let took = one.booted.zip(ready).map(|(from, to)| to.as_second() - from.as_second());
        Some(Self {
            mac: phone.to_string(),
            slot: one.slot,
            by: one.by.clone(),
            at: moment(one.at),
            light: light.colour.as_str(),
            says: light.text,
            repair: light.repair.map(|mac| mac.to_string()),
            ready: ready.map(moment),
            took: took.map(|took| took.max(0)),
            settled: one.settled.map(moment),
            time_to_ready: one.time_to_ready(),
            sealed: one.sealed.map(moment),
            failed: one.failed.clone(),
            solved: one.solved.clone(),
            port: one.port.replace(" | ", " ").trim().to_owned(),
            phone: PhoneView::of(provisioner, state, phone, false, now),
        })
    }
}
