//! Phone families as data: how each is recognized, what it asks for, and the templates that answer.
//!
//! A family is a folder: `profile.toml` and its templates. The shipped folders are inside the binary; the operator's
//! directory is laid over them file by file, and a folder of a new name is a new family.

mod encode;
mod extra;
mod family;
mod index;
mod lazy;
mod load;
mod names;
mod opening;
mod parse;
mod patience;
mod pattern;
mod poly_class;
mod range;
mod reads;
mod recognize;
mod release;
mod spelling;
mod table;
mod template;
mod tr111;
mod transfer;
mod xml;

pub use encode::{Encoding, md5};
pub use family::{
    DhcpRule, ExtraForm, Family, FileRule, Floor, Form, Format, Model, Normal, ServerOption,
    Speaks, ZoneForm,
};
pub use load::shipped_files;
pub use opening::Opening;
pub use patience::{Advice, Patience};
pub use range::Block;
pub use reads::{Read, Reads};
pub use release::{Age, Releases, Spelling, Step, Version};
pub use transfer::TransferRule;

use std::{collections::BTreeSet, panic::resume_unwind, path::Path, thread};

use minijinja::Value;

use crate::domain::{Ground, Mac, Problem, Timestamp, printable};

use lazy::Lazy;
use load::{Folder, NOT_A_PHONE, PROFILE, Tree};
use names::Names;
use parse::Parsed;
use range::Prefixes;
use recognize::Recognizer;
use spelling::Spellings;
use template::Templates;

