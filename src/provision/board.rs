//! The order and the words of the board: what the page and `ringup phones watch` show of a phone, and where.

use crate::domain::{Boot, Entry, FindingKind, Mac, Stage};

use super::Report;

/// Where a phone stands on the board: the troubled first, whoever needs nobody last.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[repr(u8)]
pub enum Rank {
    /// A finding, stuck or looping: somebody has to do something.
    Trouble,
    /// It was ready and is gone.
    Away,
    /// Something is due from it, and there is still time.
    Waiting,
    /// On its way.
    Coming,
    /// Listed, never seen.
    Silent,
    /// Ready.
    Ready,
    /// Another server provisions it.
    Elsewhere,
}

impl Rank {
    /// The number in JSON.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }
}

/// How a sentence is meant.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Tone {
    /// Somebody has to do something.
    Bad,
    /// Worth a look.
    Warn,
    /// All is well.
    Good,
    /// Told, and no fault.
    Quiet,
}

impl Tone {
    /// The name in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bad => "bad",
            Self::Warn => "warn",
            Self::Good => "good",
            Self::Quiet => "quiet",
        }
    }
}

/// The one sentence that matters most about a phone.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Headline {
    /// What is so.
    pub text: String,
    /// What to do about it; empty where nothing is.
    pub remedy: String,
    /// How it is meant.
    pub tone: Tone,
}

/// What was listed against what was seen, in the words of a row.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Compared {
    /// Under the phone's name: its MAC, "label …" where that was misread, "not listed" where the name is the MAC.
    pub label: String,
    /// "seen …": the MAC that is here instead of the label's; empty where there is none.
    pub label_seen: String,
    /// The label is wrong.
    pub label_differs: bool,
    /// The model that it says it is, else the listed one, else its vendor.
    pub model: String,
    /// "listed as …" where that differs, "as listed" where nothing was seen yet, else its firmware.
    pub model_listed: String,
    /// The model is not the listed one.
    pub model_differs: bool,
}

/// What a phone is called: number and name, else its MAC.
#[must_use]
pub fn label(mac: Mac, entry: Option<&Entry>) -> String {
    let (number, name) = entry.map_or(("", ""), |entry| (entry.number(), entry.name()));
    match (number, name) {
        ("", "") => mac.to_string(),
        (number, name) => format!("{number} {name}").trim().to_owned(),
    }
}

impl Report {
    /// Where its phone stands on the board.
    #[must_use]
    pub fn rank(&self, boot: &Boot) -> Rank {
        let silent = boot.stage() == Stage::Silent;
        match self {
            _ if !self.findings.is_empty() || self.stuck || self.looping => Rank::Trouble,
            _ if !self.elsewhere.is_empty() => Rank::Elsewhere,
            _ if self.away => Rank::Away,
            _ if silent => Rank::Silent,
            _ if self.ready => Rank::Ready,
            _ if self.diagnosis.is_some() => Rank::Waiting,
            _ => Rank::Coming,
        }
    }

    /// The sentence that matters most; `None` for a phone on its way of which there is nothing to say.
    #[must_use]
    pub fn headline(&self, boot: &Boot) -> Option<Headline> {
        let say = |text: &str, remedy: &str, tone| {
            Some(Headline { text: text.to_owned(), remedy: remedy.to_owned(), tone })
        };
        if let Some(finding) = self.findings.first() {
            return say(&finding.text, &finding.remedy, Tone::Bad);
        }
        // Who was never seen is told so by the stage; what to look at is in the phone's own record.
        let told = self.diagnosis.as_ref().filter(|_| boot.stage() != Stage::Silent);
        if let Some(diagnosis) = told {
            let tone = if self.stuck || self.away { Tone::Bad } else { Tone::Warn };
            return say(&diagnosis.text, &diagnosis.remedy, tone);
        }
        match self {
            _ if self.away => say("was ready; its lease is over", "", Tone::Warn),
            Self { progress: Some(progress), .. } => say(progress, "", Tone::Quiet),
            _ if !self.elsewhere.is_empty() => {
                let by: Vec<_> = self.elsewhere.iter().map(ToString::to_string).collect();
                say(&format!("provisioned elsewhere: by {}", by.join(", ")), "", Tone::Quiet)
            }
            _ if self.ready => say("ready", "", Tone::Good),
            _ => None,
        }
    }

