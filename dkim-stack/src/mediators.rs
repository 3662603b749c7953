//! Which signers are named by the fields that say through whose hands a message went.

use std::cell::OnceCell;
use std::collections::HashMap;

use dkim_message::Header;
use dkim_tags::DomainName;

/// Fields that say through whose hands a message went.
const FIELDS: [&str; 5] = ["List-Post", "List-Id", "Sender", "Resent-From", "Resent-Sender"];

/// The fields of a message's mediators, read when they are asked for, and once for all signers:
/// there may be as many names in them as the header has room for.
pub(crate) struct Mediators<'a, 'm> {
    header: &'a Header<'m>,
    sdids: Vec<&'a DomainName>,
    /// By the position of the field.
    named: OnceCell<HashMap<usize, Vec<&'a DomainName>>>,
    #[cfg(test)]
    read: std::cell::Cell<usize>,
}

impl<'a, 'm> Mediators<'a, 'm> {
    /// The signers are those that will be asked about.
    pub(crate) fn new(
        header: &'a Header<'m>,
        signers: impl IntoIterator<Item = &'a DomainName>,
    ) -> Self {
        let mut sdids: Vec<_> = signers.into_iter().collect();
        sdids.sort_unstable_by_key(|sdid| sdid.as_str());
        sdids.dedup();
        Self {
            header,
            sdids,
            named: OnceCell::new(),
            #[cfg(test)]
            read: std::cell::Cell::default(),
        }
    }

    /// Whether the field at this position is one of a mediator and has a name in it that is within
    /// a signer's domain, wherever it stands: an address, a URI, or a list's own name.
    pub(crate) fn mention(&self, sdid: &DomainName, position: usize) -> bool {
        let named = self.named.get_or_init(|| self.read()).get(&position);
        named.is_some_and(|named| named.contains(&sdid))
    }

    fn read(&self) -> HashMap<usize, Vec<&'a DomainName>> {
        let positions = FIELDS.iter().flat_map(|name| self.header.fields().positions(name));
        let fields = positions.filter_map(|at| Some((at, self.header.fields().get(at)?)));
        fields.map(|(at, field)| (at, self.named_in(field.body()))).collect()
    }

    fn named_in(&self, body: &[u8]) -> Vec<&'a DomainName> {
        /// Longer than any name.
        const LONG: usize = 255;

        let is_name =
            |octet: &u8| octet.is_ascii_alphanumeric() || matches!(octet, b'.' | b'-' | b'_');
        let words =
            body.split(|octet| !is_name(octet)).filter(|word| (3..=LONG).contains(&word.len()));
        let mut unnamed = self.sdids.clone();
        let mut named = Vec::new();
        for word in words {
            if unnamed.is_empty() {
                break;
            }
            #[cfg(test)]
            self.read.set(self.read.get() + 1);
            let name = std::str::from_utf8(word).ok().and_then(|word| DomainName::parse(word).ok());
            if let Some(name) = name {
                named.extend(unnamed.extract_if(.., |sdid| name.is_within(sdid)));
            }
        }
        named
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_once_however_many_sign() {
        let names = 1000;
        let octets = format!("Sender: {}\r\nTo: a@s3.example\r\n", "aa.b ".repeat(names));
        let octets = format!("{octets}List-Id: <list.s3.example>\r\n");
        let header = Header::parse(octets.as_bytes());
        let signer = |n| DomainName::parse(&format!("s{n}.example")).unwrap();
        let signers: Vec<_> = (0..10).map(signer).collect();
        let mediators = Mediators::new(&header, &signers);
        assert_eq!(mediators.read.get(), 0);
        for (n, sdid) in signers.iter().enumerate() {
            let named = [0, 1, 2].map(|position| mediators.mention(sdid, position));
            assert_eq!(named, [false, false, n == 3]);
        }
        assert_eq!(mediators.read.get(), names + 1);
    }
}
