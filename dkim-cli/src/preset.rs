//! The policies that can be asked for by name.

use clap::ValueEnum;
use dkim_stack::Policy;

/// The policies there are.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Preset {
    /// What the RFCs ask for
    Rfc,
    /// Besides, refuse l= that leaves octets unsigned, a second field that steers a reader, and t= in
    /// the future
    Strict,
    /// Whatever verifies passes, its deviations beside it
    Lenient,
}

impl Preset {
    pub(crate) fn policy(self) -> Policy {
        match self {
            Self::Rfc => Policy::rfc(),
            Self::Strict => Policy::strict(),
            Self::Lenient => Policy::lenient(),
        }
    }
}
