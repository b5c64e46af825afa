//! The bytes of a file: the operator's own, else the template's, else the operator's default, else the firmware's.

use std::{
    fmt,
    ops::Bound::{Excluded, Unbounded},
    path::Path,
    ptr,
    sync::Arc,
};

use crate::{
    domain::{Entry, Role, StagingId},
    profile::{Family, FileRule, Format, Reads, RenderError, TransferRule},
};

use super::{
    Admission, Body, Opened, Provisioner, Why,
    cache::{Flaw, Key, Made, Stamp},
    identify,
    library::{Held, etag},
    name,
    open::{Asker, Case},
    phonebook::{self, Contact},
    values::{Scene, Secrets, stamped, values},
    waves::Offered,
};

/// Phones whose entries are taken at a time.
const HANDFUL: usize = 4096;

/// Where a file's bytes come from.
#[derive(Clone, Copy, Debug)]
pub(super) enum Source<'a> {
    /// The operator's file.
    File(&'a Held),
    /// A template of the family.
    Template(&'a Family, &'a FileRule, &'a str),
    /// The operator's template under the file's own name.
    Text(&'a str, &'a str),
    /// A load or a part of one.
    Firmware(&'a Held),
}

impl Provisioner {
    /// Where the bytes come from; `None` if there are none.
    ///
    /// A file under the very name that was asked for beats the template. A file under the family's pattern itself
    /// (`files/SEP{MAC}.cnf`, braces and all) is the operator's default for phones that have no file of their own.
    pub(super) fn source<'a>(&'a self, case: &Case<'a>) -> Option<Source<'a>> {
        let (name, site) = (&case.target.name, case.site.as_str());
        let found = case.target.found;
        let file = |name: &str| {
            let held = self.library.file(site, name).map(Source::File);
            held.or_else(|| {
                self.library.template(site, name).map(|(name, text)| Source::Text(name, text))
            })
        };
        // A name that fits a family only without its directories is the same file without them.
        let of_family = found.is_some() || case.target.foreign.is_some();
        let exact = file(name).or_else(|| file(name::base(name)).filter(|_| of_family));
        let template = || {
            found.and_then(|found| {
                let template = found.file.template.as_deref()?;
                Some(Source::Template(found.family, found.file, template))
            })
        };
        let default = || found.and_then(|found| file(&found.file.name));
        let firmware = || match case.target.role {
            Role::Own | Role::Trust => None,
            Role::Common | Role::Fallback | Role::Firmware | Role::Extra => {
                self.library.firmware(name).map(Source::Firmware)
            }
        };
        exact.or_else(template).or_else(default).or_else(firmware)
    }

    /// Makes the bytes ready to send.
    pub(super) fn build(&self, case: &Case<'_>, admit: Option<Admission>) -> Result<Opened, Why> {
        let Some(source) = self.source(case) else { return self.digest(case, admit) };
        if let Source::Firmware(held) = source {
            self.whole(held)?;
        }
        let mut seat = Self::seat(case)?;
        let (body, length, etag) = match source {
            Source::File(held) | Source::Firmware(held) => {
                let (length, etag) = measured(held)?;
                (Body::File(Arc::clone(&held.file)), length, etag)
            }
            Source::Template(..) | Source::Text(..) => {
                let entry = admit.as_ref().map(|admit| &*admit.entry);
                let Made { bytes, etag } = self.rendered(case, source, entry)?;
                if let Some(taken) = &seat {
                    // A file that does not name the load takes no place.
                    let offered =
                        Offered { instead: Some(taken.own.clone()), ..Offered::default() };
                    let kept = Case { offered, ..case.clone() };
                    seat = seat.filter(|_| {
                        let kept = self.rendered(&kept, source, entry);
                        kept.map_or(true, |kept| kept.bytes != bytes)
                    });
                }
                let length = bytes.len() as u64;
                (Body::Bytes(bytes), length, etag)
            }
        };
        Ok(Opened {
            body,
            length,
            etag,
            phone: case.subject.mac,
            asked: case.asked(),
            abort_is_normal: case.target.normal().abort,
            tftp: self.transfer_rule(case),
            source: source.to_string(),
            seals: seals(case),
            grounds: case.subject.grounds.clone(),
            seat,
            there: case.offered.there.clone(),
            admit,
        })
    }

    /// Only a load that is whole leaves.
    fn whole(&self, held: &Held) -> Result<(), Why> {
        let lacking = self.library.lacking(&held.name);
        if lacking.is_empty() {
            return Ok(());
        }
        let name = name::base(&held.name).to_owned();
        Err(Why::Incomplete { name, lacking: lacking.to_vec() })
    }

    /// How the phone takes files over TFTP: by the family whose file it is, else by what is known of the phone.
    fn transfer_rule(&self, case: &Case<'_>) -> TransferRule {
        let subject = &case.subject;
        let known = [&subject.listed, &subject.shown.family, &subject.learned.family];
        let known = || known.into_iter().flatten().find_map(|f| self.catalog().family(f.as_str()));
        let family = case.target.found.map(|found| found.family).or_else(known);
        family.map(|family| family.tftp).unwrap_or_default()
    }

    /// The rendered file, as it was made before where nothing that it follows from has changed.
    fn rendered(
        &self,
        case: &Case<'_>,
        source: Source<'_>,
        admitted: Option<&Entry>,
    ) -> Result<Made, Why> {
        let entry = admitted.or(case.subject.entry.as_deref());
        let scene = self.scene(case, entry, &[]);
        let make = || self.make(case, source, &scene);
        // Who looks at a fleet must not drive out what its phones need, and an entry that is no fact yet may never be.
        let is_kept = admitted.is_none()
            && (matches!(case.asker, Asker::Peer) || scene.secrets == Secrets::Left);
        let rendered = if is_kept {
            let entry = case.subject.entry.clone().filter(|_| scene.phone.is_some());
            // The stamp is older than what is read after it: never the other way round.
            let book = if is_phonebook(case) { self.view().read().entries_set() } else { 0 };
            self.cache.get(&key(case, source, &scene), Stamp { entry, book }, make)
        } else {
            make()
        };
        rendered.map_err(|flaw| case.flawed(flaw))
    }

    fn make(&self, case: &Case<'_>, source: Source<'_>, scene: &Scene<'_>) -> Result<Made, Flaw> {
        let contacts = self.contacts(case);
        let bytes = self.draw(case, source, &Scene { contacts: &contacts, ..*scene }, None)?;
        let etag = etag(&bytes);
        Ok(Made { bytes: bytes.into(), etag })
    }

    /// All that the values of this file come from.
    pub(super) fn scene<'a>(
        &'a self,
        case: &'a Case<'_>,
        entry: Option<&'a Entry>,
        contacts: &'a [Contact],
    ) -> Scene<'a> {
        let shared = matches!(case.target.role, Role::Common | Role::Fallback);
        let secrets = match (case.target.role, case.asker) {
            (Role::Own, Asker::Peer | Asker::Operator { reveal: true, .. }) => Secrets::Plain,
            (Role::Own, Asker::Operator { reveal: false, .. } | Asker::HandOver { .. }) => {
                Secrets::Masked
            }
            _ => Secrets::Left,
        };
        Scene {
            settings: self.settings(),
            catalog: self.catalog(),
            family: case.target.found.map(|found| found.family),
            model: case.model(),
            site: &case.site,
            staged: case.subject.is_staged(),
            phone: case.subject.mac.filter(|_| !shared).map(|mac| (mac, entry)),
            ends: (case.request.peer, case.request.local),
            secrets,
            contradicts: case.subject.contradicts,
            instead: case.offered.instead.as_deref(),
            contacts,
        }
    }

    /// The phonebook of the site: everybody who is listed there with a name and a number, and whom the operator adds.
    /// Empty for a file that is no phonebook.
    pub(super) fn contacts(&self, case: &Case<'_>) -> Vec<Contact> {
        if !is_phonebook(case) {
            return Vec::new();
        }
        let mut entries = self.entries();
        entries.retain(|entry| self.site_of(Some(entry), [0; 4].into()) == case.site);
        let entries = entries.iter().map(|entry| &**entry);
        phonebook::merged(entries, self.library.contacts(&case.site))
    }

    /// All entries, taken in handfuls: writers wait for one of them and not for all.
    fn entries(&self) -> Vec<Arc<Entry>> {
        let (mut entries, mut after) = (Vec::new(), Unbounded);
        loop {
            let state = self.view().read();
            let mut last = None;
            for (mac, phone) in state.phones.range((after, Unbounded)).take(HANDFUL) {
                last = Some(*mac);
                entries.extend(phone.entry.clone());
            }
            let Some(last) = last else { return entries };
            after = Excluded(last);
        }
    }

    /// Renders what is a template; nothing for what is served as it is. `reads` hears what the template reads.
    pub(super) fn draw(
        &self,
        case: &Case<'_>,
        source: Source<'_>,
        scene: &Scene<'_>,
        reads: Option<&Reads>,
    ) -> Result<Vec<u8>, Flaw> {
        let values = values(scene);
        let rendered = |version: &str, reads: Option<&Reads>| {
            let values = stamped(&values, version);
            let values = match reads {
                Some(reads) => reads.watch(values),
                None => values,
            };
            match (source, case.target.found) {
                (Source::Template(family, rule, _), _) => {
                    self.catalog().render(family, rule, &values)
                }
                (Source::Text(name, text), Some(found)) => {
                    self.catalog().render_instead(name, text, found.file, &values)
                }
                (Source::Text(name, text), None) => {
                    self.catalog().render_text(name, text, format_of(name), &values)
                }
                (Source::File(_) | Source::Firmware(_), _) => Ok(Vec::new()),
            }
        };
        // The stamp is that of the text without it: a value that this file does not use does not make it a new one.
        let stamped = rendered("", None).and_then(|bare| rendered(&etag(&bare), reads));
        stamped.map_err(|error| match error {
            RenderError::Absent { .. } => Flaw::Absent,
            RenderError::Template { .. } | RenderError::Value { .. } => {
                Flaw::Unrenderable(error.to_string())
            }
        })
    }
}

