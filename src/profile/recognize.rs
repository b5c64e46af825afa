//! What one piece of evidence says about its sender.

use crate::domain::{Ground, Identity, Mac, Origin, Role, Timestamp, printable};

use super::{Block, Catalog, Family, Seen, lazy::Lazy, names::Found, poly_class, tr111};

/// The most of a text that is held against expressions: longer ones are nobody's, and cost time.
const MAX_TEXT: usize = 512;

/// How the members of one family are recognized.
#[derive(Debug, Default)]
pub(super) struct Recognizer {
    pub(super) option_60: Vec<Expression>,
    pub(super) option_12: Vec<Expression>,
    pub(super) user_agent: Vec<Expression>,
    pub(super) option_55: Vec<Vec<u8>>,
    /// Enterprise number of a binary vendor class.
    pub(super) enterprise: Option<u32>,
    /// The first number of its firmware's version tells which models it is for.
    pub(super) firmware_tells: bool,
}

/// What a text of a family looks like.
///
/// Its groups are read by name: `model`, `fw` (firmware), `boot` (version of the boot loader that speaks), `mac`, `sn`
/// (a serial number that is the MAC), `vendor` (no more than the vendor is told).
#[derive(Debug)]
pub(super) struct Expression {
    pub(super) regex: Lazy,
    /// The name on the box, where it is not the family's vendor.
    pub(super) brand: Option<String>,
}

