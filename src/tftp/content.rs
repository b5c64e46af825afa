//! The bytes of a file as they go on the wire: as they are, or with line ends translated (netascii).

use std::{collections::VecDeque, io};

use crate::provision::Body;

use super::ask::Encoding;

/// A file's content by offset on the wire. Holds no content: what is sent again is read again.
#[derive(Debug)]
pub struct Content {
    body: Body,
    /// `None` for octet, where offsets on the wire are those in the file.
    starts: Option<VecDeque<Cursor>>,
}

/// Where a block of translated text begins. Offsets in the file can't be computed from those on the wire, so the
/// starts of the blocks that may be asked for again are kept: one more than the window has blocks.
#[derive(Clone, Copy, Debug, Default)]
struct Cursor {
    /// Offset on the wire.
    wire: u64,
    /// Offset in the file.
    file: u64,
    /// The second half of a pair that did not fit into the block before.
    pending: Option<u8>,
}

impl Content {
    /// The content of `body`, read from its start.
    pub fn new(body: Body, encoding: Encoding) -> Self {
        let starts = match encoding {
            Encoding::Octet => None,
            Encoding::Netascii => Some(VecDeque::from([Cursor::default()])),
        };
        Self { body, starts }
    }

    /// Fills `buffer` from offset `wire`; short only at the end of the file.
    ///
    /// In netascii, `wire` must be 0 or the end of an earlier read that was not released.
    ///
    /// # Errors
    ///
    /// What the file system says.
    pub fn read_at(&mut self, wire: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(starts) = &mut self.starts else { return self.body.read_at(wire, buffer) };
        let start = starts.iter().find(|start| start.wire == wire);
        let mut cursor = *start.ok_or_else(|| io::Error::other("text is read block by block"))?;
        let filled = translate(&self.body, &mut cursor, buffer)?;
        if starts.back().is_some_and(|last| last.wire < cursor.wire) {
            starts.push_back(cursor);
        }
        Ok(filled)
    }

    /// Says that nothing before `wire` will be asked for again.
    pub fn release(&mut self, wire: u64) {
        while let Some(starts) = &mut self.starts {
            // The last one stays, whatever the caller says: reading goes on from there.
            if starts.len() < 2 || starts.front().is_some_and(|start| start.wire >= wire) {
                break;
            }
            starts.pop_front();
        }
    }
}

/// LF becomes CR LF and CR becomes CR NUL (RFC 764, by RFC 1350 §1): the file's line ends are this host's, LF.
fn translate(body: &Body, cursor: &mut Cursor, buffer: &mut [u8]) -> io::Result<usize> {
    let mut chunk = [0; 1024];
    let mut filled = 0;
    while filled < buffer.len() {
        if let Some(byte) = cursor.pending.take() {
            buffer[filled] = byte;
            filled += 1;
            continue;
        }
        let room = (buffer.len() - filled).min(chunk.len());
        let read = body.read_at(cursor.file, &mut chunk[..room])?;
        if read == 0 {
            break;
        }
        for &byte in &chunk[..read] {
            if filled == buffer.len() {
                break;
            }
            let (first, second) = match byte {
                b'\n' => (b'\r', Some(b'\n')),
                b'\r' => (b'\r', Some(0)),
                _ => (byte, None),
            };
            buffer[filled] = first;
            filled += 1;
            cursor.file += 1;
            match second {
                Some(second) if filled < buffer.len() => {
                    buffer[filled] = second;
                    filled += 1;
                }
                split => cursor.pending = split,
            }
        }
    }
    cursor.wire += filled as u64;
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn content(bytes: &[u8], encoding: Encoding) -> Content {
        Content::new(Body::Bytes(bytes.into()), encoding)
    }

    /// Reads everything in blocks, each twice, as if the first copy had been lost.
    fn wire(bytes: &[u8], encoding: Encoding, block: usize) -> Vec<u8> {
        let mut content = content(bytes, encoding);
        let mut all = Vec::new();
        loop {
            let (mut once, mut again) = (vec![0; block], vec![0; block]);
            let at = all.len() as u64;
            let read = content.read_at(at, &mut once).unwrap();
            assert_eq!(content.read_at(at, &mut again).unwrap(), read);
            assert_eq!(once, again);
            all.extend(&once[..read]);
            content.release(all.len() as u64);
            if read < block {
                return all;
            }
        }
    }

    #[test]
    fn line_ends() {
        let check = |text: &str, sent: &str| {
            for block in 1..6 {
                assert_eq!(wire(text.as_bytes(), Encoding::Netascii, block), sent.as_bytes());
            }
        };
        check("", "");
        check("a\nb\n", "a\r\nb\r\n");
        check("\n\n\n", "\r\n\r\n\r\n");
        check("a\rb", "a\r\0b");
        check("a\r\nb", "a\r\0\r\nb");
        check("no end", "no end");
    }

    #[test]
    fn a_window_of_blocks_can_be_read_again() {
        let mut content = content(b"1\n2\n3\n4\n5\n", Encoding::Netascii);
        let mut block = [0; 4];
        for wire in [0, 4, 8, 4, 8, 0] {
            assert_eq!(content.read_at(wire, &mut block).unwrap(), 4, "{wire}");
        }
        content.release(4);
        content.read_at(0, &mut block).unwrap_err();
        assert_eq!(content.read_at(4, &mut block).unwrap(), 4);
        assert_eq!(&block, b"\r\n3\r");
    }

    proptest! {
        #[test]
        fn octet_is_the_file_and_netascii_the_translation(
            text in "[a\r\n\0]{0,300}", block in 1..40usize,
        ) {
            prop_assert_eq!(wire(text.as_bytes(), Encoding::Octet, block), text.as_bytes());
            let whole = text.replace('\r', "\r\0").replace('\n', "\r\n");
            prop_assert_eq!(wire(text.as_bytes(), Encoding::Netascii, block), whole.as_bytes());
        }
    }
}
