//! The life of a DKIM key (RFC 5585 §5.1, RFC 5863 §3, §4): made, published, tested, audited.
//!
//! A key is made and put into a file that nobody else can read ([`KeyPair`], [`save_new`]); its
//! record is written in the form that a DNS provider takes ([`Form`]); what the DNS then says of it
//! is tested for everything that usually goes wrong ([`KeyTest`], [`loop_back`]); and the files on
//! disk are looked at with suspicion ([`FileAudit`]). Which key signs for whom is said in a file
//! ([`Config`]), and [`agent`] lets it sign where mail is not handled; keys that change are made, put to work
//! and taken away in steps ([`step`]), each of which is saved ([`StateFile`]). What is found is
//! a [`Finding`]: what is wrong, how bad that is, and what to do about it.
//!
//! Decisions are made without files and sockets; the only part that opens files is the one whose
//! trade that is.
#![forbid(unsafe_code)]

pub mod agent;
mod as_text;
mod audit;
#[cfg(test)]
mod catalogue;
mod config;
mod directory;
mod examine;
mod excerpt;
mod finding;
mod form;
mod key_file;
mod kind;
mod lock;
mod loop_back;
#[cfg(feature = "pkcs11")]
pub mod pkcs11;
mod publication;
mod record_fault;
mod rotation;
mod secret;
mod test;
// Only whoever opens tokens needs all that it says.
#[cfg_attr(not(feature = "pkcs11"), allow(dead_code))]
mod token_uri;

pub use audit::{AuditedFiles, FileAudit, FileFault, FileRules, KeyFile};
pub use config::{
    Chosen, Compliance, Config, ConfigError, Decision, Import, ImportError, KeyEntry, KeySource,
    Mail, Matching, NamedKey, PassedOver, Pattern, Rotation, Rule, Selection, ServerAddress,
    Signatory, SignatoryError, Signing, SigningDomain, TooManyAuthors, Unclear, Verdict,
    check_config, import_opendkim, is_in_token,
};
pub use examine::examine;
pub use finding::{Finding, Severity};
pub use form::Form;
pub use key_file::{
    KeyFileError, delete_key, delete_unfinished, key_file_name, read_key, reveal_key, save_new,
};
pub use kind::{KeyKind, KeyPair};
pub use lock::{Lock, LockError};
pub use loop_back::{LoopBackError, loop_back};
pub use publication::{NameTooLong, Publication};
pub use record_fault::RecordFault;
pub use rotation::{
    Done, Event, Hands, LockedState, Phase, Plan, Progress, RotatedKey, RotationError,
    RotationState, SelectorTemplate, Sharer, StateError, StateFile, StateFileError, TemplateError,
    Transition, abort, check_rotation, forecast, public_sha256, revoke, step,
};
pub use secret::is_secret;
pub use test::{KeyTest, Tested};
