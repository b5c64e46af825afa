//! Who takes part in a storm: a mix of families, or the models of a list.

use std::{fmt, str::FromStr};

use super::{
    super::{
        Habit, MAKES, Make, Subject, Way,
        make::{Boot, Class},
    },
    Loss, Phone,
    pace::Dice,
};
use crate::{domain::Mac, profile::Catalog};

/// Shares of families.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Mix(Vec<(String, u32)>);

impl Mix {
    /// The makes that a name stands for: a vendor, a family or a model. A vendor's are those that speak SIP: Skinny
    /// phones at a site with a SIP registrar would get nothing, so they take part only by name.
    fn makes(name: &str) -> Vec<&'static Make> {
        let vendor =
            |make: &&Make| make.family.split('-').next() == Some(name) && !speaks_skinny(make);
        let by = |make: &&Make| make.family == name || make.model.eq_ignore_ascii_case(name);
        MAKES.iter().filter(|make| vendor(make) || by(make)).collect()
    }
}

impl Default for Mix {
    /// Every make that speaks SIP alike.
    fn default() -> Self {
        Self(
            MAKES
                .iter()
                .filter(|make| !speaks_skinny(make))
                .map(|make| (make.model.to_owned(), 1))
                .collect(),
        )
    }
}

impl FromStr for Mix {
    type Err = String;

    /// `cisco=60,poly=30,yealink=10`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let shares = text.split(',').map(|part| {
            let (name, share) = part.trim().split_once('=').unwrap_or((part.trim(), "1"));
            let share: u32 = share
                .parse()
                .map_err(|_| format!("`{share}` is no share: a number, as in {name}=30"))?;
            if Self::makes(name).is_empty() {
                return Err(format!("no simulated phone is a `{name}`: there are {}", known()));
            }
            Ok((name.to_owned(), share))
        });
        let shares: Vec<(String, u32)> = shares.collect::<Result<_, _>>()?;
        if shares.iter().all(|(_, share)| *share == 0) {
            return Err("all shares are 0".to_owned());
        }
        Ok(Self(shares))
    }
}

const fn speaks_skinny(make: &Make) -> bool {
    matches!(make.boot, Boot::CiscoLegacy | Boot::Cisco7960Skinny)
}

/// Vendors and families that can be simulated.
fn known() -> String {
    let vendors = MAKES.iter().filter_map(|make| make.family.split('-').next());
    let mut names: Vec<&str> = vendors.chain(MAKES.iter().map(|make| make.family)).collect();
    names.sort_unstable();
    names.dedup();
    names.join(", ")
}

/// What goes wrong on purpose.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Faults {
    /// Datagrams lost each way.
    pub loss: Loss,
    /// How many phones in a hundred lose their power once, early in their boot.
    pub cut: u8,
    /// How many phones in a hundred never acknowledge a block.
    pub deaf: u8,
}

impl FromStr for Faults {
    type Err = String;

    /// `loss=1.5,cut=5,deaf=2`, in percent.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut faults = Self::default();
        for part in text.split(',') {
            let (name, value) = part.trim().split_once('=').unwrap_or((part.trim(), ""));
            let percent: f64 = value.parse().unwrap_or(f64::NAN);
            if !(0.0..=100.0).contains(&percent) {
                return Err(format!("`{part}`: a fault and percent of it, such as loss=1.5"));
            }
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "between 0 and 1000, as checked above"
            )]
            let tenths = (percent * 10.0).round() as u16;
            let whole = u8::try_from(tenths / 10).unwrap_or(100);
            match name {
                "loss" => faults.loss = Loss(tenths),
                "cut" => faults.cut = whole,
                "deaf" => faults.deaf = whole,
                _ => return Err(format!("no fault is called `{name}`: there are loss, cut, deaf")),
            }
        }
        Ok(faults)
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { loss: Loss(loss), cut, deaf } = self;
        write!(f, "loss={}.{},cut={cut},deaf={deaf}", loss / 10, loss % 10)
    }
}

