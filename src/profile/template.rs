//! Templates of configuration files: strict about what is there, escaping by format.

use std::{borrow::Cow, collections::BTreeMap, error::Error as _};

use minijinja::{
    AutoEscape, Environment, Error, ErrorKind, Output, State, UndefinedBehavior, Value, context,
    syntax::SyntaxConfig, value::ValueKind,
};

use crate::domain::{Problem, Secret};

use super::{ExtraForm, Format, Model, RenderError, extra, load::Source, xml};

/// How deep [`culprit`] looks into the values; they nest two deep.
const MAX_NESTING: usize = 6;

/// All templates of all families, by `family/file`.
#[derive(Debug)]
pub(super) struct Templates(Environment<'static>);

/// A value that the format can't carry. Its text never holds the value itself, which may be a password.
#[derive(Debug, thiserror::Error)]
#[error("{said}")]
pub(super) struct Unfit {
    said: String,
    /// The value, to find out which field holds it.
    whole: Secret,
}

impl Templates {
    /// Takes templates with the format that each is written in. Each is compiled when it is first rendered; those of an
    /// operator that do not compile were told before.
    pub(super) fn new(templates: Vec<(String, String, Format)>) -> Self {
        let formats: BTreeMap<_, _> =
            templates.iter().map(|(name, _, format)| (name.clone(), *format)).collect();
        let mut environment = environment();
        environment.set_auto_escape_callback(move |name| {
            let named = [Format::Xml, Format::Ini, Format::Text].into_iter();
            let mut spelt = named.filter(|format| name.starts_with(prefix(*format)));
            let format = formats.get(name).copied().or_else(|| spelt.next());
            AutoEscape::Custom(prefix(format.unwrap_or(Format::Text)).into())
        });
        let sources: BTreeMap<_, _> =
            templates.into_iter().map(|(name, text, _)| (name, text)).collect();
        environment.set_loader(move |name| Ok(sources.get(name).cloned()));
        Self(environment)
    }

    /// Renders the template `name` and checks the result.
    pub(super) fn render(
        &self,
        name: &str,
        format: Format,
        values: &Value,
    ) -> Result<String, RenderError> {
        let template = self.0.get_template(name).map_err(|error| broken(name, "", &error))?;
        let rendered = template.render(values.clone());
        finish(name, template.source(), format, values, rendered)
    }

    /// Renders a text that is no family's template, such as an operator's `NAME.j2`.
    pub(super) fn render_text(
        &self,
        name: &str,
        text: &str,
        format: Format,
        values: &Value,
    ) -> Result<String, RenderError> {
        let spelt = format!("{}:{name}", prefix(format));
        let template = self
            .0
            .template_from_named_str(&spelt, text)
            .map_err(|error| broken(name, text, &error))?;
        finish(name, text, format, values, template.render(values.clone()))
    }
}

/// Tells whether a template compiles.
pub(super) fn compiles(source: &Source) -> Result<(), Problem> {
    let Err(error) = environment().template_from_str(&source.text).map(|_| ()) else {
        return Ok(());
    };
    Err(Problem::error(&source.path, error.line(), describe(&error, &source.text)))
}

fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    let syntax = SyntaxConfig::builder()
        .trim_blocks(true)
        .lstrip_blocks(true)
        .keep_trailing_newline(true)
        .build();
    // The defaults can't clash; should they ever, templates keep their blank lines and nothing else changes.
    environment.set_syntax(syntax.unwrap_or_default());
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_debug(false);
    environment.set_formatter(write_value);
    environment.set_path_join_callback(|name, parent| match parent.rsplit_once('/') {
        Some((folder, _)) if !name.contains('/') => format!("{folder}/{name}").into(),
        _ => name.into(),
    });
    // Nothing leaves unescaped: what these mark as safe would.
    for filter in ["safe", "escape", "e"] {
        environment.remove_filter(filter);
    }
    environment.add_filter("hours", hours);
    environment.add_filter("barring", barring);
    environment
}

const fn prefix(format: Format) -> &'static str {
    match format {
        Format::Xml => "xml",
        Format::Ini => "ini",
        Format::Text => "text",
    }
}

