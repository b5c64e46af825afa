//! What a file would do: rows to phones, phones to entries, entries to verdicts.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    net::Ipv4Addr,
    sync::Arc,
};

use crate::{
    config::Settings,
    domain::{Batch, Change, Entry, Line, MAX_LINES, Mac, Problem},
    store::State,
};

use super::{
    Fault, Import, ImportOptions, MASK, Offer, RowVerdict, Verdict, cell,
    column::Column,
    damage, field, foreign,
    mend::{about, mend, offers},
    table::{self, Row, Table},
};

/// What entries are checked against, besides the state.
pub(super) struct Rules<'a> {
    pub(super) settings: &'a Settings,
    /// How many lines a model has (0 if that is not known); `None` if the catalog lacks it.
    pub(super) known: &'a dyn Fn(&str) -> Option<u8>,
    /// What to do about a model that the catalog lacks.
    pub(super) help: &'a dyn Fn(&str) -> String,
    /// What else is odd about a phone's entry.
    pub(super) odd: &'a dyn Fn(Mac, &Entry) -> Vec<String>,
}

/// A phone of the file.
#[derive(Default)]
struct Listing {
    /// Its rows, by their place in the file.
    rows: Vec<usize>,
    /// Its entry as the file has it, and what is listed now.
    entry: Entry,
    listed: Option<Arc<Entry>>,
    /// What is wrong, by row.
    faults: BTreeMap<usize, Vec<Fault>>,
    warnings: Vec<String>,
    /// What would mend what is odd, by row.
    hints: BTreeMap<usize, Vec<Offer>>,
}

type Listings = BTreeMap<Mac, Listing>;

/// Works out what a file would do.
pub(super) fn plan(
    bytes: &[u8],
    file: &str,
    state: &State,
    rules: &Rules<'_>,
    options: &ImportOptions,
) -> Import {
    let mut headings = Vec::new();
    let table = table::read(bytes, file, options, &mut headings);
    let table = table.and_then(|table| foreign::join(table, state, file));
    let table = match table.and_then(|table| mend(table, file, &options.instead)) {
        Ok(table) => table,
        Err(problems) => return Import { problems, headings, ..Import::default() },
    };
    let (mut listings, unread) = group(&table, state);
    let short = damage::lost_zeros(&table);
    for (phone, listing) in &mut listings {
        list(listing, &table, rules);
        if Some(&listing.entry) != listing.listed.as_deref() {
            listing.warnings.extend((rules.odd)(*phone, &listing.entry));
        }
        let hints = listing.rows.iter().filter_map(|row| Some((*row, short.get(row)?.clone())));
        for (row, (hint, offer)) in hints.collect::<Vec<_>>() {
            listing.warnings.push(hint);
            listing.hints.entry(row).or_default().push(offer);
        }
    }
    refuse_shared_addresses(&mut listings, &table, state);
    let rows = verdicts(&table, &listings, unread);
    let mut import = Import { rows, problems: table.warnings, headings, ..Import::default() };
    prune(&mut import, file, state, &listings, options);
    import.batch = batch(&import, listings, options);
    import
}

/// Rows by phone, and what is wrong with rows whose phone can't be told.
fn group(table: &Table, state: &State) -> (Listings, BTreeMap<usize, Fault>) {
    let (mut listings, mut unread) = (Listings::new(), BTreeMap::new());
    let column = table.columns.iter().position(|column| *column == Some(Column::Mac));
    for (place, row) in table.rows.iter().enumerate() {
        let text = column.and_then(|column| row.cells.get(column)).map_or("", String::as_str);
        match cell::label(text) {
            Err(fault) => drop(unread.insert(place, fault)),
            Ok((mac, odd)) => {
                let listing = listings.entry(mac).or_default();
                listing.rows.push(place);
                listing.warnings.extend(odd.map(|odd| format!("{mac} is {odd}")));
            }
        }
    }
    for (mac, listing) in &mut listings {
        listing.listed = state.phones.get(mac).and_then(|phone| phone.entry.clone());
    }
    (listings, unread)
}

