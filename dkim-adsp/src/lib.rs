//! Author Domain Signing Practices (RFC 5617, Historic): the record and its lookup.
//!
//! ADSP is Historic (RFC 7601 §1 lists it so, and RFC 7489 Appendix A.5 tells what was wanting):
//! read old records and old archives with it, and publish none. What the crate does: find the
//! [`Author`]s of a message, look up what their domains say about signatures ([`AdspLookup`]), and
//! put that together with the signatures found valid ([`evaluate`]); [`AdspCheck`] does it all for
//! a message. It does not know the verifier.
//!
//! ```
//! use dkim_adsp::{AdspCheck, authors};
//! use dkim_authres::AdspResult;
//! use dkim_dns::{Zone, drive_blocking};
//!
//! let zone = Zone::new()
//!     .exists("aaa.example")
//!     .txt("_adsp._domainkey.aaa.example", "dkim=all");
//!
//! // No signature was found valid.
//! let mut check = AdspCheck::new(&authors(b"bob@aaa.example (Bob the Author)")?, &[]);
//! drive_blocking(&mut check, &zone);
//! for finding in check.finish() {
//!     assert_eq!(finding.result(), AdspResult::Fail);
//!     assert_eq!(finding.resinfo().get("header", "from"), Some("bob@aaa.example"));
//! }
//! # Ok::<(), dkim_adsp::AuthorError>(())
//! ```
//!
//! # Not supported
//!
//! The further checks of RFC 5617 §4.3 whether a domain that exists has MX, A or AAAA records (a
//! MAY); wildcards are not detected, since nobody can (RFC 5617 §6.3).
#![forbid(unsafe_code)]

mod adsp;
mod author;
mod check;
mod lookup;
mod outcome;

pub use adsp::{Adsp, AdspError, AdspRecord};
pub use author::{Author, AuthorError, MAX_AUTHOR_DOMAINS, OutOfScope, authors, authors_of};
pub use check::{AdspCheck, AdspFinding, gravest};
pub use lookup::{AdspLookup, LookupFailure};
pub use outcome::{evaluate, has_author_domain_signature, resinfo, resinfo_without_author};