/// So many phones of a mix, in an order that the seed decides.
#[must_use]
pub fn mixed(mix: &Mix, count: u32, faults: Faults, seed: u64) -> Vec<Phone> {
    let mut dice = Dice(seed);
    let total: u64 = mix.0.iter().map(|(_, share)| u64::from(*share)).sum();
    let phone = |number: u32| {
        let mut draw = dice.below(total);
        let drawn = mix.0.iter().find(|(_, share)| {
            let hit = draw < u64::from(*share);
            draw = draw.saturating_sub(u64::from(*share));
            hit
        });
        let makes = Mix::makes(drawn.map_or("", |(name, _)| name));
        let number_of_make = usize::try_from(dice.below(u64::try_from(makes.len()).ok()?)).ok()?;
        let make = *makes.get(number_of_make)?;
        // Out of the way of the first ones of a block, which other tools make up.
        let mac = make.mac(0x10_0000 + number)?;
        Some(spoil(mac, make, String::new(), faults, &mut dice))
    };
    (0..count).filter_map(phone).collect()
}

fn spoil(mac: Mac, make: &'static Make, number: String, faults: Faults, dice: &mut Dice) -> Phone {
    let spoilt = dice.below(100) < u64::from(faults.deaf);
    let cut = dice.below(100) < u64::from(faults.cut);
    let habit = if spoilt { Habit::NeverAcknowledges } else { Habit::Healthy };
    Phone {
        subject: Subject { mac, make, habit, way: Way::Station },
        number,
        once: false,
        cut,
        spoilt,
    }
}

/// A phone as a list has it; `None` for a model whose boot can't be simulated.
#[must_use]
pub fn like(catalog: &Catalog, mac: Mac, model: &str, number: &str) -> Option<Phone> {
    let make = make_of(catalog, model)?;
    let phone = spoil(mac, make, number.to_owned(), Faults::default(), &mut Dice(0));
    Some(Phone { once: true, ..phone })
}

/// The make of a listed model: one that is known whole, or its family's with what the catalog knows of the model.
fn make_of(catalog: &Catalog, spelling: &str) -> Option<&'static Make> {
    let (family, model) = catalog.model(spelling)?;
    let exact = MAKES.iter().find(|make| catalog.same_product(make.model, &model.name));
    if let Some(make) = exact.filter(|make| make.family == family.name.as_str()) {
        return Some(make);
    }
    let part = || model.part.clone().unwrap_or_default();
    let text = |text: String| Class::Text(leak(text));
    let cisco = || text(format!("Cisco Systems, Inc. IP Phone CP-{}\0", model.name));
    let (template, boot, class) = match family.name.as_str() {
        "cisco-legacy-sccp" => ("7935", Boot::CiscoLegacy, text("Cisco Systems, Inc.".to_owned())),
        "cisco-7940-7960" => ("7960G", Boot::Cisco7960Sip, cisco()),
        "cisco-79xx-enterprise" => {
            ("7961G", Boot::CiscoXml { http_first: false, locale: "mk-sip.jar" }, cisco())
        }
        "cisco-78xx-88xx-enterprise" | "cisco-69xx-89xx-99xx-enterprise" => {
            ("7942G", Boot::CiscoXml { http_first: true, locale: "sp-sip.jar" }, cisco())
        }
        "poly-soundpoint" | "poly-vvx" => {
            let class = text(format!("Polycom-{}", model.name.replace(' ', "")));
            ("SoundPoint IP 670", Boot::Poly { part: leak(part()) }, class)
        }
        "yealink-desk" => {
            ("T46S", Boot::Yealink { code: leak(part()) }, text("yealink".to_owned()))
        }
        _ => return None,
    };
    let template = Make::of(template)?;
    // Kept for as long as the process runs: as many as a list has models, and the catalog has only so many.
    Some(Box::leak(Box::new(Make {
        family: leak(family.name.to_string()),
        model: leak(model.name.clone()),
        prefix: template.prefix,
        class,
        host: template.host,
        asks: template.asks,
        agent: leak(template.agent.replace(template.model, &model.name)),
        load: "",
        boot,
    })))
}

