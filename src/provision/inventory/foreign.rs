//! Lists that other systems export: told by their header, and read as if they had ours.

use std::{collections::HashMap, fmt::Write};

use crate::{
    domain::{MAX_LINES, Mac, Problem},
    store::State,
};

use super::{
    ImportOptions, MAX_COLUMNS, cell,
    column::{Column, Part},
    table::{Row, Table},
};

/// Whose export a file is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Foreign {
    /// FreePBX: devices of its OSS Endpoint Manager, or extensions of its Bulk Handler.
    FreePbx,
    /// 3CX: its extensions.
    ThreeCx,
    /// Cisco Unified CM: phones by its Bulk Administration Tool, all details.
    Cucm,
}

impl Foreign {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::FreePbx, Self::ThreeCx, Self::Cucm];

    /// The name on the command line and in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FreePbx => "freepbx",
            Self::ThreeCx => "3cx",
            Self::Cucm => "cucm",
        }
    }

    /// The one of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|foreign| foreign.as_str() == name)
    }
}

/// The form of a file. FreePBX has two, of two programs: one knows no password, the other no MAC.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Form {
    /// `mac,brand,model,extension,line`, one row a line, without a header: `epm_advanced_iedl_export` writes the
    /// rows of a query as they are (`vsc55/freepbx_endpointman@1a8cb1d`, `Endpointman_Advanced.class.php`).
    Devices,
    /// `extension,password,name,…,secret,…`: one row an extension, and no MAC (FreePBX/core, `Core.class.php`, table
    /// `users`, and FreePBX/bulkhandler). `password` is the user's own; the SIP password is `secret`.
    Extensions,
    /// `Number,FirstName,LastName,…,AuthID,AuthPassword,…,MAC_0,…,PhoneModel14,…`
    /// (3cx.com/blog/docs/bulk-extension-import, "Field Name").
    ThreeCx,
    /// `Device Name,Description,…,Device Type,…,Directory Number 1,…,Display 1,…`, the last part once a line (Cisco
    /// Unified CM Bulk Administration Guide 12.5(1)SU2, "Export File Fields for All Phone Details Option").
    Cucm,
    /// What an operator said it is, and it is not.
    Unlike(Foreign),
}

impl Form {
    const fn title(self) -> &'static str {
        match self {
            Self::Devices => "devices of FreePBX's Endpoint Manager",
            Self::Extensions => "extensions of FreePBX",
            Self::ThreeCx => "extensions of 3CX",
            Self::Cucm => "phones of Cisco Unified CM",
            Self::Unlike(_) => "something else",
        }
    }
}

/// Tells whose export a file is. One whose columns the operator names is nobody's.
pub(super) fn recognize(rows: &[Row], options: &ImportOptions) -> Option<Form> {
    let found = rows.first().and_then(form);
    let Some(from) = options.from else { return found.filter(|_| options.map.is_empty()) };
    let theirs = match found {
        Some(Form::Devices | Form::Extensions) => Some(Foreign::FreePbx),
        Some(Form::ThreeCx) => Some(Foreign::ThreeCx),
        Some(Form::Cucm) => Some(Foreign::Cucm),
        Some(Form::Unlike(_)) | None => None,
    };
    found.filter(|_| theirs == Some(from)).or(Some(Form::Unlike(from)))
}

fn form(first: &Row) -> Option<Form> {
    // Each name is looked for among all columns; what has too many is refused elsewhere.
    if first.cells.len() > MAX_COLUMNS {
        return None;
    }
    let header = Header::new(first);
    let has = |names: &[&str]| names.iter().all(|name| header.place(&[*name]).is_some());
    if has(&["device name", "device type"]) || has(&["device name", "directory number 1"]) {
        return Some(Form::Cucm);
    }
    if has(&["number", "firstname", "lastname", "authid"]) {
        return Some(Form::ThreeCx);
    }
    if has(&["extension", "name", "secret"]) && !has(&["mac"]) {
        return Some(Form::Extensions);
    }
    let [mac, .., line] = first.cells.as_slice() else { return None };
    let bare = first.cells.len() == 5
        && cell::bare(mac).is_ok()
        && (line.is_empty() || line.parse::<u8>().is_ok());
    bare.then_some(Form::Devices)
}

/// Where a file has its columns, by name without case.
struct Header(Vec<String>);

impl Header {
    fn new(row: &Row) -> Self {
        Self(row.cells.iter().map(|name| name.trim().to_lowercase()).collect())
    }

    /// The first of these columns that is there.
    fn place(&self, names: &[&str]) -> Option<usize> {
        names.iter().find_map(|name| self.0.iter().position(|known| known == name))
    }
}

/// How a cell of ours comes of cells of theirs.
enum Source {
    /// As it is.
    Cell(usize),
    /// All of these that are not empty, with blanks between.
    Joined(Vec<usize>),
    /// The first of these that is not empty.
    FirstOf(Vec<usize>),
    /// As it is, unless it says the same as the other: a SIP user that is the number goes without saying.
    Unless(usize, usize),
    /// A model without its vendor.
    Model(usize),
}