    /// Where its phone stands among all: the board goes by rank, then by what it is called, then by MAC.
    #[must_use]
    pub fn place(&self, mac: Mac, entry: Option<&Entry>, boot: &Boot) -> (Rank, String, Mac) {
        (self.rank(boot), label(mac, entry), mac)
    }

    /// Model listed against model seen, label against MAC seen.
    #[must_use]
    pub fn compared(&self, mac: Mac, entry: Option<&Entry>) -> Compared {
        let mut compared = Compared::default();
        match self.findings.iter().find(|finding| finding.kind == FindingKind::BadLabel) {
            Some(finding) => {
                compared.label = format!("label {mac}");
                compared.label_differs = true;
                let seen = finding.repair.as_ref().and_then(|repair| repair.mac);
                compared.label_seen = seen.map(|seen| format!("seen {seen}")).unwrap_or_default();
            }
            None if label(mac, entry) != mac.to_string() => compared.label = mac.to_string(),
            None if entry.is_none() => "not listed".clone_into(&mut compared.label),
            None => {}
        }
        let listed = entry.map(|entry| entry.model.as_str()).unwrap_or_default();
        let seen = self.identity.model.as_deref().unwrap_or_default();
        let vendor = self.identity.vendor.as_deref().unwrap_or_default();
        let wrong = [FindingKind::WrongModel, FindingKind::WrongFamily];
        compared.model_differs = self.findings.iter().any(|finding| wrong.contains(&finding.kind));
        let names = [seen, listed, vendor];
        compared.model = names.into_iter().find(|name| !name.is_empty()).unwrap_or_default().into();
        compared.model_listed = match (listed, seen) {
            ("", _) => self.identity.firmware.clone().unwrap_or_default(),
            (_, "") => "as listed".to_owned(),
            _ if compared.model_differs => format!("listed as {listed}"),
            _ => self.identity.firmware.clone().unwrap_or_default(),
        };
        compared
    }

