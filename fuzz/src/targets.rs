//! The table of targets.

use crate as fuzz;

/// A property and its name, which is that of its file in `fuzz_targets/` and of its directories in
/// `seeds/` and `regressions/`.
pub type Target = (&'static str, fn(&[u8]));

/// All targets, parsers first.
pub const TARGETS: &[Target] = &[
    ("tag_list", fuzz::tag_list),
    ("signature", fuzz::signature),
    ("signature_value", fuzz::signature_value),
    ("key_record", fuzz::key_record),
    ("key_record_value", fuzz::key_record_value),
    ("adsp_record", fuzz::adsp_record),
    ("adsp_record_value", fuzz::adsp_record_value),
    ("atps_record", fuzz::atps_record),
    ("atps_record_value", fuzz::atps_record_value),
    ("domainkeys_signature", fuzz::domainkeys_signature),
    ("domainkeys_value", fuzz::domainkeys_value),
    ("domainkeys_policy", fuzz::domainkeys_policy),
    ("report_record", fuzz::report_record),
    ("report_record_value", fuzz::report_record_value),
    ("report", fuzz::report),
    ("report_value", fuzz::report_value),
    ("public_key", fuzz::public_key),
    ("private_key", fuzz::private_key),
    ("agent_request", fuzz::agent_request),
    ("agent_answer", fuzz::agent_answer),
    ("agent_value", fuzz::agent_value),
    ("zone_file", fuzz::zone_file),
    ("record_form_value", fuzz::record_form_value),
    ("config", fuzz::config),
    ("config_value", fuzz::config_value),
    ("opendkim", fuzz::opendkim),
    ("rotation_state", fuzz::rotation_state),
    ("trust_anchors", fuzz::trust_anchors),
    ("tsig_key", fuzz::tsig_key),
    ("mailbox", fuzz::mailbox),
    ("line_ends", fuzz::line_ends),
    ("addresses", fuzz::addresses),
    ("auth_results", fuzz::auth_results),
    ("auth_results_value", fuzz::auth_results_value),
    ("border", fuzz::border),
    ("header_split", fuzz::header_split),
    ("header_pick", fuzz::header_pick),
    ("canon_field", fuzz::canon_field),
    ("canon_body", fuzz::canon_body),
    ("body_hash", fuzz::body_hash),
    ("verify_message", fuzz::verify_message),
    ("verify", fuzz::verify),
    ("domainkeys_message", fuzz::domainkeys_message),
    ("differ", fuzz::differ),
    ("differ_made", fuzz::differ_made),
    ("assess", fuzz::assess),
    ("explain", fuzz::explain),
    ("sign_verify", fuzz::sign_verify),
];
