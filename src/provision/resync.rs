//! Making a phone come again: the seam between whoever wants it and the carrier that can.

use std::fmt::Debug;

use crate::domain::Mac;

/// What came of asking a phone to come again.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Called {
    /// It was told to, in its family's own way.
    Asked,
    /// Nothing here reaches it: somebody has to restart it.
    Restart,
}

impl Called {
    /// The name in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Restart => "restart",
        }
    }
}

/// Makes phones come again. A carrier implements it; the appliance joins it in with [`super::Service::join_resync`].
pub trait Resync: Debug + Send + Sync {
    /// Tells a phone to fetch its files anew. Returns at once, and promises nothing.
    fn resync(&self, phone: Mac) -> Called;
}
