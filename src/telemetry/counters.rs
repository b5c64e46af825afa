//! Counters for Prometheus.

use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family},
    registry::Registry,
};

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct Labels {
    part: &'static str,
    what: &'static str,
}

/// Counters for Prometheus. Cheap to clone; label values come from the program text only, so their number is bounded.
#[derive(Clone, Debug, Default)]
pub struct Counters(Family<Labels, Counter>);

impl Counters {
    /// Adds one to `ringup_events_total{part, what}`.
    pub fn count(&self, part: &'static str, what: &'static str) {
        self.0.get_or_create(&Labels { part, what }).inc();
    }

    /// The value of one counter.
    #[must_use]
    pub fn value(&self, part: &'static str, what: &'static str) -> u64 {
        self.0.get_or_create(&Labels { part, what }).get()
    }

    /// All counters in Prometheus' text form.
    #[must_use]
    pub fn text(&self) -> String {
        let mut registry = Registry::default();
        registry.register("ringup_events", "What the appliance did, by part", self.0.clone());
        let mut text = String::new();
        // Writing to a string can't fail.
        let _ = encode(&mut text, &registry);
        text
    }
}
