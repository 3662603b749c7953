//! What was done to a body since it was signed.

mod lines;
mod mend;

use std::fmt;

use dkim_canon::Canonicalization;
use dkim_crypto::{HashAlgorithm, HashValue, Provider};
use dkim_tags::Signature;

use crate::input::canonical_body;
use lines::Lines;
use mend::{MENDINGS, Mend};

/// How many octets are brought into canonical form in search of changes to what the signatures of
/// a message are over, at most. They share them, and one has half of them at most.
const MAX_OCTETS: usize = 256 * 1024 * 1024;

/// Octets of a body beyond which no change all over it is tried: that takes copies of it.
const MAX_MENDED: usize = 16 * 1024 * 1024;

/// What became of the body.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BodyFinding {
    /// The body hash is that of `bh=`.
    Intact,
    /// It is shorter than `l=`: some of it was cut off, or `l=` was changed.
    Short {
        /// The value of `l=`.
        signed: u64,
        /// Octets of the canonical body.
        now: u64,
    },
    /// It is once this is undone.
    Changed(BodyChange),
    /// None of the changes tried explains it.
    Unexplained {
        /// How many were tried.
        tried: usize,
    },
}

/// A change of the body that explains why its hash is not that of `bh=`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BodyChange {
    /// Octets were put in.
    Added {
        /// Where.
        place: Place,
        /// The octets, in the form of the message as it is now.
        octets: Vec<u8>,
    },
    /// The message was put into a multipart body, of which it is one part.
    Wrapped,
    /// It was hashed in another canonicalization than `c=` says.
    OtherCanonicalization(Canonicalization),
    /// It was hashed with another algorithm than `a=` says.
    OtherHash(HashAlgorithm),
    /// `l=` is wrong: the whole body was hashed.
    WholeBody,
    /// Nothing was hashed: the message had no body, or the signer did not see it.
    NoBody,
    /// It was hashed with LF line ends.
    LfHashed,
    /// Bare LFs were CRLF when it was signed, or other line ends were mangled.
    LineEnds,
    /// White space was added at the ends of lines.
    TrailingSpaceAdded,
    /// The blank of `-- `, the line before a personal signature, was lost.
    DashesTrimmed,
    /// `From ` at the beginning of a line became `>From `.
    FromEscaped,
    /// A dot at the beginning of a line was doubled.
    DotDoubled,
    /// One of two dots at the beginning of a line was lost.
    DotLost,
    /// Long lines were cut.
    LinesCut,
    /// The body was encoded as quoted-printable.
    QuotedPrintable,
    /// The body was encoded as base64.
    Base64,
    /// Its characters were converted from Latin-1 to UTF-8.
    Latin1ToUtf8,
}

/// Where octets were put in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Place {
    /// Before everything else.
    Start,
    /// After everything else.
    End,
    /// At this line, counted from 1.
    Line(usize),
}

impl BodyChange {
    /// A stable code in kebab-case for machines.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Added { place: Place::Start, .. } => "lines-prepended",
            Self::Added { place: Place::End, .. } => "lines-appended",
            Self::Added { place: Place::Line(_), .. } => "lines-inserted",
            Self::Wrapped => "wrapped",
            Self::OtherCanonicalization(_) => "other-canonicalization",
            Self::OtherHash(_) => "other-hash",
            Self::WholeBody => "l-wrong",
            Self::NoBody => "no-body",
            Self::LfHashed => "lf-hashed",
            Self::LineEnds => "line-ends",
            Self::TrailingSpaceAdded => "trailing-space-added",
            Self::DashesTrimmed => "dashes-trimmed",
            Self::FromEscaped => "from-escaped",
            Self::DotDoubled => "dot-doubled",
            Self::DotLost => "dot-lost",
            Self::LinesCut => "lines-cut",
            Self::QuotedPrintable => "quoted-printable",
            Self::Base64 => "base64",
            Self::Latin1ToUtf8 => "latin-1-to-utf-8",
        }
    }
}

