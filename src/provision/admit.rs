//! Who gets a file: leased addresses, listed phones, and those that auto-registration lists.

use rand::distr::{Alphanumeric, SampleString};

use crate::{
    config::{NumberRange, PeerRule},
    domain::{Entry, Line, Mac, Role, Secret, Timestamp, Window},
    profile::{Family, FileRule, Speaks},
    store::State,
};

use super::{
    Admission, Provisioner, Why,
    identify::{self, rule},
    open::{Asker, Case},
    resolve::spoken,
};

/// Characters of a generated SIP password: 24 of 62 letters and digits are 142 bits, and no format has to escape them.
const PASSWORD: usize = 24;

impl Provisioner {
    /// The auto-registration window in force: an operator's, else the settings'. Closed once its time is over.
    #[must_use]
    pub fn window(&self, state: &State, now: Timestamp) -> Window {
        let settings = &self.settings().auto_registration;
        let set = Window { enabled: settings.enabled, until: settings.until };
        let window = state.window.unwrap_or(set);
        let enabled = window.enabled && window.until.is_none_or(|until| now < until);
        Window { enabled, ..window }
    }

    /// True if this peer may have this file: own files go to the address leased to their phone, where that is the rule.
    pub(super) fn permit(&self, case: &Case<'_>, state: &State) -> Result<(), Why> {
        let peer = case.request.peer;
        if case.target.role != Role::Own {
            return Ok(());
        }
        let phone = case.subject.mac.ok_or(Why::NoLease { peer })?;
        let holder = match case.asker {
            Asker::Operator { phone, .. } | Asker::HandOver { phone } => Some(phone),
            Asker::Peer if rule(self.settings()) == PeerRule::Any => return Ok(()),
            Asker::Peer => identify::holder(state, peer, case.now),
        };
        match holder {
            Some(holder) if holder == phone => Ok(()),
            Some(_) => Err(Why::NotItsAddress { phone, peer }),
            None => Err(Why::NoLease { peer }),
        }
    }

    /// What a phone that nobody listed gets of its own and fallback files: nothing, unless the window is open.
    ///
    /// Cisco's server behaves so: with auto-registration off neither `SEP….cnf` nor `SEPDEFAULT.cnf` is there; with it
    /// on the default file is there for phones that are not listed, and asking for it is what lists them. Families
    /// without such a file are listed when they ask for their own.
    pub(super) fn entitle(&self, case: &Case<'_>, state: &State) -> Result<Option<Admission>, Why> {
        let role = case.target.role;
        if !matches!(role, Role::Own | Role::Fallback) || case.subject.entry.is_some() {
            return Ok(None);
        }
        // A file under this very name is the operator's word for this phone, as good as an entry.
        if role == Role::Own && self.library.has(&case.subject.site, &case.target.name) {
            return Ok(None);
        }
        let missing = || case.missing();
        let open = self.window(state, case.now).enabled;
        let Some(phone) = case.subject.mac else {
            return Err(if open { Why::NoLease { peer: case.request.peer } } else { missing() });
        };
        if !open {
            return Err(Why::NotListed { phone });
        }
        let found =
            case.target.found.filter(|found| case.target.certain && found.family.provisions);
        let family = found.ok_or_else(missing)?.family;
        if self.source(case).is_none() {
            return Err(missing());
        }
        let number = self.number(phone, case, state)?;
        let fallback =
            |file| self.is_served_fallback(family, file, case.speaks, &case.subject.site);
        if role == Role::Own && family.files.iter().any(fallback) {
            return Err(missing());
        }
        Ok(Some(admission(phone, number, case)))
    }

    fn is_served_fallback(
        &self,
        family: &Family,
        file: &FileRule,
        speaks: Speaks,
        site: &str,
    ) -> bool {
        file.role == Role::Fallback
            && file.read_by(Some(spoken(family, speaks)))
            && (file.template.is_some() || self.library.has(site, &file.name))
            && family.provisions
    }

    fn number(&self, phone: Mac, case: &Case<'_>, state: &State) -> Result<String, Why> {
        let settings = self.settings();
        let site = identify::site(settings, &case.subject.site, case.subject.is_staged());
        let range = site.and_then(|site| site.numbers).or(settings.auto_registration.numbers);
        let free = |number: &&str| state.number_of(number).is_none_or(|holder| holder == phone);
        let again = state.given(phone).find(free).map(str::to_owned);
        let next = |range: NumberRange| state.free_number(range.first, range.last, range.width);
        again
            .or_else(|| range.and_then(next))
            .ok_or_else(|| Why::NoNumbersLeft { phone, range: shown(range) })
    }
}

fn shown(range: Option<NumberRange>) -> String {
    range.map_or_else(
        || "`numbers`, which is not set".to_owned(),
        |NumberRange { first, last, width }| format!("{first:0width$}-{last:0width$}"),
    )
}

/// A new SIP password.
#[must_use]
pub fn password() -> Secret {
    Secret::new(Alphanumeric.sample_string(&mut rand::rng(), PASSWORD))
}

fn admission(phone: Mac, number: String, case: &Case<'_>) -> Admission {
    let line = Line {
        number: number.clone(),
        name: String::new(),
        sip_user: String::new(),
        sip_password: password(),
    };
    let entry = Entry {
        model: case.model().to_owned(),
        site: Some(case.subject.site.clone()),
        lines: vec![line],
        auto_registered: true,
        ..Entry::default()
    };
    Admission { phone, number, entry: Box::new(entry) }
}
