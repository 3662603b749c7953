//! What must hold for any input, one function for each fuzz target.
//!
//! A property takes octets and panics when it is broken. libFuzzer calls it (`fuzz_targets/`), and
//! so does `tests/replay.rs` with every input that was kept.
#![forbid(unsafe_code)]

mod addresses;
mod adsp_record;
mod agent;
mod assess;
mod atps_record;
mod auth_results;
mod body_hash;
mod border;
mod canon;
mod canon_twin;
mod config;
mod differ;
mod domainkeys;
mod explain;
mod header_pick;
mod header_split;
mod judge;
mod key_record;
mod keys;
mod lines;
mod made_up;
mod mailbox;
mod pieces;
mod providers;
mod record_form;
mod report;
mod said;
mod sign_verify;
mod signature;
mod tag_list;
mod targets;
mod trust_anchors;
mod tsig_key;
mod verify;
mod zone_file;

pub use addresses::addresses;
pub use adsp_record::{adsp_record, adsp_record_value};
pub use agent::{agent_answer, agent_request, agent_value};
pub use assess::assess;
pub use atps_record::{atps_record, atps_record_value};
pub use auth_results::{auth_results, auth_results_value};
pub use body_hash::body_hash;
pub use border::border;
pub use canon::{canon_body, canon_field};
pub use config::{config, config_value, opendkim, rotation_state};
#[cfg(feature = "peers")]
pub use differ::{CLASSES, Class};
pub use differ::{Case, differ, differ_made};
pub use domainkeys::{
    domainkeys_message, domainkeys_policy, domainkeys_signature, domainkeys_value,
};
pub use explain::explain;
pub use header_pick::header_pick;
pub use header_split::header_split;
pub use key_record::{key_record, key_record_value};
pub use keys::{private_key, public_key};
pub use mailbox::{line_ends, mailbox};
pub use record_form::record_form_value;
pub use report::{report, report_record, report_record_value, report_value};
pub use sign_verify::sign_verify;
pub use signature::{signature, signature_value};
pub use tag_list::tag_list;
pub use targets::{TARGETS, Target};
pub use trust_anchors::trust_anchors;
pub use tsig_key::tsig_key;
pub use verify::{verify, verify_message};
pub use zone_file::zone_file;
