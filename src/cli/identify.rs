//! `ringup identify`: what a phone is, by what it showed.

use std::{
    borrow::Cow,
    io::{self, BufRead},
    path::Path,
};

use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};

use crate::{
    domain::{Ground, Identity, Mac, Timestamp, conclude},
    profile::{Catalog, Seen},
    provision::{group_in, is_mac_key, mac_in},
};

use super::{
    exit::{Done, Exit, Failure},
    output,
    phones::mac,
    settings,
};

/// Options of `ringup identify`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    ringup identify --option-60 'Cisco Systems, Inc. IP Phone CP-7961G'\n  \
    ringup identify --user-agent 'Yealink SIP-T46U 108.86.0.20 00:15:65:aa:bb:cc' --json\n  \
    ringup identify --batch < cases.jsonl\n\n\
    A line of a batch is a JSON object with any of option_60, option_12, file_name, http_path, user_agent and mac, as \
    received; every line is answered by one line.")]
#[group(required = true, multiple = true)]
pub struct Identify {
    /// DHCP option 60, the vendor class: its text, or Poly's binary form in hexadecimal digits (0000363d…).
    #[arg(long, value_name = "TEXT")]
    option_60: Option<String>,
    /// DHCP option 12, the host name.
    #[arg(long, value_name = "TEXT")]
    option_12: Option<String>,
    /// The name of a file that it asked for by TFTP.
    #[arg(long, value_name = "NAME")]
    file_name: Option<String>,
    /// The path that it asked for by HTTP.
    #[arg(long, value_name = "PATH")]
    http_path: Option<String>,
    /// HTTP or SIP User-Agent.
    #[arg(long, value_name = "TEXT")]
    user_agent: Option<String>,
    /// Its MAC, in any spelling: the prefix is one weak vote for a vendor.
    #[arg(long, value_name = "MAC", value_parser = mac)]
    mac: Option<Mac>,
    /// Read cases from standard input, one JSON object a line; answers are JSON lines.
    #[arg(long, conflicts_with_all = ["option_60", "option_12", "file_name", "http_path", "user_agent", "mac"])]
    batch: bool,
    /// One line of JSON.
    #[arg(long)]
    json: bool,
}

/// What was seen of one phone, text as received.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Case {
    option_60: Option<String>,
    option_12: Option<String>,
    file_name: Option<String>,
    http_path: Option<String>,
    user_agent: Option<String>,
    mac: Option<String>,
}

/// What all of a case tells.
#[derive(Debug)]
struct Found {
    identity: Identity,
    /// The MAC that it carries, as digits in pairs. A group's address is told too: it names no phone, and whoever looks
    /// for the reason wants to see it.
    mac: Option<String>,
}

/// The answer in JSON; null where nothing is known.
#[derive(Debug, Default, Serialize)]
struct Answer {
    vendor: Option<String>,
    model: Option<String>,
    firmware: Option<String>,
    mac: Option<String>,
    family: Option<String>,
    grounds: Vec<GroundView>,
}

#[derive(Debug, Serialize)]
struct GroundView {
    from: &'static str,
    value: String,
}

impl Identify {
    /// Runs it.
    pub fn run(self, config: Option<&Path>) -> Done {
        let catalog = settings::sound(config)?.catalog;
        if self.batch {
            return batch(&catalog);
        }
        let case = Case {
            option_60: self.option_60,
            option_12: self.option_12,
            file_name: self.file_name,
            http_path: self.http_path,
            user_agent: self.user_agent,
            mac: self.mac.map(|mac| mac.to_string()),
        };
        let found = case.identify(&catalog, Timestamp::now());
        if self.json {
            output::line(&json(&Answer::new(&catalog, &found)))?;
        } else {
            output::line(&case.told(&catalog, &found))?;
        }
        Ok(Exit::Ok)
    }
}