impl fmt::Display for BodyChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Added { place, octets } => {
                let lines = lines::count(octets);
                let (lines, were) = if lines == 1 {
                    ("a line", "was")
                } else {
                    (&*format!("{lines} lines"), "were")
                };
                match place {
                    Place::Start => write!(f, "{lines} {were} put before the body"),
                    Place::End => write!(f, "{lines} {were} added at the end of the body"),
                    Place::Line(line) => write!(f, "{lines} {were} put in at line {line}"),
                }
            }
            Self::Wrapped => f.write_str("the body was put into a multipart message as one part"),
            Self::OtherCanonicalization(form) => {
                write!(f, "the body was hashed in {form} canonicalization, which c= does not say")
            }
            Self::OtherHash(hash) => {
                write!(f, "the body was hashed with {hash}, which a= does not say")
            }
            Self::WholeBody => f.write_str("the whole body was hashed, which l= does not say"),
            Self::NoBody => f.write_str("the body was empty when it was hashed"),
            Self::LfHashed => f.write_str("the body was hashed with LF at the ends of its lines"),
            Self::LineEnds => f.write_str("line ends of the body were not CRLF all over"),
            Self::TrailingSpaceAdded => {
                f.write_str("white space was added at the ends of lines of the body")
            }
            Self::DashesTrimmed => f.write_str("a line `-- ` of the body lost its blank"),
            Self::FromEscaped => f.write_str("`From ` in the body became `>From `"),
            Self::DotDoubled => f.write_str("a dot at the beginning of a line was doubled"),
            Self::DotLost => f.write_str("a dot at the beginning of a line was lost"),
            Self::LinesCut => f.write_str("long lines of the body were cut"),
            Self::QuotedPrintable => f.write_str("the body was encoded as quoted-printable"),
            Self::Base64 => f.write_str("the body was encoded as base64"),
            Self::Latin1ToUtf8 => {
                f.write_str("the characters of the body were converted from Latin-1 to UTF-8")
            }
        }
    }
}

/// How many canonical octets are hashed, their hash, and what became of the body.
pub(crate) type Looked = (usize, Option<HashValue>, BodyFinding);

/// Hashes the body as it is for each of the signatures, and looks for what was done to it if that
/// is not `bh=`.
pub(crate) fn look(signatures: &[&Signature], body: &[u8], provider: &dyn Provider) -> Vec<Looked> {
    look_within(MAX_OCTETS, signatures, body, provider)
}

fn look_within(
    octets: usize,
    signatures: &[&Signature],
    body: &[u8],
    provider: &dyn Provider,
) -> Vec<Looked> {
    let mut searches: Vec<Search<'_>> = Vec::new();
    // Of signatures that are over the body in the same way the same is found.
    let which: Vec<usize> = signatures
        .iter()
        .map(|signature| {
            let same = searches.iter().position(|search| search.is_of(signature));
            same.unwrap_or_else(|| {
                searches.push(Search::new(signature, body, provider));
                searches.len() - 1
            })
        })
        .collect();
    let open = searches.iter().filter(|search| search.is_open()).count();
    let share = octets / open.max(2);
    searches.iter_mut().for_each(|search| search.budget = share);
    mended(MENDINGS, &mut searches, body);
    if searches.iter().any(Search::is_open) {
        let lines = Lines::of(body);
        for search in searches.iter_mut().filter(|search| search.is_open()) {
            let cut = lines.as_ref().and_then(|lines| search.cut(lines, body));
            search.finding = cut.map(BodyFinding::Changed);
        }
    }
    let looked = |search: &Search<'_>| {
        let none = BodyFinding::Unexplained { tried: search.tried };
        (search.length, search.now, search.finding.clone().unwrap_or(none))
    };
    which.into_iter().filter_map(|which| searches.get(which)).map(looked).collect()
}

