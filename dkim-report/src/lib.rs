//! Reports about DKIM failures: who asks for them (RFC 6651), what is in them (RFC 6591), and how
//! they are read.
//!
//! A signer asks with `r=y` and a record in the DNS. Whether a report is due is decided after the
//! verification, which is the same with it and without: [`ReportInquiry`] asks the DNS and gives a
//! [`Decision`] for each signature. [`Feedback`] says what went wrong, [`Report`] is the message
//! that carries it, and [`ReadReport`] reads one, ours or another's.
//!
//! ```
//! use dkim_crypto::ring::PROVIDER;
//! use dkim_dns::{Zone, drive_blocking};
//! use dkim_report::ReportInquiry;
//! use dkim_tags::UnixTime;
//! use dkim_verify::{Policy, Verifier};
//!
//! let message = b"DKIM-Signature: v=1; a=rsa-sha256; d=example.com; s=s; r=y; h=from;\r\n \
//!                 bh=YQ==; b=YQ==\r\nFrom: joe@example.com\r\n\r\nHi.\r\n";
//! let zone = Zone::new().txt("_report._domainkey.example.com", "ra=dkim-errors; rp=100; rr=d:v");
//! let (header, body) = dkim_message::split(message);
//! let mut verifier = Verifier::new(&header, &Policy::rfc(), UnixTime(1_700_000_000), &PROVIDER);
//! drive_blocking(&mut verifier, &zone);
//! verifier.body_chunk(body);
//! let found = verifier.finish();
//!
//! let mut inquiry = ReportInquiry::new(&found, &header, Some("<joe@example.com>"));
//! drive_blocking(&mut inquiry, &zone);
//! let drawn = 42; // at random, below 100: the library draws nothing
//! let decisions = inquiry.finish(drawn);
//! let to = decisions[0].wanted.clone()?;
//! assert_eq!(to.to_string(), "dkim-errors@example.com");
//! # Ok::<(), dkim_report::Unwanted>(())
//! ```
//!
//! # What keeps it from harm
//!
//! Who sends forged mail chooses whom it makes us write to. So an inquiry names the domain that
//! signed and nobody else ([`ReportAddress`] cannot be made otherwise), each domain once a message and
//! [`MAX_DOMAINS`] in all, and none about mail that machines sent ([`automatic`]).
//!
//! What a message does not tell is left to whoever sends. Nothing is sent here: let [`Throttle`] bound
//! how many reports go to one address, and give what [`Report::to_message`] makes to a mail server,
//! with an empty envelope sender, and signed (RFC 6651 §6.1). [`adsp_decision`] is about one Author
//! Domain at a time, and names it whether it signed or not: ask [`automatic`] before, and tell no
//! domain twice.
//!
//! # Not supported
//!
//! Reports in summary form (RFC 5965 §2 e) and SPF reports are read and not made.
#![forbid(unsafe_code)]

mod address;
mod automatic;
mod canonical;
mod date;
mod feedback;
mod fields;
mod incident;
mod inquiry;
mod mime;
mod of_adsp;
mod of_signature;
mod original;
mod private;
mod read;
mod read_feedback;
mod redact;
mod redactor;
mod report;
mod terms;
mod throttle;
mod words;

pub use address::ReportAddress;
pub use automatic::{Automatic, automatic};
pub use canonical::{CanonicalBody, canonical_header};
pub use date::date_time;
pub use feedback::{AuthFailure, DeliveryResult, Feedback};
pub use incident::{AdspIncident, DkimIncident, Incident};
pub use inquiry::{Decision, MAX_DOMAINS, ReportInquiry, Unwanted};
pub use of_adsp::adsp_decision;
pub use original::Original;
pub use read::{ReadError, ReadReport};
pub use read_feedback::{Fault, FaultKind};
pub use redactor::Redactor;
pub use report::{Report, ReportError};
pub use terms::{ReportTerms, TermsError};
pub use throttle::{Admission, Throttle, ThrottleLimits};