/// Something that a phone showed about itself, as it came.
#[derive(Clone, Copy, Debug)]
pub enum Seen<'a> {
    /// DHCP option 60, octets as received (text, text with a trailing NUL, or Poly's binary RFC 3925 form).
    Option60(&'a [u8]),
    /// DHCP option 12, octets as received.
    Option12(&'a [u8]),
    /// DHCP option 55, the codes in order.
    Option55(&'a [u8]),
    /// DHCP option 61, octets as received, type octet included.
    Option61(&'a [u8]),
    /// DHCP option 124 or 125, octets as received.
    Option125(&'a [u8]),
    /// HTTP User-Agent.
    UserAgent(&'a str),
    /// User-Agent of a SIP REGISTER.
    Register(&'a str),
    /// The Event header of a multicast SUBSCRIBE for a profile (SIP PnP): `ua-profile;…;vendor="…";model="…"`.
    SipPnp(&'a str),
    /// The name of a file asked for, as normalized by the resolver.
    FileName(&'a str),
    /// The hardware address itself.
    Prefix(Mac),
}

/// A file of a family that a name fits.
#[derive(Clone, Copy, Debug)]
pub struct FileMatch<'a> {
    /// The family.
    pub family: &'a Family,
    /// The file.
    pub file: &'a FileRule,
    /// The MAC in the name.
    pub mac: Option<Mac>,
    /// The model that this name gives away.
    pub model: Option<&'a Model>,
}

/// Why a template gave no bytes.
#[derive(Clone, Debug, thiserror::Error)]
pub enum RenderError {
    /// The template asks for something that is not there, or is broken.
    #[error("{template}:{line}: {text}")]
    Template {
        /// `family/file`.
        template: String,
        /// Line from 1; 0 if unknown.
        line: usize,
        /// What the engine said.
        text: String,
    },
    /// There is no such file: the rule has no template, it is of the other protocol, or a value that it needs is not set.
    #[error("{file} is not rendered: {text}")]
    Absent {
        /// `family/file`, the file as its rule names it.
        file: String,
        /// Why.
        text: String,
    },
    /// A value that this format can't carry, such as a line break in an ini value.
    #[error("{template}: {text}")]
    Value {
        /// `family/file`.
        template: String,
        /// Which and why.
        text: String,
    },
}

/// All families: the shipped ones, overridden file by file by the operator's.
#[derive(Debug)]
pub struct Catalog {
    /// By name, so that every list of them is in the same order.
    families: Vec<Family>,
    /// One for each family.
    recognizers: Vec<Recognizer>,
    names: Names,
    spellings: Spellings,
    prefixes: Prefixes,
    templates: Templates,
    clients: Vec<(Lazy, String)>,
}

impl Catalog {
    /// Loads the shipped families and, over them, those of `overrides` (which may be absent).
    ///
    /// A family with problems is left out unless its shipped form is whole; every problem is told.
    #[must_use]
    pub fn load(overrides: Option<&Path>) -> (Self, Vec<Problem>) {
        let (shipped, mut problems) = (load::shipped(), Vec::new());
        let own = overrides.map(|path| load::overrides(path, &mut problems)).unwrap_or_default();
        let names: BTreeSet<&String> = shipped.folders.keys().chain(own.folders.keys()).collect();
        let mut catalog = Self {
            families: Vec::new(),
            recognizers: Vec::new(),
            names: Names::default(),
            spellings: Spellings::default(),
            prefixes: Prefixes::default(),
            templates: Templates::new(Vec::new()),
            clients: clients(&shipped, &own, &mut problems),
        };
        let names: Vec<&String> = names.into_iter().collect();
        let mut read = families(&names, (&shipped, &own), &mut problems);
        read.sort_by_key(|(name, (parsed, _))| {
            (parsed.after.as_ref().unwrap_or(name).clone(), parsed.after.is_some())
        });
        let mut templates = Vec::new();
        for (name, (parsed, folder)) in read {
            templates.extend(templates_of(&parsed.family, &folder));
            let written = |folder: Option<&Folder>| Some(folder?.get(PROFILE)?.path.clone());
            let operators = written(own.folders.get(name))
                .is_some_and(|path| written(Some(&folder)) == Some(path));
            catalog.names.add(&parsed.family, parsed.patterns, operators);
            catalog.recognizers.push(parsed.recognizer);
            catalog.families.push(parsed.family);
        }
        catalog.spellings = Spellings::new(&catalog.families);
        catalog.prefixes = Prefixes::new(&catalog.families);
        catalog.templates = Templates::new(templates);
        (catalog, problems)
    }

    /// Families by name; one that is to come after another one does.
    pub fn families(&self) -> impl Iterator<Item = &Family> {
        self.families.iter()
    }

    /// A family by name.
    #[must_use]
    pub fn family(&self, name: &str) -> Option<&Family> {
        self.families.iter().find(|family| family.name.as_str() == name)
    }

    /// The families that a name stands for: one family, all of a vendor, or a group of the vendor's. Case does not count.
    #[must_use]
    pub fn expand(&self, family_or_vendor: &str) -> Vec<&Family> {
        let is = |name: &str| name.eq_ignore_ascii_case(family_or_vendor);
        if let Some(family) = self.families.iter().find(|family| is(family.name.as_str())) {
            return vec![family];
        }
        let called =
            |family: &&Family| is(&family.vendor) || family.also.iter().any(|name| is(name));
        self.families.iter().filter(called).collect()
    }

    /// Every file that a wire name fits, best first. The name has no leading slash and only forward slashes.
    #[must_use]
    pub fn resolve(&self, name: &str) -> Vec<FileMatch<'_>> {
        self.names.find(&self.families, name).into_iter().map(|found| found.file).collect()
    }

    /// What [`Self::resolve`] and [`Self::recognize`] make of a wire name, looked up once for both.
    #[must_use]
    pub fn understand(&self, name: &str, at: Timestamp) -> (Vec<FileMatch<'_>>, Option<Ground>) {
        let found = self.names.find(&self.families, name);
        (found.iter().map(|found| found.file).collect(), self.named(name, found, at))
    }

    /// A model in any usual spelling (`CP-7961G-GE`, `7961g`, `VVX 401`, `SIP-T46S`), same products under one name.
    #[must_use]
    pub fn model(&self, spelling: &str) -> Option<(&Family, &Model)> {
        let (place, name) = self.spellings.find(spelling).first()?;
        let family = &self.families[*place];
        Some((family, family.models.get(name)?))
    }

    /// The maker of a model that no family knows, where all models whose names begin so are one maker's (`GXP2171`), or
    /// the maker's name stands in front.
    #[must_use]
    pub fn maker_of(&self, spelling: &str) -> Option<&str> {
        self.spellings.maker(&self.families, spelling)
    }

    /// The models whose names come nearest to a spelling that no family knows, the nearest first; at most three.
    #[must_use]
    pub fn near(&self, spelling: &str) -> Vec<&str> {
        self.spellings.near(&self.families, spelling)
    }

    /// True if both spell the same product (7961 = 7961G; 7961G-GE is another). Unknown spellings compare as text.
    #[must_use]
    pub fn same_product(&self, one: &str, other: &str) -> bool {
        let (first, second) = (self.spellings.find(one), self.spellings.find(other));
        if first.is_empty() && second.is_empty() {
            return self.spellings.key(one) == self.spellings.key(other);
        }
        // Two families may know one spelling: a product that runs either one's firmware.
        first.iter().any(|place| second.contains(place))
    }

    /// The models that ask for a file of this name, one of which its sender must be; empty where the name tells nothing.
    #[must_use]
    pub fn askers(&self, name: &str) -> Vec<(&Family, &Model)> {
        let mut askers = Vec::new();
        for found in self.names.find(&self.families, name) {
            let family = &self.families[found.place];
            askers.extend(found.askers.into_iter().map(|model| (family, model)));
        }
        askers
    }

    /// What one piece of evidence tells; `None` if it tells nothing.
    ///
    /// A file name that several vendors ask for gives its MAC and no vendor: the prefix is a piece of evidence of its
    /// own, [`Seen::Prefix`].
    #[must_use]
    pub fn recognize(&self, seen: &Seen<'_>, at: Timestamp) -> Option<Ground> {
        self.ground(seen, at)
    }

    /// What a client is, if it is known not to be a phone ("Windows", "PXE boot ROM" …).
    #[must_use]
    pub fn not_a_phone(&self, seen: &Seen<'_>) -> Option<&str> {
        let Seen::Option60(octets) = seen else { return None };
        let text = printable(octets);
        let client = self.clients.iter().find(|(regex, _)| regex.is_match(&text))?;
        Some(&client.1)
    }

    /// Renders a file's template and merges `set` into it. The result is well-formed in the family's format.
    ///
    /// Beside `values` the template sees `part` and `line_count` of the model among them, and `zone`, the family's
    /// own name of their time zone: empty, 0 and empty where there is none.
    ///
    /// # Errors
    ///
    /// [`RenderError`].
    pub fn render(
        &self,
        family: &Family,
        file: &FileRule,
        values: &Value,
    ) -> Result<Vec<u8>, RenderError> {
        let absent = |text: &str| RenderError::Absent {
            file: format!("{}/{}", family.name, file.name),
            text: text.to_owned(),
        };
        let template = file.template.as_ref().ok_or_else(|| absent("it has no template"))?;
        // What is looked at here is not what the template reads.
        let plain = Reads::unwatched(values);
        let get = |name: &str| plain.get_attr(name).unwrap_or_default();
        let protocol = get("protocol").as_str().and_then(Speaks::from_name);
        if !file.read_by(protocol) {
            return Err(absent("this phone speaks the other protocol"));
        }
        if let Some(missing) = file.needs.iter().find(|name| !get(name).is_true()) {
            return Err(absent(&format!("`{missing}` is not set")));
        }
        let model = get("model");
        let model = model.as_str().and_then(|name| self.member(family, name));
        let offset = template::number(&get("gmt_offset")).unwrap_or_default();
        let zone = family
            .time_zone(get("time_zone").as_str().unwrap_or_default(), offset)
            .unwrap_or_default();
        let inner = Reads::rewatch(values, template::with_family(&plain, model, zone));
        let name = format!("{}/{template}", family.name);
        let text = self.templates.render(&name, file.format, &inner)?;
        let text = merged(&name, text, file, &get("set"))?;
        Ok(encode::encode(text, file.encode))
    }

    /// Renders a text that is no family's template, such as an operator's `NAME.j2`, in the format of `NAME`.
    ///
    /// # Errors
    ///
    /// [`RenderError`], in which `name` stands for the template.
    pub fn render_text(
        &self,
        name: &str,
        text: &str,
        format: Format,
        values: &Value,
    ) -> Result<Vec<u8>, RenderError> {
        self.templates.render_text(name, text, format, values).map(String::into_bytes)
    }

    /// Renders an operator's text in the place of a family's file: in its format, with `set` merged into it.
    ///
    /// # Errors
    ///
    /// [`RenderError`], in which `name` stands for the template.
    pub fn render_instead(
        &self,
        name: &str,
        text: &str,
        file: &FileRule,
        values: &Value,
    ) -> Result<Vec<u8>, RenderError> {
        let text = self.templates.render_text(name, text, file.format, values)?;
        let set = Reads::unwatched(values).get_attr("set").unwrap_or_default();
        Ok(encode::encode(merged(name, text, file, &set)?, file.encode))
    }

    /// A family's own model in any usual spelling.
    #[must_use]
    pub fn member<'a>(&self, family: &'a Family, spelling: &str) -> Option<&'a Model> {
        let place = self.families.iter().position(|other| other.name == family.name)?;
        family.models.get(self.spellings.of_family(place, spelling)?)
    }
}

/// A rendered file with what is merged last, where it takes such values.
fn merged(name: &str, text: String, file: &FileRule, set: &Value) -> Result<String, RenderError> {
    match &file.extra {
        Some(form) => template::with_extra(name, text, (form, file.format), set),
        None => Ok(text),
    }
}

/// Reads families, half of them on a thread of its own. What is told of them is in their order all the same.
fn families<'n>(
    names: &[&'n String],
    (shipped, own): (&Tree, &Tree),
    problems: &mut Vec<Problem>,
) -> Vec<(&'n String, (Parsed, Folder))> {
    let read = |names: &[&'n String]| {
        let mut problems = Vec::new();
        let one = |name: &&'n String| Some((*name, family(name, shipped, own, &mut problems)?));
        let families: Vec<_> = names.iter().filter_map(one).collect();
        (families, problems)
    };
    let (first, second) = names.split_at(names.len() / 2);
    let ((mut all, mut told), (more, more_told)) = thread::scope(|scope| {
        let beside = thread::Builder::new().spawn_scoped(scope, || read(second));
        let first = read(first);
        let second = match beside {
            Ok(beside) => beside.join().unwrap_or_else(|panic| resume_unwind(panic)),
            Err(_) => read(second),
        };
        (first, second)
    });
    all.extend(more);
    told.extend(more_told);
    problems.append(&mut told);
    all
}

/// The operator's form of a family over the shipped one, or the shipped one where that does not hold together.
fn family(
    name: &str,
    shipped: &Tree,
    own: &Tree,
    problems: &mut Vec<Problem>,
) -> Option<(Parsed, Folder)> {
    let (under, over) = (shipped.folders.get(name), own.folders.get(name));
    let folder = match (under, over) {
        (Some(under), Some(over)) => load::overlay(under, over),
        (under, over) => under.or(over)?.clone(),
    };
    if let (false, Some(source)) = (folder.contains_key(PROFILE), folder.values().next()) {
        let path = Path::new(&source.path).parent().unwrap_or(Path::new("")).display().to_string();
        let near =
            shipped.folders.keys().min_by_key(|known| strsim::damerau_levenshtein(known, name));
        let text = format!("there is no {PROFILE}, and no shipped family is called {name}");
        let help = near.map_or_else(String::new, |near| {
            format!("did you mean `{near}`? A new family needs its own")
        });
        problems.push(Problem::error(path, None, text).help(help));
        return None;
    }
    let parsed = parse::family(name, &folder, problems);
    if let (None, Some(under), Some(_)) = (&parsed, under, over) {
        return Some((parse::family(name, under, problems)?, under.clone()));
    }
    Some((parsed?, folder))
}

/// A family's templates with the format that each is written in; a part of another follows the family.
fn templates_of(family: &Family, folder: &Folder) -> Vec<(String, String, Format)> {
    let format = |name: &String| {
        let mut files = family.files.iter().filter(|file| file.template.as_ref() == Some(name));
        files.next().map_or(family.format, |file| file.format)
    };
    let templates = folder.iter().filter(|(name, _)| name.as_str() != PROFILE);
    let named = templates.map(|(name, source)| {
        (format!("{}/{name}", family.name), source.text.clone(), format(name))
    });
    named.collect()
}

fn clients(shipped: &Tree, own: &Tree, problems: &mut Vec<Problem>) -> Vec<(Lazy, String)> {
    let source = own.files.get(NOT_A_PHONE).or_else(|| shipped.files.get(NOT_A_PHONE));
    source.map(|source| parse::clients(source, problems)).unwrap_or_default()
}

#[cfg(test)]
mod tests;
