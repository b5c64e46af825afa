//! Where a phone is plugged in, as the switch or relay in front of it says (option 82).

use std::fmt;

/// What stands between the two parts in the text form; in a part it becomes a slash.
const BETWEEN: &str = " | ";

/// A port of a switch.
///
/// It displays as `sw-3 | ge-0/0/7` and reads back as it was, so that the record keeps it as one text.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Plug {
    /// The switch, as it names itself; empty if it does not.
    pub switch: String,
    /// The port, in the switch's own words; empty if it does not say.
    pub port: String,
}

impl Plug {
    /// A port of a switch; `None` where neither part says anything.
    #[must_use]
    pub fn new(switch: &str, port: &str) -> Option<Self> {
        let clean = |text: &str| text.trim().replace('|', "/");
        let plug = Self { switch: clean(switch), port: clean(port) };
        (!plug.switch.is_empty() || !plug.port.is_empty()).then_some(plug)
    }

    /// Reads what it displays as.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let (switch, port) = text.split_once('|')?;
        Self::new(switch, port)
    }
}

impl fmt::Display for Plug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{BETWEEN}{}", self.switch, self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_back_what_it_displays() {
        let check = |switch: &str, port: &str, text: &str| {
            let plug = Plug::new(switch, port).unwrap();
            assert_eq!(plug.to_string(), text);
            assert_eq!(Plug::read(text), Some(plug));
        };
        check("sw-3", "ge-0/0/7", "sw-3 | ge-0/0/7");
        check("a|b", " c | d", "a/b | c / d");
        check("", "7", " | 7");
        check("sw-3", "", "sw-3 | ");
        assert_eq!((Plug::new(" ", ""), Plug::read("sw-3")), (None, None));
    }
}