/// Makes the entry of a phone from its rows.
fn list(listing: &mut Listing, table: &Table, rules: &Rules<'_>) {
    let listed = listing.listed.as_deref().cloned().unwrap_or_default();
    listing.entry = listed;
    let (mut own_lines, mut said, mut mentioned) =
        (BTreeMap::new(), BTreeMap::new(), BTreeSet::new());
    for place in listing.rows.clone() {
        let row = &table.rows[place];
        let own = match own_line(table, row) {
            Ok(own) => own,
            Err(fault) => {
                listing.refuse(place, fault);
                continue;
            }
        };
        if let Some(before) = own_lines.insert(own, place) {
            listing.refuse_twin(table, before, place, own);
            continue;
        }
        for fault in fill(listing, table, row, own, &mut said, &mut mentioned) {
            listing.refuse(place, fault);
        }
    }
    finish(listing, table, &mentioned, rules);
}

/// The line that a row is about: what its `line` cell says, else the first.
pub(super) fn own_line(table: &Table, row: &Row) -> Result<usize, Fault> {
    let place = table.columns.iter().position(|column| *column == Some(Column::LineIndex));
    let text = place.and_then(|place| row.cells.get(place)).map_or("", |text| text.trim());
    if text.is_empty() {
        return Ok(1);
    }
    let index = text.parse().ok().filter(|index| (1..=MAX_LINES).contains(index));
    index.ok_or_else(|| {
        Fault::new(Column::LineIndex, format!("a line has a number from 1 to {MAX_LINES}"))
    })
}

/// Puts the cells of a row into the entry. What an earlier row of the phone said may be said again, not otherwise.
fn fill(
    listing: &mut Listing,
    table: &Table,
    row: &Row,
    own: usize,
    said: &mut BTreeMap<Column, (usize, String)>,
    mentioned: &mut BTreeSet<usize>,
) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (place, text) in row.cells.iter().enumerate() {
        let Some(column) = table.columns.get(place) else {
            if !text.trim().is_empty() {
                faults.push(Fault::new(
                    format!("cell {}", place + 1),
                    "the header has no column for it",
                ));
            }
            continue;
        };
        let Some(column) = column else { continue };
        if matches!(column, Column::Mac | Column::LineIndex) {
            continue;
        }
        let column = match column {
            Column::Own(part) => &Column::Line(own, *part),
            column => column,
        };
        let filled = cell::clean(column, text).and_then(|value| {
            if let Some((line, before)) = said.get(column) {
                return repeated(column, *line, before, &value);
            }
            if let Column::Line(index, _) = column
                && !value.is_empty()
            {
                mentioned.insert(*index);
            }
            if value == MASK && column.is_secret() && !has_password(&listing.entry, column) {
                listing
                    .warnings
                    .push(format!("{column} is masked in the file: there is none to keep"));
            }
            field::assign(&mut listing.entry, column, own, &value)?;
            said.insert(column.clone(), (row.line, value));
            Ok(())
        });
        faults.extend(filled.err());
    }
    faults
}

fn has_password(entry: &Entry, column: &Column) -> bool {
    !field::show(entry, column, false).is_empty()
}

fn repeated(column: &Column, line: usize, before: &str, value: &str) -> Result<(), Fault> {
    if value.is_empty() || value == before {
        return Ok(());
    }
    Err(Fault::new(column, format!("row {line} of the same phone says something else")))
}

/// Checks an entry as a whole.
fn finish(listing: &mut Listing, table: &Table, mentioned: &BTreeSet<usize>, rules: &Rules<'_>) {
    let Some(&first) = listing.rows.first() else { return };
    if table.lists_lines() {
        // Of lines after the first, those that the file has are all there are.
        let last = mentioned.last().copied().unwrap_or(1);
        listing.entry.lines.truncate(last);
        for (index, line) in (1..).zip(&mut listing.entry.lines).skip(1) {
            if !mentioned.contains(&index) {
                *line = Line::default();
            }
        }
    }
    let mut faults: Vec<_> = field::settle(&mut listing.entry).err().into_iter().collect();
    faults.extend(place_faults(&listing.entry, rules.settings));
    for fault in faults {
        listing.refuse(first, fault);
    }
    listing.warnings.extend(odd_model(&listing.entry, rules));
    if Some(&listing.entry) != listing.listed.as_deref() {
        // Whatever made it: an operator vouches for it now.
        listing.entry.auto_registered = false;
    }
}

/// What is odd about the model: accepted, because a phone that nobody knows may still be one.
fn odd_model(entry: &Entry, rules: &Rules<'_>) -> Option<String> {
    let (model, lines) = (&entry.model, entry.lines.len());
    if model.is_empty() {
        return None;
    }
    match (rules.known)(model) {
        None => Some(format!("no profile knows the model {model}: {}", (rules.help)(model))),
        Some(has) if has > 0 && usize::from(has) < lines => {
            Some(format!("{lines} lines are listed, and a {model} has {has}"))
        }
        Some(_) => None,
    }
}