/// Writes one value as the format wants it.
fn write_value(out: &mut Output, state: &mut State, value: &Value) -> Result<(), Error> {
    let text = match value.kind() {
        ValueKind::Bool | ValueKind::Number | ValueKind::String => value.to_string(),
        ValueKind::Undefined => return Err(ErrorKind::UndefinedError.into()),
        kind => {
            let text = format!("a {kind} can't be written out");
            return Err(Error::new(ErrorKind::InvalidOperation, text));
        }
    };
    // Only a macro's own result is marked: its values were escaped inside.
    if value.is_safe() {
        return out.write_str(&text).map_err(Error::from);
    }
    let format = match state.auto_escape() {
        AutoEscape::Custom(name) if name == "xml" => Format::Xml,
        AutoEscape::Custom(name) if name == "ini" => Format::Ini,
        AutoEscape::Custom(name) if name == "text" => Format::Text,
        _ => return Err(Error::new(ErrorKind::InvalidOperation, "escaping can't be switched off")),
    };
    let fitted = fit(format, &text).map_err(|unfit| {
        Error::new(ErrorKind::InvalidOperation, unfit.said.clone()).with_source(unfit)
    })?;
    out.write_str(&fitted).map_err(Error::from)
}

/// A value in the form that `format` carries.
///
/// A text file has no way to write a double quote inside quotes that all its readers share, so it is refused there
/// rather than changed in silence.
pub(super) fn fit(format: Format, text: &str) -> Result<Cow<'_, str>, Unfit> {
    let unfit = |bad: &dyn Fn(char) -> bool, what: &str| match text.chars().find(|c| bad(*c)) {
        Some(c) => Err(Unfit {
            said: format!("holds U+{:04X}, which {what} can't carry", u32::from(c)),
            whole: Secret::new(text.to_owned()),
        }),
        None => Ok(()),
    };
    let breaks = |c: char| matches!(c, '\r' | '\n' | '\0');
    match format {
        Format::Xml => {
            unfit(&|c| !xml::is_char(c), "XML")?;
            Ok(xml::escape(text).into())
        }
        Format::Ini => unfit(&breaks, "a line of this file").map(|()| text.into()),
        Format::Text => {
            unfit(&|c| breaks(c) || c == '"', "a quoted text of this file").map(|()| text.into())
        }
    }
}

fn finish(
    name: &str,
    source: &str,
    format: Format,
    values: &Value,
    rendered: Result<String, Error>,
) -> Result<String, RenderError> {
    let text = rendered.map_err(|error| match unfit(&error) {
        Some(unfit) => {
            let is_it = |text: &str| text == unfit.whole.reveal();
            let fits_not = |text: &str| fit(format, text).is_err();
            let culprit = culprit(values, &is_it, "", 0);
            let culprit = culprit.or_else(|| self::culprit(values, &fits_not, "", 0));
            let culprit = culprit.unwrap_or_else(|| "a value".to_owned());
            RenderError::Value { template: name.to_owned(), text: format!("{culprit} {unfit}") }
        }
        None => broken(name, source, &error),
    })?;
    well_formed(name, format, &text)?;
    Ok(text)
}

/// Checks a finished file of a format that can be checked.
fn well_formed(name: &str, format: Format, text: &str) -> Result<(), RenderError> {
    if format != Format::Xml {
        return Ok(());
    }
    xml::check(text).map_err(|malformed| RenderError::Template {
        template: name.to_owned(),
        line: malformed.line,
        text: format!("the result is no well-formed XML: {}", malformed.text),
    })
}

/// A finished file with the values of `set` merged into it.
pub(super) fn with_extra(
    name: &str,
    text: String,
    (form, format): (&ExtraForm, Format),
    set: &Value,
) -> Result<String, RenderError> {
    let mut values = BTreeMap::new();
    for key in set.try_iter().into_iter().flatten() {
        let value = set.get_item(&key).unwrap_or_default();
        values.insert(key.to_string(), value.to_string());
    }
    if values.is_empty() {
        return Ok(text);
    }
    let merged = extra::merge(&text, form, &values).map_err(|unmerged| RenderError::Value {
        template: name.to_owned(),
        text: format!("`set.{}` {}", unmerged.key, unmerged.why),
    })?;
    well_formed(name, format, &merged)?;
    Ok(merged)
}

