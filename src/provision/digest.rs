//! Files that hold the digest of another one.

use crate::profile::{FileMatch, FileRule, md5};

use super::{
    Admission, Body, Opened, Provisioner, Why,
    body::seals,
    library::etag,
    open::{Asker, Case},
    resolve::Target,
};

/// Larger files are no configuration, and a digest is made while the phone waits.
const MAX_SIZE: u64 = 4 << 20;

impl Provisioner {
    /// The digest of the bytes that this very phone gets for the file that the profile names.
    ///
    /// Whoever looks sees the digest that the phone gets, though the file itself would show its secrets masked: a
    /// digest of what nobody is served would help nobody.
    pub(super) fn digest(&self, case: &Case<'_>, admit: Option<Admission>) -> Result<Opened, Why> {
        let target = twin(&case.target).ok_or_else(|| case.missing())?;
        let asker = match case.asker {
            Asker::Peer => Asker::Peer,
            Asker::Operator { phone, .. } => Asker::Operator { phone, reveal: true },
            Asker::HandOver { phone } => Asker::HandOver { phone },
        };
        let opened = self.build(&Case { asker, target, ..case.clone() }, admit)?;
        let text = format!("{}\n", md5(&octets(&opened)?));
        Ok(Opened {
            length: text.len() as u64,
            etag: etag(text.as_bytes()),
            body: Body::Bytes(text.into_bytes().into()),
            asked: case.asked(),
            seals: seals(case),
            abort_is_normal: case.target.normal().abort,
            source: format!("digest of {}", opened.source),
            ..opened
        })
    }
}

/// The file whose digest is asked for, under the name that the phone asks for it by.
fn twin<'a>(target: &Target<'a>) -> Option<Target<'a>> {
    let found = target.found?;
    let of = found.family.file(found.file.digest_of.as_deref()?)?;
    if of.digest_of.is_some() {
        return None;
    }
    // Both names are the same up to their endings.
    let end = |rule: &'a FileRule| rule.name.rsplit('}').next().unwrap_or_default();
    let stem = target.name.len().checked_sub(end(found.file).len())?;
    let name = format!("{}{}", target.name.get(..stem)?, end(of));
    let found = FileMatch { file: of, ..found };
    Some(Target { name, found: Some(found), role: of.role, ..target.clone() })
}

fn octets(opened: &Opened) -> Result<Vec<u8>, Why> {
    let unreadable =
        |text: String| Why::Unrenderable { text: format!("{}: {text}", opened.source) };
    if opened.length > MAX_SIZE {
        return Err(unreadable(format!("its {} octets are too many for a digest", opened.length)));
    }
    let mut octets = vec![0; usize::try_from(opened.length).unwrap_or_default()];
    let read =
        opened.body.read_at(0, &mut octets).map_err(|error| unreadable(error.to_string()))?;
    octets.truncate(read);
    Ok(octets)
}