/// A change all over the body. What undoes it is done once for all signatures, and not when none
/// has anything left to spend on it.
fn mended(mendings: &[(BodyChange, Mend)], searches: &mut [Search<'_>], body: &[u8]) {
    if body.len() > MAX_MENDED {
        return;
    }
    for (change, mend) in mendings {
        if !searches.iter().any(Search::may_go_on) {
            return;
        }
        for mended in mend(body).into_iter().filter(|mended| mended != body) {
            for search in searches.iter_mut().filter(|search| search.may_go_on()) {
                if search.fits(&mended) {
                    search.finding = Some(BodyFinding::Changed(change.clone()));
                }
            }
        }
    }
}

struct Search<'s> {
    signature: &'s Signature,
    provider: &'s dyn Provider,
    /// How many octets may still be brought into canonical form.
    budget: usize,
    tried: usize,
    /// How many canonical octets are hashed.
    length: usize,
    /// Their hash.
    now: Option<HashValue>,
    /// What became of the body; `None` while it is not known.
    finding: Option<BodyFinding>,
}

impl<'s> Search<'s> {
    /// Hashes the body as it is, in the way the signature says and in others.
    fn new(signature: &'s Signature, body: &[u8], provider: &'s dyn Provider) -> Self {
        let mut search =
            Self { signature, provider, budget: 0, tried: 0, length: 0, now: None, finding: None };
        let (form, algorithm) = search.ways();
        let whole = canonical_body(form, body, None);
        let (now, signed) = (whole.len(), signature.body_length);
        let signed_length = signed.and_then(|signed| usize::try_from(signed).ok()).unwrap_or(now);
        let hashed = whole.get(..signed_length).unwrap_or(&whole);
        search.length = hashed.len();
        search.now = search.hash(algorithm, hashed);
        let now = u64::try_from(now).unwrap_or(u64::MAX);
        search.finding = match signed.filter(|signed| *signed > now) {
            Some(signed) => Some(BodyFinding::Short { signed, now }),
            None if search.now.is_some_and(|hash| hash.as_bytes() == signature.body_hash) => {
                Some(BodyFinding::Intact)
            }
            None => search.otherwise(&whole, hashed, body).map(BodyFinding::Changed),
        };
        search
    }

    /// Whether this signature is over the body in the same way, and has the same hash of it.
    fn is_of(&self, signature: &Signature) -> bool {
        let way = |signature: &Signature| {
            let form = signature.canonicalization.body;
            (form, signature.algorithm.hash(), signature.body_length)
        };
        way(self.signature) == way(signature) && self.signature.body_hash == signature.body_hash
    }

    fn is_open(&self) -> bool {
        self.finding.is_none()
    }

    fn may_go_on(&self) -> bool {
        self.is_open() && self.budget > 0
    }

    /// The body as it is, hashed in another way than the signature says: `whole` of it in its
    /// canonical form, of which `hashed` is what `l=` says.
    fn otherwise(&mut self, whole: &[u8], hashed: &[u8], body: &[u8]) -> Option<BodyChange> {
        let (form, hash) = self.ways();
        for other in Canonicalization::ALL.iter().filter(|other| **other != form) {
            let canonical = canonical_body(*other, body, self.signature.body_length);
            if self.is_hash_of(hash, &canonical) {
                return Some(BodyChange::OtherCanonicalization(*other));
            }
        }
        for other in HashAlgorithm::ALL.iter().filter(|other| **other != hash) {
            if self.is_hash_of(*other, hashed) {
                return Some(BodyChange::OtherHash(*other));
            }
        }
        if hashed.len() < whole.len() && self.is_hash_of(hash, whole) {
            return Some(BodyChange::WholeBody);
        }
        if [&b""[..], b"\r\n"].into_iter().any(|empty| self.is_hash_of(hash, empty)) {
            return Some(BodyChange::NoBody);
        }
        // Where there is a CR of another kind, line ends were mangled.
        let lf = mend::crlf_to_lf(hashed).filter(|lf| !lf.contains(&b'\r'));
        lf.is_some_and(|lf| self.is_hash_of(hash, &lf)).then_some(BodyChange::LfHashed)
    }

    /// Lines that were put in, those first that lists and gateways put in most often.
    fn cut(&mut self, lines: &Lines<'_>, body: &[u8]) -> Option<BodyChange> {
        for cut in lines.cuts() {
            if self.budget == 0 {
                return None;
            }
            let (before, added, after) = cut.parts(body);
            if self.fits(&[before, after].concat()) {
                return Some(BodyChange::Added { place: cut.place, octets: added.to_vec() });
            }
        }
        let wrapped = lines.parts().any(|part| body.get(part).is_some_and(|part| self.fits(part)));
        wrapped.then_some(BodyChange::Wrapped)
    }