/// What is wrong with where an entry says that its phone is.
pub(super) fn place_faults(entry: &Entry, settings: &Settings) -> Vec<Fault> {
    let mut faults = Vec::new();
    if let Some(site) = entry.site.as_ref().filter(|site| !settings.sites.contains_key(*site)) {
        let near = settings
            .sites
            .keys()
            .max_by(|a, b| strsim::jaro_winkler(a, site).total_cmp(&strsim::jaro_winkler(b, site)));
        let fault = Fault::new(Column::Site, format!("the settings have no site `{site}`"));
        faults.push(match near {
            Some(near) => fault.repair(format!("is it `{near}`?")).instead(near),
            None => fault,
        });
    }
    // Without subnets of its own, ringup reserves nothing, and the address only says where the phone is.
    let subnets = &settings.dhcp.subnets;
    if let Some(address) = entry.address.filter(|_| !subnets.is_empty()) {
        match subnets.iter().find(|subnet| subnet.contains(address)) {
            None => {
                let fault = Fault::new(
                    Column::Address,
                    format!("{address} is in no subnet of the settings"),
                );
                faults.push(fault);
            }
            Some(subnet) => {
                let last = u32::from(subnet.network) | !u32::from(subnet.mask());
                if address == subnet.network || u32::from(address) == last {
                    faults.push(Fault::new(
                        Column::Address,
                        format!("{address} is no phone's: it names the subnet"),
                    ));
                }
            }
        }
    }
    faults
}

/// Another phone whose entry reserves an address.
pub(super) fn reserved_by_another(state: &State, phone: Mac, address: Ipv4Addr) -> Option<Mac> {
    let reserves = |entry: &Arc<Entry>| entry.address == Some(address);
    let mut others = state.phones.iter().filter(|(mac, _)| **mac != phone);
    others.find(|(_, other)| other.entry.as_ref().is_some_and(reserves)).map(|(mac, _)| *mac)
}

impl Listing {
    fn refuse(&mut self, place: usize, fault: Fault) {
        self.faults.entry(place).or_default().push(fault);
    }

    /// Two rows about the same line of the same phone: neither is believed.
    fn refuse_twin(&mut self, table: &Table, one: usize, other: usize, own: usize) {
        for (place, twin) in [(one, other), (other, one)] {
            let twin = table.rows[twin].line;
            let what =
                if own == 1 { "phone".to_owned() } else { format!("line {own} of this phone") };
            let fault = Fault::new(Column::Mac, format!("row {twin} lists the same {what}"));
            let repair = "several lines take a column `line`".to_owned();
            self.refuse(place, if own == 1 { fault.repair(repair) } else { fault });
        }
    }

    fn verdict(&self) -> Verdict {
        let Some(listed) = self.listed.as_deref() else { return Verdict::Added };
        if *listed == self.entry {
            return Verdict::Same;
        }
        let columns = field::columns(listed).into_iter().chain(field::columns(&self.entry));
        let differs = |column: &Column| {
            field::show(listed, column, true) != field::show(&self.entry, column, true)
        };
        let mut seen = BTreeSet::new();
        let fields = columns.filter(|column| differs(column) && seen.insert(column.clone()));
        Verdict::Changed { fields: fields.map(|column| column.to_string()).collect() }
    }
}

/// Refuses phones that want an address which another phone has reserved, in the file or on the list.
fn refuse_shared_addresses(listings: &mut Listings, table: &Table, state: &State) {
    // A phone that is refused keeps what it has, and that may cost the next one its address: until nothing changes.
    loop {
        let stays = |mac: &Mac| listings.get(mac).is_none_or(|listing| !listing.faults.is_empty());
        let mut holders: HashMap<Ipv4Addr, Vec<(Mac, Option<usize>)>> = HashMap::new();
        for (mac, phone) in state.phones.iter().filter(|(mac, _)| stays(mac)) {
            if let Some(address) = phone.entry.as_ref().and_then(|entry| entry.address) {
                holders.entry(address).or_default().push((*mac, None));
            }
        }
        for (mac, listing) in listings.iter().filter(|(_, listing)| listing.faults.is_empty()) {
            if let (Some(address), Some(&row)) = (listing.entry.address, listing.rows.first()) {
                holders.entry(address).or_default().push((*mac, Some(row)));
            }
        }
        let mut refused = false;
        for (address, holders) in holders.iter().filter(|(_, holders)| holders.len() > 1) {
            for (mac, place) in holders {
                let other = holders.iter().find(|(other, _)| other != mac);
                if let (Some(place), Some((other, row)), Some(listing)) =
                    (place, other, listings.get_mut(mac))
                {
                    let row = row.map(|row| format!(" in row {}", table.rows[row].line));
                    let reason =
                        format!("{address} is reserved for {other}{}", row.unwrap_or_default());
                    listing.refuse(*place, Fault::new(Column::Address, reason));
                    refused = true;
                }
            }
        }
        if !refused {
            return;
        }
    }
}

