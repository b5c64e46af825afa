//! Classes and options for sites that keep their own DHCP server, from what the profiles say of each family.
//!
//! [`Plan`] says which clients get what; each server's file writes that down in its own language. The bytes on the wire
//! are those that ringup itself would send, so a phone can't tell who answered.

mod dnsmasq;
mod ios;
mod isc;
mod kea;
mod mikrotik;
#[cfg(test)]
mod tests;
mod windows;

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    net::{IpAddr, Ipv4Addr},
};

use crate::{
    config::Settings,
    profile::{Catalog, Family, Form, Opening},
};

use super::{
    bootstrap::{Told, agreed_rule, likely, registrars, server_content},
    elsewhere::agreed,
    values::http_base,
};

/// A DHCP server that others make.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Server {
    /// ISC Kea 2.x.
    Kea,
    /// ISC dhcpd 4.x.
    Isc,
    /// dnsmasq 2.8x.
    Dnsmasq,
    /// Windows Server, as `PowerShell`.
    Windows,
    /// Cisco IOS and IOS XE.
    Ios,
    /// `RouterOS` 7.
    Mikrotik,
}

/// Who gets what.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    classes: Vec<Class>,
    /// For clients that no class knows: harmless for any phone.
    fallback: Vec<Answer>,
    /// How option 60 of what is no phone begins.
    others: Vec<Opening>,
    /// What whoever copies this should know.
    notes: Vec<String>,
}

/// Clients that are told by option 60 and get the same answers.
#[derive(Clone, Debug, PartialEq)]
struct Class {
    /// Lower-case letters, digits and dashes; unique.
    name: String,
    /// Families in it, by name.
    families: Vec<String>,
    /// Any of these makes a client one of them.
    tests: Vec<Test>,
    answers: Vec<Answer>,
}

/// One way to tell a member.
#[derive(Clone, Debug, PartialEq)]
struct Test {
    opening: Opening,
    /// Longer beginnings that belong to somebody else.
    except: Vec<Opening>,
}

/// One option of an answer.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Answer {
    code: u8,
    value: Value,
}

/// What an option holds.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Value {
    /// Never empty.
    Addresses(Vec<Ipv4Addr>),
    /// Printable ASCII only.
    Text(String),
    /// Anything else, such as sub-options inside option 43.
    Octets(Vec<u8>),
}

impl Plan {
    /// Plans for some families. `servers` are the addresses that phones reach ringup at, best first, never empty.
    ///
    /// A family that `for.FAMILY` sends elsewhere is sent there.
    #[must_use]
    pub fn new(
        catalog: &Catalog,
        settings: &Settings,
        families: &[&Family],
        servers: &[Ipv4Addr],
    ) -> Self {
        let mut notes = Vec::new();
        let mut groups: BTreeMap<Vec<Answer>, Vec<&Family>> = BTreeMap::new();
        for family in families {
            let answers = answers(settings, &[family], servers, &mut notes);
            if answers.is_empty() {
                notes.push(format!("{}: its profile asks nothing of DHCP", family.name));
            } else {
                groups.entry(answers).or_default().push(family);
            }
        }
        let mut groups: Vec<_> = groups.into_iter().collect();
        let owners = owners(catalog, settings, servers, &mut groups, &mut notes);
        let tests = tests(&owners, groups.len());
        let mut classes: Vec<Class> = Vec::new();
        for ((answers, families), tests) in groups.into_iter().zip(tests) {
            if tests.is_empty() {
                continue;
            }
            let name = name(&families, &classes);
            let families = families.iter().map(|family| printable(family.name.as_str())).collect();
            classes.push(Class { name, families, tests, answers });
        }
        // Where the first match counts, the one that says most has to be asked first.
        classes.sort_by_key(|class| std::cmp::Reverse(class.longest()));
        let others = kept(&catalog.other_openings());
        let fallback = server_content(None, &told(settings, servers, &base(settings, servers)));
        let fallback = fallback.into_iter().map(|(code, bytes)| Answer::new(None, code, bytes));
        Self { classes, fallback: fallback.collect(), others, notes }
    }

    /// The plan in a server's own language, ready to paste.
    #[must_use]
    pub fn write(&self, server: Server) -> String {
        match server {
            Server::Kea => kea::write(self),
            Server::Isc => isc::write(self),
            Server::Dnsmasq => dnsmasq::write(self),
            Server::Windows => windows::write(self),
            Server::Ios => ios::write(self),
            Server::Mikrotik => mikrotik::write(self),
        }
    }

    /// Every option of the plan, each code once, with a value that shows its form.
    fn codes(&self) -> BTreeMap<u8, &Value> {
        let classes = self.classes.iter().flat_map(|class| &class.answers);
        classes.chain(&self.fallback).map(|answer| (answer.code, &answer.value)).collect()
    }

