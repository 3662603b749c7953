//! The sending address of a message, and the field that it comes from (RFC 4870 §3.1, §3.7.3).

use dkim_message::{Address, AddressError, Field, Header, author_addresses};
use dkim_tags::{DomainName, InvalidName};

/// Who sent a message, as DomainKeys sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sender {
    field: SenderField,
    position: usize,
    address: Address,
    domain: DomainName,
}

/// The field that names the sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(clippy::exhaustive_enums, reason = "closed by RFC 4870 §3.1")]
pub enum SenderField {
    /// `From`
    From,
    /// `Sender`, which takes precedence.
    Sender,
}

impl SenderField {
    /// The field name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::From => "From",
            Self::Sender => "Sender",
        }
    }

    /// The property of an Authentication-Results field that tells what it says (RFC 8601 §2.7.2).
    #[must_use]
    pub const fn property(self) -> &'static str {
        match self {
            Self::From => "from",
            Self::Sender => "sender",
        }
    }
}

impl Sender {
    /// The sender of a message: the address in its Sender field or, where there is none, the first
    /// address in its From field.
    ///
    /// ```
    /// use dkim_domainkeys::Sender;
    ///
    /// let (header, _) = dkim_message::split(b"From: a@b.example, c@d.example\r\n\r\n");
    /// assert_eq!(Sender::of(&header)?.domain().as_str(), "b.example");
    /// # Ok::<(), dkim_domainkeys::SenderError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`SenderError`], if there is not a single From field or more than one Sender field, or one of
    /// them cannot be read: "If this extraction fails, the email SHALL fail verification."
    pub fn of(header: &Header<'_>) -> Result<Self, SenderError> {
        let (mut from, mut sender) = (None, None);
        for (position, field) in header.fields().iter().enumerate() {
            for (kind, found) in
                [(SenderField::From, &mut from), (SenderField::Sender, &mut sender)]
            {
                // §3.1: "a conforming email MUST contain a single "From:" header", and "MAY
                // contain a single RFC 2822 "Sender:" header".
                if field.is(kind.name()) && found.replace((kind, position, field)).is_some() {
                    return Err(SenderError::Several(kind));
                }
            }
        }
        // §3.1: with a Sender field and no From field a message must not be signed.
        let read = |(kind, position, field): (SenderField, usize, Field<'_>)| {
            let addresses = author_addresses(field.body())
                .map_err(|source| SenderError::Syntax { field: kind, source })?;
            let address = addresses.into_iter().next().ok_or(SenderError::NoAddress(kind))?;
            if address.has_domain_literal() {
                return Err(SenderError::NoDomain(kind));
            }
            let domain = DomainName::of_address(&address.domain)
                .map_err(|source| SenderError::Domain { field: kind, source })?;
            Ok(Self { field: kind, position, address, domain })
        };
        // §3.1: the From field must be one "from which an address with a domain name can be
        // extracted", whatever the Sender field says.
        let from = read(from.ok_or(SenderError::NoFrom)?)?;
        sender.map_or(Ok(from), read)
    }

    /// The field that names the sender.
    #[must_use]
    pub const fn field(&self) -> SenderField {
        self.field
    }

    /// The sending address, as written.
    #[must_use]
    pub const fn address(&self) -> &Address {
        &self.address
    }

    /// The sending domain.
    #[must_use]
    pub const fn domain(&self) -> &DomainName {
        &self.domain
    }

    /// Which of the header's fields it is.
    pub(crate) const fn position(&self) -> usize {
        self.position
    }
}

/// Why the sender of a message cannot be told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SenderError {
    /// There is no From field.
    #[error("the message has no From field")]
    NoFrom,
    /// The field stands there more than once.
    #[error("the message has more than one {} field", .0.name())]
    Several(SenderField),
    /// The field is no address-list.
    #[error("the {} field cannot be read: {source}", field.name())]
    Syntax {
        /// The field.
        field: SenderField,
        /// What is wrong with it.
        source: AddressError,
    },
    /// The field has nothing but empty groups.
    #[error("the {} field has no address", .0.name())]
    NoAddress(SenderField),
    /// The address is at an IP address.
    #[error("the address in the {} field has no domain name", .0.name())]
    NoDomain(SenderField),
    /// The address has a domain that is no domain name.
    #[error("the domain in the {} field is no domain name: {source}", field.name())]
    Domain {
        /// The field.
        field: SenderField,
        /// What is wrong with it.
        source: InvalidName,
    },
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn sender(header: &str) -> Result<Sender, SenderError> {
        Sender::of(&Header::parse(header.as_bytes()))
    }

    #[test]
    fn the_sender_field_comes_first_and_the_first_address_counts() {
        for (header, field, address) in [
            ("From: a@b.example\r\n", SenderField::From, "a@b.example"),
            ("From: A <a@B.example> (x), c@d.example\r\n", SenderField::From, "a@B.example"),
            ("From: Group: a@b.example, c@d.example;\r\n", SenderField::From, "a@b.example"),
            ("From: a@b.example\r\nSender: c@d.example\r\n", SenderField::Sender, "c@d.example"),
            ("sender: c@d.example\r\nFROM: a@b.example\r\n", SenderField::Sender, "c@d.example"),
        ] {
            let sender = sender(header).unwrap();
            assert_eq!((sender.field(), sender.address().to_string().as_str()), (field, address));
            assert_eq!(sender.domain().as_str(), address[2..].to_ascii_lowercase());
        }
    }

    #[test]
    fn a_sender_that_cannot_be_told_is_none() {
        for (header, expected) in [
            ("", "the message has no From field"),
            ("Sender: a@b.example\r\n", "the message has no From field"),
            (
                "From: a@b.example\r\nFrom: a@b.example\r\n",
                "the message has more than one From field",
            ),
            (
                "From: a@b.example\r\nSender: a@b.example\r\nSender: c@d.example\r\n",
                "the message has more than one Sender field",
            ),
            ("From: nobody\r\n", "the From field cannot be read: `<` or `@` expected at octet 7"),
            // With a Sender field, too.
            (
                "Sender: c@d.example\r\nFrom: nobody\r\n",
                "the From field cannot be read: `<` or `@` expected at octet 7",
            ),
            ("Sender: c@d.example\r\nFrom: Nobody:;\r\n", "the From field has no address"),
            ("From: Nobody:;\r\n", "the From field has no address"),
            ("From: a@[192.0.2.1]\r\n", "the address in the From field has no domain name"),
        ] {
            assert_eq!(sender(header).unwrap_err().to_string(), expected);
        }
        // A Sender field that cannot be read is not passed over.
        let both = sender("From: a@b.example\r\nSender: nobody\r\n");
        assert!(matches!(both, Err(SenderError::Syntax { field: SenderField::Sender, .. })));
        let name = sender("From: a@b!c.example\r\n");
        assert!(matches!(name, Err(SenderError::Domain { field: SenderField::From, .. })));
    }
}
