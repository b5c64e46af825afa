//! Expected against seen, per group of phones.

use std::collections::BTreeMap;

use comfy_table::{Table, presets};

use crate::domain::Mac;

use super::{api::Seen, cast::Part};

/// What most faults come to, sooner or later within a lab's time: the phone starts again and again.
const LOOPING: &str = "looping";

/// How the lab stands.
#[derive(Debug)]
pub(super) struct Verdict<'a> {
    parts: &'a [Part],
    seen: BTreeMap<Mac, Seen>,
}

impl<'a> Verdict<'a> {
    /// Compares what the API says with what each part is to show.
    pub(super) const fn new(parts: &'a [Part], seen: BTreeMap<Mac, Seen>) -> Self {
        Self { parts, seen }
    }

    /// How many phones are as expected.
    pub(super) fn right(&self) -> usize {
        self.parts.iter().filter(|part| self.is_right(part)).count()
    }

    /// The stage that a phone is seen in.
    pub(super) fn stage(&self, mac: Mac) -> Option<&str> {
        self.seen.get(&mac).map(|seen| seen.stage.as_str())
    }

    /// True once every phone is as expected and nobody else is there.
    pub(super) fn is_whole(&self) -> bool {
        self.right() == self.parts.len() && self.seen.len() == self.parts.len()
    }

    fn is_right(&self, part: &Part) -> bool {
        self.seen.get(&part.mac).is_some_and(|seen| {
            let mut expected = part.expected.findings.to_vec();
            expected.sort_unstable();
            // Beside the fault that is shown it is no surprise; alone it is one.
            let beside =
                |kind: &&str| *kind == LOOPING && !expected.is_empty() && expected != [LOOPING];
            let mut told: Vec<&str> =
                seen.findings().into_iter().filter(|kind| !beside(kind)).collect();
            told.sort_unstable();
            seen.stage == part.expected.stage
                && told == expected
                && part.expected.cause.fits(seen.cause())
        })
    }

    /// One line: how many phones are in which stage.
    pub(super) fn progress(&self) -> String {
        let mut stages = BTreeMap::<&str, usize>::new();
        self.seen.values().for_each(|seen| *stages.entry(&seen.stage).or_default() += 1);
        let stages: Vec<String> =
            stages.iter().map(|(stage, phones)| format!("{phones} {stage}")).collect();
        format!("{} of {} as expected: {}", self.right(), self.parts.len(), stages.join(", "))
    }

    /// The summary: a row a group, and one for each phone that is not as expected.
    pub(super) fn table(&self) -> String {
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        table.set_header(["group", "phones", "expected", "as expected", "instead"]);
        let mut groups: Vec<&str> = self.parts.iter().map(|part| part.group).collect();
        groups.sort_unstable();
        groups.dedup();
        for group in groups {
            let parts: Vec<&Part> = self.parts.iter().filter(|part| part.group == group).collect();
            let right = parts.iter().filter(|part| self.is_right(part)).count();
            let wrong =
                parts.iter().filter(|part| !self.is_right(part)).map(|part| self.instead(part));
            let expected = parts.first().map_or(String::new(), |part| part.expected.to_string());
            table.add_row([
                group.to_owned(),
                parts.len().to_string(),
                expected,
                right.to_string(),
                wrong.collect::<Vec<_>>().join("\n"),
            ]);
        }
        let strangers =
            self.seen.keys().filter(|mac| !self.parts.iter().any(|part| part.mac == **mac));
        for mac in strangers {
            table.add_row(["nobody of ours".to_owned(), mac.to_string()]);
        }
        table.to_string()
    }

    fn instead(&self, part: &Part) -> String {
        let seen = self.seen.get(&part.mac);
        let seen = seen.map(|seen| described(&seen.stage, &seen.findings(), seen.cause()));
        format!("{}: {}", part.mac, seen.unwrap_or_else(|| "unknown".to_owned()))
    }
}

fn described(stage: &str, findings: &[&str], cause: Option<&str>) -> String {
    let told: Vec<&str> = [stage].into_iter().chain(findings.iter().copied()).collect();
    let cause = cause.map(|cause| format!("; {cause}")).unwrap_or_default();
    format!("{}{cause}", told.join(", "))
}
