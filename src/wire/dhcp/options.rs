//! Options as a list of (code, octets): walking, joining and writing them (RFC 2132 §2, RFC 3396).

use std::borrow::Cow;

const PAD: u8 = 0;
const END: u8 = 255;

/// Options of a message, each code once, in order of first appearance.
#[derive(Clone, Debug)]
pub(super) struct Options<'a> {
    list: Vec<(u8, Cow<'a, [u8]>)>,
    /// Place in `list` by code, counted from 1; 0 where the code is absent.
    place: [u8; 256],
}

impl<'a> Options<'a> {
    pub(super) const fn new() -> Self {
        Self { list: Vec::new(), place: [0; 256] }
    }

    /// Takes in one field. What has no room for its length ends the walk of this field only; all before it stays.
    pub(super) fn read(&mut self, field: &'a [u8]) {
        let mut rest = field;
        while let Some((&code, tail)) = rest.split_first() {
            match code {
                PAD => rest = tail,
                END => return,
                _ => {
                    let Some((&length, tail)) = tail.split_first() else { return };
                    let Some((content, tail)) = tail.split_at_checked(usize::from(length)) else {
                        return;
                    };
                    self.join(code, content);
                    rest = tail;
                }
            }
        }
    }

    /// An option that comes again continues the first one, adjacent or not (RFC 3396 §5).
    fn join(&mut self, code: u8, content: &'a [u8]) {
        let place = usize::from(self.place[usize::from(code)]);
        if let Some((_, first)) = place.checked_sub(1).and_then(|at| self.list.get_mut(at)) {
            first.to_mut().extend_from_slice(content);
        } else {
            self.list.push((code, Cow::Borrowed(content)));
            // At most 254 codes exist, so the count always fits.
            self.place[usize::from(code)] = u8::try_from(self.list.len()).unwrap_or(0);
        }
    }

    pub(super) fn find(&self, code: u8) -> Option<&[u8]> {
        let index = usize::from(self.place[usize::from(code)]).checked_sub(1)?;
        self.list.get(index).map(|(_, content)| content.as_ref())
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (u8, &[u8])> {
        self.list.iter().map(|(code, content)| (*code, content.as_ref()))
    }
}

/// How many octets an option takes on the wire.
pub(super) const fn size(content: &[u8]) -> usize {
    let parts = if content.is_empty() { 1 } else { content.len().div_ceil(255) };
    content.len() + 2 * parts
}

/// Writes an option, split where it is longer than 255 octets (RFC 3396 §7). An empty one is written as such.
pub(super) fn write(code: u8, content: &[u8], to: &mut Vec<u8>) {
    if content.is_empty() {
        to.extend([code, 0]);
    }
    for part in content.chunks(255) {
        to.extend([code, u8::try_from(part.len()).unwrap_or(u8::MAX)]);
        to.extend(part);
    }
}

/// The most octets of content that one option, or several pieces of it, can have in so much room.
pub(super) const fn capacity(room: usize) -> usize {
    let (whole, rest) = (room / 257, room % 257);
    whole * 255 + rest.saturating_sub(2)
}

/// Fills `file` or `sname` with options; they are shorter than the field by an octet at least, for their end.
pub(super) fn fill(options: &[u8], field: &mut [u8]) {
    let ended = options.iter().copied().chain([END]).chain(std::iter::repeat(PAD));
    field.iter_mut().zip(ended).for_each(|(octet, value)| *octet = value);
}

/// Ends the options and fills the message up to the shortest length that everybody accepts.
pub(super) fn end(message: &mut Vec<u8>) {
    message.push(END);
    if message.len() < super::SHORTEST {
        message.resize(super::SHORTEST, PAD);
    }
}