    /// How far its phone is on the way to ready, in per cent: bytes while firmware is on its way, else by its stage.
    #[must_use]
    pub fn percent(&self, boot: &Boot) -> u8 {
        if let Some(upgrade) = boot.upgrade.as_ref().filter(|upgrade| upgrade.length > 0) {
            let part = upgrade.bytes.min(upgrade.length).saturating_mul(100) / upgrade.length;
            return u8::try_from(part).unwrap_or(100);
        }
        match boot.stage() {
            _ if self.ready => 100,
            Stage::Silent => 0,
            Stage::Discovered => 15,
            Stage::Leased => 30,
            Stage::Asking => 45,
            Stage::Defaulted | Stage::Upgrading => 60,
            Stage::Configured => 80,
            Stage::Registering => 90,
            Stage::Registered => 95,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Diagnosis, Finding, Identity, Repair, Upgrade};

    fn boot(stage: Stage) -> Boot {
        Boot { risen: stage, ..Boot::default() }
    }

    fn finding() -> Finding {
        let (text, remedy) = ("not listed".to_owned(), "list it".to_owned());
        Finding { kind: FindingKind::NotListed, text, remedy, repair: None, grounds: Vec::new() }
    }

    fn due() -> Diagnosis {
        let (text, remedy) = ("no file asked".to_owned(), "look at option 66".to_owned());
        Diagnosis { cause: "x", text, remedy, expected: None }
    }

    #[test]
    fn the_troubled_first() {
        let check = |report: Report, stage: Stage, rank: Rank, words: &str| {
            let boot = boot(stage);
            assert_eq!(report.rank(&boot), rank, "{report:?}");
            let headline = report.headline(&boot);
            let told = headline.map(|told| format!("{}: {}", told.tone.as_str(), told.text));
            assert_eq!(told.unwrap_or_default(), words, "{report:?}");
        };
        let none = Report::default;
        let found = Report { findings: vec![finding()], diagnosis: Some(due()), ..none() };
        check(found, Stage::Asking, Rank::Trouble, "bad: not listed");
        let stuck = Report { stuck: true, diagnosis: Some(due()), ..none() };
        check(stuck, Stage::Leased, Rank::Trouble, "bad: no file asked");
        let waiting = Report { diagnosis: Some(due()), ..none() };
        check(waiting.clone(), Stage::Leased, Rank::Waiting, "warn: no file asked");
        check(waiting, Stage::Silent, Rank::Silent, "");
        let away = Report { away: true, ..none() };
        check(away, Stage::Configured, Rank::Away, "warn: was ready; its lease is over");
        check(none(), Stage::Asking, Rank::Coming, "");
        let ready = Report { ready: true, ..none() };
        check(ready, Stage::Configured, Rank::Ready, "good: ready");
        let elsewhere = Report { elsewhere: vec![[10, 1, 1, 5].into()], ..none() };
        let words = "quiet: provisioned elsewhere: by 10.1.1.5";
        check(elsewhere, Stage::Leased, Rank::Elsewhere, words);
    }

    #[test]
    fn listed_against_seen() {
        let mac: Mac = "00:04:f2:00:00:01".parse().unwrap();
        let check = |listed: Option<&str>, seen: Option<&str>, kind, label: &str, model: &str| {
            let entry = listed.map(|model| Entry { model: model.to_owned(), ..Entry::default() });
            let real = "00:04:f2:00:00:10".parse().ok();
            let repair = Some(Repair { mac: real, ..Repair::default() });
            let findings = match kind {
                None => Vec::new(),
                Some(kind) => vec![Finding { kind, repair, ..finding() }],
            };
            let identity = Identity { model: seen.map(str::to_owned), ..Identity::default() };
            let told = Report { identity, findings, ..Report::default() };
            let told = told.compared(mac, entry.as_ref());
            let mark = |differs: bool| if differs { "!" } else { "" };
            let Compared { label_differs, model_differs, .. } = told;
            let said = format!("{} {}{}", told.label, told.label_seen, mark(label_differs));
            assert_eq!(said.trim(), label);
            let said = format!("{}, {}{}", told.model, told.model_listed, mark(model_differs));
            assert_eq!(said, model);
        };
        let wrong = Some(FindingKind::WrongModel);
        check(None, Some("7961G"), None, "not listed", "7961G, ");
        check(Some("7961G"), None, None, "", "7961G, as listed");
        check(Some("7961"), Some("7961G"), None, "", "7961G, ");
        check(Some("7961G-GE"), Some("7961G"), wrong, "", "7961G, listed as 7961G-GE!");
        let label = "label 00:04:f2:00:00:01 seen 00:04:f2:00:00:10!";
        check(Some("7961G"), None, Some(FindingKind::BadLabel), label, "7961G, as listed");
    }

    #[test]
    fn progress_rises_with_the_stage_and_counts_bytes() {
        let report = Report::default();
        let stages = [Stage::Silent, Stage::Discovered, Stage::Leased, Stage::Asking];
        let later = [Stage::Defaulted, Stage::Configured, Stage::Registering, Stage::Registered];
        let percents: Vec<_> =
            stages.iter().chain(&later).map(|stage| report.percent(&boot(*stage))).collect();
        assert!(percents.is_sorted_by(|one, next| one < next), "{percents:?}");
        let half = Upgrade { name: String::new(), bytes: 1, length: 2, ..upgrade() };
        let upgrading = Boot { upgrade: Some(half), ..boot(Stage::Asking) };
        assert_eq!(report.percent(&upgrading), 50);
        assert_eq!(Report { ready: true, ..report }.percent(&boot(Stage::Configured)), 100);
    }

    fn upgrade() -> Upgrade {
        let moved = crate::domain::Timestamp::UNIX_EPOCH;
        Upgrade { name: String::new(), bytes: 0, length: 0, moved }
    }
}
