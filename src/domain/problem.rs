//! Something in a file that its author has to fix.

use std::fmt;

/// How bad a problem is.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Severity {
    /// Legal but probably not meant; everything runs.
    Warning,
    /// The file can't be used as it is.
    Error,
}

/// Something in a file that its author has to fix, with the place and the remedy.
///
/// It displays in two lines, `file:line: text` and `  help: …`, as compilers do.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Problem {
    /// How bad it is.
    pub severity: Severity,
    /// The file as the operator named it; empty where there is none.
    pub file: String,
    /// Line number from 1, where one is known.
    pub line: Option<usize>,
    /// What is wrong, without the place.
    pub text: String,
    /// What to do about it; empty where the text says it already.
    pub help: String,
}

impl Problem {
    /// An error in `file`.
    pub fn error(file: impl Into<String>, line: Option<usize>, text: impl Into<String>) -> Self {
        let (file, text) = (file.into(), text.into());
        Self { severity: Severity::Error, file, line, text, help: String::new() }
    }

    /// A warning about `file`.
    pub fn warning(file: impl Into<String>, line: Option<usize>, text: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(file, line, text) }
    }

    /// The same problem with its remedy.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = help.into();
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.file.is_empty() {
            write!(f, "{}", self.file)?;
            if let Some(line) = self.line {
                write!(f, ":{line}")?;
            }
            f.write_str(": ")?;
        }
        if self.severity == Severity::Warning {
            f.write_str("warning: ")?;
        }
        f.write_str(&self.text)?;
        if !self.help.is_empty() {
            write!(f, "\n  help: {}", self.help)?;
        }
        Ok(())
    }
}
