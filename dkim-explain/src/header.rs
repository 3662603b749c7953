//! What was done to the signed fields of a header.

mod budget;
mod mend;
mod slot;

use std::fmt;

use dkim_canon::Canonicalization;
use dkim_crypto::{HashAlgorithm, Provider, SigningAlgorithm, VerifyingKey};
use dkim_message::Header;
use dkim_tags::Signature;
use dkim_verify::Verification;

use crate::input::{HashInput, Indexed};
use crate::key::KeyFit;
pub(crate) use budget::Budget;
use mend::RESPACINGS;
use slot::Slot;

/// Octets in which the options of all fields are held, at most, as signed and in canonical form.
const MAX_ROOM: usize = 8 * 1024 * 1024;

/// How many names in `h=` are looked at, at most. Who signs more does so out of malice.
const MAX_SLOTS: usize = 100;

/// How many fields are taken to be changed at once, at most.
const MAX_CHANGES: usize = 4;

/// What became of the signed fields.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HeaderFinding {
    /// The key verifies the header.
    Intact,
    /// It does once these changes are undone, or for one that is of the signer's making, made.
    Changed(Vec<HeaderChange>),
    /// None of the changes tried explains it.
    Unexplained {
        /// How many were tried.
        tried: usize,
        /// Whether the key made the signature: if so, a signed field was changed.
        key: KeyFit,
    },
    /// The key is not at hand, or cannot be used.
    NoKey,
}

/// A change of the header hash input that explains why the key does not verify it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HeaderChange {
    /// It was hashed in another canonicalization than `c=` says.
    OtherCanonicalization(Canonicalization),
    /// It was hashed with another algorithm than `a=` says.
    OtherHash(HashAlgorithm),
    /// It was hashed with LF line ends.
    LfHashed,
    /// The DKIM-Signature field was hashed with a CRLF after it.
    TrailingCrlf,
    /// Of fields of one name, those on top were signed first.
    TopDown,
    /// All fields were folded anew, or other white space in them was changed.
    WhiteSpace,
    /// One field was changed.
    Field(FieldChange),
}

/// A change of one field.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FieldChange {
    /// The name of the field.
    pub name: String,
    /// What was done to it.
    pub kind: FieldChangeKind,
    /// The field body that was signed; `None` if there was no such field.
    pub signed: Option<Vec<u8>>,
}

/// What was done to a field.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FieldChangeKind {
    /// The field was put in.
    Added,
    /// The field was taken out.
    Removed,
    /// Something was put before the subject, such as the name of a list.
    Tagged,
    /// The field was rewritten; what was signed stands in a field of this name.
    MovedTo(String),
    /// It is not as the copy in `z=` has it.
    NotAsCopied,
    /// Fields of that name changed places.
    Reordered,
    /// Quotation marks were put around display names, or taken away.
    Quotes,
    /// The field was folded anew, or its white space was changed.
    WhiteSpace,
    /// The name was written in other letter case.
    NameCase,
    /// The text was encoded (RFC 2047).
    EncodedWords,
    /// Another transfer encoding is named.
    TransferEncoding,
    /// It was rewritten; what was signed is what such a field usually says.
    Rewritten,
}

impl HeaderChange {
    /// A stable code in kebab-case for machines.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::OtherCanonicalization(_) => "other-canonicalization",
            Self::OtherHash(_) => "other-hash",
            Self::LfHashed => "lf-hashed",
            Self::TrailingCrlf => "trailing-crlf",
            Self::TopDown => "top-down",
            Self::WhiteSpace => "white-space",
            Self::Field(change) => match change.kind {
                FieldChangeKind::Added => "field-added",
                FieldChangeKind::Removed => "field-removed",
                FieldChangeKind::Tagged => "subject-tagged",
                FieldChangeKind::MovedTo(_) => "field-rewritten",
                FieldChangeKind::NotAsCopied => "not-as-copied",
                FieldChangeKind::Reordered => "fields-reordered",
                FieldChangeKind::Quotes => "quotes",
                FieldChangeKind::WhiteSpace => "white-space",
                FieldChangeKind::NameCase => "name-case",
                FieldChangeKind::EncodedWords => "encoded-words",
                FieldChangeKind::TransferEncoding => "transfer-encoding",
                FieldChangeKind::Rewritten => "rewritten",
            },
        }
    }
}

