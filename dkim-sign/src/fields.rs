//! Which fields are signed, and which are signed once more than they are there.

use dkim_message::Header;
use dkim_tags::FieldName;

/// The choice of fields for `h=` (RFC 6376 §5.4).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Fields {
    /// Names to look for. Each is listed as often as it stands in the message; a name that is
    /// also over-signed is listed once more, so that adding another instance breaks the signature
    /// (RFC 6376 §5.4.2, §8.15).
    Chosen {
        /// Names to sign where they are there.
        signed: Vec<FieldName>,
        /// Names to sign once more than they are there, present or not.
        oversigned: Vec<FieldName>,
    },
    /// The exact value of `h=`, name by name.
    Exact(Vec<FieldName>),
}

/// Fields that show who wrote the message, to whom, about what, and how the body is to be read. A
/// second one of any of them can change what a reader sees, so each is over-signed.
const OVERSIGNED: [&str; 10] = [
    "From",
    "To",
    "Cc",
    "Subject",
    "Date",
    "Reply-To",
    "Message-ID",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
];

/// Fields signed where they are there (RFC 6376 §5.4.1, and RFC 8058 for one-click
/// unsubscription). Lists and forwarders add such fields to the mail of others, so none is
/// over-signed.
const SIGNED: [&str; 21] = [
    "Sender",
    "In-Reply-To",
    "References",
    "Resent-Date",
    "Resent-From",
    "Resent-Sender",
    "Resent-To",
    "Resent-Cc",
    "Resent-Message-ID",
    "Content-ID",
    "Content-Description",
    "Content-Disposition",
    "List-Id",
    "List-Help",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
    "List-Subscribe",
    "List-Post",
    "List-Owner",
    "List-Archive",
    "Autocrypt",
];

impl Default for Fields {
    fn default() -> Self {
        let names = |names: &[&str]| -> Vec<FieldName> {
            names.iter().filter_map(|name| FieldName::parse(name).ok()).collect()
        };
        Self::Chosen { signed: names(&SIGNED), oversigned: names(&OVERSIGNED) }
    }
}

impl Fields {
    /// The names for `h=` over this header.
    pub(crate) fn names(&self, header: &Header<'_>) -> Vec<FieldName> {
        let (signed, oversigned) = match self {
            Self::Exact(names) => return names.clone(),
            Self::Chosen { signed, oversigned } => (signed, oversigned),
        };
        let mut names: Vec<FieldName> = Vec::new();
        for (list, extra) in [(oversigned, 1), (signed, 0)] {
            for name in list.iter() {
                if !names.contains(name) {
                    let there = header.named(name.as_str()).count();
                    names.extend(std::iter::repeat_n(name, there + extra).cloned());
                }
            }
        }
        names
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(fields: &Fields, header: &[u8]) -> String {
        let names = fields.names(&Header::parse(header));
        names.iter().map(FieldName::as_str).collect::<Vec<_>>().join(":")
    }

    #[test]
    fn what_is_there_is_signed_and_what_matters_once_more() {
        assert_eq!(
            names(&Fields::default(), b"FROM: a\r\nsender: b\r\nX-Other: c\r\nSubject: d\r\n"),
            "From:From:To:Cc:Subject:Subject:Date:Reply-To:Message-ID:MIME-Version:Content-Type:\
             Content-Transfer-Encoding:Sender"
        );
    }

    #[test]
    fn an_exact_list_is_taken_as_it_stands() {
        let exact = ["from", "x", "From"].map(FieldName::parse);
        let exact = Fields::Exact(exact.into_iter().flatten().collect());
        assert_eq!(names(&exact, b"From: a\r\n"), "from:x:From");
    }

    #[test]
    fn every_default_name_is_a_field_name() {
        let Fields::Chosen { signed, oversigned } = Fields::default() else {
            panic!("the default is a choice")
        };
        assert_eq!((signed.len(), oversigned.len()), (SIGNED.len(), OVERSIGNED.len()));
    }
}
