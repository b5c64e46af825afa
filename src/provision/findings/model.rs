//! What it is against what is listed. Only what a phone says by a file that one model asks for, by option 60 or by its
//! User-Agent is worth sending somebody to a desk; nothing weaker raises anything.

use crate::{
    domain::{Finding, FindingKind, Ground, Origin, Repair, Role, Transfer},
    profile::{Catalog, Family, Model},
};

use super::{
    super::{diagnosis::in_words, report::Look},
    finding,
    grounds::ground,
};

/// Origins that tell a model, strongest first.
const STRONG: [Origin; 6] = [
    Origin::FileName,
    Origin::Option60,
    Origin::SipPnp,
    Origin::UserAgent,
    Origin::Register,
    Origin::Updater,
];

/// How a phone contradicts its entry.
#[derive(Clone, Debug)]
pub(in crate::provision) struct Contradiction {
    /// The model that it is, in the catalog's spelling, if anything tells one.
    model: Option<String>,
    /// What it says it is, in words.
    says: String,
    /// True if it is of another vendor than what is listed.
    foreign: bool,
    ground: Option<Ground>,
}

/// How a phone that showed `grounds` and asked for `transfers` contradicts a model that is listed for it; `None` if it
/// does not.
///
/// The strongest origin that tells the model decides. A name that several models ask for contradicts only models that
/// are not among them; where the listed one is, a weaker origin may still tell it from the others.
pub(in crate::provision) fn contradiction(
    catalog: &Catalog,
    listed: &str,
    grounds: &[&Ground],
    transfers: &[Transfer],
) -> Option<Contradiction> {
    if listed.is_empty() {
        return None;
    }
    let of = |origin: Origin| {
        let mut told = grounds.iter().filter(move |ground| ground.from == origin);
        told.find(|ground| ground.model.is_some()).copied()
    };
    if let Some((name, asked)) = by_file(catalog, grounds, transfers) {
        let is_listed = |(_, model): &(&Family, &Model)| catalog.same_product(listed, &model.name);
        match (asked.iter().any(is_listed), asked.as_slice()) {
            (true, [_]) => return None,
            (true, _) => {}
            (false, askers) => return Some(not_among(catalog, listed, askers, (grounds, name))),
        }
    }
    let ground = STRONG[1..].iter().find_map(|origin| of(*origin))?;
    let model = ground.model.as_deref()?;
    let by_model = || catalog.model(model).map(|(family, _)| family.vendor.as_str());
    let vendor = ground.vendor.as_deref().or_else(by_model);
    (!catalog.same_product(listed, model)).then(|| Contradiction {
        says: as_spelt(catalog, ground, model).to_owned(),
        foreign: is_foreign(catalog, listed, vendor),
        model: Some(model.to_owned()),
        ground: Some(ground.clone()),
    })
}

/// The name that it asked for, among those that tell models apart, with the models one of which it then is; `None` if no
/// name tells.
fn by_file<'a>(
    catalog: &'a Catalog,
    grounds: &[&Ground],
    transfers: &[Transfer],
) -> Option<(Ground, Vec<(&'a Family, &'a Model)>)> {
    let askers = |name: &str| Some(catalog.askers(name)).filter(|askers| !askers.is_empty());
    // A name with a MAC in it is the phone's own; without a model it tells none, and most names are such.
    let is_common =
        |one: &&&Ground| one.from == Origin::FileName && (one.model.is_some() || one.mac.is_none());
    let mut first = grounds.iter().filter(is_common);
    // What the phone asks at each boot is a ground; what it asked once, after a reset, is among its last files.
    let tells = |one: &&Transfer| matches!(one.role, Role::Firmware | Role::Common);
    let mut asked = transfers.iter().rev().filter(tells);
    first.find_map(|one| Some(((*one).clone(), askers(&one.value)?))).or_else(|| {
        asked.find_map(|one| {
            let askers = askers(&one.name)?;
            Some((ground(Origin::FileName, one.name.clone(), None, one.at), askers))
        })
    })
}

/// The listed model is not among those that ask for what the phone asked for.
fn not_among(
    catalog: &Catalog,
    listed: &str,
    askers: &[(&Family, &Model)],
    (grounds, name): (&[&Ground], Ground),
) -> Contradiction {
    let among = |model: &&str| askers.iter().any(|(_, one)| catalog.same_product(&one.name, model));
    // Where several ask for that name, a weaker origin may say which it is.
    let exact = || {
        let told =
            STRONG.iter().flat_map(|origin| grounds.iter().filter(|one| one.from == *origin));
        told.filter_map(|ground| ground.model.as_deref()).find(|model| among(model))
    };
    let model = match askers {
        [(_, only)] => Some(only.name.as_str()),
        _ => exact(),
    };
    let names: Vec<&str> = askers.iter().map(|(_, model)| model.name.as_str()).collect();
    let vendor = askers.first().map(|(family, _)| family.vendor.as_str());
    let mut grounds = grounds.iter().copied();
    let worded = grounds.find(|one| one.model.as_deref() == model && model.is_some());
    let says = match (worded, model) {
        (Some(ground), Some(model)) => as_spelt(catalog, ground, model).to_owned(),
        (None, Some(model)) => model.to_owned(),
        (_, None) => names.join(" or "),
    };
    let foreign = is_foreign(catalog, listed, vendor);
    let ground = Some(worded.cloned().unwrap_or(name));
    Contradiction { model: model.map(str::to_owned), says, foreign, ground }
}