impl Source {
    fn of(&self, cells: &[String]) -> String {
        let text = |place: &usize| cells.get(*place).map_or("", |text| text.trim());
        let filled = |places: &[usize]| -> Vec<String> {
            places.iter().map(text).filter(|text| !text.is_empty()).map(str::to_owned).collect()
        };
        match self {
            // A blank at the end of a password may be meant.
            Self::Cell(place) => cells.get(*place).cloned().unwrap_or_default(),
            Self::Joined(places) => filled(places).join(" "),
            Self::FirstOf(places) => filled(places).into_iter().next().unwrap_or_default(),
            Self::Unless(place, same) if text(place) == text(same) => String::new(),
            Self::Unless(place, _) => text(place).to_owned(),
            Self::Model(place) => bare_model(text(place)).to_owned(),
        }
    }
}

/// A model as its maker calls it: `Cisco 7961` is a 7961, `Yealink SIP-T46U` a T46U.
fn bare_model(model: &str) -> &str {
    const VENDORS: &[&str] = &[
        "cisco/linksys",
        "cisco",
        "linksys",
        "yealink",
        "polycom",
        "poly",
        "snom",
        "fanvil",
        "grandstream",
        "sangoma",
        "digium",
        "aastra",
        "mitel",
        "avaya",
        "htek",
        "gigaset",
        "panasonic",
        "vtech",
        "alcatel",
        "sip-",
    ];
    let model = model.trim();
    let vendor = VENDORS.iter().find(|vendor| {
        let start = model.get(..vendor.len()).unwrap_or_default();
        let rest = model.get(vendor.len()..).unwrap_or_default();
        start.eq_ignore_ascii_case(vendor) && (vendor.ends_with('-') || rest.starts_with(' '))
    });
    vendor.map_or(model, |vendor| bare_model(&model[vendor.len()..]))
}

/// Reads a file of a known form as a table.
///
/// # Errors
///
/// A file that is not of the form that the operator named, or has no phones in it.
pub(super) fn table(form: Form, mut rows: Vec<Row>, file: &str) -> Result<Table, Vec<Problem>> {
    let sources = match form {
        Form::Devices => devices(),
        Form::Unlike(from) => {
            let line = rows.first().map(|row| row.line);
            let text = format!("this is not what {} exports", from.as_str());
            let help =
                "without --from, ringup tells by the columns; --map 'THEIRS=OURS' names them";
            return Err(vec![Problem::error(file, line, text).help(help)]);
        }
        Form::Extensions | Form::ThreeCx | Form::Cucm => {
            let header = Header::new(&rows.remove(0));
            match form {
                Form::ThreeCx => three_cx(&header),
                Form::Cucm => cucm(&header),
                _ => extensions(&header),
            }
        }
    };
    let by_number = form == Form::Extensions;
    let (mut taken, mut none) = (Vec::new(), Vec::new());
    for row in &rows {
        let cells: Vec<String> = sources.iter().map(|(_, source)| source.of(&row.cells)).collect();
        let phone = by_number || names_a_phone(form, &cells[0]);
        if phone { taken.push(Row { line: row.line, cells }) } else { none.push(row.line) }
    }
    let mut warnings = vec![Problem::warning(file, None, format!("read as {}", form.title()))];
    warnings.extend(left_out(&none, file, "no desk phone in them"));
    if taken.is_empty() {
        let text = format!("read as {}, and there is no phone in it", form.title());
        return Err(vec![
            Problem::error(file, None, text).help("--from, or --map, reads it otherwise"),
        ]);
    }
    let columns = sources.into_iter().enumerate().map(|(place, (column, _))| {
        // What they don't export at all (passwords, mostly) is not meant to be emptied here.
        let said = taken.iter().any(|row| !row.cells[place].trim().is_empty());
        (said || column == Column::Mac).then_some(column)
    });
    Ok(Table { columns: columns.collect(), rows: taken, warnings, by_number })
}

/// True unless a row is about something without a MAC: an extension without a phone, a soft phone, a CTI port.
fn names_a_phone(form: Form, name: &str) -> bool {
    let name = name.trim().to_ascii_uppercase();
    let nothing = name.chars().all(|c| matches!(c, '0' | ':' | '-'));
    let soft = form == Form::Cucm && !name.starts_with("SEP") && cell::bare(&name).is_err();
    !nothing && !soft
}

/// Rows that were passed over, in one line however many.
fn left_out(lines: &[usize], file: &str, why: &str) -> Option<Problem> {
    let first = lines.first()?;
    let mut text = format!("{} rows left out, with {why}: line {first}", lines.len());
    for line in lines.iter().skip(1).take(9) {
        let _ = write!(text, ", {line}");
    }
    text.push_str(if lines.len() > 10 { " …" } else { "" });
    Some(Problem::warning(file, None, text))
}

