//! What one piece of evidence says about its sender.

use regex::Regex;

use crate::domain::{Ground, Identity, Mac, Origin, Role, Timestamp, printable};

use super::{Catalog, Family, Seen, names::Found, poly_class};

/// The most of a text that is held against expressions: longer ones are nobody's, and cost time.
const MAX_TEXT: usize = 512;

/// How the members of one family are recognized.
#[derive(Debug, Default)]
pub(super) struct Recognizer {
    pub(super) option_60: Vec<Regex>,
    pub(super) option_12: Vec<Regex>,
    pub(super) user_agent: Vec<Regex>,
    pub(super) option_55: Vec<Vec<u8>>,
    /// Enterprise number of a binary vendor class.
    pub(super) enterprise: Option<u32>,
}

/// What one family makes of a piece of evidence.
#[derive(Clone, Debug, Default)]
struct Claim {
    /// Place of the family.
    place: usize,
    /// How sure it is.
    rank: Rank,
    model: Option<String>,
    firmware: Option<String>,
    mac: Option<Mac>,
}

/// How sure a family is of its own, weakest first.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
enum Rank {
    /// It is one of the vendor's, or one of ours without a model.
    #[default]
    Vendor,
    /// It names a model that this family does not know.
    Stranger,
    /// It is a member of this family.
    Family,
    /// It is this model of ours, by name.
    Model,
    /// It is this model of ours, by part number.
    Part,
}

impl Catalog {
    pub(super) fn ground(&self, seen: &Seen<'_>, at: Timestamp) -> Option<Ground> {
        let (from, value, claims) = match seen {
            Seen::Option60(octets) => match poly_class::decode(octets) {
                Some(class) => {
                    (Origin::Option60, printable(class.text().as_bytes()), self.by_class(&class))
                }
                None => (
                    Origin::Option60,
                    printable(octets),
                    self.by_text(octets, |family| &family.option_60),
                ),
            },
            Seen::Option125(octets) => {
                let class = poly_class::decode(octets)?;
                (Origin::Option125, printable(class.text().as_bytes()), self.by_class(&class))
            }
            Seen::Option12(octets) => (
                Origin::Option12,
                printable(octets),
                self.by_text(octets, |family| &family.option_12),
            ),
            Seen::UserAgent(text) => {
                let claims = self.by_text(text.as_bytes(), |family| &family.user_agent);
                (Origin::UserAgent, printable(text.as_bytes()), claims)
            }
            Seen::Option55(codes) => {
                let text = codes.iter().map(u8::to_string).collect::<Vec<_>>().join(",");
                (Origin::Option55, printable(text.as_bytes()), self.by_options(codes))
            }
            Seen::FileName(name) => {
                (Origin::FileName, printable(name.as_bytes()), self.by_name(name))
            }
            Seen::Prefix(mac) => {
                (Origin::Prefix, mac.to_string()[..8].to_owned(), self.by_prefix(*mac))
            }
            Seen::Option61(octets) => {
                let mac = client_mac(octets)?;
                return Some(Ground {
                    mac: Some(mac),
                    ..bare(Origin::Option61, mac.to_string(), at)
                });
            }
        };
        let ground = self.weigh(claims, bare(from, value, at));
        let tells = ground.vendor.is_some() || ground.model.is_some() || ground.mac.is_some();
        tells.then_some(ground)
    }

    /// Joins what the families claim: the surest ones count, and what they do not agree on is not said.
    fn weigh(&self, mut claims: Vec<Claim>, mut ground: Ground) -> Ground {
        let best = claims.iter().map(|claim| claim.rank).max().unwrap_or_default();
        claims.retain(|claim| claim.rank == best);
        let families: Vec<&Family> =
            claims.iter().map(|claim| &self.families[claim.place]).collect();
        let Some(first) = families.first() else { return ground };
        if families.iter().all(|family| family.vendor == first.vendor) {
            ground.vendor = Some(first.vendor.clone());
            ground.model = agreed(claims.iter().map(|claim| claim.model.as_deref()));
            if best >= Rank::Family && families.iter().all(|family| family.name == first.name) {
                ground.family = Some(first.name.clone());
            }
        }
        ground.firmware = claims.iter().find_map(|claim| claim.firmware.clone());
        ground.mac = claims.iter().find_map(|claim| claim.mac);
        ground
    }

    /// Claims of the families one of whose expressions a text fits; the first that fits speaks for its family.
    fn by_text(&self, octets: &[u8], which: impl Fn(&Recognizer) -> &Vec<Regex>) -> Vec<Claim> {
        let octets = octets.strip_suffix(&[0]).unwrap_or(octets);
        if octets.len() > MAX_TEXT {
            return Vec::new();
        }
        let text = String::from_utf8_lossy(octets);
        let mut claims = Vec::new();
        for (place, recognizer) in self.recognizers.iter().enumerate() {
            let Some(captures) = which(recognizer).iter().find_map(|regex| regex.captures(&text))
            else {
                continue;
            };
            let group = |name| captures.name(name).map(|found| found.as_str());
            let (rank, model) = match group("model") {
                Some(model) => self.own_name(place, model),
                None if captures.name("vendor").is_some() => (Rank::Vendor, None),
                None => (Rank::Family, None),
            };
            let firmware = group("fw").map(|text| printable(text.as_bytes()));
            let mac = group("mac").or_else(|| group("sn")).and_then(|mac| mac.parse().ok());
            claims.push(Claim { place, rank, model, firmware, mac });
        }
        claims
    }

