//! The tag-list language of DKIM (RFC 6376 §3.2) and the DKIM-Signature field written in it
//! (§3.5).
#![forbid(unsafe_code)]

mod atps;
mod claims;
mod field_name;
mod format;
mod list;
mod name;
mod signature;
pub mod value;

pub use atps::{Atps, AtpsError, AtpsHash};
pub use claims::Claims;
pub use field_name::{FieldName, FieldNames, InvalidFieldName};
pub use format::TagWriter;
pub use list::{Tag, TagList, TagListError};
pub use name::{Auid, DomainName, InvalidName, Selector};
pub use signature::{
    Canonicalizations, CopiedField, Signature, SignatureError, UnixTime, UnknownCanonicalization,
    without_b,
};
