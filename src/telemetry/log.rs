//! Logging to standard error: one event, one line, whatever a stranger put into it.

use std::{
    env,
    io::{self, Write},
};

use tracing_subscriber::{EnvFilter, fmt::MakeWriter};

/// What is logged where neither the caller nor `RINGUP_LOG` says.
const DEFAULT: &str = "info";

/// A filter that can't be read.
#[derive(Debug, thiserror::Error)]
#[error("`{filter}` is no log filter: {text}; such as info, debug or ringup::tftp=debug,info")]
pub struct FilterError {
    filter: String,
    text: String,
}

/// Starts logging to standard error: `filter` if given, else the variable `RINGUP_LOG`, else `info`.
///
/// With `json` each line is one JSON object. Without, control characters are escaped, so that an event stays one line
/// and a name from the wire can't write on the operator's terminal. A second call changes nothing.
///
/// # Errors
///
/// [`FilterError`] for a filter that can't be read.
pub fn init(json: bool, filter: Option<&str>) -> Result<(), FilterError> {
    let given = filter.map(str::to_owned).or_else(|| env::var("RINGUP_LOG").ok());
    let text = given.filter(|text| !text.is_empty()).unwrap_or_else(|| DEFAULT.to_owned());
    let filter = EnvFilter::try_new(&text)
        .map_err(|error| FilterError { filter: text, text: error.to_string() })?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false);
    // A logger that is there already is the caller's own, as in tests.
    let _ = if json {
        builder.json().with_writer(io::stderr).try_init()
    } else if env::var_os("JOURNAL_STREAM").is_some() {
        // systemd's journal has a time of its own for each line.
        builder.without_time().with_writer(Escaping(io::stderr)).try_init()
    } else {
        builder.with_writer(Escaping(io::stderr)).try_init()
    };
    Ok(())
}

/// Makes writers that escape what would break a line or move a cursor.
#[derive(Clone, Copy, Debug)]
struct Escaping<M>(M);

impl<'a, M: MakeWriter<'a>> MakeWriter<'a> for Escaping<M> {
    type Writer = Escaped<M::Writer>;

    fn make_writer(&'a self) -> Self::Writer {
        Escaped(self.0.make_writer())
    }
}

/// Writes each buffer, which is one whole event, as one line.
#[derive(Debug)]
struct Escaped<W>(W);

impl<W: Write> Write for Escaped<W> {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let line = event.strip_suffix(b"\n").unwrap_or(event);
        self.0.write_all(format!("{}\n", escape(&String::from_utf8_lossy(line))).as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

fn escape(line: &str) -> String {
    // Direction marks turn the rest of a line around: they count as control characters here.
    let moves = |c: char| {
        c.is_control()
            || matches!(c, '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let mut text = String::with_capacity(line.len());
    for character in line.chars() {
        if moves(character) && character != '\t' {
            text.extend(character.escape_default());
        } else {
            text.push(character);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn one_event_is_one_line() {
        let kept = Kept::default();
        let writer = kept.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_ansi(false)
            .without_time()
            .with_writer(Escaping(move || writer.clone()))
            .finish();
        tracing::subscriber::with_default(subscriber, || {
            tracing::info!(name = "a\r\nERROR forged\u{1b}[2J\u{202e}", "asked");
            tracing::info!("é");
        });
        let text = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
        assert_eq!(text.lines().count(), 2, "{text}");
        assert!(!text.contains(['\r', '\u{1b}', '\u{202e}']), "{text}");
        assert!(text.ends_with("é\n"), "{text}");
    }

    #[test]
    fn a_filter_that_makes_no_sense() {
        let error = init(false, Some("ringup=loud")).unwrap_err();
        assert!(error.to_string().starts_with("`ringup=loud` is no log filter"), "{error}");
    }
}