/// The value that the format could not carry, where that was the reason.
fn unfit(error: &Error) -> Option<&Unfit> {
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(unfit) = error.downcast_ref() {
            return Some(unfit);
        }
        cause = error.source();
    }
    None
}

/// Where among the values the first one of such a text is: `lines[0].display`.
fn culprit(
    values: &Value,
    such: &dyn Fn(&str) -> bool,
    path: &str,
    depth: usize,
) -> Option<String> {
    if let Some(text) = values.as_str() {
        return such(text).then(|| format!("`{path}`"));
    }
    if depth == MAX_NESTING {
        return None;
    }
    let is_map = values.kind() == ValueKind::Map;
    values.try_iter().ok()?.enumerate().find_map(|(index, item)| {
        let (inner, step) = if is_map {
            let dot = if path.is_empty() { "" } else { "." };
            (values.get_item(&item).ok()?, format!("{path}{dot}{item}"))
        } else {
            (item, format!("{path}[{index}]"))
        };
        culprit(&inner, such, &step, depth + 1)
    })
}

/// An engine's error, told at the innermost template where it arose.
fn broken(name: &str, source: &str, error: &Error) -> RenderError {
    let (mut inner, mut cause) = (error, error.source());
    while let Some(error) = cause {
        inner = error.downcast_ref().unwrap_or(inner);
        cause = error.source();
    }
    let same = inner.name() == error.name();
    let template = if same { name } else { inner.name().unwrap_or(name) }.to_owned();
    let text = describe(inner, if same { source } else { "" });
    RenderError::Template { template, line: inner.line().unwrap_or_default(), text }
}

/// What the engine said, with the line that it said it about.
fn describe(error: &Error, source: &str) -> String {
    let said = match error.detail() {
        Some(detail) => format!("{}: {detail}", error.kind()),
        None => error.kind().to_string(),
    };
    let line = error.line().and_then(|line| source.lines().nth(line.checked_sub(1)?));
    line.map_or_else(|| said.clone(), |line| format!("{said} in `{}`", line.trim()))
}

/// Seconds as the hours that phones count zones in: `+1`, `-3:30`, `0`.
fn hours(seconds: &Value) -> Result<String, Error> {
    let seconds = number(seconds);
    let seconds =
        seconds.ok_or_else(|| Error::new(ErrorKind::InvalidOperation, "no number of seconds"))?;
    let sign = match seconds {
        0 => "",
        ..0 => "-",
        1.. => "+",
    };
    let (hours, minutes) = (seconds.unsigned_abs() / 3600, seconds.unsigned_abs() / 60 % 60);
    Ok(if minutes == 0 { format!("{sign}{hours}") } else { format!("{sign}{hours}:{minutes:02}") })
}

/// A value that holds none of these characters, which the phone would take for something else than text: quotes inside
/// of quotes, or what parts a value. No source says how to write them, so the file is refused rather than changed.
fn barring(value: &Value, characters: &str) -> Result<Value, Error> {
    let text = value.to_string();
    let Some(c) = text.chars().find(|c| characters.contains(*c)) else { return Ok(value.clone()) };
    let said = format!("holds `{c}`, which this phone would take for more than a character");
    let unfit = Unfit { said: said.clone(), whole: Secret::new(text) };
    Err(Error::new(ErrorKind::InvalidOperation, said).with_source(unfit))
}

/// A number, also where it comes as text.
pub(super) fn number(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.trim().parse().ok())
}

/// The operator's values with what the family adds to them.
pub(super) fn with_family(values: &Value, model: Option<&Model>, zone: &str) -> Value {
    let part = model.and_then(|model| model.part.as_deref()).unwrap_or_default();
    let line_count = model.map_or(0, |model| model.lines);
    context! { part, line_count, zone, ..values.clone() }
}
