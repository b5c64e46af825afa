//! Values in XML: an attribute on the element of its group, or an element of its own.

use std::ops::Range;

use quick_xml::{
    Reader,
    events::{BytesStart, Event},
};

use super::super::xml::name;

/// Where elements of values stand, and what a new one looks like.
#[derive(Clone, Copy, Debug)]
pub(super) struct Leaf<'a> {
    /// Names from the top of the document to what holds the values.
    pub(super) at: &'a [String],
    /// Attributes of a new element.
    pub(super) attributes: &'a [(String, String)],
    /// The attribute that tells elements of one name apart (`idx`), for keys such as `user_name[2]`.
    pub(super) index: Option<&'a str>,
}

/// Sets an attribute: wherever it is written already, else on the element that is called like the first part of its
/// name, else on such an element added at the end.
pub(super) fn attribute(text: &str, key: &str, value: &str) -> Result<String, String> {
    name(key).map_err(|_| "is no name of an attribute".to_owned())?;
    let elements = elements(text)?;
    let root = elements.first().ok_or("has no document to go into")?;
    let written: Vec<_> = elements
        .iter()
        .flat_map(|element| &element.attributes)
        .filter(|(name, _)| name == key)
        .map(|(_, range)| (range.clone(), value.to_owned()))
        .collect();
    if !written.is_empty() {
        return Ok(spliced(text, written));
    }
    let group = key.split('.').next().unwrap_or(key);
    if let Some(element) = elements.iter().skip(1).find(|element| element.name == group) {
        let (place, blank) = element.room(text);
        return Ok(spliced(text, vec![(place..place, format!("{blank}{key}=\"{value}\""))]));
    }
    Ok(root.append(text, |indent| match indent {
        Some(indent) => format!("<{group}\n{indent}  {key}=\"{value}\"\n{indent}/>"),
        None => format!("<{group} {key}=\"{value}\"/>"),
    }))
}

/// Sets the content of an element: of the one of that name if it is there, else of a new one. A key with a slash in
/// front is a path from the top of the document; what is missing on the way is made.
pub(super) fn element(
    text: &str,
    leaf: &Leaf<'_>,
    key: &str,
    value: &str,
) -> Result<String, String> {
    let (path, index) = path(leaf, key)?;
    let elements = elements(text)?;
    let (mut place, mut rest) = (None, path.as_slice());
    while let Some((step, after)) = rest.split_first() {
        let index = index.filter(|_| after.is_empty()).zip(leaf.index);
        let fits = |element: &Element| {
            element.parent == place && element.name == *step && element.is(text, index)
        };
        let Some(found) = elements.iter().position(fits) else { break };
        (place, rest) = (Some(found), after);
    }
    let Some(place) = place.and_then(|place| elements.get(place)) else {
        let top = path.first().copied().unwrap_or_default();
        return Err(format!("belongs into <{top}>, which this file is not"));
    };
    let Some((last, missing)) = rest.split_last() else {
        if place.holds_elements {
            return Err(format!("would take the place of all that is in <{}>", place.name));
        }
        return Ok(place.fill(text, value));
    };
    let idx = index.zip(leaf.index).map(|(number, name)| format!(" {name}=\"{number}\""));
    let more = leaf.attributes.iter().filter(|(name, _)| Some(name.as_str()) != leaf.index);
    let more = more.map(|(name, value)| format!(" {name}=\"{value}\""));
    let attributes: Vec<String> = idx.into_iter().chain(more).collect();
    let opening = format!("{last}{}", attributes.concat());
    Ok(place.append(text, |indent| nested(missing, &opening, last, value, indent)))
}

/// Sets the `value` of the element whose attribute `holder` holds the key, or adds one. `at` is the path from the top of
/// the document to such an element.
pub(super) fn param(
    text: &str,
    at: &[String],
    holder: &str,
    key: &str,
    value: &str,
) -> Result<String, String> {
    if key.is_empty() || key.contains(|c: char| c.is_control() || "<>&\"'".contains(c)) {
        return Err("is no name of a parameter".to_owned());
    }
    let elements = elements(text)?;
    let unplaced = || "has no place in this file".to_owned();
    let (last, outer) = at.split_last().ok_or_else(unplaced)?;
    let mut place = None;
    for step in outer {
        let inside = |element: &Element| element.parent == place && element.name == *step;
        place = Some(elements.iter().position(inside).ok_or_else(|| {
            format!("belongs into <{}>, which this file does not have", outer.join("/"))
        })?);
    }
    let own = |element: &&Element| {
        element.parent == place && element.name == *last && element.is(text, Some((key, holder)))
    };
    if let Some(element) = elements.iter().find(own) {
        let written = element.attributes.iter().find(|(name, _)| name == "value");
        let edit = written.map(|(_, range)| (range.clone(), value.to_owned()));
        let edit = edit.unwrap_or_else(|| {
            let (room, blank) = element.room(text);
            (room..room, format!("{blank}value=\"{value}\""))
        });
        return Ok(spliced(text, vec![edit]));
    }
    let container = place.and_then(|place| elements.get(place)).ok_or_else(unplaced)?;
    Ok(container.append(text, |_| format!("<{last} {holder}=\"{key}\" value=\"{value}\"/>")))
}

