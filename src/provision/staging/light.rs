//! The light of a phone on the bench: green, amber or red, and in one line why.

use crate::{
    domain::{FindingKind, Mac, Recalled, Reply, Staging, Standing, Timestamp},
    provision::{Provisioner, Report},
    store::{Phone, State},
};

/// What an operator sees from three metres away.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Colour {
    /// Something is wrong with it.
    Red,
    /// It is on its way, or something about it should be known.
    Amber,
    /// It is as it should be.
    Green,
}

impl Colour {
    /// The name in JSON and on the page.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Red => "red",
            Self::Amber => "amber",
            Self::Green => "green",
        }
    }
}

/// A light and what it says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Light {
    /// Its colour.
    pub colour: Colour,
    /// In one line.
    pub text: String,
}

impl Provisioner {
    /// The light of a phone in a batch.
    #[must_use]
    pub fn light(&self, state: &State, staging: &Staging, phone: Mac, now: Timestamp) -> Light {
        let nobody = Phone::default();
        let known = state.phones.get(&phone).unwrap_or(&nobody);
        let report = self.report(phone, known, state, now);
        let staged = staging.phones.get(&phone);
        let light = |colour, text: &str| {
            let expected = self.expected_on_bench(known, phone, now);
            let text = if text.is_empty() { expected } else { format!("{expected}, {text}") };
            Light { colour, text }
        };
        if let Some(why) = staged.and_then(|one| one.failed.as_deref()) {
            return light(Colour::Red, &format!("put aside: {why}"));
        }
        if let Some(finding) = report.findings.iter().find(|one| one.kind != FindingKind::NotListed)
        {
            return light(Colour::Red, &finding.text);
        }
        if known.entry.is_none() {
            return light(Colour::Amber, "not listed");
        }
        if let Some(text) = elsewhere(staging, known) {
            return light(Colour::Red, &text);
        }
        if staged.is_some_and(|one| one.sealed.is_some()) {
            return light(Colour::Green, "sealed");
        }
        if report.stuck || report.looping {
            let why = report.diagnosis.map_or_else(|| "stuck".to_owned(), |why| why.text);
            return light(Colour::Red, &why);
        }
        match staging.standing() {
            Standing::HandedOver => {
                // Only what was asked since the hand-over brings the production file.
                let since = |one: &&Recalled| staging.handed_over.is_some_and(|at| one.at >= at);
                match known.boot.recall().filter(since).map(|one| &one.reply) {
                    None => light(Colour::Amber, "restart it to seal it"),
                    Some(Reply::Accepted { .. }) => {
                        light(Colour::Amber, "comes again by itself to be sealed")
                    }
                    Some(reply) => light(Colour::Amber, &format!("{reply}: restart it to seal it")),
                }
            }
            Standing::Open | Standing::Closed => {
                let (colour, text) = progress(known, &report);
                light(colour, &text)
            }
        }
    }

    /// What is expected, and whether the label fits: "expected VVX 401, label ok".
    fn expected_on_bench(&self, known: &Phone, phone: Mac, now: Timestamp) -> String {
        let model = known.entry.as_deref().map(|entry| entry.model.as_str()).unwrap_or_default();
        let maker = self.maker(phone, now);
        if model.is_empty() {
            return maker.map_or_else(
                || "label ok".to_owned(),
                |maker| format!("made by {maker}, label ok"),
            );
        }
        let listed = self.catalog().model(model).map(|(family, _)| family.vendor.clone());
        let label = match (maker, listed) {
            (Some(maker), Some(listed)) if !maker.eq_ignore_ascii_case(&listed) => {
                format!("label is of {maker}")
            }
            (None, _) => "label of an unknown maker".to_owned(),
            (Some(_), _) => "label ok".to_owned(),
        };
        format!("expected {model}, {label}")
    }
}

/// What there is to say where its entry belongs to another site than the batch.
fn elsewhere(staging: &Staging, known: &Phone) -> Option<String> {
    let of_batch = staging.purpose.site.as_deref()?;
    let listed = known.entry.as_deref()?.site.as_deref()?;
    (listed != of_batch).then(|| format!("listed at {listed}, and this batch is for {of_batch}"))
}

fn progress(known: &Phone, report: &Report) -> (Colour, String) {
    if !known.boot.is_seen() {
        return (Colour::Amber, "not seen yet".to_owned());
    }
    if report.ready {
        return (Colour::Green, "ready".to_owned());
    }
    (Colour::Amber, known.boot.stage().as_str().to_owned())
}