/// Every row with its verdict. A phone is taken with all its rows or not at all.
fn verdicts(table: &Table, listings: &Listings, unread: BTreeMap<usize, Fault>) -> Vec<RowVerdict> {
    let column = table.columns.iter().position(|column| *column == Some(Column::Mac));
    let text =
        |row: &Row| column.and_then(|column| row.cells.get(column)).cloned().unwrap_or_default();
    let refused = |(place, fault): (usize, Fault)| {
        let row = &table.rows[place];
        let mac = crate::domain::clip(text(row).trim(), 40);
        let (offers, about) = (offers(std::slice::from_ref(&fault)), about(table, row));
        let verdict = Verdict::Refused { faults: vec![fault] };
        (place, RowVerdict { line: row.line, mac, verdict, warnings: Vec::new(), about, offers })
    };
    let mut rows: BTreeMap<usize, RowVerdict> = unread.into_iter().map(refused).collect();
    for (mac, listing) in listings {
        let whole = listing.faults.is_empty().then(|| listing.verdict());
        for place in &listing.rows {
            let verdict = whole
                .clone()
                .unwrap_or_else(|| Verdict::Refused { faults: faults_of(listing, table, *place) });
            let first = listing.rows.first() == Some(place);
            let warnings = if first { listing.warnings.clone() } else { Vec::new() };
            let mut offers = match &verdict {
                Verdict::Refused { faults } => offers(faults),
                Verdict::Added | Verdict::Changed { .. } | Verdict::Same => Vec::new(),
            };
            offers.extend(listing.hints.get(place).into_iter().flatten().cloned());
            let (row, mac) = (&table.rows[*place], mac.to_string());
            let (line, about) = (row.line, about(table, row));
            rows.insert(*place, RowVerdict { line, mac, verdict, warnings, about, offers });
        }
    }
    rows.into_values().collect()
}

fn faults_of(listing: &Listing, table: &Table, place: usize) -> Vec<Fault> {
    let own = listing.faults.get(&place).cloned();
    own.unwrap_or_else(|| {
        let other = listing.faults.keys().next().map_or(0, |place| table.rows[*place].line);
        vec![Fault::new(Column::Mac, format!("row {other} of the same phone is refused"))]
    })
}

/// Finds the entries of a site that the file lacks.
fn prune(
    import: &mut Import,
    file: &str,
    state: &State,
    listings: &Listings,
    options: &ImportOptions,
) {
    let Some(site) = &options.prune_site else { return };
    if import.has_refusals() {
        // A MAC that could not be read may be any phone's.
        let problem = Problem::warning(file, None, "nothing is removed while rows are refused");
        import.problems.push(problem.help("correct them, and import again"));
        return;
    }
    let of_site = |entry: &Arc<Entry>| entry.site.as_ref() == Some(site);
    let gone = state.phones.iter().filter(|(mac, phone)| {
        phone.entry.as_ref().is_some_and(of_site) && !listings.contains_key(mac)
    });
    import.removed = gone.map(|(mac, _)| *mac).collect();
}

fn batch(import: &Import, listings: Listings, options: &ImportOptions) -> Option<Batch> {
    if options.dry_run || (import.has_refusals() && !options.partial) {
        return None;
    }
    let new = |(mac, listing): (Mac, Listing)| {
        let changed =
            listing.faults.is_empty() && listing.listed.as_deref() != Some(&listing.entry);
        changed.then(|| Change::Listed(mac, Box::new(listing.entry)))
    };
    let listed = listings.into_iter().filter_map(new);
    let removed = import.removed.iter().map(|mac| Change::Unlisted(*mac));
    let changes: Vec<_> = listed.chain(removed).collect();
    (!changes.is_empty()).then(|| Batch { undoable: true, ..Batch::from(changes) })
}