/// What the file follows from. Taken apart without a rest: what comes into a scene has to come in here.
fn key(case: &Case<'_>, source: Source<'_>, scene: &Scene<'_>) -> Key {
    let &Scene {
        settings,
        catalog: _,
        // By its rule, or none.
        family: _,
        model,
        site,
        staged,
        phone,
        ends,
        secrets,
        contradicts,
        instead,
        // By the stamp.
        contacts: _,
    } = scene;
    let rule = case.target.found.map_or(0, |found| ptr::from_ref(found.file).addr());
    let template = match source {
        Source::Text(name, _) => name.as_ptr().addr(),
        Source::Template(..) | Source::File(_) | Source::Firmware(_) => 0,
    };
    Key {
        source: (template, rule),
        model: model.to_owned(),
        site: site.to_owned(),
        staged,
        phone: phone.map(|(mac, _)| mac),
        subnet: identify::subnet_of(settings, ends.0).map(|subnet| ptr::from_ref(subnet).addr()),
        local: ends.1.to_canonical(),
        secrets,
        contradicts,
        instead: instead.map(str::to_owned),
    }
}

fn is_phonebook(case: &Case<'_>) -> bool {
    case.target.found.is_some_and(|found| found.file.phonebook)
}

/// The batch on the bench that waits for this very file, if one does.
pub(super) fn seals(case: &Case<'_>) -> Option<StagingId> {
    let (id, _) = case.subject.staging.filter(|(_, handed_over)| *handed_over)?;
    let awaited = case.target.role == Role::Own && case.asked().required.is_some();
    awaited.then_some(id)
}

/// The format of an operator's template that no family asks for: XML by its name, else lines without breaks in them.
fn format_of(name: &str) -> Format {
    let name = name.strip_suffix(".j2").unwrap_or(name);
    let xml = Path::new(name).extension().is_some_and(|it| it.eq_ignore_ascii_case("xml"));
    if xml { Format::Xml } else { Format::Ini }
}

impl fmt::Display for Source<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(held) => write!(f, "file {}", held.name),
            Self::Firmware(held) => write!(f, "firmware {}", held.name),
            Self::Template(family, _, template) => write!(f, "template {}/{template}", family.name),
            Self::Text(name, _) => write!(f, "template {name}"),
        }
    }
}

/// Measures an open file.
fn measured(held: &Held) -> Result<(u64, String), Why> {
    held.measure().map_err(|error| Why::Unrenderable { text: format!("{}: {error}", held.name) })
}