/// True if the listed model is of another vendor, under whichever of its names.
fn is_foreign(catalog: &Catalog, listed: &str, vendor: Option<&str>) -> bool {
    let listed = catalog.model(listed).map(|(family, _)| family);
    listed.zip(vendor).is_some_and(|(listed, vendor)| !listed.is_by(vendor))
}

/// How a phone contradicts the model in its entry.
pub(in crate::provision) fn of_look<'a>(look: &'a Look<'_>) -> Option<&'a Contradiction> {
    let found = || {
        let (catalog, transfers) = (look.provisioner.catalog(), &look.boot.transfers);
        let grounds: Vec<&Ground> = look.identity.grounds.iter().collect();
        contradiction(catalog, &look.entry?.model, &grounds, transfers)
    };
    look.contradiction.get_or_init(found).as_ref()
}

/// Another model of the same vendor stands there.
pub(super) fn wrong_model(look: &Look<'_>) -> Option<Finding> {
    let contradiction = of_look(look).filter(|it| !it.foreign)?;
    Some(told(look, FindingKind::WrongModel, contradiction))
}

/// Another vendor's phone stands there, or it behaves as one of another family.
pub(super) fn wrong_family(look: &Look<'_>) -> Option<Finding> {
    match of_look(look) {
        Some(contradiction) if contradiction.foreign => {
            Some(told(look, FindingKind::WrongFamily, contradiction))
        }
        Some(_) => None,
        None => other_family(look).or_else(|| other_protocol(look)),
    }
}

fn told(look: &Look<'_>, kind: FindingKind, contradiction: &Contradiction) -> Finding {
    let catalog = look.provisioner.catalog();
    let listed = look.entry.map_or("", |entry| &entry.model);
    let Contradiction { model, says, ground, foreign } = contradiction;
    let text = format!("listed as {listed}, says it is a {says}");
    let model = model.as_deref().map(|model| {
        let known = catalog.model(model).and_then(|(_, known)| known.list_as.clone());
        known.unwrap_or_else(|| model.to_owned())
    });
    let remedy = match &model {
        None => format!("look at the phone: it is a {says}; list it as what it is"),
        Some(model) if *foreign => {
            format!("compare its label with the list; if it is the right phone, list it as {model}")
        }
        Some(model) => format!("list it as {model}"),
    };
    let repair = model.map(|model| Repair { model: Some(model), ..Repair::default() });
    let grounds = ground.iter().cloned().collect();
    Finding { grounds, repair, ..finding(kind, text, remedy) }
}

/// Nothing tells the model, but what tells family or vendor tells another.
fn other_family(look: &Look<'_>) -> Option<Finding> {
    let catalog = look.provisioner.catalog();
    let (listed, model) = catalog.model(&look.entry?.model)?;
    let strong = |ground: &&Ground| STRONG.contains(&ground.from) && ground.model.is_none();
    let mut grounds = look.identity.grounds.iter().filter(strong);
    let (ground, behaves) = grounds.find_map(|ground| {
        let family = ground.family.as_ref().and_then(|family| catalog.family(family.as_str()));
        // Other vendors' phones ask for names of the same form: a name speaks for a family, never for a vendor alone.
        let vendor = ground.vendor.as_deref().filter(|_| ground.from != Origin::FileName);
        match (family, vendor) {
            (Some(family), _) => {
                let known = catalog.member(family, &model.name).is_some();
                (family.name != listed.name && !known).then(|| (ground, family.title.clone()))
            }
            (None, Some(vendor)) => {
                (!listed.is_by(vendor)).then(|| (ground, format!("a phone by {vendor}")))
            }
            (None, None) => None,
        }
    })?;
    let text = format!("listed as {}, behaves as {behaves}", listed.title);
    let remedy =
        "compare the label with the list: another phone stands here, or it runs other firmware";
    let grounds = vec![ground.clone()];
    Some(Finding { grounds, ..finding(FindingKind::WrongFamily, text, remedy) })
}

/// It runs a load for the protocol that its site does not speak, and no other one is named for it.
fn other_protocol(look: &Look<'_>) -> Option<Finding> {
    look.entry?;
    let (file, other, ours) = look.other_protocol()?;
    let (other, ours) = (in_words(other), in_words(ours));
    let text = format!(
        "its site speaks {ours}, and it asks for {file}, which goes with a load for {other}"
    );
    let remedy = format!(
        "name a load for {ours} in [site.{}.firmware], or list it at a site with protocol = \"{other}\"",
        look.site_name
    );
    Some(finding(FindingKind::WrongFamily, text, remedy))
}

/// A model as the phone spells it (`7961G`), where the catalog's name (`7961`) stands for several spellings.
fn as_spelt<'a>(catalog: &Catalog, ground: &'a Ground, model: &'a str) -> &'a str {
    let is_it = |token: &&str| catalog.model(token).is_some_and(|(_, found)| found.name == model);
    let token = ground.value.split([' ', ',', ';']).find(is_it);
    let bare = |token: &'a str| ["CP-", "SIP-"].iter().find_map(|word| token.strip_prefix(word));
    token.map_or(model, |token| bare(token).unwrap_or(token))
}
