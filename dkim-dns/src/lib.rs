//! DNS questions as plain data, and the drivers that carry them there and back.
//!
//! Whoever needs the DNS is an [`Inquirer`]: it says what it wants to know and takes answers in any
//! order. [`drive`] and [`drive_blocking`] carry them between it and a resolver: a [`Zone`], which is
//! a literal or a master file, the DNS itself (`HickoryResolver` and `HickoryBlocking`, feature
//! `hickory`), or one of your own. [`Coalescing`] before it asks once what several ask together.
//! With feature `dnssec` (and `ring` or `aws-lc-rs`) it validates, if it is given `TrustAnchors`.
//! What a zone says is changed by an `Updater` (feature `update`, with `ring` or `aws-lc-rs`).
//!
//! ```
//! use dkim_dns::{Answer, Inquirer, Query, QueryId, QueryKind, Zone, drive_blocking};
//!
//! /// Asks for the TXT records of one name.
//! struct Txt {
//!     open: Option<String>,
//!     answer: Option<Answer>,
//! }
//!
//! impl Inquirer for Txt {
//!     fn queries(&mut self) -> Vec<Query> {
//!         let name = self.open.take();
//!         name.map(|name| Query { id: QueryId(1), name, kind: QueryKind::Txt }).into_iter().collect()
//!     }
//!
//!     fn answer(&mut self, id: QueryId, answer: Answer) {
//!         if id == QueryId(1) {
//!             self.answer = Some(answer);
//!         }
//!     }
//! }
//!
//! let zone = Zone::new().txt("s._domainkey.example.org", "v=DKIM1; p=");
//! let mut txt = Txt { open: Some("s._domainkey.example.org".to_owned()), answer: None };
//! drive_blocking(&mut txt, &zone);
//! let found = txt.answer.expect("the question was asked")?;
//! assert_eq!(found.records[0].joined(), b"v=DKIM1; p=");
//! # Ok::<(), dkim_dns::LookupError>(())
//! ```
#![forbid(unsafe_code)]

mod coalesce;
mod drive;
#[cfg(feature = "hickory")]
mod hickory;
mod master_file;
mod name;
mod query;
mod questions;
#[cfg(feature = "dnssec")]
mod trust_anchors;
#[cfg(all(feature = "update", any(feature = "ring", feature = "aws-lc-rs")))]
mod update;
mod zone;

pub use coalesce::Coalescing;
pub use drive::{
    BlockingResolver, Resolver, ask, ask_until, drive, drive_blocking, drive_until, drive_while,
};
#[cfg(feature = "hickory")]
pub use hickory::{HickoryBlocking, HickoryError, HickoryOptions, HickoryResolver, NameServer};
pub use master_file::{ZoneError, ZoneErrorKind};
pub use name::NameError;
pub use query::{
    Answer, Dnssec, Found, Inquirer, LookupError, MAX_CNAME_HOPS, MAX_RECORDS, Query, QueryId,
    QueryKind, Record, records,
};
pub use questions::TxtQuestions;
#[cfg(feature = "dnssec")]
pub use trust_anchors::{TrustAnchors, TrustAnchorsError, TrustAnchorsErrorKind};
#[cfg(all(feature = "update", any(feature = "ring", feature = "aws-lc-rs")))]
pub use update::{
    Change, ClockSkew, Condition, TsigAlgorithm, TsigKey, TsigKeyError, Update, UpdateError,
    Updater,
};
pub use zone::Zone;