    /// Claims of the families with Poly's enterprise number. The part number beats the model's name, because it is
    /// what firmware goes by.
    fn by_class(&self, class: &poly_class::Class<'_>) -> Vec<Claim> {
        let firmware = class.firmware().map(|text| printable(text.as_bytes()));
        let claim = |place: usize| {
            let part = class.part_number();
            let mut models = self.families[place].models.values();
            let by_part =
                models.find(|model| !part.is_empty() && model.part.as_deref() == Some(part));
            let (rank, model) = match by_part {
                Some(model) => (Rank::Part, Some(model.name.clone())),
                None if class.short_model().is_empty() => (Rank::Vendor, None),
                None => self.own_name(place, class.short_model()),
            };
            Claim { place, rank, model, firmware: firmware.clone(), mac: None }
        };
        let numbered = self.recognizers.iter().enumerate();
        let ours =
            numbered.filter(|(_, recognizer)| recognizer.enterprise == Some(poly_class::NUMBER));
        ours.map(|(place, _)| claim(place)).collect()
    }

    fn by_options(&self, codes: &[u8]) -> Vec<Claim> {
        let asked = |(_, recognizer): &(usize, &Recognizer)| {
            recognizer.option_55.iter().any(|list| list == codes)
        };
        let families = self.recognizers.iter().enumerate().filter(asked);
        families.map(|(place, _)| Claim { place, ..Claim::default() }).collect()
    }

    fn by_prefix(&self, mac: Mac) -> Vec<Claim> {
        let prefix = mac.prefix();
        let families = self.families.iter().enumerate();
        let ours = families.filter(|(_, family)| family.prefixes.contains(&prefix));
        ours.map(|(place, _)| Claim { place, ..Claim::default() }).collect()
    }

    fn by_name(&self, name: &str) -> Vec<Claim> {
        let claim = |found: Found<'_>| {
            // Families share the names of loads and of extras far beyond what their profiles list.
            let shared = matches!(found.file.file.role, Role::Firmware | Role::Extra);
            let rank = match (found.file.model, found.stranger, shared) {
                (Some(_), ..) => Rank::Model,
                (None, true, _) => Rank::Stranger,
                (None, false, true) => Rank::Vendor,
                (None, false, false) => Rank::Family,
            };
            let model = found.file.model.map(|model| model.name.clone());
            Claim { place: found.place, rank, model, firmware: None, mac: found.file.mac }
        };
        self.names.find(&self.families, name).into_iter().map(claim).collect()
    }

    /// The model as the phone itself words it: a file name tells its number and no more (`term06` is a 7906, `term41`
    /// a 7941 of either kind), and a User-Agent may tell more than the catalog's name (a T58A is a T58).
    #[must_use]
    pub fn worded(&self, identity: &Identity) -> Option<String> {
        let Some(model) = identity.model.as_deref() else {
            let name = identity.grounds.iter().find(|ground| ground.from == Origin::FileName)?;
            let found = self.names.find(&self.families, &name.value);
            return found.first().and_then(|found| found.file.file.series.clone());
        };
        let family = identity.family.as_ref().and_then(|name| self.family(name.as_str()));
        let member = family.and_then(|family| family.models.get(model));
        if let Some(number) = member.and_then(|member| member.number.clone()) {
            return Some(number);
        }
        let mut speakers = identity.grounds.iter().filter(|ground| ground.model.is_some());
        let speaker = speakers.next()?;
        let worded = if speaker.from != Origin::FileName {
            // `SIP-T58A`, `VP530P`: what stands in front of the name is decoration.
            let mut tokens = speaker.value.split([' ', ',', ';', '/']);
            tokens.find_map(|token| token.find(model).map(|place| &token[place..]))
        } else if speakers.next().is_none() {
            let known = self.model(model);
            let aliases = known.iter().flat_map(|(_, known)| &known.aliases);
            let is_number = |alias: &&str| {
                alias.bytes().all(|byte| byte.is_ascii_digit()) && model.starts_with(alias)
            };
            let mut aliases = aliases.map(String::as_str);
            // A name with a blank is in no file's name: `EdgeE350-….cfg` spells it by an alias.
            let last = speaker.value.rsplit('/').next().unwrap_or_default();
            let is_spelt = |alias: &&str| {
                let head = last.get(..alias.len());
                model.contains(' ') && head.is_some_and(|head| head.eq_ignore_ascii_case(alias))
            };
            aliases.clone().find(is_spelt).or_else(|| aliases.find(is_number))
        } else {
            None
        };
        let known = |worded: &&str| self.same_product(worded, model);
        Some(worded.filter(known).unwrap_or(model).to_owned())
    }

    /// What a family makes of a model's name: its own name for it, or the name as it came.
    fn own_name(&self, place: usize, spelling: &str) -> (Rank, Option<String>) {
        let known = self.spellings.find(spelling).iter().find(|(family, _)| *family == place);
        match known {
            Some((_, name)) => (Rank::Model, Some(name.clone())),
            None => (Rank::Stranger, Some(printable(spelling.as_bytes()))),
        }
    }
}

const fn bare(from: Origin, value: String, at: Timestamp) -> Ground {
    Ground { from, value, vendor: None, family: None, model: None, firmware: None, mac: None, at }
}

/// What all say that say anything; nothing where two differ.
fn agreed<'a>(said: impl Iterator<Item = Option<&'a str>>) -> Option<String> {
    let mut said = said.flatten();
    let first = said.next()?;
    said.all(|other| other == first).then(|| first.to_owned())
}

/// The MAC in a client identifier of hardware type 1 (RFC 2132 §9.14).
fn client_mac(octets: &[u8]) -> Option<Mac> {
    let [1, rest @ ..] = octets else { return None };
    Mac::new(rest.try_into().ok()?).ok()
}
