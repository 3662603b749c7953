//! What may go wrong with an update, and what to do about it.

use std::net::SocketAddr;
use std::time::Duration;
use std::{fmt, io};

/// Why nothing was updated, or nobody knows whether it was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UpdateError {
    /// There is no key, and the server is not on this machine: nothing was sent.
    #[error("no update is sent to another machine without a TSIG key")]
    Unauthenticated,
    /// A name or a record cannot be sent.
    #[error("{what} cannot be sent: {why}")]
    Unsendable {
        /// The name or record.
        what: String,
        /// Why.
        why: String,
    },
    /// The server was not reached, or hung up.
    #[error("no answer: {0}")]
    Unreachable(#[source] io::Error),
    /// The server was waited for, and in vain.
    #[error("{server} {what} within {waited:?}")]
    Silent {
        /// The server.
        server: SocketAddr,
        /// What it did not do.
        what: &'static str,
        /// How long it had for it.
        waited: Duration,
    },
    /// What came is no answer to the update.
    #[error("the answer cannot be read: {0}")]
    Unreadable(String),
    /// The answer does not bear the authentication code that only the server can make.
    #[error("the answer is not authentic: {0}")]
    NotAuthentic(String),
    /// The server knows no TSIG key of this name and algorithm (BADKEY).
    #[error("the server does not know the TSIG key {0} (BADKEY)")]
    UnknownKey(String),
    /// The server has another secret (BADSIG).
    #[error("the secret of the TSIG key {0} is not the one that the server has (BADSIG)")]
    WrongSecret(String),
    /// The clocks differ by more than five minutes (BADTIME).
    #[error("the server's clock {0} (BADTIME)")]
    Clocks(ClockSkew),
    /// No zone was found that the server is in charge of.
    #[error("the server is in charge of no zone that {0} is in")]
    NoZone(String),
    /// The server is not in charge of the zone (NOTAUTH, NOTZONE).
    #[error("the server is not in charge of the zone {0} ({1})")]
    NotAuthoritative(String, &'static str),
    /// The condition does not hold (NXRRSET, YXRRSET): other records stand there than were seen.
    #[error("{0} has other records than it showed a moment ago")]
    Changed(String),
    /// The name is an alias (YXRRSET): nothing can stand beside a CNAME record.
    #[error("{0} is an alias (CNAME)")]
    Alias(String),
    /// The server does not let the key change that (REFUSED).
    #[error("the server refuses the update (REFUSED)")]
    Refused,
    /// The server takes no updates (NOTIMP).
    #[error("the server takes no updates (NOTIMP)")]
    NotImplemented,
    /// The server failed (SERVFAIL).
    #[error("the server failed to update the zone (SERVFAIL)")]
    Failed,
    /// Something else.
    #[error("the server says {0}")]
    Other(String),
}

impl UpdateError {
    /// Whether the same may succeed later.
    #[must_use]
    pub const fn is_temporary(&self) -> bool {
        matches!(self, Self::Unreachable(_) | Self::Silent { .. } | Self::Failed)
    }

    /// What to do about it.
    #[must_use]
    pub const fn remedy(&self) -> &'static str {
        match self {
            Self::Unauthenticated => {
                "make a TSIG key (`tsig-keygen`), let the server know it, and name its file"
            }
            Self::Unsendable { .. } => "shorten or mend it (RFC 1035 §2.3.4, §3.3.14)",
            Self::Unreachable(_) => {
                "see that the server runs and takes TCP connections from here, then try again"
            }
            Self::Silent { .. } => {
                "see that the server runs and takes TCP connections from here, then try again: \
                 an update that was sent may have been carried out nevertheless"
            }
            Self::Unreadable(_) => {
                "see that it is a name server that listens there; if it is, look at what it shows: \
                 whether it took the update is not known"
            }
            Self::NotAuthentic(_) => {
                "look at what the server shows: whether it took the update is not known; \
                 somebody may stand between it and you"
            }
            Self::UnknownKey(_) => {
                "let the server have a key of this name and algorithm (BIND: a `key` statement); \
                 no answer of this kind is signed, so look at what the server shows"
            }
            Self::WrongSecret(_) => {
                "give both sides the same secret; no answer of this kind is signed, so look at what \
                 the server shows"
            }
            Self::Clocks(_) => "set the clock that is wrong: TSIG allows five minutes",
            Self::Changed(_) => "look again what stands there: somebody else publishes, too",
            Self::NoZone(_) => "name the zone's primary server, or the zone",
            Self::NotAuthoritative(..) => "name the zone's primary server, and the right zone",
            Self::Alias(_) => "publish where the alias leads, or take the CNAME record away first",
            Self::Refused => {
                "let the key change TXT records there \
                 (BIND: `update-policy { grant KEY subdomain _domainkey.DOMAIN TXT; };`)"
            }
            Self::NotImplemented => "switch dynamic updates on, or publish by hand",
            Self::Failed => {
                "look into the server's log; often it may not write its zone file or journal"
            }
            Self::Other(_) => "look into the server's log",
        }
    }
}

/// What the server's clock and that of this machine say, in seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClockSkew {
    /// The time that the update bore.
    pub ours: u64,
    /// The server's, if it told.
    pub theirs: Option<u64>,
}

impl fmt::Display for ClockSkew {
    /// By how much the server's clock differs from this machine's.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.theirs, self.ours) {
            (None, _) => f.write_str("and this machine's differ by more than five minutes"),
            (Some(theirs), ours) => {
                let side = if theirs < ours { "behind" } else { "ahead of" };
                write!(f, "is {} seconds {side} this machine's", theirs.abs_diff(ours))
            }
        }
    }
}