    /// The head of each snippet, every line behind `mark`.
    fn head(&self, mark: &str, how: &[&str]) -> String {
        let mut head = String::new();
        let notes = self.notes.iter().map(|note| format!("Note: {note}"));
        let lines = how.iter().map(|line| (*line).to_owned()).chain(notes);
        for line in lines {
            let _ = writeln!(head, "{mark} {}", printable(&line));
        }
        head
    }
}

impl Class {
    fn longest(&self) -> usize {
        self.tests.iter().map(|test| test.opening.octets.len()).max().unwrap_or_default()
    }

    /// What the class is for, on one line.
    fn purpose(&self) -> String {
        format!("{}: {}", self.families.join(", "), gets(&self.answers))
    }
}

impl Answer {
    fn new(family: Option<&Family>, code: u8, bytes: Vec<u8>) -> Self {
        let rules = family.map(|family| &family.dhcp.servers[..]).unwrap_or_default();
        let rule = rules.iter().find(|rule| rule.code == code && rule.sub.is_none());
        let addresses = match (family, rule) {
            (Some(_), Some(rule)) => rule.form == Form::Addresses,
            (Some(_), None) => false,
            (None, _) => code == 150,
        };
        let plain = bytes.iter().all(|byte| (b' '..=b'~').contains(byte));
        let value = match bytes.as_chunks::<4>() {
            (four, []) if addresses => {
                Value::Addresses(four.iter().map(|four| Ipv4Addr::from(*four)).collect())
            }
            _ if plain && code != 43 => Value::Text(String::from_utf8_lossy(&bytes).into_owned()),
            _ => Value::Octets(bytes),
        };
        Self { code, value }
    }
}

impl Value {
    fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Addresses(addresses) => addresses.iter().flat_map(Ipv4Addr::octets).collect(),
            Self::Text(text) => text.clone().into_bytes(),
            Self::Octets(octets) => octets.clone(),
        }
    }

    /// The value for a reader of comments.
    fn shown(&self) -> String {
        match self {
            Self::Addresses(addresses) => list(addresses, ", "),
            Self::Text(text) => text.clone(),
            Self::Octets(octets) => sub_options(octets),
        }
    }
}

/// What the options of a family say, or of several that a client may be of, as ringup itself would send them; nothing
/// where the families differ.
fn answers(
    settings: &Settings,
    families: &[&Family],
    servers: &[Ipv4Addr],
    notes: &mut Vec<String>,
) -> Vec<Answer> {
    let (Some(rule), Some(family)) = (agreed_rule(families), families.first()) else {
        return Vec::new();
    };
    let all = settings.dhcp.subnets.iter();
    let mut others = all.filter_map(|subnet| Some(&agreed(families, subnet)?.servers));
    let elsewhere = others.next();
    if let (Some(first), [_]) = (elsewhere, families) {
        let differ = others.any(|other| other != first);
        let more = if differ { "; other subnets name others" } else { "" };
        notes.push(format!("{}: `for` sends it to {}{more}", family.name, list(first, ", ")));
    }
    let http = match elsewhere.and_then(|servers| servers.first()) {
        // Another server's ports are its own business.
        Some(other) => format!("http://{other}"),
        None => base(settings, servers),
    };
    let servers = elsewhere.map_or(servers, Vec::as_slice);
    let content = server_content(Some(rule), &told(settings, servers, &http));
    content.into_iter().map(|(code, bytes)| Answer::new(Some(family), code, bytes)).collect()
}

/// Values for all sites at once: the call servers are those of the default one, and VLANs are a matter of subnets.
fn told<'a>(settings: &Settings, servers: &'a [Ipv4Addr], http: &'a str) -> Told<'a> {
    Told { servers, http, registrars: registrars(settings, "default"), vlan: String::new() }
}

fn base(settings: &Settings, servers: &[Ipv4Addr]) -> String {
    let first = servers.first().copied().unwrap_or(Ipv4Addr::UNSPECIFIED);
    http_base(settings, IpAddr::V4(first))
}

