//! What a bench changes about an interface, written down before it is done, and undone whatever happens.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    net::Ipv4Addr,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::{
    cli::{
        exit::{Exit, Failure},
        output,
    },
    net::{Interface, link},
};

use super::ground::Ground;

/// The name of the note in the bench's directory.
const NOTE: &str = "interface.json";

/// What is changed about an interface.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
struct Note {
    interface: String,
    /// The kernel's number for it: another one may have its name by now.
    index: u32,
    /// When it was: a machine that started anew has forgotten the change by itself.
    boot: String,
    address: Ipv4Addr,
    prefix: u8,
    /// True if it was down before.
    raised: bool,
}

/// A change to an interface. Dropping it undoes the change.
#[derive(Debug)]
pub(super) struct Loan {
    note: Note,
    path: PathBuf,
}

impl Loan {
    /// Gives the interface its address and brings it up, as far as it lacks either; `None` if it lacks nothing.
    ///
    /// # Errors
    ///
    /// What the system says, with nothing changed.
    pub fn take(directory: &Path, ground: &Ground) -> Result<Option<Self>, Failure> {
        let Ground { interface, address, prefix, given } = ground;
        if !given {
            if interface.up {
                return Ok(None);
            }
            // Whoever took it down did so on purpose, and its address would be served as soon as it is up.
            let name = &interface.name;
            let text = format!("{name} has {address}/{prefix} and is down");
            return Err(Failure::new(Exit::Config, text).help(format!("ip link set {name} up")));
        }
        let note = Note {
            interface: interface.name.clone(),
            index: interface.index,
            boot: boot(),
            address: *address,
            prefix: *prefix,
            raised: !interface.up,
        };
        let path = directory.join(NOTE);
        write(&path, &note).map_err(|error| Failure::file(&path, &error))?;
        // From here on it is undone, even half done.
        let loan = Self { note, path };
        let refused = |error: io::Error| {
            let exit = match error.kind() {
                io::ErrorKind::PermissionDenied => Exit::Permission,
                _ => Exit::Io,
            };
            Failure::new(exit, format!("{} can't be given {address}: {error}", interface.name))
        };
        link::add_address(interface.index, *address, *prefix).map_err(refused)?;
        if loan.note.raised {
            link::set_up(interface.index, true).map_err(refused)?;
        }
        Ok(Some(loan))
    }

    /// What was changed, in words.
    pub fn told(&self) -> String {
        let Note { interface, address, prefix, raised, .. } = &self.note;
        let raised = if *raised { " and is up" } else { "" };
        format!("{interface} has {address}/{prefix} now{raised}")
    }
}

impl Drop for Loan {
    fn drop(&mut self) {
        undo(&self.note, &self.path);
    }
}

/// Undoes what a bench that was killed left behind, and says so.
pub(super) fn settle(directory: &Path) -> Option<String> {
    let path = directory.join(NOTE);
    let note: Note = serde_json::from_slice(&fs::read(&path).ok()?).ok()?;
    let found = Interface::find(&note.interface).ok()??;
    if !holds(&note, &found, &boot()) {
        // It is nobody's any more: the machine or the interface was made anew, or somebody tidied up.
        let _ = fs::remove_file(&path);
        return None;
    }
    undo(&note, &path);
    let Note { interface, address, prefix, .. } = &note;
    Some(format!("an earlier bench was killed and left {address}/{prefix} on {interface}: undone"))
}

/// True if what the note says is still so.
fn holds(note: &Note, found: &Interface, boot: &str) -> bool {
    note.boot == boot
        && note.index == found.index
        && (found.addresses.contains(&(note.address, note.prefix)) || note.raised && found.up)
}

fn undo(note: &Note, path: &Path) {
    let Note { interface, index, address, prefix, raised, .. } = note;
    let removed = link::remove_address(*index, *address, *prefix);
    let lowered = if *raised { link::set_up(*index, false) } else { Ok(()) };
    let mut whole = true;
    for result in [removed, lowered] {
        // What is gone with its interface, or was taken away by somebody else, is undone.
        let gone = |error: &io::Error| {
            matches!(error.raw_os_error(), Some(NO_DEVICE))
                || error.kind() == io::ErrorKind::AddrNotAvailable
        };
        if let Err(error) = result.or_else(|error| if gone(&error) { Ok(()) } else { Err(error) }) {
            whole = false;
            output::note(&format!(
                "{interface} could not be given back: {error}\n  help: ip address del {address}/{prefix} dev {interface}"
            ));
        }
    }
    if whole && let Err(error) = fs::remove_file(path) {
        output::note(&format!("{}: {error}", path.display()));
    }
}

/// ENODEV, which std has no name for.
const NO_DEVICE: i32 = 19;

/// On disk before anything is changed.
fn write(path: &Path, note: &Note) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(&serde_json::to_vec(note)?)?;
    file.sync_all()
}

/// The kernel's name for the time since the machine started; empty where it tells none.
fn boot() -> String {
    let text = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    text.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_still_so() {
        let note = |raised| Note {
            interface: "eth1".to_owned(),
            index: 7,
            boot: "today".to_owned(),
            address: Ipv4Addr::new(10, 99, 0, 1),
            prefix: 24,
            raised,
        };
        let check =
            |raised: bool, index: u32, up: bool, address: [u8; 4], boot: &str, expected: bool| {
                let addresses = vec![(Ipv4Addr::from(address), 24)];
                let found = Interface { index, up, addresses, ..Interface::default() };
                assert_eq!(holds(&note(raised), &found, boot), expected, "{found:?} {boot}");
            };
        let own = [10, 99, 0, 1];
        check(false, 7, true, own, "today", true);
        check(true, 7, false, own, "today", true);
        // Killed between the two steps, or the address was taken away by hand.
        check(true, 7, true, [10, 1, 1, 1], "today", true);
        check(false, 7, true, [10, 1, 1, 1], "today", false);
        check(false, 8, true, own, "today", false);
        check(false, 7, true, own, "tomorrow", false);
    }

    #[test]
    fn a_note_reads_back_and_a_broken_one_is_none() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(NOTE);
        assert_eq!(settle(directory.path()), None);
        let address = Ipv4Addr::new(192, 0, 2, 1);
        let (interface, boot) = ("lo".to_owned(), "never".to_owned());
        let note = Note { interface, index: 1, boot, address, prefix: 24, raised: true };
        write(&path, &note).unwrap();
        assert_eq!(serde_json::from_slice::<Note>(&fs::read(&path).unwrap()).unwrap(), note);
        // Of another start of the machine: forgotten, and nothing is touched.
        assert_eq!((settle(directory.path()), path.exists()), (None, false));
        fs::write(&path, "{").unwrap();
        assert_eq!(settle(directory.path()), None);
    }
}
