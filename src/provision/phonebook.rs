//! The phonebook of a site: who is listed there, and who the operator adds in a file of his own.

use std::{collections::BTreeMap, io};

use serde::Serialize;

use crate::domain::{Entry, Problem};

use super::{inventory, library::Held};

/// The operator's additions, below the directory of his files: `SITE/phonebook.csv`, else `phonebook.csv`.
pub(super) const FILE: &str = "phonebook.csv";

/// The most contacts of one file; the rest is left out with a problem. No desk phone holds half as many.
const MAX_CONTACTS: usize = 10_000;

/// One line of a phonebook.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub(super) struct Contact {
    pub name: String,
    pub number: String,
}

/// Entries and additions by name. Of two names for one number the operator's own file wins: that is why he wrote it.
pub(super) fn merged<'a>(
    entries: impl Iterator<Item = &'a Entry>,
    added: &[Contact],
) -> Vec<Contact> {
    let lines = entries.flat_map(|entry| &entry.lines);
    let listed = lines.map(|line| Contact { name: line.name.clone(), number: line.number.clone() });
    let whole = listed.filter(|it| !it.name.is_empty() && !it.number.is_empty());
    let by_number: BTreeMap<String, Contact> =
        whole.chain(added.iter().cloned()).map(|it| (it.number.clone(), it)).collect();
    let mut contacts: Vec<Contact> = by_number.into_values().collect();
    contacts.sort_unstable();
    contacts
}

/// Reads the operator's additions: a list with the columns `name` and `number`, as spreadsheets write it.
pub(super) fn read(held: &Held, path: &str, problems: &mut Vec<Problem>) -> Vec<Contact> {
    let mut bytes = Vec::new();
    if let Err(error) = io::Read::read_to_end(&mut &*held.file, &mut bytes) {
        problems.push(Problem::warning(path, None, error.to_string()).help("make it readable"));
        return Vec::new();
    }
    let mut warn = |line, text: &str, help: &str| {
        problems.push(Problem::warning(path, line, text).help(help));
    };
    let mut rows = match inventory::rows(&bytes, path) {
        Ok(rows) => rows.into_iter(),
        Err(found) => {
            problems.extend(found);
            return Vec::new();
        }
    };
    let Some((at, header)) = rows.next() else { return Vec::new() };
    let column = |name: &str| header.iter().position(|it| it.trim().eq_ignore_ascii_case(name));
    let (Some(name), Some(number)) = (column("name"), column("number")) else {
        warn(Some(at), "the first row does not name both columns", "it reads `name,number`");
        return Vec::new();
    };
    let mut contacts = Vec::new();
    for (line, cells) in rows {
        let cell = |column: usize| cells.get(column).map_or("", |cell| cell.trim()).to_owned();
        let contact = Contact { name: cell(name), number: cell(number) };
        let both = [&contact.name, &contact.number];
        if both.iter().any(|text| text.is_empty() || text.chars().any(char::is_control)) {
            warn(Some(line), "is left out: it has no name or no number", "give it both");
        } else if contacts.len() == MAX_CONTACTS {
            warn(Some(line), "is left out, as all after it: the file is too long", "shorten it");
            break;
        } else {
            contacts.push(contact);
        }
    }
    contacts
}

#[cfg(test)]
mod tests {
    use std::{fs, sync::Arc};

    use super::*;
    use crate::domain::Line;

    fn contact(name: &str, number: &str) -> Contact {
        Contact { name: name.to_owned(), number: number.to_owned() }
    }

    #[test]
    fn lists_as_spreadsheets_write_them() {
        let check = |bytes: &[u8], contacts: &[(&str, &str)], told: &str| {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join(FILE);
            fs::write(&path, bytes).unwrap();
            let file = Arc::new(fs::File::open(&path).unwrap());
            let mut problems = Vec::new();
            let read = read(&Held { name: FILE.to_owned(), file }, "p.csv", &mut problems);
            let expected: Vec<_> = contacts.iter().map(|it| contact(it.0, it.1)).collect();
            assert_eq!(read, expected);
            let texts: Vec<_> = problems.iter().map(ToString::to_string).collect();
            assert!(texts.join("\n").contains(told), "{texts:?} holds no {told:?}");
            assert_eq!(texts.is_empty(), told.is_empty(), "{texts:?}");
        };
        check(b"name,number\nTaxi,0123\n", &[("Taxi", "0123")], "");
        check(b"Number;Name;Floor\r\n0123;Caf\xe9;2\r\n", &[("Café", "0123")], "");
        check(b"name,number\nTaxi,\nAnna,7\n", &[("Anna", "7")], "p.csv:2");
        check(b"who,number\nTaxi,1\n", &[], "name,number");
    }

    #[test]
    fn the_operators_name_for_a_number_wins() {
        let line = |name: &str, number: &str| Line {
            name: name.to_owned(),
            number: number.to_owned(),
            ..Line::default()
        };
        let lines = vec![line("Zoe", "1"), line("Anna", "2"), line("", "3"), line("Nobody", "")];
        let entry = Entry { lines, ..Entry::default() };
        let merged = merged([&entry].into_iter(), &[contact("Reception", "2")]);
        assert_eq!(merged, [contact("Reception", "2"), contact("Zoe", "1")]);
    }
}
