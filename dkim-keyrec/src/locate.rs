//! Where a key record stands.

use dkim_tags::{DomainName, Selector};

/// The name under which the key record is published (RFC 6376 §3.6.2.1): ASCII, lower case,
/// without a closing dot. May exceed what the DNS can hold; no record is there then.
///
/// ```
/// use dkim_tags::{DomainName, Selector};
///
/// let name = dkim_keyrec::record_name(
///     &Selector::parse("foo.bar")?,
///     &DomainName::parse("example.com")?,
/// );
/// assert_eq!(name, "foo.bar._domainkey.example.com");
/// # Ok::<(), dkim_tags::InvalidName>(())
/// ```
#[must_use]
pub fn record_name(selector: &Selector, sdid: &DomainName) -> String {
    [selector.as_str(), "_domainkey", sdid.as_str()].join(".")
}
