//! Authentication-Results (RFC 8601): the field's words, its writer, its parser, and which forged fields a border must delete.
//!
//! The crate knows no authentication method: whoever evaluates one turns the outcome into a
//! [`ResInfo`].
//!
//! ```
//! use dkim_authres::{AuthenticationResults, DkimResult, ResInfo};
//!
//! let results = AuthenticationResults::new("mx.example.org").with(
//!     ResInfo::new("dkim", DkimResult::Pass.name())
//!         .reason("good signature")
//!         .prop("header", "d", "example.com"),
//! );
//! let body = results.field_body();
//! assert_eq!(
//!     body,
//!     "mx.example.org;\r\n    dkim=pass reason=\"good signature\" header.d=example.com"
//! );
//! assert_eq!(AuthenticationResults::parse(body.as_bytes())?, results);
//! # Ok::<(), dkim_authres::AuthResError>(())
//! ```
#![forbid(unsafe_code)]

mod field;
mod own;
mod parse;
mod remove;
mod resinfo;
mod result;
mod write;

pub use field::AuthenticationResults;
pub use own::{OwnIdError, OwnIds};
pub use parse::{AuthResError, MAX_OCTETS};
pub use remove::{Forged, forged, without_forged};
pub use resinfo::{Prop, ResInfo};
pub use result::{AdspResult, AtpsResult, DkimResult};