/// Sets a parameter in a list of objects: `Line.2.Enable` is the `<Value>` beside `<Name>Enable</Name>` in the `<Object>`
/// whose `<Name>` is `Line.2.`.
pub(super) fn object(text: &str, key: &str, value: &str) -> Result<String, String> {
    let bad = |c: char| c.is_whitespace() || c.is_control() || "<>&\"'".contains(c);
    let split = key.rfind('.').filter(|dot| *dot > 0 && dot + 1 < key.len() && !key.contains(bad));
    let split = split.ok_or("is no name of a parameter")?;
    let (object, parameter) = key.split_at(split + 1);
    let elements = elements(text)?;
    let root = elements.first().filter(|root| root.name == "ParameterList");
    let root = root.ok_or("belongs into <ParameterList>, which this file is not")?;
    let content = |element: &Element| {
        let end = element.end.as_ref().map_or(element.tag.end, |end| end.start);
        text.get(element.tag.end..end).unwrap_or_default().trim()
    };
    // Where in the element at `place` the first one of this kind is that fits.
    let seek = |place: usize, kind: &str, fits: &dyn Fn(usize, &Element) -> bool| {
        let mut numbered = elements.iter().enumerate().skip(place + 1);
        let own = numbered
            .find(|(at, one)| one.parent == Some(place) && one.name == kind && fits(*at, one));
        own.map(|(at, _)| at)
    };
    let find = |place: usize, kind: &str, name: &str| {
        seek(place, kind, &|at, _| seek(at, "Name", &|_, one| content(one) == name).is_some())
    };
    let lines = |indent: Option<&str>, lines: &[String]| match indent {
        Some(indent) => lines.join(&format!("\n{indent}")),
        None => lines.iter().map(|line| line.trim()).collect(),
    };
    let pair = [format!("  <Name>{parameter}</Name>"), format!("  <Value>{value}</Value>")];
    let (start, end) = ("<ParameterValueStruct>", "</ParameterValueStruct>");
    let own = [&[start.to_owned()][..], &pair, &[end.to_owned()]].concat();
    let Some(at) = find(0, "Object", object) else {
        let head = ["<Object>".to_owned(), format!("  <Name>{object}</Name>")];
        let deeper: Vec<_> = own.iter().map(|line| format!("  {line}")).collect();
        let whole = [&head[..], &deeper, &["</Object>".to_owned()]].concat();
        return Ok(root.append(text, |indent| lines(indent, &whole)));
    };
    let holder = elements.get(at).unwrap_or(root);
    let Some(at) = find(at, "ParameterValueStruct", parameter) else {
        return Ok(holder.append(text, |indent| lines(indent, &own)));
    };
    let written = seek(at, "Value", &|_, _| true).and_then(|at| elements.get(at));
    Ok(written.ok_or("has no value to change in this file")?.fill(text, value))
}

/// Path and index of a key.
fn path<'a>(leaf: &Leaf<'a>, key: &'a str) -> Result<(Vec<&'a str>, Option<&'a str>), String> {
    let refused = || "is no name of an element".to_owned();
    let (key, index) = match key.strip_suffix(']').and_then(|key| key.rsplit_once('[')) {
        Some((key, index)) if leaf.index.is_some() => (key, Some(index)),
        _ => (key, None),
    };
    if index.is_some_and(|index| index.is_empty() || !index.bytes().all(|c| c.is_ascii_digit())) {
        return Err(refused());
    }
    let path: Vec<&str> = match key.strip_prefix('/') {
        Some(whole) => whole.split('/').collect(),
        None => leaf.at.iter().map(String::as_str).chain([key]).collect(),
    };
    path.iter().try_for_each(|step| name(step)).map_err(|_| refused())?;
    Ok((path, index))
}

/// An element in the containers that it lacks, each on a line of its own where the place has lines.
fn nested(
    missing: &[&str],
    opening: &str,
    last: &str,
    value: &str,
    indent: Option<&str>,
) -> String {
    let Some((outer, inner)) = missing.split_first() else {
        return format!("<{opening}>{value}</{last}>");
    };
    let deeper = indent.map(|indent| format!("{indent}  "));
    let inner = nested(inner, opening, last, value, deeper.as_deref());
    match (indent, deeper) {
        (Some(indent), Some(deeper)) => format!("<{outer}>\n{deeper}{inner}\n{indent}</{outer}>"),
        _ => format!("<{outer}>{inner}</{outer}>"),
    }
}

/// An element by its places in the text.
#[derive(Debug)]
struct Element {
    name: String,
    /// Where the element that it stands in is in the list.
    parent: Option<usize>,
    /// The start tag, or the whole of `<a/>`.
    tag: Range<usize>,
    /// The end tag; `None` for `<a/>`.
    end: Option<Range<usize>>,
    /// Names, and the places of the values without their quotes.
    attributes: Vec<(String, Range<usize>)>,
    holds_elements: bool,
}

