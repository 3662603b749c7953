//! What an Author Domain says about signatures: its practices (ADSP, RFC 5617, Historic), and who
//! may sign for it (ATPS, RFC 6541, Experimental).
//!
//! The crate finds the [`Author`]s of a message, asks their domains, and puts the answers together
//! with the signatures found valid. It does not know the verifier; of what that found, those
//! signatures are valid here that pass and whose key is not in test.
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
//!     assert_eq!(finding.res_info().get("header", "from"), Some("bob@aaa.example"));
//! }
//! # Ok::<(), dkim_adsp::AuthorError>(())
//! ```
//!
//! # ATPS
//!
//! Experimental. A third party that signs says for which Author Domain it does
//! ([`Atps`](dkim_tags::Atps)), and [`AtpsCheck`] asks that domain whether it is so. A check of ADSP
//! comes after it, and takes what it found for the Author Domain's own signature (RFC 6541 §6):
//!
//! ```
//! use dkim_adsp::{AdspCheck, AtpsCheck, AtpsFinding, authors};
//! use dkim_authres::AdspResult;
//! use dkim_crypto::ring::PROVIDER;
//! use dkim_dns::{Zone, drive_blocking};
//! use dkim_tags::Signature;
//!
//! let zone = Zone::new()
//!     .exists("example.com")
//!     .txt("_adsp._domainkey.example.com", "dkim=discardable")
//!     .txt("esp.example._atps.example.com", "v=ATPS1; d=esp.example");
//! let authors = authors(b"joe@example.com")?;
//! // A signature that was found valid.
//! let valid = [Signature::parse(
//!     b"v=1; a=rsa-sha256; d=esp.example; s=s; h=from; bh=Zm9v; b=Zm9v; \
//!       atps=example.com; atpsh=none",
//! )?];
//!
//! let mut atps = AtpsCheck::new(&authors, &valid, &PROVIDER);
//! drive_blocking(&mut atps, &zone);
//! let found = atps.finish();
//! let signers = valid.iter().map(|signature| &signature.sdid);
//! let sdids = signers.chain(found.iter().filter_map(AtpsFinding::authorized));
//! let mut adsp = AdspCheck::new(&authors, sdids);
//! drive_blocking(&mut adsp, &zone);
//! assert_eq!(adsp.finish()[0].result(), AdspResult::Pass);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! An elder of ATPS, draft-otis-dkim-tpa-label, is no standard, was never adopted and is not here.
//! RFC 6541 says of itself that it was based on an "original document" of Doug Otis and Daniel Black
//! (Appendix C), and that the working group held such a mechanism to be "controversial" (§7).
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
pub use atps_check::{AtpsCheck, AtpsFailure, AtpsFinding, atps_res_info_without_author};
pub use author::{Author, AuthorError, MAX_AUTHOR_DOMAINS, OutOfScope, authors, authors_of};
pub use lookup::{AdspLookup, LookupFailure};
pub use outcome::{evaluate, has_author_domain_signature, res_info, res_info_without_author};