fn leak(text: String) -> &'static str {
    Box::leak(text.into_boxed_str())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn a_mix_is_as_asked() {
        let mix: Mix = "cisco=60, poly=30,yealink=10".parse().unwrap();
        let phones = mixed(&mix, 5000, Faults::default(), 1);
        let mut shares: BTreeMap<&str, u32> = BTreeMap::new();
        let mut macs: Vec<Mac> = phones.iter().map(|phone| phone.subject.mac).collect();
        for phone in &phones {
            *shares.entry(phone.subject.make.family.split('-').next().unwrap()).or_default() += 1;
        }
        macs.sort_unstable();
        macs.dedup();
        assert_eq!(macs.len(), 5000, "each phone has a MAC of its own");
        assert!((2850..3150).contains(&shares["cisco"]), "{shares:?}");
        assert!((1350..1650).contains(&shares["poly"]), "{shares:?}");
        assert!((400..600).contains(&shares["yealink"]), "{shares:?}");
        let again = mixed(&mix, 5000, Faults::default(), 1);
        let models =
            |phones: &[Phone]| phones.iter().map(|p| p.subject.make.model).collect::<Vec<_>>();
        assert_eq!(models(&phones), models(&again));
    }

    #[test]
    fn what_a_mix_may_say() {
        let check =
            |text: &str, expected: Result<usize, &str>| match (text.parse::<Mix>(), expected) {
                (Ok(mix), Ok(parts)) => assert_eq!(mix.0.len(), parts, "{text}"),
                (Err(told), Err(words)) => assert!(told.contains(words), "{text}: {told}"),
                (got, _) => panic!("{text}: {got:?}"),
            };
        check("poly-vvx", Ok(1));
        check("7961G=1,t54w=2", Ok(2));
        check("avaya=3", Err("there are cisco, cisco-7940-7960,"));
        check("cisco=many", Err("no share"));
        check("cisco=0", Err("all shares are 0"));
        check("", Err("no simulated phone"));
    }

    #[test]
    fn faults() {
        let check = |text: &str, expected: &str| {
            let told = text.parse::<Faults>();
            assert_eq!(told.as_ref().map_or_else(String::clone, Faults::to_string), expected);
        };
        check("loss=1.5,cut=5", "loss=1.5,cut=5,deaf=0");
        check("deaf=100", "loss=0.0,cut=0,deaf=100");
        check("loss=101", "`loss=101`: a fault and percent of it, such as loss=1.5");
        check("fire=3", "no fault is called `fire`: there are loss, cut, deaf");
        let faults: Faults = "deaf=20,cut=10".parse().unwrap();
        let phones = mixed(&Mix::default(), 1000, faults, 3);
        let spoilt = phones.iter().filter(|phone| phone.spoilt).count();
        let cut = phones.iter().filter(|phone| phone.cut).count();
        assert!((160..240).contains(&spoilt) && (70..130).contains(&cut), "{spoilt} {cut}");
    }

    #[test]
    fn listed_models() {
        let (catalog, _) = Catalog::load(None);
        let mac = Mac::new([0x80, 0x5e, 0xc0, 1, 2, 3]).unwrap();
        let check = |model: &str, expected: Option<(&str, &str)>| {
            let phone = like(&catalog, mac, model, "4012");
            let make = phone.as_ref().map(|phone| phone.subject.make);
            assert_eq!(make.map(|make| (make.family, make.model)), expected, "{model}");
        };
        check("T46S", Some(("yealink-desk", "T46S")));
        check("T48S", Some(("yealink-desk", "T48S")));
        check("CP-8841", Some(("cisco-78xx-88xx-enterprise", "8841")));
        check("VVX 411", Some(("poly-vvx", "VVX 411")));
        check("GXP2160", None);
        check("no such thing", None);
        let phone = like(&catalog, mac, "T48S", "4012").unwrap();
        assert_eq!(phone.subject.make.boot, Boot::Yealink { code: "65" });
        assert!(phone.subject.make.agent.contains("T48S"));
    }
}
