//! What the file of a key is called.

use std::path::PathBuf;

use dkim_tags::{DomainName, Selector};

/// What the file of a key is called unless somebody wants another name: after the record
/// (RFC 6376 §3.6.2.1), `S._domainkey.D.pem`.
#[must_use]
pub fn key_file_name(selector: &Selector, domain: &DomainName) -> PathBuf {
    PathBuf::from(format!("{}._domainkey.{}.pem", selector.as_str(), domain.as_str()))
}