/// Which group each beginning is of. One that groups share tells its sender's maker at most: it is of a group that gets what
/// ringup sends to a phone of that maker; where that is the fallback, it is nobody's.
fn owners<'c>(
    catalog: &'c Catalog,
    settings: &Settings,
    servers: &[Ipv4Addr],
    groups: &mut Vec<(Vec<Answer>, Vec<&'c Family>)>,
    notes: &mut Vec<String>,
) -> BTreeMap<Opening, Option<usize>> {
    let mut claims: BTreeMap<Opening, Vec<(usize, &str)>> = BTreeMap::new();
    for (place, (_, families)) in groups.iter().enumerate() {
        for family in families {
            let openings = catalog.openings(family);
            if openings.is_empty() {
                notes.push(format!(
                    "{}: nothing in option 60 tells it, so it gets what unknown clients get",
                    family.name
                ));
            }
            for opening in openings {
                claims.entry(opening).or_default().push((place, &family.vendor));
            }
        }
    }
    let in_use = groups.len();
    let mut owner = |claims: &[(usize, &str)]| {
        let (place, vendor) = *claims.first()?;
        if claims.iter().all(|(other, _)| *other == place) {
            return Some(place);
        }
        let alone = claims.iter().all(|(_, other)| *other == vendor);
        let families = if alone { likely(catalog, vendor) } else { Vec::new() };
        let answers = answers(settings, &families, servers, &mut Vec::new());
        // A group of its own, though others get the same: where the first match counts, it has to be asked last.
        let known = groups[in_use..].iter().position(|(other, _)| *other == answers);
        known.map(|place| in_use + place).or_else(|| {
            (!answers.is_empty()).then(|| groups.push((answers, families)))?;
            Some(groups.len() - 1)
        })
    };
    claims.into_iter().map(|(opening, claims)| (opening, owner(&claims))).collect()
}

/// What tells the members of each of so many groups.
fn tests(owners: &BTreeMap<Opening, Option<usize>>, groups: usize) -> Vec<Vec<Test>> {
    // The nearest shorter beginning that covers one; what it gives already need not be said again.
    let nearest = |opening: &Opening| {
        let shorter = owners.iter().filter(|(other, _)| *other != opening && other.covers(opening));
        shorter.max_by_key(|(other, _)| other.octets.len()).and_then(|(_, owner)| *owner)
    };
    let told: Vec<(&Opening, Option<usize>)> = owners
        .iter()
        .filter(|(opening, owner)| nearest(opening) != **owner)
        .map(|(opening, owner)| (opening, *owner))
        .collect();
    let test = |opening: &Opening, place| {
        let inner = told.iter().filter(|(other, owner)| {
            *owner != Some(place) && *other != opening && opening.covers(other)
        });
        let except = inner.map(|(other, _)| (*other).clone()).collect();
        Test { opening: opening.clone(), except }
    };
    let of = |place| {
        let own = told.iter().filter(move |(_, owner)| *owner == Some(place));
        own.map(|(opening, _)| test(opening, place)).collect()
    };
    (0..groups).map(of).collect()
}

/// Beginnings without those that another one covers.
fn kept(openings: &[Opening]) -> Vec<Opening> {
    let covered = |one: &Opening| openings.iter().any(|other| other != one && other.covers(one));
    openings.iter().filter(|one| !covered(one)).cloned().collect()
}

/// A name for a group: its only family's, else what the names of its families begin with.
fn name(families: &[&Family], taken: &[Class]) -> String {
    let mut names = families.iter().map(|family| family.name.as_str());
    let first = names.next().unwrap_or_default();
    let parts: Vec<&str> = first.split('-').collect();
    let common = names.fold(parts.len(), |common, name| {
        common.min(name.split('-').zip(&parts).take_while(|(one, other)| one == *other).count())
    });
    let shared = parts[..common].join("-");
    let is_taken = |name: &str| taken.iter().any(|class| class.name == name);
    let free = |name: &String| !name.is_empty() && !is_taken(name);
    let names = [shared, first.to_owned()].map(|name| slug(&name));
    names.into_iter().find(free).unwrap_or_else(|| format!("group-{}", taken.len() + 1))
}

/// A name that is a word in every language: an operator's folder may be called anything.
fn slug(name: &str) -> String {
    let letter = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    name.chars().map(letter).collect()
}

/// Text that stays on its line of a comment.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn gets(answers: &[Answer]) -> String {
    let all = answers.iter().map(|answer| format!("{} = {}", answer.code, answer.value.shown()));
    printable(&all.collect::<Vec<_>>().join(" and "))
}

/// Option 43 with sub-options for a reader: `2 = http://…`.
fn sub_options(octets: &[u8]) -> String {
    let (mut rest, mut parts) = (octets, Vec::new());
    while let [code, length, tail @ ..] = rest {
        let Some((value, after)) = tail.split_at_checked(usize::from(*length)) else { break };
        parts.push(format!("sub-option {code} = {}", String::from_utf8_lossy(value)));
        rest = after;
    }
    if rest.is_empty() { parts.join(", ") } else { hex(octets, "") }
}

/// How an opening is written, for servers that mind case: as it is, in capitals, and with a capital.
fn spellings(opening: &Opening) -> Vec<Vec<u8>> {
    let mut all = vec![opening.octets.clone()];
    if opening.any_case {
        let mut capital = opening.octets.clone();
        capital.iter_mut().take(1).for_each(u8::make_ascii_uppercase);
        all.extend([opening.octets.to_ascii_uppercase(), capital]);
        all.dedup();
    }
    all
}

fn list<T: ToString>(items: &[T], between: &str) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(between)
}

fn hex(octets: &[u8], between: &str) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect::<Vec<_>>().join(between)
}