impl Element {
    /// True if the attribute tells this element by that number; without one every element does.
    fn is(&self, text: &str, index: Option<(&str, &str)>) -> bool {
        let Some((number, attribute)) = index else { return true };
        let mut own = self.attributes.iter().filter(|(name, _)| name == attribute);
        own.any(|(_, range)| &text[range.clone()] == number)
    }

    /// Where another attribute goes, and the blank before it: the one that the last attribute has before it.
    fn room(&self, text: &str) -> (usize, String) {
        let tag = &text[self.tag.clone()];
        let open = tag.trim_end_matches('>').trim_end_matches('/').trim_end();
        let last = self.attributes.last().map_or(0, |(name, range)| {
            let before = &tag[..range.start - self.tag.start];
            before.rfind(name.as_str()).unwrap_or_default()
        });
        let blank = &tag[tag[..last].trim_end().len()..last];
        let blank = if blank.is_empty() { " " } else { blank };
        (self.tag.start + open.len(), blank.to_owned())
    }

    /// The text with `value` as this element's only content.
    fn fill(&self, text: &str, value: &str) -> String {
        let (range, with) = match &self.end {
            Some(end) => (self.tag.end..end.start, value.to_owned()),
            None => (self.tag.clone(), format!("{}{value}</{}>", self.opened(text), self.name)),
        };
        spliced(text, vec![(range, with)])
    }

    /// The text with one more element at the end of this one. `make` gets the indent of the new line, or `None` where
    /// this element has no lines.
    fn append(&self, text: &str, make: impl Fn(Option<&str>) -> String) -> String {
        let Some(end) = &self.end else {
            let with = format!("{}{}</{}>", self.opened(text), make(None), self.name);
            return spliced(text, vec![(self.tag.clone(), with)]);
        };
        let start = text[..end.start].rfind('\n').map_or(0, |line| line + 1);
        let margin = &text[start..end.start];
        if start <= self.tag.start || !margin.trim().is_empty() {
            return spliced(text, vec![(end.start..end.start, make(None))]);
        }
        let indent = format!("{margin}  ");
        let with = format!("{indent}{}\n", make(Some(&indent)));
        spliced(text, vec![(start..start, with)])
    }

    /// The tag of `<a/>` as a start tag.
    fn opened(&self, text: &str) -> String {
        let tag = text[self.tag.clone()].trim_end_matches('>').trim_end_matches('/');
        format!("{}>", tag.trim_end())
    }
}

/// All elements in the order of their start tags.
fn elements(text: &str) -> Result<Vec<Element>, String> {
    let mut reader = Reader::from_str(text);
    let mut elements: Vec<Element> = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    // The reader passes over a byte order mark without counting it.
    let mark = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let at = |position: u64| usize::try_from(position).unwrap_or(usize::MAX).saturating_add(mark);
    loop {
        let from = if elements.is_empty() && reader.buffer_position() == 0 {
            mark
        } else {
            at(reader.buffer_position())
        };
        let event = reader.read_event().map_err(|error| error.to_string())?;
        let range = from..at(reader.buffer_position());
        match event {
            Event::Start(start) => {
                let element = element_at(text, &start, range, open.last().copied())?;
                open.push(elements.len());
                elements.push(element);
            }
            Event::Empty(start) => {
                elements.push(element_at(text, &start, range, open.last().copied())?);
            }
            Event::End(_) => {
                if let Some(element) = open.pop().and_then(|open| elements.get_mut(open)) {
                    element.end = Some(range);
                }
            }
            Event::Eof => break,
            _ => {}
        }
    }
    for index in 0..elements.len() {
        if let Some(parent) = elements[index].parent {
            elements[parent].holds_elements = true;
        }
    }
    Ok(elements)
}

fn element_at(
    text: &str,
    start: &BytesStart<'_>,
    range: Range<usize>,
    parent: Option<usize>,
) -> Result<Element, String> {
    let lost = || "can't be placed in this file".to_owned();
    let tag = text.get(range.clone()).filter(|tag| tag.starts_with('<')).ok_or_else(lost)?;
    let name = start.name().0.to_owned();
    let (mut attributes, mut cursor) = (Vec::new(), 1 + name.len());
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|error| error.to_string())?;
        let key = attribute.key.0;
        // Only blanks stand between two attributes, and only blanks and `=` between a name and its quote.
        let rest = tag.get(cursor..).ok_or_else(lost)?;
        let named = cursor + rest.find(key).ok_or_else(lost)? + key.len();
        let open = named + tag[named..].find(['"', '\'']).ok_or_else(lost)?;
        let quote = &tag[open..=open];
        let close = open + 1 + tag[open + 1..].find(quote).ok_or_else(lost)?;
        attributes.push((key.to_owned(), range.start + open + 1..range.start + close));
        cursor = close + 1;
    }
    Ok(Element { name, parent, tag: range, end: None, attributes, holds_elements: false })
}

/// The text with each range replaced. Ranges are in order and apart.
fn spliced(text: &str, edits: Vec<(Range<usize>, String)>) -> String {
    let mut spliced = text.to_owned();
    for (range, with) in edits.into_iter().rev() {
        spliced.replace_range(range, &with);
    }
    spliced
}
