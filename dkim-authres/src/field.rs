//! The Authentication-Results field as a value.

use crate::ResInfo;
use crate::remove::{is_dot, may_be_a_name};

/// What one authentication service says of a message (RFC 8601 §2.2).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct AuthenticationResults {
    /// Who says so: a domain name as a rule (RFC 8601 §2.5).
    pub authserv_id: String,
    /// The version of the field's syntax; `None` means 1. Results under any other version are
    /// to be left alone (RFC 8601 §2.6).
    pub version: Option<u32>,
    /// The results, in order. Without any, the field says that no authentication was done.
    pub results: Vec<ResInfo>,
}

impl AuthenticationResults {
    /// The only version there is (RFC 8601 §2.2).
    pub const VERSION: u32 = 1;

    /// No results yet. An authserv-id that is a domain name with U-labels is kept in A-labels: it may
    /// go into any message, and those who trust it need not know two spellings (RFC 8601 §2.5).
    #[must_use]
    pub fn new(authserv_id: impl Into<String>) -> Self {
        let mut authserv_id = authserv_id.into();
        if !authserv_id.is_ascii() && may_be_a_name(&authserv_id) {
            let a_label =
                |label: &str| idna::domain_to_ascii_strict(label).unwrap_or_else(|_| label.into());
            authserv_id = authserv_id.split(is_dot).map(a_label).collect::<Vec<_>>().join(".");
        }
        Self { authserv_id, version: None, results: Vec::new() }
    }

    /// Adds a result.
    #[must_use]
    pub fn with(mut self, result: ResInfo) -> Self {
        self.results.push(result);
        self
    }
}
