//! Expected against seen, per group of phones.

use std::collections::BTreeMap;

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

    /// True for a phone that shows what it is to show.
    pub(super) fn is_right(&self, part: &Part) -> bool {
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

    /// The summary: a line a group, and one below it for each phone that is not as expected. It fits 120 columns.
    pub(super) fn table(&self) -> String {
        let mut lines = vec![format!("  {:>7}  {:<29}  {}", "right", "group", "expected")];
        let mut groups: Vec<&str> = self.parts.iter().map(|part| part.group).collect();
        groups.sort_unstable();
        groups.dedup();
        for group in groups {
            let parts: Vec<&Part> = self.parts.iter().filter(|part| part.group == group).collect();
            let (wrong, right): (Vec<&Part>, Vec<&Part>) =
                parts.iter().partition(|part| !self.is_right(part));
            let count = format!("{} of {}", right.len(), parts.len());
            let expected = parts.first().map_or(String::new(), |part| part.expected.to_string());
            lines.push(format!("  {count:>7}  {group:<29}  {expected}"));
            lines.extend(wrong.into_iter().map(|part| format!("{:11}{}", "", self.instead(part))));
        }
        let strangers =
            self.seen.keys().filter(|mac| !self.parts.iter().any(|part| part.mac == **mac));
        lines.extend(strangers.map(|mac| format!("{:11}{mac}: nobody of ours", "")));
        lines.join("\n")
    }

    fn instead(&self, part: &Part) -> String {
        let seen = self.seen.get(&part.mac);
        let seen = seen.map(|seen| described(&seen.stage, &seen.findings(), seen.cause()));
        format!("instead {}: {}", part.mac, seen.unwrap_or_else(|| "unknown".to_owned()))
    }
}

fn described(stage: &str, findings: &[&str], cause: Option<&str>) -> String {
    let told: Vec<&str> = [stage].into_iter().chain(findings.iter().copied()).collect();
    let cause = cause.map(|cause| format!("; {cause}")).unwrap_or_default();
    format!("{}{cause}", told.join(", "))
}
