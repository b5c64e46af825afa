//! Which patterns a name fits, without holding it against all of them.

use std::collections::HashMap;

use super::pattern::{Captured, Pattern};

/// Patterns by what a name has to share with them.
///
/// Families that ask for the same name share a pattern. Nothing that is looked up leaves anything behind: it is as large
/// as the profiles make it.
#[derive(Debug, Default)]
pub(super) struct Index {
    shapes: Vec<Shape>,
    /// Those without placeholders, by their text: a name fits one for each folder that counts, at most.
    plain: HashMap<String, usize>,
    /// Those that end in an extension, by that: what fits them ends in it too.
    by_extension: HashMap<String, Vec<usize>>,
    /// Those that end in a placeholder; a dozen.
    open_ended: Vec<usize>,
    /// The most folders that a pattern has.
    folders: usize,
}

/// A pattern and the rules that have it.
#[derive(Debug)]
pub(super) struct Shape {
    pub(super) pattern: Pattern,
    /// Whatever the owner of the index numbers its rules with.
    pub(super) rules: Vec<usize>,
}

impl Index {
    /// Adds a rule.
    pub(super) fn add(&mut self, pattern: Pattern, rule: usize) {
        if let Some(place) = self.place(&pattern) {
            self.shapes[place].rules.push(rule);
            return;
        }
        let place = self.shapes.len();
        self.folders = self.folders.max(pattern.folders);
        if pattern.is_plain() {
            self.plain.insert(pattern.text.clone(), place);
        } else if let Some(extension) = extension(&pattern.tail) {
            self.by_extension.entry(extension.to_owned()).or_default().push(place);
        } else {
            self.open_ended.push(place);
        }
        self.shapes.push(Shape { pattern, rules: vec![rule] });
    }

    /// Where a pattern is that says the same.
    fn place(&self, pattern: &Pattern) -> Option<usize> {
        if pattern.is_plain() {
            return self.plain.get(&pattern.text).copied();
        }
        let mut likely = self.likely(&pattern.tail);
        likely.find(|place| self.shapes[*place].pattern.text == pattern.text)
    }

    /// The patterns with placeholders that a name with this end may fit.
    fn likely(&self, lower: &str) -> impl Iterator<Item = usize> {
        let ending = extension(lower).and_then(|it| self.by_extension.get(it));
        ending.into_iter().flatten().chain(&self.open_ended).copied()
    }

    /// Every pattern that `name` fits, in no order, with what it says then. `lower` is the same name in lower case.
    ///
    /// A pattern is held against as many of the last components as it has itself, because operators and phones put
    /// folders of their own in front.
    pub(super) fn fitting<'n>(&self, name: &'n str, lower: &str) -> Vec<(&Shape, Captured<'n>)> {
        // No placeholder stands for a slash: a name with fewer folders than a pattern does not fit it.
        let ends = name.rmatch_indices('/').map(|(at, _)| at + 1).chain([0]);
        let ends: Vec<usize> = ends.take(self.folders + 1).collect();
        let plain = ends.iter().filter_map(|from| self.plain.get(&lower[*from..]));
        plain
            .copied()
            .chain(self.likely(lower))
            .filter_map(|place| {
                let shape = &self.shapes[place];
                let from = *ends.get(shape.pattern.folders)?;
                Some((shape, shape.pattern.fits(&name[from..], &lower[from..])?))
            })
            .collect()
    }
}

/// What stands behind the last dot. Where a pattern ends in a text with a dot, a name that fits has the same there.
fn extension(text: &str) -> Option<&str> {
    text.rsplit_once('.').map(|(_, extension)| extension)
}
