//! The light of a phone on the bench: green, amber or red, and in one line why.

use crate::{
    domain::{FindingKind, Mac, Recalled, Reply, Staged, Staging, Standing, Timestamp},
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
    /// The MAC whose `bad-label` repair puts its label right: its own, or that of the entry which was meant for it.
    pub repair: Option<Mac>,
}

/// Why its label may have been read wrongly.
struct Doubt {
    text: String,
    repair: Option<Mac>,
}

impl Provisioner {
    /// The light of a phone in a batch.
    #[must_use]
    pub fn light(&self, state: &State, staging: &Staging, phone: Mac, now: Timestamp) -> Light {
        let nobody = Phone::default();
        let known = state.phones.get(&phone).unwrap_or(&nobody);
        let report = self.report(phone, known, state, now);
        let staged = staging.phones.get(&phone);
        let doubt = self.doubt(state, &report, known, phone);
        let repair = doubt.as_ref().and_then(|doubt| doubt.repair);
        let expected = self.expected_on_bench(known, phone, doubt.as_ref(), now);
        let light = |colour, text: &str| {
            let parts = [expected.as_str(), text];
            let parts: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
            Light { colour, text: parts.join(", "), repair }
        };
        // What is left to do, or nothing: this is told whatever else is wrong.
        let due = sealing(staging, staged, known);
        let red = |why: &str| {
            let parts = [due.as_ref().map_or("", |(_, text)| text), why];
            let parts: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
            light(Colour::Red, &parts.join("; "))
        };
        if let Some(why) = staged.and_then(|one| one.failed.as_deref()) {
            return light(Colour::Red, &format!("put aside: {why}"));
        }
        // A label in doubt is told already, in the place of one that is right.
        let told = [FindingKind::NotListed, FindingKind::BadLabel];
        if let Some(finding) = report.findings.iter().find(|one| !told.contains(&one.kind)) {
            return red(&finding.text);
        }
        if doubt.is_some() && known.entry.is_some() {
            return red("");
        }
        if known.entry.is_none() {
            return light(Colour::Amber, "not listed");
        }
        if let Some(text) = elsewhere(staging, known) {
            return red(&text);
        }
        if let Some((Colour::Green, text)) = &due {
            return light(Colour::Green, text);
        }
        if report.stuck || report.looping {
            let why = report.diagnosis.map_or_else(|| "stuck".to_owned(), |why| why.text);
            return red(&why);
        }
        let (colour, text) = due.unwrap_or_else(|| progress(known, &report));
        light(colour, &text)
    }

    /// What a `bad-label` finding says of it, be it of its own entry or of the one that was meant for it.
    fn doubt(&self, state: &State, report: &Report, known: &Phone, phone: Mac) -> Option<Doubt> {
        if let Some(own) = report.findings.iter().find(|one| one.kind == FindingKind::BadLabel) {
            let moves = own.repair.as_ref().is_some_and(|repair| repair.mac.is_some());
            return Some(Doubt { text: own.text.clone(), repair: moves.then_some(phone) });
        }
        if known.entry.is_some() {
            return None;
        }
        let (listed, differs) = self.misread_as(state, phone)?;
        let text = format!("{listed} is listed and never seen, and this {differs}");
        Some(Doubt { text, repair: Some(listed) })
    }

    /// What is expected, and whether the label fits: "expected VVX 401, label ok".
    fn expected_on_bench(
        &self,
        known: &Phone,
        phone: Mac,
        doubt: Option<&Doubt>,
        now: Timestamp,
    ) -> String {
        let model = known.entry.as_deref().map(|entry| entry.model.as_str()).unwrap_or_default();
        if let Some(doubt) = doubt {
            let expected =
                if model.is_empty() { String::new() } else { format!("expected {model}, ") };
            return format!("{expected}label doubtful: {}", doubt.text);
        }
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

/// How far its sealing is: that it is sealed, or what seals it once its batch is handed over.
fn sealing(staging: &Staging, staged: Option<&Staged>, known: &Phone) -> Option<(Colour, String)> {
    if staged.is_some_and(|one| one.sealed.is_some()) {
        return Some((Colour::Green, "sealed".to_owned()));
    }
    if staging.standing() != Standing::HandedOver {
        return None;
    }
    // Only what was asked since the hand-over brings the production file.
    let since = |one: &&Recalled| staging.handed_over.is_some_and(|at| one.at >= at);
    let text = match known.boot.recall().filter(since).map(|one| &one.reply) {
        None => "restart it to seal it".to_owned(),
        Some(Reply::Accepted { .. }) => "comes again by itself to be sealed".to_owned(),
        Some(reply) => format!("{reply}: restart it to seal it"),
    };
    Some((Colour::Amber, text))
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
