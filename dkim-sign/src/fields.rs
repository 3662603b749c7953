//! Which fields are signed, and which are signed once more than they are there.

use std::iter;

use dkim_hash::FieldIndex;
use dkim_tags::{FieldName, FieldNames, Signature};

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
const OVERSIGNED: [FieldName; 10] = [
    FieldName::from_static("From"),
    FieldName::from_static("To"),
    FieldName::from_static("Cc"),
    FieldName::from_static("Subject"),
    FieldName::from_static("Date"),
    FieldName::from_static("Reply-To"),
    FieldName::from_static("Message-ID"),
    FieldName::from_static("MIME-Version"),
    FieldName::from_static("Content-Type"),
    FieldName::from_static("Content-Transfer-Encoding"),
];

/// Fields signed where they are there (RFC 6376 §5.4.1, and RFC 8058 for one-click
/// unsubscription). Lists and forwarders add such fields to the mail of others, so none is
/// over-signed (RFC 6377 §5.1).
const SIGNED: [FieldName; 21] = [
    FieldName::from_static("Sender"),
    FieldName::from_static("In-Reply-To"),
    FieldName::from_static("References"),
    FieldName::from_static("Resent-Date"),
    FieldName::from_static("Resent-From"),
    FieldName::from_static("Resent-Sender"),
    FieldName::from_static("Resent-To"),
    FieldName::from_static("Resent-Cc"),
    FieldName::from_static("Resent-Message-ID"),
    FieldName::from_static("Content-ID"),
    FieldName::from_static("Content-Description"),
    FieldName::from_static("Content-Disposition"),
    FieldName::from_static("List-Id"),
    FieldName::from_static("List-Help"),
    FieldName::from_static("List-Unsubscribe"),
    FieldName::from_static("List-Unsubscribe-Post"),
    FieldName::from_static("List-Subscribe"),
    FieldName::from_static("List-Post"),
    FieldName::from_static("List-Owner"),
    FieldName::from_static("List-Archive"),
    FieldName::from_static("Autocrypt"),
];

/// More names than this need not be counted: it is more than may be signed.
const ENOUGH: usize = Signature::MAX_ITEMS + 1;

impl Fields {
    /// The default choice for a mediator, such as a mailing list, which signs what it found out
    /// about the message as it came in, too: the Authentication-Results fields (RFC 6377 §5.7,
    /// step 6).
    #[must_use]
    pub fn of_mediator() -> Self {
        let results = FieldName::from_static("Authentication-Results");
        let signed = SIGNED.into_iter().chain([results]).collect();
        Self::Chosen { signed, oversigned: OVERSIGNED.to_vec() }
    }

    /// The default choice, of which these fields are over-signed, and no others.
    #[must_use]
    pub fn oversigning(names: Vec<FieldName>) -> Self {
        let signed = OVERSIGNED.into_iter().chain(SIGNED).collect();
        Self::Chosen { signed, oversigned: names }
    }
}

impl Default for Fields {
    fn default() -> Self {
        Self::Chosen { signed: SIGNED.to_vec(), oversigned: OVERSIGNED.to_vec() }
    }
}

impl Fields {
    /// The names for `h=` over the header that was indexed; one more than may be signed where
    /// there are more.
    pub(crate) fn names(&self, index: &FieldIndex<'_, '_>) -> FieldNames {
        let (signed, oversigned) = match self {
            Self::Exact(names) => return names.iter().take(ENOUGH).collect(),
            Self::Chosen { signed, oversigned } => (signed, oversigned),
        };
        let oversigned = oversigned.iter().map(|name| (name, 1));
        let all = oversigned.chain(signed.iter().map(|name| (name, 0)));
        let listed = all.clone().enumerate().flat_map(|(position, (name, extra))| {
            let times = index.count(name.as_str()) + extra;
            // A name that was chosen before is listed there.
            let again = times > 0 && all.clone().take(position).any(|(before, _)| before == name);
            iter::repeat_n(name, if again { 0 } else { times })
        });
        listed.take(ENOUGH).collect()
    }
}

#[cfg(test)]
mod tests {
    use dkim_message::Header;

    use super::*;

    fn names(fields: &Fields, header: &[u8]) -> String {
        fields.names(&FieldIndex::new(&Header::parse(header))).to_string()
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
    fn others_may_be_over_signed() {
        let fields = Fields::oversigning(vec![FieldName::from_static("Sender")]);
        let header = b"From: a\r\nTo: b\r\nList-Id: c\r\n";
        assert_eq!(names(&fields, header), "Sender:From:To:List-Id");
    }

    #[test]
    fn an_exact_list_is_taken_as_it_stands() {
        let exact = ["from", "x", "From"].map(FieldName::parse);
        let exact = Fields::Exact(exact.into_iter().flatten().collect());
        assert_eq!(names(&exact, b"From: a\r\n"), "from:x:From");
    }

    #[test]
    fn a_name_chosen_twice_is_listed_where_it_is_first() {
        let choose = |names: [&str; 3]| names.into_iter().flat_map(FieldName::parse).collect();
        let (signed, oversigned) = (choose(["to", "A", "a"]), choose(["X", "To", "x"]));
        let fields = Fields::Chosen { signed, oversigned };
        assert_eq!(names(&fields, b"a: 1\r\nTO: 2\r\nA: 3\r\n"), "X:To:To:A:A");
    }
}
