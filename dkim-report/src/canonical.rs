//! The canonical octets that a verifier hashed, for the signer to compare with (RFC 6591 §3.2.4).

use dkim_canon::BodyCanonicalizer;
use dkim_hash::HeaderInputs;
use dkim_message::Header;
use dkim_tags::{Signature, TagList, without_b};
use dkim_verify::Verification;

/// The canonical header of a signature, exactly as the verifier hashed it: the signed fields, then
/// the DKIM-Signature field without the value of its `b=`. `None` for a signature that cannot be
/// read, or is not in this header.
#[must_use]
pub fn canonical_header(found: &Verification, header: &Header<'_>) -> Option<Vec<u8>> {
    let signature = found.signature.as_ref()?;
    let (position, field) = header.fields().named(Signature::FIELD_NAME).nth(found.index)?;
    let tags = TagList::parse(field.body()).ok()?;
    let form = signature.canonicalization.header;
    let mut inputs = HeaderInputs::new(header);
    inputs.open(form, signature.signed_fields.iter(), Some(position));
    inputs.close(form, field.raw_name(), without_b(field.body(), &tags));
    Some(inputs.into_octets())
}

/// Keeps the canonical body of a signature, as long as it is not too long: a part of it would be of
/// no use, "the data presented there have to be exactly the canonicalized header and body".
///
/// It takes the whole body, also where a verifier needs no more of it (`dkim_verify::Stance::Done`):
/// what is not handed over is not there. While the body comes, `dkim_verify::Verifier::signatures` tells
/// the signatures; a message may have thousands, of which [`MAX_DOMAINS`](crate::MAX_DOMAINS) are
/// reported about at most, and none that does not ask for it
/// ([`asks_for_reports`](dkim_tags::Claims::asks_for_reports)).
///
/// ```
/// use dkim_report::CanonicalBody;
/// use dkim_tags::Signature;
///
/// let field = b"v=1; a=rsa-sha256; d=a.example; s=s; h=from; bh=YQ==; b=YQ==";
/// let signature = Signature::parse(field)?;
/// let mut body = CanonicalBody::new(&signature, 100);
/// body.chunk(b"Hi.\r\n\r");
/// body.chunk(b"\n");
/// assert_eq!(body.finish().as_deref(), Some(&b"Hi.\r\n"[..]));
/// # Ok::<(), dkim_tags::SignatureError>(())
/// ```
#[derive(Clone, Debug)]
pub struct CanonicalBody {
    canonicalizer: BodyCanonicalizer,
    kept: Kept,
}

#[derive(Clone, Debug)]
struct Kept {
    octets: Vec<u8>,
    /// What `l=` says: no more is hashed.
    length: usize,
    most: usize,
    too_long: bool,
}

impl CanonicalBody {
    /// Nothing yet; `most` is how many octets may be kept.
    #[must_use]
    pub fn new(signature: &Signature, most: usize) -> Self {
        let length = signature.body_length.unwrap_or(u64::MAX);
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        Self {
            canonicalizer: BodyCanonicalizer::new(signature.canonicalization.body),
            kept: Kept { octets: Vec::new(), length, most, too_long: false },
        }
    }

    /// Takes the next octets of the body.
    pub fn chunk(&mut self, chunk: &[u8]) {
        let Self { canonicalizer, kept } = self;
        if !kept.too_long {
            canonicalizer.chunk(chunk, |octets| kept.take(octets));
        }
    }

    /// The body has ended. `None` if it is too long to be kept.
    #[must_use]
    pub fn finish(self) -> Option<Vec<u8>> {
        let Self { canonicalizer, mut kept } = self;
        if !kept.too_long {
            canonicalizer.finish(|octets| kept.take(octets));
        }
        (!kept.too_long).then_some(kept.octets)
    }
}

impl Kept {
    fn take(&mut self, octets: &[u8]) {
        // RFC 6591 §3.2.4: "limited to those octets that contribute to the DKIM body hash".
        let hashed = self.length - self.octets.len().min(self.length);
        let octets = octets.get(..hashed).unwrap_or(octets);
        if self.too_long || octets.len() > self.most.saturating_sub(self.octets.len()) {
            self.too_long = true;
            self.octets = Vec::new();
        } else {
            self.octets.extend_from_slice(octets);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn kept(length: Option<u64>, most: usize, cut: usize) -> Option<Vec<u8>> {
        let mut signature = Signature::parse(
            b"v=1; a=rsa-sha256; c=relaxed/relaxed; d=a.example; s=s; h=from; bh=YQ==; b=YQ==",
        )
        .unwrap();
        signature.body_length = length;
        let mut body = CanonicalBody::new(&signature, most);
        for chunk in b"a  b \r\n\r\nc\r\n\r\n".chunks(cut) {
            body.chunk(chunk);
        }
        body.finish()
    }

    #[test]
    fn bodies_are_kept_whole_or_not_at_all() {
        for cut in 1..16 {
            assert_eq!(kept(None, 10, cut).unwrap(), b"a b\r\n\r\nc\r\n");
            assert_eq!(kept(None, 9, cut), None);
            assert_eq!(kept(Some(4), 4, cut).unwrap(), b"a b\r");
            assert_eq!(kept(Some(4), 3, cut), None);
            assert_eq!(kept(Some(0), 0, cut).unwrap(), b"");
            assert_eq!(kept(Some(99), 10, cut).unwrap(), b"a b\r\n\r\nc\r\n");
        }
    }
}
