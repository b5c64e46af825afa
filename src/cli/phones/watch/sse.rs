//! Server-sent events out of the pieces that a connection brings (WHATWG HTML, "Interpreting an event stream").

/// The longest line, in octets: no phone's JSON comes near it.
const MAX_LINE: usize = 1 << 20;

/// A stream that is none: a line without an end.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a line of more than {MAX_LINE} octets")]
pub struct Endless;

/// One event.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Event {
    /// Its kind; empty for one that has none.
    pub name: String,
    /// What it says.
    pub data: String,
}

/// Puts events together. Comments (the heartbeat is one), `id` and `retry` mean nothing to us.
#[derive(Debug, Default)]
pub struct Decoder {
    line: Vec<u8>,
    event: Event,
}

impl Decoder {
    /// The events that are whole with this piece.
    ///
    /// # Errors
    ///
    /// [`Endless`]: nothing is kept of such a line.
    pub fn take(&mut self, piece: &[u8]) -> Result<Vec<Event>, Endless> {
        let mut events = Vec::new();
        for part in piece.split_inclusive(|octet| *octet == b'\n') {
            if self.line.len() + part.len() > MAX_LINE {
                self.line.clear();
                return Err(Endless);
            }
            self.line.extend_from_slice(part);
            if part.ends_with(b"\n") {
                let line = std::mem::take(&mut self.line);
                events.extend(self.line(String::from_utf8_lossy(&line).trim_end()));
            }
        }
        Ok(events)
    }

    fn line(&mut self, line: &str) -> Option<Event> {
        if line.is_empty() {
            return Some(std::mem::take(&mut self.event)).filter(|event| !event.data.is_empty());
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.event.name),
            "data" if self.event.data.is_empty() => value.clone_into(&mut self.event.data),
            "data" => self.event.data.extend(["\n", value]),
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_in_whatever_pieces() {
        let text = "id: 7\nevent: phone\ndata: {\"a\":1}\n\n: alive\n\r\nevent:x\r\ndata:b\ndata: c\n\n\
            event: nothing\n\ndata: unfinished";
        let event = |name: &str, data: &str| Event { name: name.into(), data: data.into() };
        let whole = vec![event("phone", "{\"a\":1}"), event("x", "b\nc")];
        for size in 1..text.len() {
            let mut decoder = Decoder::default();
            let pieces = text.as_bytes().chunks(size);
            let events: Vec<_> = pieces.flat_map(|piece| decoder.take(piece).unwrap()).collect();
            assert_eq!(events, whole, "in pieces of {size}");
        }
    }

    #[test]
    fn a_line_without_an_end_is_given_up() {
        let mut decoder = Decoder::default();
        assert_eq!(decoder.take(&vec![b'x'; MAX_LINE]), Ok(Vec::new()));
        assert_eq!(decoder.take(b"x"), Err(Endless));
        assert_eq!(decoder.take(b"\ndata: a\n\n").map(|events| events.len()), Ok(1));
    }
}
