//! The bytes of a file: the operator's own, else the template's, else the operator's default, else the firmware's.

use std::sync::Arc;

use crate::{
    domain::{Entry, Role},
    profile::{Family, FileRule},
};

use super::{
    Admission, Body, Opened, Provisioner, Why,
    library::{Held, etag},
    name,
    open::{Asker, Case},
    values::{Scene, Secrets, values},
};

/// Where a file's bytes come from.
#[derive(Clone, Copy, Debug)]
pub(super) enum Source<'a> {
    /// The operator's file.
    File(&'a Held),
    /// A template of the family.
    Template(&'a Family, &'a FileRule, &'a str),
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
        let file = |name: &str| self.library.file(site, name).map(Source::File);
        // A name that fits a family only without its directories is the same file without them.
        let exact = file(name).or_else(|| found.and_then(|_| file(name::base(name))));
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
        let missing = || Why::Missing { name: case.target.name.clone() };
        let (body, length, etag, source) = match self.source(case).ok_or_else(missing)? {
            Source::File(held) => held_body(held, "file")?,
            Source::Firmware(held) => held_body(held, "firmware")?,
            Source::Template(family, rule, template) => {
                let entry = admit.as_ref().map(|admit| &*admit.entry);
                let bytes = self.render(case, family, rule, entry)?;
                let (length, etag) = (bytes.len() as u64, etag(&bytes));
                let source = format!("template {}/{template}", family.name);
                (Body::Bytes(bytes.into()), length, etag, source)
            }
        };
        Ok(Opened {
            body,
            length,
            etag,
            phone: case.subject.mac,
            asked: case.asked(),
            abort_is_normal: case.target.normal().abort,
            source,
            grounds: case.subject.grounds.clone(),
            admit,
        })
    }

    fn render(
        &self,
        case: &Case<'_>,
        family: &Family,
        rule: &FileRule,
        admitted: Option<&Entry>,
    ) -> Result<Vec<u8>, Why> {
        let entry = admitted.or(case.subject.entry.as_deref());
        let shared = matches!(case.target.role, Role::Common | Role::Fallback);
        let secrets = match (case.target.role, case.asker) {
            (Role::Own, Asker::Peer | Asker::Operator { reveal: true, .. }) => Secrets::Plain,
            (Role::Own, Asker::Operator { reveal: false, .. }) => Secrets::Masked,
            _ => Secrets::Left,
        };
        let scene = Scene {
            settings: self.settings(),
            catalog: self.catalog(),
            family,
            model: case.model(),
            site: &case.site,
            phone: case.subject.mac.filter(|_| !shared).map(|mac| (mac, entry)),
            ends: (case.request.peer, case.request.local),
            secrets,
            now: case.now,
        };
        self.catalog()
            .render(family, rule, &values(&scene))
            .map_err(|error| Why::Unrenderable { text: error.to_string() })
    }
}

fn held_body(held: &Held, kind: &str) -> Result<(Body, u64, String, String), Why> {
    let unreadable = |error| Why::Unrenderable { text: format!("{}: {error}", held.name) };
    let (length, etag) = held.measure().map_err(unreadable)?;
    Ok((Body::File(Arc::clone(&held.file)), length, etag, format!("{kind} {}", held.name)))
}
