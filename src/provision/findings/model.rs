//! What it is against what is listed.

use crate::domain::{Finding, FindingKind, Ground, Origin, Repair};

use super::{
    super::{Provisioner, report::Look},
    finding,
};

/// Compares the list with what the phone itself says by option 60 or by the files it asks for: nothing weaker is
/// worth sending somebody to a desk.
pub(super) fn wrong_model(look: &Look<'_>) -> Option<Finding> {
    let listed = look.entry.map(|entry| entry.model.as_str()).filter(|model| !model.is_empty())?;
    let strong = |ground: &&Ground| matches!(ground.from, Origin::FileName | Origin::Option60);
    let mut grounds = look.identity.grounds.iter().filter(strong);
    let (ground, model) = grounds.find_map(|ground| Some((ground, ground.model.as_deref()?)))?;
    let catalog = look.provisioner.catalog();
    (!catalog.same_product(listed, model)).then(|| {
        let says = as_spelt(look.provisioner, ground, model);
        let text = format!("listed as {listed}, says it is a {says}");
        let known = catalog.model(model).and_then(|(_, known)| known.list_as.as_deref());
        let model = known.unwrap_or(model).to_owned();
        let remedy = format!("list it as {model}");
        let repair = Some(Repair { model });
        Finding { repair, ..finding(FindingKind::WrongModel, text, remedy) }
    })
}

pub(super) fn wrong_family(look: &Look<'_>) -> Option<Finding> {
    if wrong_model(look).is_some() {
        return None;
    }
    let catalog = look.provisioner.catalog();
    let (listed, _) = catalog.model(&look.entry?.model)?;
    let strong = |ground: &&Ground| ground.from < Origin::Option125 && ground.family.is_some();
    let ground = look.identity.grounds.iter().find(strong)?;
    let family = catalog.family(ground.family.as_ref()?.as_str())?;
    (family.name != listed.name).then(|| {
        let text = format!("listed as {}, behaves as {}", listed.title, family.title);
        let remedy =
            "compare the label with the list: another phone stands here, or it runs other firmware";
        finding(FindingKind::WrongFamily, text, remedy)
    })
}

/// A model as the phone spells it (`7961G`), where the catalog's name (`7961`) stands for several spellings.
fn as_spelt<'a>(provisioner: &Provisioner, ground: &'a Ground, model: &'a str) -> &'a str {
    let is_it = |token: &&str| {
        provisioner.catalog().model(token).is_some_and(|(_, found)| found.name == model)
    };
    let token = ground.value.split([' ', ',', ';']).find(is_it);
    token.map_or(model, |token| token.strip_prefix("CP-").unwrap_or(token))
}
