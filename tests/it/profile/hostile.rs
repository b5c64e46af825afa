//! Every template of every family with values that try to be more than values.
//!
//! The same file is made twice: with harmless values, and with hostile ones in all fields. But for the values, both must
//! be the same file: no line, no element and no attribute more, and what is read from it is what was given.

use minijinja::{Value, context};
use quick_xml::{Reader, events::Event};
use ringup::profile::{Family, FileRule, Format, RenderError};

use super::{SHIPPED, everything, render, values_in};

/// Ends every value, so that a hostile part can be put in front of it.
const END: &str = "qZ";

/// What a value may try in any format.
const ANYWHERE: &str = "'><evil/></item>]]><!--&evil;&#10; evil=1;evil=1,evil|evil:evil \\ $MAC ${evil} $(reboot) `reboot` %s %d \
    {{ evil }} {% evil %} [evil] \u{2028}#evil";

/// What lines can't carry, each by itself.
const BREAKS: [&str; 5] = ["\nevil = 1\n", "\r\nevil: 1", "\revil", "\0", "\" evil=\"1"];

/// A field's value, which tells where it came from.
fn field(name: &str, hostile: &str) -> String {
    format!("Zq{name}{hostile}{END}")
}

/// Everything that an operator can ask for, with `hostile` in each text of it.
fn values(family: &Family, model: &str, speaks: &str, hostile: &str) -> Value {
    let text = |name: &str| field(name, hostile);
    let line = |index: usize| {
        context! {
            index, number => text("number"), user => text("user"), auth => text("auth"),
            password => text("password"), display => text("display"), label => text("label"),
        }
    };
    let kinds = ["line", "blf", "speed"];
    let key = |index: usize| {
        context! { index, type => kinds[index % 3], value => text("value"), line => 1 + index % 2, label => text("key") }
    };
    let keys = |count: usize| (1..=count).map(key).collect::<Vec<_>>();
    let plain = everything(model, speaks, "load-1.bin");
    context! {
        number => text("number"), name => text("name"), site => text("site"), location => text("location"),
        admin_password => text("admin"), lines => (1..=16).map(line).collect::<Vec<_>>(), keys => keys(60),
        modules => vec![context! { index => 1, keys => keys(20) }], speeds => keys(20),
        contacts => (1..=34).map(|_| context! { name => text("contact"), number => text("dial") }).collect::<Vec<_>>(),
        phonebook => family.phonebook().unwrap_or_default(), set => context! {}, ..plain
    }
}

/// What a file is without its values.
fn skeleton(format: Format, text: &str) -> Vec<String> {
    if format != Format::Xml {
        return text
            .lines()
            .map(|line| line.split("Zq").next().unwrap().replace('"', ""))
            .collect();
    }
    let mut reader = Reader::from_str(text);
    let mut parts = Vec::new();
    loop {
        let event = reader.read_event().unwrap();
        let (kind, start) = match &event {
            Event::Eof => return parts,
            Event::Text(_) | Event::GeneralRef(_) => continue,
            Event::Start(start) => ("start", Some(start)),
            Event::Empty(start) => ("empty", Some(start)),
            Event::End(_) => ("end", None),
            Event::Comment(_) => ("comment", None),
            _ => ("other", None),
        };
        let mut part = kind.to_owned();
        if let Some(start) = start {
            part += start.name().as_ref();
            for attribute in start.attributes() {
                part += " ";
                part += attribute.unwrap().key.as_ref();
            }
        }
        parts.push(part);
    }
}

/// What is wrong with one file of a family for one model.
fn wrong(
    family: &Family,
    rule: &FileRule,
    model: &str,
    speaks: &str,
    hostile: &str,
) -> Option<String> {
    let make = |hostile: &str| {
        let values = values(family, model, speaks, hostile);
        render(family.name.as_str(), &rule.name, &values)
    };
    let harmless = match make("") {
        Ok(text) => text,
        Err(RenderError::Absent { .. }) => return None,
        Err(error) => return Some(format!("harmless: {error}")),
    };
    let text = match make(hostile) {
        Ok(text) => text,
        // What can't be carried is refused whole.
        Err(RenderError::Value { .. }) => return None,
        Err(error) => return Some(error.to_string()),
    };
    let (expected, found) = (skeleton(rule.format, &harmless), skeleton(rule.format, &text));
    if let Some(at) =
        (0..expected.len().max(found.len())).find(|at| expected.get(*at) != found.get(*at))
    {
        return Some(format!("{:?} became {:?}", expected.get(at), found.get(at)));
    }
    let read = |text: &str| match rule.format {
        Format::Xml => values_in(text),
        _ => text.lines().map(str::to_owned).collect(),
    };
    let grown = |value: &String| value.replace(END, &format!("{hostile}{END}"));
    let (before, found) = (read(&harmless), read(&text));
    // Of some numbers only the last digits are written.
    let whole = |one: &String| one.contains("Zq") || !one.contains(END);
    let mut differs =
        before.iter().zip(&found).filter(|(one, _)| whole(one)).filter(|(one, other)| {
            bare(&grown(one)) != bare(other) || PARTS.iter().any(|part| more(*part, one, other))
        });
    differs.next().map(|(one, other)| format!("{one:?} became {other:?}"))
}

/// What parts a value, in the families whose values have parts; there, values lose it.
const PARTS: [char; 2] = [';', ','];

/// A value without what parts it, and without the quotes that some families write around some values.
fn bare(value: &str) -> String {
    value.chars().filter(|c| !PARTS.contains(c) && !matches!(c, '"' | ' ')).collect()
}

/// True if a value that has parts has more of them than before.
fn more(part: char, before: &str, after: &str) -> bool {
    let count = |text: &str| text.matches(part).count();
    count(before) > 0 && count(after) != count(before)
}

#[test]
fn no_value_is_more_than_a_value() {
    let mut all = Vec::new();
    for family in SHIPPED.families() {
        for rule in family.files.iter().filter(|rule| rule.template.is_some()) {
            for (at, model) in family.models.values().enumerate() {
                // How a value is written is the format's matter and not the model's: one model tells.
                let breaks = if at == 0 { &BREAKS[..] } else { &[] };
                for hostile in [&[ANYWHERE], breaks].concat() {
                    let wrong = ["sip", "sccp"]
                        .into_iter()
                        .filter_map(|speaks| wrong(family, rule, &model.name, speaks, hostile));
                    all.extend(
                        wrong.map(|it| {
                            format!("{}/{} {}: {it}", family.name, rule.name, model.name)
                        }),
                    );
                }
            }
        }
    }
    assert!(all.is_empty(), "{} wrong:\n{}", all.len(), all.join("\n"));
}
