//! `ringup phones set`.

use hyper::Method;
use serde_json::{Value, json};

use crate::{
    cli::output,
    domain::{MAX_LINES, Mac},
    profile::Catalog,
    provision::inventory::unknown_model,
};

use super::{
    super::{
        client::Client,
        exit::{Done, Exit, Failure},
    },
    mac, oddities, place,
};

/// Options of `ringup phones set`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    ringup phones set 001E7AC41022 model=7961G number=4012 name='Front desk'\n  \
    ringup phones set 001E7AC41022 site=paris key.1=blf:4013:Anna\n  \
    ringup phones set 001E7AC41022 note=      clears a field\n\n\
    Fields are the columns of an import: model, number, name, sip-user, sip-password, site, location, address, note, \
    key.N, module.M.key.N, line.N.number …, set.KEY, var.NAME.")]
pub struct Set {
    /// The phone, in any spelling. One that is not listed yet is listed.
    #[arg(value_parser = mac)]
    mac: Mac,
    /// Fields to set; the others stay as they are.
    #[arg(required = true, value_name = "FIELD=VALUE", value_parser = field)]
    fields: Vec<(String, String)>,
}

fn field(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("a field and its value, such as number=4012".to_owned()),
    }
}

impl Set {
    /// Runs it.
    pub fn run(&self, client: &Client, catalog: &Catalog) -> Done {
        let mut entry = match client.json(&place(self.mac)) {
            Ok(mut phone) => phone.get_mut("entry").map_or(Value::Null, Value::take),
            // Neither listed nor seen: it is listed now.
            Err(failure) if failure.exit == Exit::NoInput => Value::Null,
            Err(failure) => return Err(failure),
        };
        if !entry.is_object() {
            entry = json!({});
        }
        for (key, value) in &self.fields {
            apply(&mut entry, key, value).map_err(|text| Failure::new(Exit::Usage, text))?;
        }
        // Secrets came masked and go back masked, which leaves them as they are.
        client.exchange(Method::PUT, &place(self.mac), &entry)?;
        output::line(&format!("{} is set", self.mac))?;
        let models = self.fields.iter().filter(|(key, value)| key == "model" && !value.is_empty());
        for (_, model) in models.filter(|(_, model)| catalog.model(model).is_none()) {
            let help = unknown_model(catalog, model);
            output::note(&format!("no profile knows the model {model}: {help}"));
        }
        oddities(client, &self.mac.to_string())?.iter().for_each(|odd| output::note(odd));
        Ok(Exit::Ok)
    }
}

/// Sets one column of an import in an entry's JSON; an empty value clears it.
fn apply(entry: &mut Value, column: &str, value: &str) -> Result<(), String> {
    let parts: Vec<&str> = column.split('.').collect();
    match parts.as_slice() {
        ["model" | "site" | "location" | "address" | "note"] => put(entry, column, value),
        ["number" | "name" | "sip-user" | "sip-password"] => {
            put(entry, column, value);
            // Where there are several lines, the first of them says it too.
            if let Some(first) = entry.pointer_mut("/lines/0") {
                put(first, column, value);
            }
        }
        ["line", index, field @ ("number" | "name" | "sip-user" | "sip-password")] => {
            let index = index.parse::<usize>().ok().filter(|index| (1..=MAX_LINES).contains(index));
            let index =
                index.ok_or_else(|| format!("`{column}`: lines count from 1 to {MAX_LINES}"))?;
            line(entry, index, field, value)?;
        }
        ["key", position] => put(&mut entry["keys"], position, value),
        ["module", module, "key", position] => {
            put(&mut entry["module-keys"], &format!("{module}.{position}"), value);
        }
        ["set", ..] => put(&mut entry["set"], &column["set.".len()..], value),
        ["var", ..] => put(&mut entry["var"], &column["var.".len()..], value),
        _ => return Err(unknown(column)),
    }
    Ok(())
}

