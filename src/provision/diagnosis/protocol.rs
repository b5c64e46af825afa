//! SIP and SCCP on one phone: what it asks for against what its site speaks.

use crate::{
    domain::{Role, Transfer},
    profile::Speaks,
};

use super::super::{layers::Kind, name, report::Look, resolve::spoken};

impl<'a> Look<'a> {
    /// What it asked for in this round that only the other protocol has, that protocol, and the one of its site; `None`
    /// for a phone that speaks what it should, or is on its way there because its site names it a load that does.
    pub fn other_protocol(&self) -> Option<(&'a str, Speaks, Speaks)> {
        let family = self.family?;
        let ours = spoken(family, self.provisioner.speaks(&self.site_name, self.staged));
        if let Some((name, other)) = self.own_of_other(ours) {
            return Some((name, other, ours));
        }
        // Where a family has one protocol only, nothing is another one.
        let both = |other| family.files.iter().any(|file| file.speaks == Some(other));
        let (name, other) = self.load_of_other(ours).filter(|(_, other)| both(*other))?;
        let model = self.entry.map(|entry| entry.model.as_str()).filter(|model| !model.is_empty());
        let model = model.or(self.identity.model.as_deref()).unwrap_or_default();
        let kind = Kind { catalog: self.provisioner.catalog(), family: Some(family) };
        let wanted = self.site.and_then(|site| kind.load(&site.firmware, model));
        let on_its_way = wanted.is_some_and(|(load, ..)| of_load(load) == Some(ours));
        (!on_its_way).then_some((name, other, ours))
    }

    /// Its own file in the form of the other protocol, refused.
    fn own_of_other(&self, ours: Speaks) -> Option<(&'a str, Speaks)> {
        let family = self.family?;
        let last = self.last(|one| one.role == Role::Own).filter(|one| one.refused.is_some())?;
        // A load for SIP looks for the other file first and goes on to its own.
        if last.normal && !self.is_stuck() {
            return None;
        }
        let rules = self.provisioner.catalog().resolve(&last.name);
        let rule = rules.iter().find(|one| one.family.name == family.name)?.file;
        Some((&last.name, rule.speaks.filter(|speaks| *speaks != ours)?))
    }

    /// A load, or a file that goes with one, of the other protocol: the last such of either.
    fn load_of_other(&self, ours: Speaks) -> Option<(&'a str, Speaks)> {
        let last = self.last(|one: &Transfer| of_part(&one.name).is_some())?;
        let other = of_part(&last.name).filter(|speaks| *speaks != ours)?;
        Some((&last.name, other))
    }
}

/// The endings of loads, of their parts, and of what a load reads in its user's language.
const PARTS: [&str; 6] = [".loads", ".sbn", ".sb2", ".bin", ".jar", ".zup"];

/// The protocol of a load's file, by its name.
fn of_part(name: &str) -> Option<Speaks> {
    let name = name::base(name).to_ascii_lowercase();
    let stem = PARTS.iter().find_map(|end| name.strip_suffix(end))?;
    of_load(stem)
}

/// The protocol of a load: Cisco names them `SCCP41.8-5-4S` and `SIP41.8-5-4S`, those of the 7940 and 7960 `P003…` and
/// `P0S3…`, and the parts that hold the user's language `mk-sccp` and `mk-sip` (Cisco Unified IP Phone release notes).
fn of_load(name: &str) -> Option<Speaks> {
    let name = name.to_ascii_lowercase();
    let numbered = |prefix: &str| {
        let rest = name.strip_prefix(prefix);
        rest.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    };
    if numbered("sccp") || numbered("p00") || name.ends_with("-sccp") {
        Some(Speaks::Sccp)
    } else if numbered("sip") || numbered("p0s") || name.ends_with("-sip") {
        Some(Speaks::Sip)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn protocols_of_loads() {
        let check =
            |name: &str, expected: Option<Speaks>| assert_eq!(of_part(name), expected, "{name}");
        check("SCCP41.9-4-2SR3-1S.loads", Some(Speaks::Sccp));
        check("SIP41.9-4-2SR3-1S.loads", Some(Speaks::Sip));
        check("P00308010200.bin", Some(Speaks::Sccp));
        check("P0S3-8-12-00.loads", Some(Speaks::Sip));
        check("English_United_States/mk-sccp.jar", Some(Speaks::Sccp));
        check("/be-sip.jar", Some(Speaks::Sip));
        check("jar41sccp.9-4-2.sbn", None);
        check("SIP001E7AC41022.cnf", None);
        check("SIPDefault.cnf", None);
        check("term61.default.loads", None);
        check("sip.ld", None);
    }
}
