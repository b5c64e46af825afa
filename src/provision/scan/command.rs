//! Barcodes that tell the bench what to do, instead of the mouse.

/// What a command barcode asks for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Command {
    /// Take the last thing back.
    Undo,
    /// Leave a slot free.
    NextSlot,
    /// The phone that is scanned next takes the place of the last one.
    Replace,
    /// Put the last phone aside.
    Fail,
    /// List the last phone, which nobody listed, as it is.
    List,
}

/// What stands in front of each command, so that no label says one by chance.
const MARK: &str = "RINGUP ";

impl Command {
    /// All of them, in the order in which they are printed.
    pub const ALL: [Self; 5] = [Self::Undo, Self::NextSlot, Self::Replace, Self::Fail, Self::List];

    /// The name in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Undo => "undo",
            Self::NextSlot => "next-slot",
            Self::Replace => "replace",
            Self::Fail => "fail",
            Self::List => "list",
        }
    }

    /// As it is printed: capitals and blanks only, which every scanner can read.
    #[must_use]
    pub fn printed(self) -> String {
        format!("{MARK}{}", self.as_str().replace('-', " ").to_uppercase())
    }

    /// What it does, in plain words.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Undo => "takes the last thing back",
            Self::NextSlot => "leaves a slot free",
            Self::Replace => "the next phone takes the place of the last one",
            Self::Fail => "puts the last phone aside",
            Self::List => "makes an entry of a phone that nobody listed",
        }
    }

    /// Reads a barcode, or the command as it is typed.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ").to_uppercase();
        Self::ALL.into_iter().find(|command| command.printed() == words)
    }
}
