//! Stage two: from tables to settings that hold together, all problems at once.

mod advice;
mod dhcp;
mod http;
mod site;
mod subnet;
mod value;

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

use crate::domain::{Problem, Secret, Severity, Timestamp};

use super::{
    Appliance, AutoRegistration, Firmware, NumberRange, PeerRule, Secrets, Settings, Tftp,
    keys::nearest,
    names::{Place, Use},
    source::{Sources, why},
    tables::{ApplianceTable, At, AutoRegistrationTable, FileTable, FirmwareTable},
};

/// Checks what the tables say. Where a value has a problem, its default goes on in its place, so that one mistake
/// is told once.
pub fn settings(
    sources: &Sources,
    base: &Path,
    tables: &FileTable,
    now: Timestamp,
    problems: &mut Vec<Problem>,
) -> (Settings, Vec<Use>) {
    // What stage one had to leave out would be reported as missing too.
    let whole = problems.is_empty();
    let mut check = Check { sources, base, whole, now, problems, names: Vec::new() };
    let sites = site::sites(&mut check, &tables.site);
    advice::srtp(&mut check, &sites);
    let settings = Settings {
        appliance: check.appliance(&tables.appliance),
        dhcp: dhcp::dhcp(&mut check, &tables.dhcp, &sites),
        tftp: Tftp {
            listen: check
                .list(tables.tftp.listen.as_deref(), value::listen)
                .unwrap_or(Tftp::default().listen),
        },
        http: http::http(&mut check, &tables.http),
        secrets: Secrets {
            peer: check.choice("peer", tables.secrets.peer.as_ref(), &PEERS).unwrap_or_default(),
        },
        auto_registration: check.auto_registration(&tables.auto_registration, &sites),
        firmware: check.firmware(&tables.firmware),
        sites,
    };
    (settings, check.names)
}

const PEERS: [(&str, PeerRule); 3] =
    [("auto", PeerRule::Auto), ("lease", PeerRule::Lease), ("any", PeerRule::Any)];

/// What every part of stage two needs.
pub struct Check<'a> {
    /// To tell places.
    sources: &'a Sources,
    /// The folder of the settings file.
    base: &'a Path,
    /// False if stage one left something out.
    whole: bool,
    now: Timestamp,
    problems: &'a mut Vec<Problem>,
    /// Names for the catalog, found on the way.
    names: Vec<Use>,
}

