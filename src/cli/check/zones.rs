//! Time zones that a family of phones in use can't be told.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::{
    config::Settings,
    domain::{FamilyName, Problem, SiteName},
    profile::Catalog,
    provision::unsaid_zone,
};

use super::text;

/// One warning for each site and each family that is listed there and shows another time than the site's.
pub(super) fn zones(phones: &[Value], settings: &Settings, catalog: &Catalog) -> Vec<Problem> {
    let listed = phones.iter().filter_map(|phone| {
        let (family, _) = catalog.model(&text(phone, "/entry/model"))?;
        let site = Some(text(phone, "/entry/site")).filter(|site| !site.is_empty());
        Some((site.unwrap_or_else(|| "default".to_owned()), family.name.clone()))
    });
    let used: BTreeSet<(SiteName, FamilyName)> = listed.collect();
    let warnings = used.iter().filter_map(|(name, family)| {
        let site = settings.sites.get(name)?;
        let (zone, family) = (site.time_zone.as_deref()?, catalog.family(family.as_str())?);
        let why = unsaid_zone(family, zone)?;
        let text = format!("time-zone `{zone}` can't be told to {}: {why}", family.title);
        let place = site.places.of("time-zone").unwrap_or("settings").to_owned();
        let help = "choose a zone of the same hours that it knows, or set its own key in `extra`";
        Some(Problem::warning(place, None, text).help(help))
    });
    warnings.collect()
}
