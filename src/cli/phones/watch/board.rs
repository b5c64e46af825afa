//! The board as data: phones in the appliance's order, counted by stage, narrowed by a filter. No terminal in here.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use serde_json::Value;

use crate::{
    cli::output::{list, text},
    domain::{Stage, clip},
};

/// Characters of a text that a phone or a list controls, as on the page.
const CLIP: usize = 160;

/// The rank of phones that somebody has to look at, as the API has it.
const TROUBLE: u64 = 0;

/// The rank from which no progress is shown: never seen, ready, provisioned elsewhere.
const SETTLED: u64 = 4;

/// One phone as a row shows it. Every text is cleaned and cut.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Row {
    pub mac: String,
    pub label: String,
    pub rank: u64,
    pub stage: Stage,
    pub percent: u64,
    /// The flag that says most; empty for none. Who loops is stuck, and who is away is not.
    pub flag: &'static str,
    pub ready: bool,
    pub model: String,
    pub address: String,
    pub site: String,
    pub last: String,
    /// When that was, RFC 3339; empty for never.
    pub last_at: String,
    pub headline: String,
    pub remedy: String,
    pub tone: Tone,
    /// Kinds of its findings.
    pub findings: BTreeSet<String>,
    /// Number of the last commit that changed it.
    changed: u64,
    /// What it is found by, in lower case.
    words: String,
}

/// How a sentence is meant.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Tone {
    Bad,
    Warn,
    Good,
    #[default]
    Quiet,
}

/// Text without anything that moves a cursor or turns the direction of reading, and not too long.
pub fn plain(text: &str) -> String {
    let direction = |c: &char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let shown: String = text
        .chars()
        .filter(|c| !direction(c))
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    clip(shown.trim(), CLIP)
}

impl Row {
    /// Out of the API's JSON.
    pub fn new(phone: &Value) -> Self {
        let of = |pointer: &str| plain(&text(phone, pointer));
        let number = |pointer: &str| phone.pointer(pointer).and_then(Value::as_u64).unwrap_or(0);
        let set = |flag: &str| phone.get(flag) == Some(&Value::Bool(true));
        let findings: BTreeSet<_> =
            list(phone, "/findings").iter().map(|one| plain(&text(one, "/kind"))).collect();
        let stage = of("/stage");
        let mut row = Self {
            mac: of("/mac"),
            label: of("/label"),
            rank: number("/rank"),
            stage: Stage::ALL.into_iter().find(|one| one.as_str() == stage).unwrap_or_default(),
            percent: number("/percent"),
            flag: ["looping", "stuck", "away"].into_iter().find(|flag| set(flag)).unwrap_or(""),
            ready: set("ready"),
            model: model(phone, &findings),
            address: of("/address"),
            site: of("/site"),
            last: of("/last/text"),
            last_at: text(phone, "/last/at"),
            headline: of("/headline/text"),
            remedy: of("/headline/remedy"),
            tone: match text(phone, "/headline/tone").as_str() {
                "bad" => Tone::Bad,
                "warn" => Tone::Warn,
                "good" => Tone::Good,
                _ => Tone::Quiet,
            },
            findings,
            changed: number("/changed"),
            words: String::new(),
        };
        row.words = row.words(phone);
        row
    }

    /// What the page finds a phone by too.
    fn words(&self, phone: &Value) -> String {
        let pointers = [
            "/entry/model",
            "/entry/location",
            "/entry/note",
            "/identity/vendor",
            "/identity/model",
            "/identity/family",
            "/identity/firmware",
            "/plug/switch",
            "/plug/port",
        ];
        let digits = self.mac.replace(':', "");
        let own = [&self.mac, &digits, &self.label, &self.site, &self.address, &self.headline];
        let mut words: Vec<String> = own.into_iter().cloned().collect();
        words.push(self.stage.as_str().to_owned());
        words.extend(pointers.iter().map(|pointer| plain(&text(phone, pointer))));
        for finding in list(phone, "/findings") {
            words.extend(["/kind", "/text"].map(|pointer| plain(&text(finding, pointer))));
        }
        words.join("\n").to_lowercase()
    }

    /// True for a phone that somebody has to look at.
    pub fn is_trouble(&self) -> bool {
        self.rank == TROUBLE
    }

    /// Its stage, with the flag that matters or how far it is.
    pub fn standing(&self) -> String {
        let stage = self.stage.as_str();
        match self.flag {
            "" if self.ready || self.percent == 0 || self.rank >= SETTLED => stage.to_owned(),
            "" => format!("{stage} {} %", self.percent),
            flag => format!("{stage} {flag}"),
        }
    }

    /// What a line is worth in a pipe: progress by the byte is not.
    pub fn told(&self) -> [&str; 6] {
        let stage = self.stage.as_str();
        [stage, self.flag, &self.label, &self.model, &self.address, &self.headline]
    }

    /// The place in the appliance's order.
    fn place(&self) -> (u64, &str, &str) {
        (self.rank, &self.label, &self.mac)
    }
}

/// What it says it is, and what it is listed as where that differs.
fn model(phone: &Value, findings: &BTreeSet<String>) -> String {
    let of = |pointer: &str| plain(&text(phone, pointer));
    let (listed, seen) = (of("/entry/model"), of("/identity/model"));
    let wrong = findings.iter().any(|kind| kind == "wrong-model" || kind == "wrong-family");
    match (listed.is_empty(), seen.is_empty()) {
        (true, true) => of("/identity/vendor"),
        (false, true) => listed,
        (false, false) if wrong => format!("{seen}, listed as {listed}"),
        _ => seen,
    }
}

