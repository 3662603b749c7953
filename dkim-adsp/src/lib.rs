//! Author Domain Signing Practices (RFC 5617, Historic): the record and its lookup.
//!
//! ADSP is Historic since 2013, when DMARC (RFC 7489) had taken its place: read old records and old
//! archives with it, and publish none. What the crate does: find the [`Author`]s of a message, look
//! up what their domains say about signatures ([`AdspLookup`]), and put that together with the
//! signatures found valid ([`evaluate`]). It does not know the verifier.
//!
//! ```
//! use dkim_adsp::{AdspLookup, authors, evaluate, resinfo};
//! use dkim_authres::AdspResult;
//! use dkim_dns::{Zone, drive_blocking};
//!
//! let zone = Zone::new()
//!     .exists("aaa.example")
//!     .txt("_adsp._domainkey.aaa.example", "dkim=all");
//!
//! for author in authors(b"bob@aaa.example (Bob the Author)")? {
//!     let mut lookup = AdspLookup::new(author.domain());
//!     drive_blocking(&mut lookup, &zone);
//!     let result = evaluate(author.domain(), &[], &lookup.finish());
//!     assert_eq!(result, AdspResult::Fail);
//!     assert_eq!(resinfo(&author, result).get("header", "from"), Some("bob@aaa.example"));
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
mod lookup;
mod outcome;

pub use adsp::{Adsp, AdspError, AdspRecord};
pub use author::{Author, AuthorError, MAX_AUTHOR_DOMAINS, authors};
pub use lookup::{AdspLookup, LookupFailure};
pub use outcome::{evaluate, has_author_domain_signature, resinfo};
