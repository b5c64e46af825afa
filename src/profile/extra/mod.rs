//! Values merged last into a finished file, in the form that its family writes them.
//!
//! A name that the template wrote is replaced where it stands; a new one is added. The rest of the file stays as it
//! is, to the last blank.

mod line;
#[cfg(test)]
mod tests;
mod tree;

use std::collections::BTreeMap;

use super::{ExtraForm, Format, template::fit};

/// A value that can't be merged. Its text never holds the value itself, which may be a password.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Unmerged {
    /// The name as the operator wrote it.
    pub(super) key: String,
    /// Why not, as the end of a sentence that begins with the name.
    pub(super) why: String,
}

/// `text` with all `values` in it. XML must be well-formed.
pub(super) fn merge(
    text: &str,
    form: &ExtraForm,
    values: &BTreeMap<String, String>,
) -> Result<String, Unmerged> {
    let mut merged = text.to_owned();
    for (key, value) in values {
        let unmerged = |why: String| Unmerged { key: key.clone(), why };
        let format = match form {
            ExtraForm::Line => Format::Ini,
            ExtraForm::Quoted | ExtraForm::Assigned | ExtraForm::Colon | ExtraForm::Set => {
                Format::Text
            }
            ExtraForm::Attribute
            | ExtraForm::Element { .. }
            | ExtraForm::Param { .. }
            | ExtraForm::Object => Format::Xml,
        };
        let value = fit(format, value).map_err(|unfit| unmerged(unfit.to_string()))?;
        // One at a time: the place of the next one may be what this one added. Files have kilobytes and sites a handful
        // of such values.
        merged = match form {
            ExtraForm::Line => line::merge(&merged, line::EQUALS, key, &value),
            ExtraForm::Quoted => line::merge(&merged, line::QUOTED, key, &value),
            ExtraForm::Assigned => line::merge(&merged, line::ASSIGNED, key, &value),
            ExtraForm::Colon => line::merge(&merged, line::COLON, key, &value),
            ExtraForm::Set => line::merge(&merged, line::SET, key, &value),
            ExtraForm::Attribute => tree::attribute(&merged, key, &value),
            ExtraForm::Element { at, attributes, index } => {
                let leaf = tree::Leaf { at, attributes, index: index.as_deref() };
                tree::element(&merged, &leaf, key, &value)
            }
            ExtraForm::Object => tree::object(&merged, key, &value),
            ExtraForm::Param { at, key: holder } => tree::param(&merged, at, holder, key, &value),
        }
        .map_err(unmerged)?;
    }
    Ok(merged)
}