/// Answers every line, in order; a line that is no case is answered with nulls, so that lines keep their partners.
fn batch(catalog: &Catalog) -> Done {
    let now = Timestamp::now();
    let mut exit = Exit::Ok;
    for (number, line) in (1_usize..).zip(io::stdin().lock().lines()) {
        let line =
            line.map_err(|error| Failure::new(Exit::Data, format!("line {number}: {error}")))?;
        if line.trim().is_empty() {
            continue;
        }
        let answer = match serde_json::from_str::<Case>(&line) {
            Ok(case) => Answer::new(catalog, &case.identify(catalog, now)),
            Err(error) => {
                output::note(&format!("line {number}: {error}"));
                exit = Exit::Data;
                Answer::default()
            }
        };
        output::line(&json(&answer))?;
    }
    Ok(exit)
}

fn json(answer: &Answer) -> String {
    // Texts and lists of them always have a JSON form.
    serde_json::to_string(answer).unwrap_or_default()
}

impl Case {
    /// What all of it together tells.
    ///
    /// The MAC is the one given, else one in the query, else the strongest ground's; its prefix is one more ground.
    fn identify(&self, catalog: &Catalog, now: Timestamp) -> Found {
        let given = self.mac.as_ref().and_then(|mac| mac.parse::<Mac>().ok());
        let (path, in_query) = self.http_path.as_deref().map(path).unwrap_or_default();
        let file = self.file_name.as_deref().map(normal);
        let class = self.option_60.as_deref().map(octets);
        let mut seen = Vec::new();
        seen.extend(class.as_deref().map(Seen::Option60));
        seen.extend(self.option_12.as_ref().map(|text| Seen::Option12(text.as_bytes())));
        seen.extend(self.user_agent.as_deref().map(Seen::UserAgent));
        let mut grounds: Vec<Ground> =
            seen.iter().filter_map(|seen| catalog.recognize(seen, now)).collect();
        for name in [file.as_deref(), Some(path.as_str())].into_iter().flatten() {
            grounds.extend(by_name(catalog, name, now));
        }
        let told = || conclude(&grounds).grounds.iter().find_map(|ground| ground.mac);
        // Sites name files as they like: 0004f2aabbcc-registration.cfg is still that phone's.
        let unknown = |name: &&str| catalog.resolve(name).is_empty();
        let asked = || [file.as_deref(), Some(path.as_str())].into_iter().flatten();
        let named = || asked().filter(unknown).find_map(mac_in);
        let mac = given.or(in_query).or_else(told).or_else(named);
        grounds.extend(mac.and_then(|mac| catalog.recognize(&Seen::Prefix(mac), now)));
        let carried = mac.map(|mac| mac.to_string()).or_else(|| asked().find_map(group_in));
        Found { identity: conclude(&grounds), mac: carried }
    }

    /// For a reader: what it is and why we think so.
    fn told(&self, catalog: &Catalog, found: &Found) -> String {
        let Found { identity, mac } = found;
        let client = self.option_60.as_ref();
        if let Some(what) =
            client.and_then(|text| catalog.not_a_phone(&Seen::Option60(text.as_bytes())))
        {
            return format!("not a phone: {what}");
        }
        if identity.grounds.is_empty() {
            return "no family recognizes this; `ringup profiles list` shows what there is"
                .to_owned();
        }
        let unknown = || "not known".to_owned();
        let or = |part: &Option<String>| part.clone().unwrap_or_else(unknown);
        let mut lines = vec![
            format!("vendor    {}", or(&identity.vendor)),
            format!("model     {}", or(&catalog.worded(identity))),
            format!("firmware  {}", or(&identity.firmware)),
            format!(
                "family    {}",
                identity.family.as_ref().map_or_else(unknown, ToString::to_string)
            ),
            format!("MAC       {}", or(mac)),
        ];
        for ground in &identity.grounds {
            let points = [&ground.vendor, &ground.model, &ground.firmware];
            let points: Vec<&str> = points.into_iter().flatten().map(String::as_str).collect();
            let (from, value) = (ground.from.as_str(), output::clean(&ground.value));
            lines.push(format!("  {from} `{value}`: {}", points.join(" ")));
        }
        if let (Some(model), Some(firmware)) = (&identity.model, &identity.firmware)
            && catalog.runs(model, firmware) == Some(false)
        {
            lines.push(format!("{firmware} is firmware of other models than the {model}"));
        }
        lines.join("\n")
    }
}