impl Check<'_> {
    /// An error at a place in the text.
    fn error(&mut self, at: usize, text: impl Into<String>, help: impl Into<String>) {
        self.problems.push(self.sources.error(at, text).help(help));
    }

    /// Legal and probably not meant.
    fn warning(&mut self, at: usize, text: impl Into<String>, help: impl Into<String>) {
        let problem = self.sources.error(at, text).help(help);
        self.problems.push(Problem { severity: Severity::Warning, ..problem });
    }

    /// An error about something that is not there, unless stage one may have taken it out.
    fn missing(&mut self, at: usize, text: impl Into<String>, help: impl Into<String>) {
        if self.whole {
            self.error(at, text, help);
        }
    }

    /// A name of a family or the like, to be checked once the catalog is read.
    fn name(&mut self, name: &At<String>, place: Place) {
        let (file, line) = self.sources.place(name.span().start);
        self.names.push(Use { name: name.get_ref().clone(), place, file, line });
    }

    /// One value by its reader, which tells the text and the remedy of what it refuses.
    fn value<T>(&mut self, value: Option<&At<String>>, read: value::Read<T>) -> Option<T> {
        let value = value?;
        match read(value.get_ref()) {
            Ok(read) => Some(read),
            Err((text, help)) => {
                self.error(value.span().start, text, help);
                None
            }
        }
    }

    /// A list of such values; what is refused is left out.
    fn list<T>(&mut self, list: Option<&[At<String>]>, read: value::Read<T>) -> Option<Vec<T>> {
        Some(list?.iter().filter_map(|value| self.value(Some(value), read)).collect())
    }

    /// One of a few words.
    fn choice<T: Copy>(
        &mut self,
        key: &str,
        value: Option<&At<String>>,
        choices: &[(&str, T)],
    ) -> Option<T> {
        let value = value?;
        let word = value.get_ref();
        if let Some((_, choice)) = choices.iter().find(|(name, _)| name == word) {
            return Some(*choice);
        }
        let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
        let help = nearest(word, names.iter().copied()).map_or_else(
            || format!("`{key}` is one of: {}", names.join(", ")),
            |near| format!("did you mean `{near}`? It is one of: {}", names.join(", ")),
        );
        self.error(value.span().start, format!("`{key}` can't be `{word}`"), help);
        None
    }

    /// A number within bounds.
    fn number(&mut self, key: &str, value: Option<&At<i64>>, from: i64, to: i64) -> Option<i64> {
        let value = value?;
        let number = *value.get_ref();
        if (from..=to).contains(&number) {
            return Some(number);
        }
        let text = format!("`{key}` can't be {number}");
        self.error(value.span().start, text, format!("a number from {from} to {to}"));
        None
    }

    /// Relative paths are relative to the settings file.
    fn path(&self, value: &At<String>) -> PathBuf {
        self.base.join(value.get_ref())
    }

    /// A secret, given here or in a file of its own.
    fn secret(
        &mut self,
        key: &str,
        value: Option<&At<String>>,
        file: Option<&At<String>>,
    ) -> Option<Secret> {
        if let (Some(value), Some(file)) = (value, file) {
            let text = format!("both `{key}` and `{key}-file` are set");
            let help = format!("`{key}` is at {}; keep one", self.sources.spot(value.span().start));
            self.error(file.span().start, text, help);
            return None;
        }
        let (at, text) = match (value, file) {
            (Some(value), _) => (value.span().start, value.get_ref().clone()),
            (None, Some(file)) => (file.span().start, self.secret_file(file)?),
            (None, None) => return None,
        };
        if text.is_empty() {
            self.error(at, format!("`{key}` is empty"), "leave the key out if there is none");
            return None;
        }
        Some(Secret::new(text))
    }

    /// A secret from its file, without the line break that an editor puts behind it.
    fn secret_file(&mut self, file: &At<String>) -> Option<String> {
        let at = file.span().start;
        let path = self.path(file);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text.trim_end_matches(['\r', '\n']).to_owned(),
            Err(error) => {
                let text = format!("can't read {}: {}", path.display(), why(&error));
                self.error(at, text, "it holds one secret and must be readable for ringup");
                return None;
            }
        };
        let mode = fs::metadata(&path).map_or(0, |metadata| metadata.permissions().mode());
        if mode & 0o044 != 0 {
            let text = format!("{} can be read by others than its owner", path.display());
            self.warning(at, text, format!("chmod 600 {}", path.display()));
        }
        Some(text)
    }

    /// `[appliance]`: whether a directory can be used shows when it is opened.
    fn appliance(&mut self, table: &ApplianceTable) -> Appliance {
        let or = |value: &Option<At<String>>, default: PathBuf| {
            value.as_ref().map_or(default, |value| self.path(value))
        };
        let default = Appliance::default();
        Appliance {
            state: or(&table.state, default.state),
            profiles: or(&table.profiles, default.profiles),
            files: or(&table.files, default.files),
            firmware: or(&table.firmware, default.firmware),
            history: self
                .duration("history", table.history.as_ref(), Duration::from_hours(1))
                .unwrap_or(default.history),
        }
    }

    /// A duration of at least `least`.
    fn duration(
        &mut self,
        key: &str,
        value: Option<&At<String>>,
        least: Duration,
    ) -> Option<Duration> {
        let duration = self.value(value, value::duration)?;
        if duration >= least {
            return Some(duration);
        }
        let text = format!("`{key}` can't be as short as {}", value.map_or("", |v| v.get_ref()));
        self.error(
            value.map_or(0, |value| value.span().start),
            text,
            format!("at least {} s", least.as_secs()),
        );
        None
    }

    /// `[firmware]`.
    fn firmware(&mut self, table: &FirmwareTable) -> Firmware {
        let count = |check: &mut Self, key, value: Option<&At<i64>>| {
            let number = check.number(key, value, 1, 100_000)?;
            usize::try_from(number).ok()
        };
        Firmware {
            wave: count(self, "wave", table.wave.as_ref()),
            canary: count(self, "canary", table.canary.as_ref()),
            allow_downgrade: table.allow_downgrade.unwrap_or_default(),
        }
    }

    /// `[auto-registration]`. Numbers may come from each site instead.
    fn auto_registration(
        &mut self,
        table: &AutoRegistrationTable,
        sites: &std::collections::BTreeMap<String, super::Site>,
    ) -> AutoRegistration {
        let enabled = table.enabled.as_ref().is_some_and(|enabled| *enabled.get_ref());
        let numbers: Option<NumberRange> = self.value(table.numbers.as_ref(), value::numbers);
        let until = table.until.as_ref().and_then(|until| self.until(until, enabled));
        let some = table.numbers.is_some() || sites.values().any(|site| site.numbers.is_some());
        if let Some(at) = table.enabled.as_ref().filter(|_| enabled && !some) {
            let text = "auto-registration is enabled and has no numbers to give";
            self.missing(at.span().start, text, "add a range, such as numbers = \"4000-4199\"");
        }
        AutoRegistration { enabled, until, numbers }
    }

    /// When the window closes by itself.
    fn until(&mut self, value: &At<toml::Value>, enabled: bool) -> Option<Timestamp> {
        let at = value.span().start;
        let text = match value.get_ref() {
            toml::Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let Ok(until) = text.parse::<Timestamp>() else {
            let help = "date, time and offset of RFC 3339, such as \"2026-12-01T18:00:00Z\"";
            self.error(at, format!("`until` can't be {text}"), help);
            return None;
        };
        if enabled && until <= self.now {
            let text = format!("{until} has passed, so auto-registration stays closed");
            self.warning(at, text, "set a later time, or enabled = false");
        }
        Some(until)
    }
}
