//! Phones, findings and leases as JSON: the forms that scripts may rely on.

use std::net::Ipv4Addr;

use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    domain::{
        Boot, Diagnosis, Finding, Ground, Identity, Lease, Mac, Outcome, Recalled, Repair,
        Timestamp, Transfer,
    },
    provision::{Compared, Headline, Provisioner, Report, asked_from, label, plug},
    store::{Phone, State},
};

use super::entry::EntryView;

/// One phone, listed or seen.
#[derive(Debug, Serialize, ToSchema)]
#[expect(clippy::struct_excessive_bools, reason = "four flags that scripts read by name")]
pub struct PhoneView {
    /// Six octets, lower case, with colons.
    pub mac: String,
    /// What it is called: number and name, else its MAC.
    pub label: String,
    /// Where it stands on the board, the troubled first: 0 trouble, 1 away, 2 something is due, 3 on its way, 4 never
    /// seen, 5 ready, 6 provisioned elsewhere. Within a rank phones go by label, then by MAC.
    pub rank: u8,
    /// Where it is in its boot.
    pub stage: &'static str,
    /// How far it is on its way to ready, in per cent.
    pub percent: u8,
    /// Since when; null for a phone that was never seen.
    pub since: Option<String>,
    /// It can be used.
    pub ready: bool,
    /// No progress for longer than its stage's patience.
    pub stuck: bool,
    /// The same early stages again and again.
    pub looping: bool,
    /// Was ready; its lease or registration ended.
    pub away: bool,
    /// The servers that provision it instead of ringup (`for.FAMILY` of its subnet); left out if ringup does.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub elsewhere: Vec<String>,
    /// The sentence that matters most about it; null where there is nothing to say.
    pub headline: Option<HeadlineView>,
    /// What was listed against what was seen, in the words of the board.
    pub compared: ComparedView,
    /// The site that it belongs to: its entry's, else that of its subnet.
    pub site: String,
    /// Where it is plugged in (option 82); null where no switch or relay tells.
    pub plug: Option<PlugView>,
    /// What the operator listed; null for a stranger.
    pub entry: Option<EntryView>,
    /// What it is, by its own evidence.
    pub identity: IdentityView,
    /// The address that it was last seen with.
    pub address: Option<String>,
    /// How far an upgrade is that it goes through, in plain words; left out if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub progress: Option<String>,
    /// The firmware that is on its way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upgrade: Option<UpgradeView>,
    /// Contradictions and faults.
    pub findings: Vec<FindingView>,
    /// Why it makes no progress.
    pub diagnosis: Option<DiagnosisView>,
    /// The file that it should ask for next, while it is on its way to its configuration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// The last files, oldest first.
    pub transfers: Vec<TransferView>,
    /// What came of asking it to come again, until it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recalled: Option<RecalledView>,
    /// The last thing that happened to it.
    pub last: Option<LastView>,
    /// The number of the last commit that changed it.
    pub changed: u64,
}

/// What came of asking a phone to come again.
#[derive(Debug, Serialize, ToSchema)]
pub struct RecalledView {
    /// When it answered, or was given up.
    pub at: String,
    /// The event that it was sent.
    pub event: String,
    /// `accepted`, `refused`, `silent` or `unsent`.
    pub reply: &'static str,
    /// The status code of its answer.
    pub code: Option<u16>,
    /// In plain words.
    pub text: String,
    /// What to do; empty where it accepted.
    pub remedy: String,
}

impl RecalledView {
    fn new(recalled: &Recalled, remedy: Option<&str>) -> Self {
        Self {
            at: moment(recalled.at),
            event: recalled.event.clone(),
            reply: recalled.reply.as_str(),
            code: recalled.reply.code(),
            text: recalled.reply.to_string(),
            remedy: remedy.unwrap_or_default().to_owned(),
        }
    }
}

/// One sentence about a phone.
#[derive(Debug, Serialize, ToSchema)]
pub struct HeadlineView {
    /// What is so.
    pub text: String,
    /// What to do about it; empty where nothing is.
    pub remedy: String,
    /// `bad`, `warn`, `good` or `quiet`.
    pub tone: &'static str,
}

/// What was listed against what was seen. What is empty or false is left out.
#[derive(Debug, Serialize, ToSchema)]
pub struct ComparedView {
    /// Under the phone's name: its MAC, "label …" where that was misread, "not listed" where the name is the MAC.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub label: String,
    /// "seen …": the MAC that is here instead of the label's.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub label_seen: String,
    /// The label is wrong.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub label_differs: bool,
    /// The model that it says it is, else the listed one, else its vendor.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub model: String,
    /// "listed as …" where that differs, "as listed" where nothing was seen yet, else its firmware.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub model_listed: String,
    /// The model is not the listed one.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub model_differs: bool,
}