impl fmt::Display for HeaderChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherCanonicalization(form) => {
                write!(f, "the header was hashed in {form} canonicalization, which c= does not say")
            }
            Self::OtherHash(hash) => {
                write!(f, "the header was hashed with {hash}, which a= does not say")
            }
            Self::LfHashed => f.write_str("the header was hashed with LF at the ends of its lines"),
            Self::TrailingCrlf => {
                f.write_str("the signer hashed a CRLF after the DKIM-Signature field")
            }
            Self::TopDown => {
                f.write_str("the signer took fields of one name from the top, not from the bottom")
            }
            Self::WhiteSpace => {
                f.write_str("the fields were folded anew, or other white space was changed")
            }
            Self::Field(change) => change.fmt(f),
        }
    }
}

impl fmt::Display for FieldChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = &self.name;
        match &self.kind {
            FieldChangeKind::Added => {
                write!(f, "a {name} field was added; h= says that there was none, or one less")
            }
            FieldChangeKind::Removed => write!(f, "a {name} field was taken out"),
            FieldChangeKind::Tagged => write!(f, "the {name} was given a tag"),
            FieldChangeKind::MovedTo(other) => {
                write!(f, "{name} was rewritten; what was signed is in {other}")
            }
            FieldChangeKind::NotAsCopied => {
                write!(f, "{name} was rewritten; what was signed is in z=")
            }
            FieldChangeKind::Reordered => write!(f, "{name} fields changed places"),
            FieldChangeKind::Quotes => {
                write!(f, "quotation marks in {name} were put in or taken away")
            }
            FieldChangeKind::WhiteSpace => {
                write!(f, "{name} was folded anew, or other white space in it was changed")
            }
            FieldChangeKind::NameCase => write!(f, "the field name {name} was written otherwise"),
            FieldChangeKind::EncodedWords => write!(f, "the text of {name} was encoded"),
            FieldChangeKind::TransferEncoding => write!(f, "{name} names another encoding"),
            FieldChangeKind::Rewritten => write!(f, "{name} was rewritten"),
        }
    }
}

/// Looks for what was done to the signed fields, within the share that one of so many signatures
/// has of the budget of their message.
pub(crate) fn find(
    (signature, own): (&Signature, usize),
    indexed: &Indexed<'_, '_>,
    found: &Verification,
    provider: &dyn Provider,
    (budget, among): (&mut Budget, usize),
) -> HeaderFinding {
    let key = found.key_record.as_ref().and_then(|record| record.key.as_ref());
    let Some((key, prepared)) = key.and_then(|key| Some((key, provider.prepare(key).ok()?))) else {
        return HeaderFinding::NoKey;
    };
    let form = signature.canonicalization.header;
    let input = HashInput::in_form(form, signature, own, indexed).header();
    if prepared.verify(signature.algorithm, &input, &signature.signature).is_ok() {
        return HeaderFinding::Intact;
    }
    let fit = KeyFit::of(key, &signature.signature);
    let (price, left) = (budget::price(key), budget.share(among));
    let mut search = Search { signature, key: &*prepared, price, tried: 0, left };
    // No change of the header helps with the wrong key.
    let changes = match fit {
        KeyFit::DoesNotFit => None,
        KeyFit::Fits(hash) if hash != signature.algorithm.hash() => search.other_hash(&input, hash),
        _ => search.whole(&input, own, indexed).or_else(|| search.fields(own, indexed)),
    };
    budget.give_back(search.left);
    match changes {
        Some(changes) => HeaderFinding::Changed(changes),
        None => HeaderFinding::Unexplained { tried: search.tried, key: fit },
    }
}

struct Search<'s> {
    signature: &'s Signature,
    key: &'s dyn VerifyingKey,
    /// What a trial with this key costs.
    price: usize,
    tried: usize,
    left: Budget,
}

