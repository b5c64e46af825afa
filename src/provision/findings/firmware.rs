//! Loads: what a phone asks for and does not get.

use crate::domain::{Finding, FindingKind, Role};

use super::{super::report::Look, finding};

pub(super) fn missing(look: &Look<'_>) -> Option<Finding> {
    let last = look.last(|one| one.role == Role::Firmware)?;
    (last.refused.is_some() && !last.normal).then(|| {
        let directory = look.provisioner.settings().appliance.firmware.display();
        let text = format!("asked for {}, which is not here", last.name);
        finding(
            FindingKind::FirmwareMissing,
            text,
            format!("put it into {directory}, then `ringup reload`"),
        )
    })
}