/// A port of a switch.
#[derive(Debug, Serialize, ToSchema)]
pub struct PlugView {
    /// The switch, as it names itself; may be empty.
    pub switch: String,
    /// The port, in the switch's own words; may be empty.
    pub port: String,
}

/// What a phone is, by its own evidence.
#[derive(Debug, Serialize, ToSchema)]
pub struct IdentityView {
    pub(in crate::http) vendor: Option<String>,
    /// As the catalog names it.
    pub model: Option<String>,
    pub(in crate::http) family: Option<String>,
    pub(in crate::http) firmware: Option<String>,
    pub(in crate::http) grounds: Vec<GroundView>,
}

/// One piece of evidence.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct GroundView {
    pub(in crate::http) from: &'static str,
    pub(in crate::http) value: String,
    pub(in crate::http) at: String,
}

/// A firmware transfer under way.
#[derive(Debug, Serialize, ToSchema)]
pub struct UpgradeView {
    pub(in crate::http) name: String,
    pub(in crate::http) bytes: u64,
    pub(in crate::http) length: u64,
}

/// A flagged contradiction or fault.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FindingView {
    /// Whose it is; left out inside a phone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mac: Option<String>,
    /// Which.
    pub kind: &'static str,
    /// What is so.
    pub text: String,
    /// What to do about it.
    pub remedy: String,
    /// What it rests on, where that is something that the phone showed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub grounds: Vec<GroundView>,
    /// The change to the entry that would mend it.
    pub repair: Option<RepairView>,
}

/// A change to an entry that would mend a finding: the fields that it changes, and no others.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RepairView {
    /// The model to list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::http) model: Option<String>,
    /// The site to list it at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::http) site: Option<String>,
    /// The MAC to list it under.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::http) mac: Option<String>,
}

/// Why a phone makes no progress.
#[derive(Debug, Serialize, ToSchema)]
pub struct DiagnosisView {
    /// Stable kebab-case name of the cause.
    pub cause: &'static str,
    /// The cause in plain words.
    pub text: String,
    /// What to do about it.
    pub remedy: String,
    /// What it should do next.
    pub expected: Option<String>,
}

/// One file's way to a phone.
#[derive(Debug, Serialize, ToSchema)]
pub struct TransferView {
    pub(in crate::http) name: String,
    pub(in crate::http) carrier: &'static str,
    pub(in crate::http) role: &'static str,
    pub(in crate::http) bytes: u64,
    pub(in crate::http) length: u64,
    /// `complete`, `aborted`, `timed-out`, `failed`, `refused`; null while it runs.
    pub(in crate::http) outcome: Option<&'static str>,
    /// Why it was refused, or what the phone said when it aborted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::http) text: Option<String>,
    /// True for a miss or an abort that is no fault.
    pub(in crate::http) normal: bool,
    /// Where the bytes came from: `file …`, `template …`, `firmware …`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::http) source: Option<String>,
    pub(in crate::http) at: String,
}

/// The last thing that happened to a phone.
#[derive(Debug, Serialize, ToSchema)]
pub struct LastView {
    /// In plain words.
    pub text: String,
    /// When.
    pub at: String,
}

/// An address held until a time.
#[derive(Debug, Serialize, ToSchema)]
pub struct LeaseView {
    pub(in crate::http) address: String,
    pub(in crate::http) mac: String,
    /// Client identifier or hardware address, in hexadecimal digits behind a marker (01 or 00).
    pub(in crate::http) client: String,
    pub(in crate::http) since: String,
    pub(in crate::http) until: String,
    pub(in crate::http) active: bool,
}

impl PhoneView {
    /// A phone as it is now. Secrets are masked unless `reveal`.
    #[must_use]
    pub fn new(mac: Mac, phone: &Phone, report: &Report, reveal: bool) -> Self {
        let boot = &phone.boot;
        Self {
            mac: mac.to_string(),
            label: label(mac, phone.entry.as_deref()),
            rank: report.rank(boot).number(),
            stage: boot.stage().as_str(),
            percent: report.percent(boot),
            since: boot.is_seen().then(|| moment(boot.since)),
            ready: report.ready,
            stuck: report.stuck,
            looping: report.looping,
            away: report.away,
            elsewhere: report.elsewhere.iter().map(Ipv4Addr::to_string).collect(),
            headline: report.headline(boot).map(HeadlineView::from),
            compared: report.compared(mac, phone.entry.as_deref()).into(),
            site: report.site.clone(),
            plug: plug(&phone.grounds).map(|it| PlugView { switch: it.switch, port: it.port }),
            entry: phone.entry.as_deref().map(|entry| EntryView::new(entry, reveal)),
            identity: IdentityView::from(&report.identity),
            address: boot.address.or_else(|| asked_from(boot)).as_ref().map(Ipv4Addr::to_string),
            progress: report.progress.clone(),
            upgrade: upgrade(boot),
            findings: report.findings.iter().map(|f| FindingView::new(None, f)).collect(),
            diagnosis: report.diagnosis.as_ref().map(DiagnosisView::from),
            expected: report.expected.clone(),
            transfers: boot.transfers.iter().map(TransferView::from).collect(),
            recalled: boot.recall().map(|one| RecalledView::new(one, report.recall.as_deref())),
            last: boot
                .is_seen()
                .then(|| LastView { text: boot.last.clone(), at: moment(boot.last_at) }),
            changed: phone.changed,
        }
    }