impl Search<'_> {
    /// The header as it is, whose hash input this is, hashed in another way than the signature
    /// says.
    fn whole(
        &mut self,
        input: &[u8],
        own: usize,
        indexed: &Indexed<'_, '_>,
    ) -> Option<Vec<HeaderChange>> {
        let form = self.signature.canonicalization.header;
        for other in Canonicalization::ALL.iter().filter(|other| **other != form) {
            if self.verifies(&HashInput::in_form(*other, self.signature, own, indexed).header()) {
                return Some(vec![HeaderChange::OtherCanonicalization(*other)]);
            }
        }
        if self.verifies(&[input, &b"\r\n"[..]].concat()) {
            return Some(vec![HeaderChange::TrailingCrlf]);
        }
        let lf: Vec<u8> = input.iter().copied().filter(|octet| *octet != b'\r').collect();
        if self.verifies(&lf) {
            return Some(vec![HeaderChange::LfHashed]);
        }
        None
    }

    /// The same choice among the same fields, standing the other way round.
    fn is_top_down(&mut self, own: usize, header: &Header<'_>) -> bool {
        let turned: Vec<u8> = header
            .fields()
            .iter()
            .rev()
            .flat_map(|field| [field.octets(), b"\r\n"])
            .flatten()
            .copied()
            .collect();
        let own = header.fields().len().saturating_sub(own + 1);
        let turned = HashInput::of(self.signature, own, &Header::parse(&turned)).header();
        self.verifies(&turned)
    }

    fn other_hash(&mut self, input: &[u8], hash: HashAlgorithm) -> Option<Vec<HeaderChange>> {
        let key = self.signature.algorithm.key();
        let algorithm = SigningAlgorithm::ALL
            .iter()
            .find(|algorithm| algorithm.key() == key && algorithm.hash() == hash)?;
        self.verifies_as(*algorithm, input).then(|| vec![HeaderChange::OtherHash(hash)])
    }

    /// One field changed, then two, and so on.
    fn fields(&mut self, own: usize, indexed: &Indexed<'_, '_>) -> Option<Vec<HeaderChange>> {
        let names = self.signature.signed_fields.iter();
        if self.signature.signed_fields.len() > MAX_SLOTS {
            return None;
        }
        let picked = indexed.index.pick(names.clone(), Some(own));
        let mut room = MAX_ROOM;
        let mut slots: Vec<Slot> = names
            .zip(picked)
            .map(|(name, position)| {
                Slot::of(name, position, own, indexed, self.signature, &mut room)
            })
            .collect();
        let own_field = indexed.header.fields().get(own);
        slots.extend(own_field.map(|field| Slot::of_own(&field, self.signature, &mut room)));
        let respaced = (0..RESPACINGS.len()).any(|respacing| {
            let fields: Vec<&[u8]> =
                slots.iter().filter_map(|slot| slot.respaced(respacing)).collect();
            self.verifies(&fields.join(&b"\r\n"[..]))
        });
        let several = |search: &mut Self, changes| {
            let mut chosen = vec![0; slots.len()];
            search.choose(&slots, 0, (changes, changes), &mut chosen).then(|| {
                let made =
                    slots.iter().zip(&chosen).filter_map(|(slot, option)| slot.change(*option));
                made.map(HeaderChange::Field).collect()
            })
        };
        several(self, 1)
            .or_else(|| respaced.then(|| vec![HeaderChange::WhiteSpace]))
            .or_else(|| self.is_top_down(own, indexed.header).then(|| vec![HeaderChange::TopDown]))
            .or_else(|| (2..=MAX_CHANGES).find_map(|changes| several(self, changes)))
    }

    /// Takes `left` more of the slots from `from` on to be changed, in all ways that there are for
    /// `changes` at once, until the key verifies.
    fn choose(
        &mut self,
        slots: &[Slot],
        from: usize,
        (left, changes): (usize, usize),
        chosen: &mut [usize],
    ) -> bool {
        if self.left.is_spent(self.price) {
            return false;
        }
        if left == 0 {
            let fields: Vec<&[u8]> = slots
                .iter()
                .zip(chosen.iter())
                .filter_map(|(slot, chosen)| slot.octets(*chosen))
                .collect();
            return self.verifies(&fields.join(&b"\r\n"[..]));
        }
        for (at, slot) in slots.iter().enumerate().skip(from) {
            for option in 1..slot.choices(changes) {
                if let Some(chosen) = chosen.get_mut(at) {
                    *chosen = option;
                }
                if self.choose(slots, at + 1, (left - 1, changes), chosen) {
                    return true;
                }
            }
            if let Some(chosen) = chosen.get_mut(at) {
                *chosen = 0;
            }
        }
        false
    }

    fn verifies(&mut self, input: &[u8]) -> bool {
        self.verifies_as(self.signature.algorithm, input)
    }

    fn verifies_as(&mut self, algorithm: SigningAlgorithm, input: &[u8]) -> bool {
        if self.left.is_spent(self.price) {
            return false;
        }
        self.tried += 1;
        self.left.spend(self.price, input.len());
        self.key.verify(algorithm, input, &self.signature.signature).is_ok()
    }
}