/// Sets or removes a key of an object, making the object if need be.
fn put(object: &mut Value, key: &str, value: &str) {
    if !object.is_object() {
        *object = json!({});
    }
    let Value::Object(map) = object else { return };
    if value.is_empty() {
        map.remove(key);
    } else {
        map.insert(key.to_owned(), Value::String(value.to_owned()));
    }
}

/// Sets a field of a line; a new line comes right behind the last.
fn line(entry: &mut Value, index: usize, field: &str, value: &str) -> Result<(), String> {
    if index == 1 {
        return apply(entry, field, value);
    }
    if !entry["lines"].is_array() {
        let mut first = json!({});
        for key in ["number", "name", "sip-user", "sip-password"] {
            if let Some(value) = entry.get(key).and_then(Value::as_str) {
                put(&mut first, key, value);
            }
        }
        entry["lines"] = json!([first]);
    }
    let Some(lines) = entry["lines"].as_array_mut() else { return Ok(()) };
    if index > lines.len() + 1 {
        return Err(format!("line {index} would leave a gap: the phone has {}", lines.len()));
    }
    if index == lines.len() + 1 {
        lines.push(json!({}));
    }
    put(&mut lines[index - 1], field, value);
    Ok(())
}

fn unknown(column: &str) -> String {
    let known = [
        "model",
        "number",
        "name",
        "sip-user",
        "sip-password",
        "site",
        "location",
        "address",
        "note",
    ];
    let near = known.iter().min_by_key(|name| strsim::damerau_levenshtein(column, name));
    let near = near.filter(|name| strsim::damerau_levenshtein(column, name) <= 2);
    let hint = near.map_or_else(
        || "`ringup phones set --help` lists them".to_owned(),
        |n| format!("did you mean `{n}`?"),
    );
    format!("no field is called `{column}`\n  help: {hint}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Applies `FIELD=VALUE …` to an entry and compares what becomes of it.
    #[expect(clippy::needless_pass_by_value, reason = "cases are written as values")]
    fn check(before: Value, fields: &str, after: Value) {
        let mut entry = before;
        for pair in fields.split(' ') {
            let (key, value) = field(pair).unwrap();
            apply(&mut entry, &key, &value).unwrap();
        }
        assert_eq!(entry, after, "{fields}");
    }

    #[test]
    fn fields() {
        check(json!({}), "model=7961G number=4012", json!({"model": "7961G", "number": "4012"}));
        check(json!({"note": "x", "site": "a"}), "note= site=b", json!({"site": "b"}));
        check(
            json!({}),
            "key.1=line:2 module.1.key.3=blf:4013:Anna",
            json!({"keys": {"1": "line:2"}, "module-keys": {"1.3": "blf:4013:Anna"}}),
        );
        check(
            json!({}),
            "set.voice.x.y=1 var.room=12",
            json!({"set": {"voice.x.y": "1"}, "var": {"room": "12"}}),
        );
        check(
            json!({"number": "1", "sip-password": "••••"}),
            "line.2.number=2",
            json!({"number": "1", "sip-password": "••••", "lines": [{"number": "1", "sip-password": "••••"}, {"number": "2"}]}),
        );
        check(
            json!({"number": "1", "lines": [{"number": "1"}, {"number": "2"}]}),
            "number=9",
            json!({"number": "9", "lines": [{"number": "9"}, {"number": "2"}]}),
        );
    }

    #[test]
    fn what_is_no_field() {
        let refuse =
            |key: &str, text: &str| assert_eq!(apply(&mut json!({}), key, "1").unwrap_err(), text);
        refuse("modell", "no field is called `modell`\n  help: did you mean `model`?");
        refuse(
            "colour",
            "no field is called `colour`\n  help: `ringup phones set --help` lists them",
        );
        refuse("line.3.number", "line 3 would leave a gap: the phone has 1");
        refuse("line.0.number", "`line.0.number`: lines count from 1 to 48");
    }
}