type Sources = Vec<(Column, Source)>;

fn devices() -> Sources {
    vec![
        (Column::Mac, Source::Cell(0)),
        (Column::Model, Source::Model(2)),
        (Column::Own(Part::Number), Source::Cell(3)),
        (Column::LineIndex, Source::Cell(4)),
    ]
}

/// The columns of which the file has one by any of these names.
fn named(header: &Header, wanted: &[(Column, &[&str])]) -> Sources {
    let place = |(column, names): &(Column, &[&str])| {
        header.place(names).map(|place| (column.clone(), Source::Cell(place)))
    };
    wanted.iter().filter_map(place).collect()
}

fn extensions(header: &Header) -> Sources {
    named(
        header,
        &[
            (Column::Own(Part::Number), &["extension"]),
            (Column::Own(Part::Name), &["name"]),
            (Column::Own(Part::SipPassword), &["secret"]),
        ],
    )
}

fn three_cx(header: &Header) -> Sources {
    let number = header.place(&["number"]).unwrap_or_default();
    // Where there is no MAC at all, no row names a phone.
    let mac = header.place(&["mac_0", "mac"]).unwrap_or(usize::MAX);
    let mut sources =
        vec![(Column::Mac, Source::Cell(mac)), (Column::Own(Part::Number), Source::Cell(number))];
    let model = header.place(&["phonemodel14", "phonemodel"]);
    sources.extend(model.map(|place| (Column::Model, Source::Model(place))));
    let names = ["firstname", "lastname"].iter().filter_map(|name| header.place(&[*name]));
    sources.push((Column::Own(Part::Name), Source::Joined(names.collect())));
    let user = header.place(&["authid"]);
    sources.extend(user.map(|user| (Column::Own(Part::SipUser), Source::Unless(user, number))));
    sources.extend(named(header, &[(Column::Own(Part::SipPassword), &["authpassword"])]));
    sources
}

fn cucm(header: &Header) -> Sources {
    let mut sources = named(header, &[(Column::Mac, &["device name"])]);
    let model = header.place(&["device type"]);
    sources.extend(model.map(|place| (Column::Model, Source::Model(place))));
    for line in 1..=MAX_LINES {
        let place = |name: &str| header.place(&[format!("{name} {line}").as_str()]);
        let Some(number) = place("directory number") else { continue };
        sources.push((Column::Line(line, Part::Number), Source::Cell(number)));
        let names = ["display", "ascii display", "line text label", "alerting name"];
        let mut names: Vec<usize> = names.iter().filter_map(|name| place(name)).collect();
        // The first line's name is the phone's own.
        names.extend(header.place(&["description"]).filter(|_| line == 1));
        sources.push((Column::Line(line, Part::Name), Source::FirstOf(names)));
    }
    sources
}

/// Finds the phones of a file that names them by the numbers of their lines only. A number that several phones have
/// speaks of all of them.
///
/// # Errors
///
/// None of the numbers is listed.
pub(super) fn join(table: Table, state: &State, file: &str) -> Result<Table, Vec<Problem>> {
    if !table.by_number {
        return Ok(table);
    }
    let holders = holders(state);
    let is_number = |column: &Option<Column>| column.as_ref().is_some_and(Column::is_dialled);
    let number = table.columns.iter().position(is_number).unwrap_or_default();
    let (mut rows, mut none) = (Vec::new(), Vec::new());
    for row in &table.rows {
        let holders = row.cells.get(number).and_then(|text| holders.get(text.trim()));
        let Some(holders) = holders else {
            none.push(row.line);
            continue;
        };
        rows.extend(holders.iter().map(|(mac, line)| {
            let found = [mac.to_string(), line.to_string()];
            Row {
                line: row.line,
                cells: found.into_iter().chain(row.cells.iter().cloned()).collect(),
            }
        }));
    }
    if rows.is_empty() {
        let text = "it names no MAC, and no phone of the list has one of its numbers";
        let help = "import the phones first, such as the CSV export of the Endpoint Manager";
        return Err(vec![Problem::error(file, None, text).help(help)]);
    }
    let mut warnings = table.warnings;
    warnings.extend(left_out(&none, file, "a number that no phone of the list has"));
    let found = [Some(Column::Mac), Some(Column::LineIndex)];
    let columns = found.into_iter().chain(table.columns).collect();
    Ok(Table { columns, rows, warnings, by_number: true })
}

fn holders(state: &State) -> HashMap<&str, Vec<(Mac, usize)>> {
    let mut holders: HashMap<&str, Vec<(Mac, usize)>> = HashMap::new();
    for (mac, phone) in &state.phones {
        let lines = phone.entry.iter().flat_map(|entry| (1..).zip(&entry.lines));
        for (index, line) in lines.filter(|(_, line)| !line.number.is_empty()) {
            holders.entry(&line.number).or_default().push((*mac, index));
        }
    }
    holders
}