    fn ways(&self) -> (Canonicalization, HashAlgorithm) {
        (self.signature.canonicalization.body, self.signature.algorithm.hash())
    }

    /// Whether `bh=` is right for this body.
    fn fits(&mut self, body: &[u8]) -> bool {
        let Some(budget) = self.budget.checked_sub(body.len()) else {
            self.budget = 0;
            return false;
        };
        self.budget = budget;
        let (form, hash) = self.ways();
        self.is_hash_of(hash, &canonical_body(form, body, self.signature.body_length))
    }

    fn is_hash_of(&mut self, hash: HashAlgorithm, canonical: &[u8]) -> bool {
        self.tried += 1;
        let hash = self.hash(hash, canonical);
        hash.is_some_and(|hash| hash.as_bytes() == self.signature.body_hash)
    }

    fn hash(&self, hash: HashAlgorithm, canonical: &[u8]) -> Option<HashValue> {
        let mut digest = self.provider.digest(hash)?;
        digest.update(canonical);
        Some(digest.finish())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use dkim_crypto::ring::PROVIDER;

    use super::*;

    fn signature(number: usize) -> Signature {
        let field = format!("v=1; a=rsa-sha256; d=a.example; s=s; h=from; bh=AAA{number}; b=YQ==");
        Signature::parse(field.as_bytes()).unwrap()
    }

    /// How many bodies were tried for signatures with these body hashes, within so many octets.
    fn tried(octets: usize, hashes: &[usize], body: &[u8]) -> Vec<usize> {
        let signatures: Vec<Signature> = hashes.iter().copied().map(signature).collect();
        let looked = look_within(octets, &signatures.iter().collect::<Vec<_>>(), body, &PROVIDER);
        let tried = |looked: &Looked| match looked.2 {
            BodyFinding::Unexplained { tried } => tried,
            _ => 0,
        };
        looked.iter().map(tried).collect()
    }

    /// What is hashed with nothing to spend is hashed anyhow.
    #[test]
    fn signatures_share_the_octets_of_a_message() {
        // Nothing mends it: lines that were put in are all that is looked for.
        let body = b"a. b\r\n".repeat(100);
        let anyhow = tried(0, &[0], &body)[0];
        let longest = body.len() - 6;
        for (octets, count, more) in [
            (2 * longest - 1, 1, 0),
            (2 * longest, 1, 1),
            (2 * longest, 2, 1),
            (2 * longest, 3, 0),
            (20 * longest, 1, 10),
            (20 * longest, 10, 2),
            (MAX_OCTETS, 10, 200),
        ] {
            let hashes: Vec<usize> = (0..count).collect();
            assert_eq!(
                tried(octets, &hashes, &body),
                vec![anyhow + more; count],
                "{octets} {count}"
            );
        }
        // The same is found for signatures that are over the body in the same way.
        assert_eq!(tried(2 * longest, &[1, 1, 1], &body), [anyhow + 1; 3]);
    }

    /// Once all is spent, nothing is mended any more.
    #[test]
    fn bodies_are_not_mended_on_credit() {
        let body = b"a. b \r\n>From =3D\r\n".repeat(10);
        assert_eq!(tried(0, &[0], &body), tried(2, &[0], &body));
        assert!(tried(100 * body.len(), &[0], &body) > tried(2, &[0], &body));
    }

    /// Whatever a change leaves of it: no copy is made of a longer body.
    #[test]
    fn bodies_are_mended_up_to_16_mib() {
        let to_nothing: &[(BodyChange, Mend)] = &[(BodyChange::Wrapped, |_| vec![Vec::new()])];
        let signature = signature(0);
        for (octets, tried) in [(MAX_MENDED, 1), (MAX_MENDED + 1, 0)] {
            let mut search = Search::new(&signature, b"", &PROVIDER);
            (search.budget, search.tried) = (1, 0);
            let mut searches = [search];
            mended(to_nothing, &mut searches, &vec![b'a'; octets]);
            assert_eq!(searches[0].tried, tried, "{octets}");
        }
    }
}