/// What one family makes of a piece of evidence.
#[derive(Clone, Debug, Default)]
struct Claim {
    /// Place of the family.
    place: usize,
    /// The name on the box, where it is not the family's vendor.
    brand: Option<String>,
    /// It was the boot loader that spoke.
    boots: bool,
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

/// Octets before the content of an enterprise: its number and the length (RFC 3925 §3).
const ENTERPRISE_HEAD: usize = 5;

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
                let (value, claims) = self.by_vendor_data(octets)?;
                (Origin::Option125, value, claims)
            }
            Seen::Option12(octets) => {
                let claims = self.by_text(octets, |family| &family.option_12);
                if claims.is_empty() {
                    let mac = self.mac_in(octets)?;
                    return Some(Ground {
                        mac: Some(mac),
                        ..bare(Origin::Option12, printable(octets), at)
                    });
                }
                (Origin::Option12, printable(octets), claims)
            }
            Seen::UserAgent(text) | Seen::Register(text) => {
                let claims = self.by_text(text.as_bytes(), |family| &family.user_agent);
                let from = match seen {
                    Seen::Register(_) => Origin::Register,
                    _ if claims.iter().any(|claim| claim.boots) => Origin::Updater,
                    _ => Origin::UserAgent,
                };
                (from, printable(text.as_bytes()), claims)
            }
            Seen::SipPnp(event) => {
                (Origin::SipPnp, printable(event.as_bytes()), self.by_event(event))
            }
            Seen::Option55(codes) => {
                let text = codes.iter().map(u8::to_string).collect::<Vec<_>>().join(",");
                (Origin::Option55, printable(text.as_bytes()), self.by_options(codes))
            }
            Seen::FileName(name) => {
                return self.named(name, self.names.find(&self.families, name), at);
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
        self.weigh(claims, bare(from, value, at))
    }

    /// What a file's name tells, with the rules that it fits.
    pub(super) fn named(&self, name: &str, found: Vec<Found<'_>>, at: Timestamp) -> Option<Ground> {
        let claims = self.by_name(name, found);
        self.weigh(claims, bare(Origin::FileName, printable(name.as_bytes()), at))
    }

    /// Joins what the families claim: the surest ones count, and what they do not agree on is not said. `None` if that
    /// leaves nothing.
    fn weigh(&self, mut claims: Vec<Claim>, mut ground: Ground) -> Option<Ground> {
        let best = claims.iter().map(|claim| claim.rank).max().unwrap_or_default();
        claims.retain(|claim| claim.rank == best);
        let families: Vec<&Family> =
            claims.iter().map(|claim| &self.families[claim.place]).collect();
        let first = families.first()?;
        let vendors = claims.iter().zip(&families);
        let mut vendors =
            vendors.map(|(claim, family)| claim.brand.as_ref().unwrap_or(&family.vendor));
        let vendor = vendors.next().filter(|vendor| vendors.all(|other| other == *vendor));
        if let Some(vendor) = vendor {
            ground.vendor = Some(vendor.clone());
            ground.model = agreed(claims.iter().map(|claim| claim.model.as_deref()));
            if best >= Rank::Family && families.iter().all(|family| family.name == first.name) {
                ground.family = Some(first.name.clone());
            }
        }
        ground.firmware = claims.iter().find_map(|claim| claim.firmware.clone());
        ground.mac = claims.iter().find_map(|claim| claim.mac);
        let tells = ground.vendor.is_some() || ground.model.is_some() || ground.mac.is_some();
        tells.then_some(ground)
    }

    /// Claims of the families one of whose expressions a text fits; the first that fits speaks for its family.
    fn by_text(
        &self,
        octets: &[u8],
        which: impl Fn(&Recognizer) -> &Vec<Expression>,
    ) -> Vec<Claim> {
        let octets = octets.strip_suffix(&[0]).unwrap_or(octets);
        if octets.len() > MAX_TEXT {
            return Vec::new();
        }
        let text = String::from_utf8_lossy(octets);
        let mut claims = Vec::new();
        for (place, recognizer) in self.recognizers.iter().enumerate() {
            let mut fitting = which(recognizer)
                .iter()
                .filter_map(|one| Some((one.regex.captures(&text)?, one.brand.clone())));
            let Some((captures, brand)) = fitting.next() else { continue };
            let group = |name| captures.name(name).map(|found| found.as_str());
            let (rank, model) = match group("model") {
                Some(model) => self.own_name(place, model),
                None if captures.name("vendor").is_some() => (Rank::Vendor, None),
                None => (Rank::Family, None),
            };
            let told = || self.told_by_firmware(place, group("fw")?);
            let (rank, model) = match model {
                None => told().map_or((rank, None), |model| (Rank::Model, Some(model))),
                model => (rank, model),
            };
            let firmware = group("fw").map(version);
            let mac = group("mac").or_else(|| group("sn")).and_then(|mac| mac.parse().ok());
            let boots = captures.name("boot").is_some();
            claims.push(Claim { place, brand, boots, rank, model, firmware, mac });
        }
        claims
    }

    /// The MAC at the end of a word of a host name, if it lies in a block of some family: other hosts have names with
    /// digits too.
    fn mac_in(&self, octets: &[u8]) -> Option<Mac> {
        let text = std::str::from_utf8(octets).ok().filter(|text| text.len() <= MAX_TEXT)?;
        let words = text.split(|letter: char| !letter.is_ascii_alphanumeric());
        let ends = words.filter_map(|word| word.split_at_checked(word.len().checked_sub(12)?));
        let alone = |(rest, _): &(&str, &str)| rest.bytes().all(|byte| byte.is_ascii_alphabetic());
        let mut macs = ends.filter(alone).filter_map(|(_, end)| end.parse::<Mac>().ok());
        macs.find(|mac| self.prefixes.holding(&self.families, *mac).next().is_some())
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
            Claim { place, rank, model, firmware: firmware.clone(), ..Claim::default() }
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
        let mut ours: Vec<_> = self.prefixes.holding(&self.families, mac).collect();
        // A vendor's part of another one's prefix: the smallest block knows best.
        let smallest = ours.iter().map(|(_, block)| block.size()).min();
        ours.retain(|(_, block)| Some(block.size()) == smallest);
        ours.dedup_by_key(|(place, _)| *place);
        let claim = |(place, block): (usize, &Block)| {
            let rank = if block.model.is_some() { Rank::Model } else { Rank::Vendor };
            let (brand, model) = (block.brand.clone(), block.model.clone());
            Claim { place, brand, rank, model, ..Claim::default() }
        };
        ours.into_iter().map(claim).collect()
    }

    /// Claims by what option 124 or 125 carries: Poly's class, a device's own description (TR-111), or an enterprise
    /// number that a family is known by.
    /// Of several enterprises (RFC 3925 §3) the first that a family is known by counts, else the first.
    fn by_vendor_data(&self, octets: &[u8]) -> Option<(String, Vec<Claim>)> {
        let mut rest = octets;
        let blocks = std::iter::from_fn(|| {
            let block = Some(rest).filter(|rest| rest.len() > ENTERPRISE_HEAD)?;
            // One whose length is wrong is the last, and read as far as it goes.
            let length = usize::from(block[ENTERPRISE_HEAD - 1]);
            rest = rest.get(ENTERPRISE_HEAD + length..).unwrap_or_default();
            Some(block)
        });
        let mut told = blocks.filter_map(|block| self.by_vendor_block(block));
        let first = told.next().or_else(|| self.by_vendor_block(octets))?;
        let is_known = |(_, claims): &(String, Vec<Claim>)| !claims.is_empty();
        if is_known(&first) { Some(first) } else { told.find(is_known).or(Some(first)) }
    }

    fn by_vendor_block(&self, octets: &[u8]) -> Option<(String, Vec<Claim>)> {
        if let Some(class) = poly_class::decode(octets) {
            return Some((printable(class.text().as_bytes()), self.by_class(&class)));
        }
        if let Some(device) = tr111::decode(octets) {
            return Some((printable(device.text().as_bytes()), self.by_device(&device)));
        }
        let (number, rest) = octets.split_first_chunk()?;
        let number = u32::from_be_bytes(*number);
        let value = format!("{number}: {}", printable(rest.get(1..).unwrap_or_default()));
        let numbered = self.recognizers.iter().enumerate();
        let ours = numbered.filter(|(_, recognizer)| recognizer.enterprise == Some(number));
        Some((value, ours.map(|(place, _)| Claim { place, ..Claim::default() }).collect()))
    }

    /// Claims of the families that have the device's prefix, with their word for its product class.
    fn by_device(&self, device: &tr111::Device<'_>) -> Vec<Claim> {
        let Some(mac) = device.prefix() else { return Vec::new() };
        let families = self.families.iter().enumerate();
        let ours = families.filter_map(|(place, family)| Some((place, family.block(mac)?)));
        let claim = |(place, block): (usize, &Block)| {
            let (rank, model) = match device.class {
                "" => (Rank::Vendor, None),
                class => self.own_name(place, class),
            };
            Claim { place, brand: block.brand.clone(), rank, model, ..Claim::default() }
        };
        ours.map(claim).collect()
    }

    /// Claims of the families of the vendor that an Event header names.
    fn by_event(&self, event: &str) -> Vec<Claim> {
        if event.len() > MAX_TEXT {
            return Vec::new();
        }
        let part = |wanted: &str| {
            let mut parts = event.split(';').filter_map(|part| part.trim().split_once('='));
            let (_, value) = parts.find(|(name, _)| name.trim().eq_ignore_ascii_case(wanted))?;
            Some(value.trim().trim_matches('"')).filter(|value| !value.is_empty())
        };
        let Some(vendor) = part("vendor") else { return Vec::new() };
        let firmware = part("version").map(|text| printable(text.as_bytes()));
        let claim = |(place, family): (usize, &Family)| {
            let is = |name: &String| name.eq_ignore_ascii_case(vendor);
            let brand = family.also.iter().find(|name| is(name)).cloned();
            if brand.is_none() && !is(&family.vendor) {
                return None;
            }
            let (rank, model) =
                part("model").map_or((Rank::Vendor, None), |model| self.own_name(place, model));
            Some(Claim {
                place,
                brand,
                rank,
                model,
                firmware: firmware.clone(),
                ..Claim::default()
            })
        };
        self.families.iter().enumerate().filter_map(claim).collect()
    }

    fn by_name(&self, name: &str, mut found: Vec<Found<'_>>) -> Vec<Claim> {
        // Of the rules that fit, those that say most of the name: Digium/000000000000.cfg is not Poly's.
        let anything = |found: &Found<'_>| {
            let of_model = found.file.file.name.contains("{model}");
            found.stranger && of_model && found.called.is_none()
        };
        found.retain(|found| !anything(found));
        let most = found.iter().map(|found| (found.folders, found.fixed)).max();
        found.retain(|found| Some((found.folders, found.fixed)) == most);
        let claim = |found: Found<'_>| {
            // Families share the names of loads and of extras far beyond what their profiles list.
            let shared = matches!(found.file.file.role, Role::Firmware | Role::Extra);
            let rank = match (found.file.model, found.stranger, shared) {
                (Some(_), ..) => Rank::Model,
                (None, true, _) => Rank::Stranger,
                (None, false, true) => Rank::Vendor,
                (None, false, false) => Rank::Family,
            };
            let firmware = |load: &str| self.told_by_firmware(found.place, load);
            let told = load_in(name).filter(|_| shared).and_then(firmware);
            let rank = if told.is_some() { Rank::Model } else { rank };
            let called = || found.called.as_ref().map(|called| printable(called.as_bytes()));
            let model = found.file.model.map(|model| model.name.clone()).or(told).or_else(called);
            let (place, brand) = (found.place, found.file.file.brand.clone());
            Claim { place, brand, rank, model, mac: found.file.mac, ..Claim::default() }
        };
        found.into_iter().map(claim).collect()
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

    /// False if this firmware is for other models than this one; `None` where nothing tells.
    #[must_use]
    pub fn runs(&self, model: &str, firmware: &str) -> Option<bool> {
        let (family, model) = self.model(model)?;
        let place = self.families.iter().position(|one| one.name == family.name)?;
        let load = model.load.as_deref().filter(|_| self.recognizers[place].firmware_tells)?;
        Some(first_number(firmware)? == load)
    }

    /// The one model of a family that a firmware is for.
    fn told_by_firmware(&self, place: usize, firmware: &str) -> Option<String> {
        let number = first_number(firmware).filter(|_| self.recognizers[place].firmware_tells)?;
        let models = self.families[place].models.values();
        let mut models = models.filter(|model| model.load.as_deref() == Some(number));
        let only = models.next().filter(|_| models.next().is_none())?;
        Some(only.name.clone())
    }

    /// What a family makes of a model's name: its own name for it, or the name as it came.
    fn own_name(&self, place: usize, spelling: &str) -> (Rank, Option<String>) {
        match self.spellings.of_family(place, spelling) {
            Some(name) => (Rank::Model, Some(name.to_owned())),
            None => (Rank::Stranger, Some(printable(spelling.as_bytes()))),
        }
    }
}

const fn bare(from: Origin, value: String, at: Timestamp) -> Ground {
    Ground { from, value, vendor: None, family: None, model: None, firmware: None, mac: None, at }
}

/// A version as people write it: where dots could not stand (`digium_D40_1_0_5_46476`), they are put back.
fn version(text: &str) -> String {
    let text = printable(text.as_bytes());
    if text.contains('.') { text } else { text.replace('_', ".") }
}

/// The version in the name of a firmware file: what stands between its last hyphen and its extension.
fn load_in(name: &str) -> Option<&str> {
    let (stem, _) = name.rsplit_once('.')?;
    stem.rsplit(['-', '_', '/']).next()
}

/// The first number of a version with several.
fn first_number(version: &str) -> Option<&str> {
    let (number, _) = version.split_once('.')?;
    number.bytes().all(|digit| digit.is_ascii_digit()).then_some(number)
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

#[cfg(test)]
mod tests;
