//! What an entry asks for that its phone's files can't say: values that they can't carry, keys that no button is left for.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
};

use crate::{
    domain::{Change, Commit, Entry, Key, KeyTarget, Mac, Timestamp},
    store::{State, View},
};

use super::{Provisioner, Why};

/// The largest file that is looked through for keys; configurations are a tenth of it.
const MAX_SIZE: u64 = 1 << 20;

/// What parts values, quotes them or begins a placeholder in one family's files or another's.
const ODD: &str = "\"'$@/;|,&<>\\";

impl Provisioner {
    /// What an entry asks for that the phone's own files can't say, each in one sentence. Renders the files of the phone
    /// as if it were listed so, unless nothing in the entry is out of the ordinary; nothing of it stays.
    #[must_use]
    pub fn oddities(&self, phone: Mac, entry: &Entry, now: Timestamp) -> Vec<String> {
        let here = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        let mut odd = Vec::new();
        if is_odd(entry) {
            for due in self.listing(phone, entry.clone()).due(phone, here, true, now) {
                if let Err(Why::Unrenderable { text }) = due.answer {
                    odd.push(format!("{} can't be made: {text}: change that value", due.name));
                }
            }
        }
        odd.extend(self.left_out(phone, entry, now));
        odd
    }

    /// A resolver that knows this phone alone.
    fn listing(&self, phone: Mac, entry: Entry) -> Self {
        let mut state = State::default();
        let changes = vec![Change::Listed(phone, Box::new(entry))];
        state.apply(&Commit { number: 1, changes });
        let (settings, catalog) = (Arc::clone(self.settings()), Arc::clone(self.catalog()));
        Self::new(settings, catalog, Arc::clone(self.library()), View::new(state))
    }

    /// The keys that none of the phone's files holds: each is given a number of its own, and looked for. Nothing where no
    /// file is made, as for a family whose files are the operator's.
    fn left_out(&self, phone: Mac, entry: &Entry, now: Timestamp) -> Vec<String> {
        let mut marked = entry.clone();
        let mut marks: BTreeMap<String, String> = BTreeMap::new();
        let mut mark = |name: String, key: &mut Key| {
            let number = format!("97531{:04}", marks.len());
            match &mut key.target {
                KeyTarget::Line(_) => return,
                KeyTarget::Blf(to) | KeyTarget::Speed(to) => to.clone_from(&number),
            }
            // A label would be written where the button is a line's, and it is no key for that.
            key.label.clear();
            marks.insert(number, name);
        };
        for (index, key) in &mut marked.keys {
            let taken = usize::from(*index) <= entry.lines.len();
            let why =
                if taken { format!(": its button is that of line {index}") } else { String::new() };
            mark(format!("key.{index} is left out{why}"), key);
        }
        for ((module, index), key) in &mut marked.module_keys {
            mark(format!("module.{module}.key.{index} is left out"), key);
        }
        if marks.is_empty() {
            return Vec::new();
        }
        let there = self.listing(phone, marked);
        let files = there.texts(phone, now);
        if !files.is_empty() {
            marks.retain(|number, _| files.iter().all(|text| !text.contains(number.as_str())));
            return marks.into_values().collect();
        }
        Vec::new()
    }

    /// The texts of a phone's own files that templates make.
    fn texts(&self, phone: Mac, now: Timestamp) -> Vec<String> {
        let here = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        let is_made = |name: &String| {
            let shown = self.preview(phone, name, here, true, now).ok()?;
            let made = shown.source.starts_with("template") && shown.length <= MAX_SIZE;
            let mut bytes = vec![0; usize::try_from(shown.length).ok().filter(|_| made)?];
            let read = shown.body.read_at(0, &mut bytes).ok()?;
            bytes.truncate(read);
            Some(String::from_utf8_lossy(&bytes).into_owned())
        };
        let own = |name: &String| super::name::mac_in(name).is_some();
        let due = self.files_of(phone, here, now).into_iter().map(|due| due.name);
        due.filter(own).filter_map(|name| is_made(&name)).collect()
    }
}

/// True if any text of an entry holds what may mean more than a character in one family's files or another's.
fn is_odd(entry: &Entry) -> bool {
    let odd = |text: &str| text.contains(|c: char| c.is_control() || ODD.contains(c));
    let lines = entry
        .lines
        .iter()
        .flat_map(|line| [&*line.number, &line.name, &line.sip_user, line.sip_password.reveal()]);
    let keys = entry.keys.values().chain(entry.module_keys.values()).flat_map(|key| {
        let number = match &key.target {
            KeyTarget::Blf(number) | KeyTarget::Speed(number) => number.as_str(),
            KeyTarget::Line(_) => "",
        };
        [number, key.label.as_str()]
    });
    let others = entry.set.values().chain([&entry.location]).map(String::as_str);
    lines.chain(keys).chain(others).any(odd)
}
