//! What whoever decides about messages knows about senders (RFC 5585 §5, figure 1: "Local Info on
//! Sender Practices").

use dkim_authres::AdspResult;
use dkim_tags::DomainName;

/// A small table of senders' practices: agreements, experience, what somebody said on the phone. It
/// goes before whatever the senders publish. A mailing list keeps in it whose signatures a member's
/// posts bear (RFC 6377 §5.6).
///
/// ```
/// use dkim_stack::{DomainName, LocalPractices};
///
/// let (bank, esp) = (DomainName::parse("bank.example")?, DomainName::parse("esp.example")?);
/// let mut local = LocalPractices::new();
/// // All mail of the bank is signed, by itself or by this service.
/// local.add(bank.clone(), true, vec![esp.clone()]);
/// assert!(local.signs_for(&esp, &bank));
/// assert_eq!(local.evaluate(&bank, [&esp]).map(|result| result.name()), Some("pass"));
/// assert_eq!(local.evaluate(&bank, []).map(|result| result.name()), Some("fail"));
/// # Ok::<(), dkim_stack::tags::InvalidName>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LocalPractices {
    entries: Vec<Entry>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    author_domain: DomainName,
    signs_all: bool,
    signers: Vec<DomainName>,
}

impl LocalPractices {
    /// An empty table: nothing is known, and what is published counts.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Says of an Author Domain, and no other, whether all its mail is signed, and who signs for it
    /// beside itself. A later entry takes the place of an earlier one.
    pub fn add(&mut self, author_domain: DomainName, signs_all: bool, signers: Vec<DomainName>) {
        self.entries.retain(|entry| entry.author_domain != author_domain);
        self.entries.push(Entry { author_domain, signs_all, signers });
    }

    /// Whether a domain signs for an Author Domain by this table.
    #[must_use]
    pub fn signs_for(&self, sdid: &DomainName, author_domain: &DomainName) -> bool {
        self.entry(author_domain).is_some_and(|entry| entry.signers.contains(sdid))
    }

    /// What the table makes of a message with these valid signatures, in the words of ADSP: `pass`
    /// if one is by the Author Domain or who signs for it, `fail` if none is and all mail is signed,
    /// `unknown` otherwise. `None` if it says nothing of the domain.
    #[must_use]
    pub fn evaluate<'s>(
        &self,
        author_domain: &DomainName,
        valid_sdids: impl IntoIterator<Item = &'s DomainName>,
    ) -> Option<AdspResult> {
        let entry = self.entry(author_domain)?;
        let counts = |sdid: &DomainName| sdid == author_domain || entry.signers.contains(sdid);
        Some(match valid_sdids.into_iter().any(counts) {
            true => AdspResult::Pass,
            false if entry.signs_all => AdspResult::Fail,
            false => AdspResult::Unknown,
        })
    }

    fn entry(&self, author_domain: &DomainName) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.author_domain == *author_domain)
    }
}