    /// The same without evidence and transfers: what a board of many phones shows.
    #[must_use]
    pub fn brief(mut self) -> Self {
        self.identity.grounds = Vec::new();
        self.transfers = Vec::new();
        self
    }

    /// A phone out of the state, with the report that holds now.
    #[must_use]
    pub fn of(
        provisioner: &Provisioner,
        state: &State,
        mac: Mac,
        reveal: bool,
        now: Timestamp,
    ) -> Option<Self> {
        let phone = state.phones.get(&mac)?;
        let report = provisioner.report(mac, phone, state, now);
        Some(Self::new(mac, phone, &report, reveal))
    }
}

impl FindingView {
    /// A finding.
    #[must_use]
    pub fn new(mac: Option<Mac>, finding: &Finding) -> Self {
        Self {
            mac: mac.map(|mac| mac.to_string()),
            kind: finding.kind.as_str(),
            text: finding.text.clone(),
            remedy: finding.remedy.clone(),
            grounds: finding.grounds.iter().map(GroundView::from).collect(),
            repair: finding.repair.as_ref().map(RepairView::from),
        }
    }
}

impl From<&Repair> for RepairView {
    fn from(repair: &Repair) -> Self {
        let Repair { model, site, mac } = repair.clone();
        Self { model, site, mac: mac.map(|mac| mac.to_string()) }
    }
}

impl LeaseView {
    /// A lease as it stands at `now`.
    #[must_use]
    pub fn new(lease: &Lease, now: Timestamp) -> Self {
        Self {
            address: lease.address.to_string(),
            mac: lease.mac.to_string(),
            client: format!("{:?}", lease.client),
            since: moment(lease.since),
            until: moment(lease.until),
            active: lease.is_active(now),
        }
    }
}

impl From<&Identity> for IdentityView {
    fn from(identity: &Identity) -> Self {
        Self {
            vendor: identity.vendor.clone(),
            model: identity.model.clone(),
            family: identity.family.as_ref().map(|family| family.as_str().to_owned()),
            firmware: identity.firmware.clone(),
            grounds: identity.grounds.iter().map(GroundView::from).collect(),
        }
    }
}

impl From<Headline> for HeadlineView {
    fn from(Headline { text, remedy, tone }: Headline) -> Self {
        Self { text, remedy, tone: tone.as_str() }
    }
}

impl From<Compared> for ComparedView {
    fn from(compared: Compared) -> Self {
        let Compared { label, label_seen, label_differs, model, model_listed, model_differs } =
            compared;
        Self { label, label_seen, label_differs, model, model_listed, model_differs }
    }
}

impl From<&Ground> for GroundView {
    fn from(ground: &Ground) -> Self {
        Self { from: ground.from.as_str(), value: ground.value.clone(), at: moment(ground.at) }
    }
}

impl From<&Diagnosis> for DiagnosisView {
    fn from(diagnosis: &Diagnosis) -> Self {
        Self {
            cause: diagnosis.cause,
            text: diagnosis.text.clone(),
            remedy: diagnosis.remedy.clone(),
            expected: diagnosis.expected.clone(),
        }
    }
}

impl From<&Transfer> for TransferView {
    fn from(transfer: &Transfer) -> Self {
        let refused = transfer.refused.as_ref().map(|_| "refused");
        let said = match &transfer.outcome {
            Some(Outcome::Aborted { text } | Outcome::Failed { text }) if !text.is_empty() => {
                Some(text.clone())
            }
            _ => None,
        };
        Self {
            name: transfer.name.clone(),
            carrier: transfer.carrier.as_str(),
            role: transfer.role.as_str(),
            bytes: transfer.bytes,
            length: transfer.length,
            outcome: refused.or(transfer.outcome.as_ref().map(Outcome::as_str)),
            text: transfer.refused.clone().or(said),
            normal: transfer.normal,
            source: Some(transfer.source.clone()).filter(|source| !source.is_empty()),
            at: moment(transfer.at),
        }
    }
}

fn upgrade(boot: &Boot) -> Option<UpgradeView> {
    boot.upgrade.as_ref().map(|upgrade| UpgradeView {
        name: upgrade.name.clone(),
        bytes: upgrade.bytes,
        length: upgrade.length,
    })
}

/// A moment as RFC 3339, to the millisecond: JavaScript reads no more.
#[must_use]
pub fn moment(at: Timestamp) -> String {
    format!("{at:.3}")
}