impl Answer {
    fn new(catalog: &Catalog, found: &Found) -> Self {
        let Found { identity, mac } = found;
        Self {
            vendor: identity.vendor.clone(),
            model: catalog.worded(identity),
            firmware: identity.firmware.clone(),
            mac: mac.clone(),
            family: identity.family.as_ref().map(ToString::to_string),
            grounds: identity
                .grounds
                .iter()
                .map(|ground| GroundView {
                    from: ground.from.as_str(),
                    value: ground.value.clone(),
                })
                .collect(),
        }
    }
}

/// The octets that a text of option 60 stands for: its own, or, where they begin as Poly's binary form does, those
/// behind its characters (JSON has no other way to write an octet) or its hexadecimal digits (as analyzers print them).
fn octets(text: &str) -> Cow<'_, [u8]> {
    const BINARY: [u8; 4] = [0, 0, 0x36, 0x3d];
    if text.as_bytes().starts_with(&BINARY) {
        // A character beyond one octet was none on the wire.
        let octets = text.chars().map(|octet| u8::try_from(u32::from(octet)).unwrap_or(b'?'));
        return Cow::Owned(octets.collect());
    }
    let digits: String = text.chars().filter(|digit| !matches!(digit, ':' | ' ')).collect();
    let octet = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    let octets: Option<Vec<u8>> = digits.as_bytes().chunks(2).map(octet).collect();
    match octets.filter(|octets| octets.starts_with(&BINARY)) {
        Some(octets) => Cow::Owned(octets),
        None => Cow::Borrowed(text.as_bytes()),
    }
}

/// What a name tells: whole, else its last part, because sites put folders before it.
fn by_name(catalog: &Catalog, name: &str, now: Timestamp) -> Option<Ground> {
    let last = name.rsplit('/').next().filter(|last| !last.is_empty())?;
    catalog
        .recognize(&Seen::FileName(name), now)
        .or_else(|| catalog.recognize(&Seen::FileName(last), now))
}

/// A name as the resolver looks it up: no leading slashes, only forward ones.
fn normal(name: &str) -> String {
    let parts = name.split(['/', '\\']).filter(|part| !matches!(*part, "" | "."));
    parts.collect::<Vec<_>>().join("/")
}

/// The file name in a path or URL, and the MAC in its query, which some phones put there.
fn path(text: &str) -> (String, Option<Mac>) {
    let text = text
        .split_once("://")
        .map_or(text, |(_, rest)| rest.split_once('/').map_or("", |(_, path)| path));
    let (path, query) = text.split_once('?').unwrap_or((text, ""));
    let mac = query.split('&').find_map(|pair| {
        let (key, value) = pair.split_once('=')?;
        let value = percent_decode_str(value).decode_utf8_lossy();
        is_mac_key(key).then(|| value.parse().ok()).flatten()
    });
    (normal(&percent_decode_str(path).decode_utf8_lossy()), mac)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        let check = |text: &str, name: &str, mac: Option<&str>| {
            let (found, found_mac) = path(text);
            assert_eq!(
                (found.as_str(), found_mac.map(Mac::lower).as_deref()),
                (name, mac),
                "{text}"
            );
        };
        check("/SEP001E7AC41022.cnf.xml", "SEP001E7AC41022.cnf.xml", None);
        check("//a/./b%20c.cfg", "a/b c.cfg", None);
        check("http://10.0.0.1:6970/x.cfg?mac=00:15:65:AA:BB:CC", "x.cfg", Some("001565aabbcc"));
        check("/p?a=1&MAC=001565aabbcc", "p", Some("001565aabbcc"));
        check("http://10.0.0.1", "", None);
    }
}
