//! What an Author Domain says about signatures: its practices (ADSP, RFC 5617, Historic), and who may
//! sign for it (ATPS, RFC 6541, Experimental).
//!
//! The crate finds the [`Author`]s of a message, asks their domains, and puts the answers together
//! with the signatures found valid. It does not know the verifier.
//!
//! # ADSP
//!
//! Historic: RFC 7601 §1 lists it so, and RFC 7489 Appendix A.5 tells what was wanting. Read old
//! records and old archives with it, and publish none. [`AdspLookup`] asks for the practices of a
//! domain, [`evaluate`] gives the result, and [`AdspCheck`] does both for a message.
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
//! # ATPS
//!
//! Experimental. A third party that signs says for which Author Domain it does
//! ([`Atps`](dkim_tags::Atps)), and [`AtpsCheck`] asks that domain whether it is so;
//! a check of ADSP comes after it and takes what it found for the Author Domain's own signature (RFC
//! 6541 §6):
//!
//! ```
//! # use dkim_adsp::{AdspCheck, AtpsCheck, Author};
//! # use dkim_tags::{DomainName, Signature};
//! # fn check(authors: &[Author], valid: &[Signature], zone: &dkim_dns::Zone) {
//! # use dkim_crypto::ring::PROVIDER;
//! # use dkim_dns::drive_blocking;
//! let mut atps = AtpsCheck::new(authors, valid, &PROVIDER);
//! drive_blocking(&mut atps, zone);
//! let found = atps.finish();
//! let authorized = found.iter().filter_map(|finding| finding.authorized());
//! let signers = valid.iter().map(|signature| &signature.sdid);
//! let sdids: Vec<DomainName> = signers.chain(authorized).cloned().collect();
//! let mut adsp = AdspCheck::new(authors, &sdids);
//! drive_blocking(&mut adsp, zone);
//! # }
//! ```
//!
//! RFC 6541 was based on an "original document" of Doug Otis and Daniel Black (its Appendix C). That
//! elder, draft-otis-dkim-tpa-label, is no standard and was never adopted: the working group held
//! the need for a third-party mechanism to be "controversial" and another one "sufficient" (§7). It
//! is not here.
//!
//! # Not supported
//!
//! The further checks of RFC 5617 §4.3 whether a domain that exists has MX, A or AAAA records (a
//! MAY); wildcards are not detected, since nobody can (RFC 5617 §6.3).
#![forbid(unsafe_code)]

mod adsp;
mod adsp_check;
mod atps;
mod atps_check;
mod author;
mod lookup;
mod outcome;

pub use adsp::{Adsp, AdspError, AdspRecord};
pub use adsp_check::{AdspCheck, AdspFinding, gravest};
pub use atps::{AtpsRecord, AtpsRecordError, UnsupportedHash};
pub use atps_check::{AtpsCheck, AtpsFailure, AtpsFinding};
pub use author::{Author, AuthorError, MAX_AUTHOR_DOMAINS, OutOfScope, authors, authors_of};
pub use lookup::{AdspLookup, LookupFailure};
pub use outcome::{evaluate, has_author_domain_signature, resinfo, resinfo_without_author};