/// Which phones of a stage are shown.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Group {
    /// All.
    #[default]
    All,
    /// Those that need a look.
    Trouble,
    /// Those of one stage.
    Of(Stage),
}

impl Group {
    /// What it is called on the board.
    pub const fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Trouble => "need a look",
            Self::Of(stage) => stage.as_str(),
        }
    }

    /// All of them, in the board's order.
    pub fn every() -> impl Iterator<Item = Self> {
        [Self::All, Self::Trouble].into_iter().chain(Stage::ALL.map(Self::Of))
    }
}

/// Which phones are shown.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Filter {
    pub group: Group,
    /// Kind of a finding; empty for any.
    pub finding: String,
    /// Name of a site; empty for all.
    pub site: String,
    /// Each of these words is in it.
    pub words: String,
}

impl Filter {
    /// True if a phone is shown.
    pub fn fits(&self, row: &Row) -> bool {
        let group = match self.group {
            Group::All => true,
            Group::Trouble => row.is_trouble(),
            Group::Of(stage) => row.stage == stage,
        };
        group
            && (self.finding.is_empty() || row.findings.contains(&self.finding))
            && (self.site.is_empty() || row.site == self.site)
            && self.words.to_lowercase().split_whitespace().all(|word| row.words.contains(word))
    }

    /// True if it leaves somebody out.
    pub fn is_set(&self) -> bool {
        *self != Self::default()
    }
}

/// Phones, as many as the appliance has, in order.
#[derive(Debug, Default)]
pub struct Board {
    phones: HashMap<String, Row>,
    /// Those that fit, in order; see [`Self::settle`].
    shown: Vec<String>,
    /// Phones by group, in the order of [`Group::every`].
    counts: Vec<(Group, usize)>,
    filter: Filter,
    /// Something changed since [`Self::settle`].
    dirty: bool,
}

impl Board {
    /// Takes a phone in, and tells what it was before; `None` if there is nothing new.
    pub fn take(&mut self, phone: &Value) -> Option<(Option<Row>, Row)> {
        let mac = plain(&text(phone, "/mac"));
        if phone.get("forgotten") == Some(&Value::Bool(true)) {
            let before = self.phones.remove(&mac)?;
            self.dirty = true;
            return Some((Some(before), Row { mac, ..Row::default() }));
        }
        let row = Row::new(phone);
        let before = self.phones.get(&mac);
        if before.is_some_and(|before| before.changed > row.changed || *before == row) {
            return None;
        }
        self.dirty = true;
        let before = self.phones.insert(mac, row.clone());
        Some((before, row))
    }

    /// Drops phones that are no longer there, and tells which.
    pub fn keep(&mut self, all: &HashSet<String>) -> Vec<Row> {
        let gone: Vec<Row> =
            self.phones.extract_if(|mac, _| !all.contains(mac)).map(|(_, row)| row).collect();
        self.dirty |= !gone.is_empty();
        gone
    }

    /// Which phones are shown.
    pub const fn filter(&self) -> &Filter {
        &self.filter
    }

    /// Shows others.
    pub fn narrow(&mut self, change: impl FnOnce(&mut Filter)) {
        change(&mut self.filter);
        self.dirty = true;
    }

    /// Puts what came in its place. Called before a look, not at each phone of a storm.
    pub fn settle(&mut self) {
        if !std::mem::take(&mut self.dirty) {
            return;
        }
        let mut fitting: Vec<&Row> =
            self.phones.values().filter(|row| self.filter.fits(row)).collect();
        fitting.sort_unstable_by_key(|row| row.place());
        self.shown = fitting.into_iter().map(|row| row.mac.clone()).collect();
        let (mut trouble, mut stages) = (0, BTreeMap::new());
        for row in self.phones.values() {
            trouble += usize::from(row.is_trouble());
            *stages.entry(row.stage).or_insert(0) += 1;
        }
        let count = |group| match group {
            Group::All => self.phones.len(),
            Group::Trouble => trouble,
            Group::Of(stage) => stages.get(&stage).copied().unwrap_or(0),
        };
        self.counts = Group::every().map(|group| (group, count(group))).collect();
    }

    /// How many phones there are.
    pub fn len(&self) -> usize {
        self.phones.len()
    }

    /// How many are shown.
    pub fn count(&self) -> usize {
        self.shown.len()
    }

    /// Some of those that are shown, in order.
    pub fn rows(&self, from: usize, count: usize) -> impl Iterator<Item = &Row> {
        self.shown.iter().skip(from).take(count).filter_map(|mac| self.phones.get(mac))
    }

    /// The place of a phone among those that are shown.
    pub fn place_of(&self, mac: &str) -> Option<usize> {
        self.shown.iter().position(|shown| shown == mac)
    }

    /// The MAC at a place among those that are shown.
    pub fn mac_at(&self, place: usize) -> Option<&str> {
        self.shown.get(place).map(String::as_str)
    }

    /// How many phones each group has.
    pub fn counts(&self) -> &[(Group, usize)] {
        &self.counts
    }

    /// How many phones have a finding of each kind.
    pub fn findings(&self) -> BTreeMap<&str, usize> {
        let mut kinds = BTreeMap::new();
        for kind in self.phones.values().flat_map(|row| &row.findings) {
            *kinds.entry(kind.as_str()).or_default() += 1;
        }
        kinds
    }
}
