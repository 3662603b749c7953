//! Addresses not to be told, and where they stand in other text.

use dkim_message::{Address, author_addresses};

use crate::Redactor;

/// Addresses not to be told.
#[derive(Default)]
pub(crate) struct Private {
    addresses: Vec<PrivateAddress>,
}

/// All in lower case.
struct PrivateAddress {
    /// The local-part as it may stand somewhere, quoted or not.
    written: Vec<u8>,
    domain: Vec<u8>,
    local_part: String,
}

/// Private addresses beyond this many are not looked for in other fields: who writes so many to To
/// shall not make us search for each of them.
const MOST_PRIVATE: usize = 200;

/// Nor are those of more octets than this: no mail goes there (RFC 5321 §4.5.3.1.3).
const MAX_PATH: usize = 256;

impl Private {
    /// Adds the addresses of a list.
    pub(crate) fn add(&mut self, body: &[u8]) {
        for address in addresses(body).unwrap_or_default() {
            let quoted = address.to_string().to_ascii_lowercase();
            let quoted = quoted.rsplit_once('@').map_or("", |(local_part, _)| local_part);
            let domain = address.domain.to_ascii_lowercase();
            for written in [quoted.as_bytes(), &address.local_part.to_ascii_lowercase()] {
                let is_known = self
                    .addresses
                    .iter()
                    .any(|known| known.written == written && known.domain == domain);
                let fits = !written.is_empty() && written.len() + domain.len() < MAX_PATH;
                if fits && !is_known && self.addresses.len() < MOST_PRIVATE {
                    self.addresses.push(PrivateAddress {
                        written: written.to_vec(),
                        domain: domain.clone(),
                        local_part: String::from_utf8_lossy(&address.local_part).into_owned(),
                    });
                }
            }
        }
    }

    /// Octets with these addresses hidden, in upper or lower case.
    ///
    /// A sign stands between a local-part and a domain: `@` in an address, `=` in one that became
    /// part of another, as mailing lists make them, and `%40` and `=40` where URIs and encoded
    /// words have the `@`.
    pub(crate) fn hide(&self, redactor: &Redactor, octets: &[u8]) -> Vec<u8> {
        let lower = octets.to_ascii_lowercase();
        let mut hidden = Vec::with_capacity(octets.len());
        // What is before this was written.
        let mut done = 0;
        for (at, sign) in lower.iter().enumerate() {
            if !matches!(sign, b'@' | b'=' | b'%') {
                continue;
            }
            let before = lower.get(done..at).unwrap_or_default();
            let after = lower.get(at + 1..).unwrap_or_default();
            let found = self.addresses.iter().filter(|one| one.is_around(before, *sign, after));
            if let Some(one) = found.max_by_key(|one| one.written.len()) {
                let start = at.saturating_sub(one.written.len());
                hidden.extend_from_slice(octets.get(done..start).unwrap_or_default());
                hidden.extend_from_slice(redactor.redact(&one.local_part).as_bytes());
                done = at;
            }
        }
        hidden.extend_from_slice(octets.get(done..).unwrap_or_default());
        hidden
    }
}

impl PrivateAddress {
    fn is_around(&self, before: &[u8], sign: u8, after: &[u8]) -> bool {
        let is_encoded =
            || after.strip_prefix(b"40").is_some_and(|at| at.starts_with(&self.domain));
        // The ends are looked at first: of what is not there, most ends in another octet.
        before.ends_with(&self.written)
            && match sign {
                b'%' => is_encoded(),
                b'=' => after.starts_with(&self.domain) || is_encoded(),
                _ => after.starts_with(&self.domain),
            }
    }
}

/// The addresses of a list, or the one of `Original-Recipient`.
pub(crate) fn addresses(body: &[u8]) -> Result<Vec<Address>, dkim_message::AddressError> {
    // `rfc822;joe@example.org`, as Original-Recipient has it (RFC 3798 §2.3).
    let body = body.trim_ascii();
    let typed = body.get(..7).is_some_and(|start| start.eq_ignore_ascii_case(b"rfc822;"));
    author_addresses(if typed { body.get(7..).unwrap_or_default() } else { body })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use dkim_crypto::ring::PROVIDER;

    use super::*;

    #[test]
    fn addresses_are_hidden_wherever_they_stand() {
        let redactor = Redactor::new(&PROVIDER, b"potatoes").unwrap();
        let mut private = Private::default();
        private.add(b"Bob <Bob@Example.NET>, \"a b\"@example.net, b@example.net");
        let (bob, ab, b) = (redactor.redact("bob"), redactor.redact("a b"), redactor.redact("b"));
        for (text, hidden) in [
            ("for <bob@example.net>;", format!("for <{bob}@example.net>;")),
            ("BOB@EXAMPLE.NET", format!("{bob}@EXAMPLE.NET")),
            ("list-bob=example.net@lists.example", format!("list-{bob}=example.net@lists.example")),
            ("\"a b\"@example.net", format!("{ab}@example.net")),
            ("b@example.net,bob@example.net", format!("{b}@example.net,{bob}@example.net")),
            ("bob@example.org @= bob", "bob@example.org @= bob".to_owned()),
            ("=@=", "=@=".to_owned()),
            ("?u=bob%40example.net&x", format!("?u={bob}%40example.net&x")),
            ("=?utf-8?q?to_bob=40Example.net?=", format!("=?utf-8?q?to_{bob}=40Example.net?=")),
            ("bob%example.net bob%41example.net", "bob%example.net bob%41example.net".to_owned()),
            ("bob@bob@example.net", format!("bob@{bob}@example.net")),
        ] {
            let text = private.hide(&redactor, text.as_bytes());
            assert_eq!(String::from_utf8_lossy(&text), hidden);
        }
    }
}
