//! mail-auth: its verdict, and its reading of what is to be signed.

use std::sync::LazyLock;

use dkim_peer_mail_auth::mail_auth::crypto::{Algorithm, Ed25519Key};
use dkim_peer_mail_auth::mail_auth::dkim::{AtpsRecord, DkimSigner, DomainKey, Signature};
use dkim_peer_mail_auth::mail_auth::dns::TxtRecordParser;
use dkim_peer_mail_auth::mail_auth::{AuthenticatedMessage, DkimOutput, DkimResult};
use dkim_peer_mail_auth::{MailAuth, Records};
use dkim_tags::value::to_base64;

use super::Case;
use super::case::{BODY_HASH, SEED, SIGNATURE, filled, key, not_yet};

static PEER: LazyLock<MailAuth> = LazyLock::new(|| MailAuth::new().expect("nothing to set up"));

/// A signature that it read, and what it makes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    /// The octets of `b=`; empty where the field was not read.
    pub(super) signature: Vec<u8>,
    pub(super) passes: bool,
    /// In its words.
    pub(super) said: String,
}

/// What it makes of a message. Signatures with `l=` are looked at too.
pub(super) fn verify(case: &Case, message: &[u8]) -> Vec<Verdict> {
    let Some(message) = AuthenticatedMessage::parse_with_opts(message, None, false) else {
        return Vec::new();
    };
    let records = records(case);
    let found = PEER.verify(&message, &records).expect("all names are known, so it asks nobody");
    let verdict = |one: &DkimOutput<'_>| Verdict {
        signature: one.signature().map(|signature| signature.b.clone()).unwrap_or_default(),
        passes: one.result() == &DkimResult::Pass,
        said: one.result().to_string(),
    };
    found.iter().map(verdict).collect()
}

/// The message signed as it reads it; `None` if there is no room, or nothing that it can read.
pub(super) fn signed(case: &Case) -> Option<Vec<u8>> {
    let message = filled(&case.message, SIGNATURE, not_yet());
    let draft = filled(&message, BODY_HASH, not_yet());
    let body_hash = to_base64(&body_hash(&draft)?);
    let draft = filled(&message, BODY_HASH, &body_hash);
    let parsed = AuthenticatedMessage::parse_with_opts(&draft, None, false)?;
    let signature = room(&parsed)?;
    let is_rsa = signature.a == Algorithm::RsaSha256;
    let made = key(is_rsa).sign(&parsed.canonicalized_dkim_headers()?).ok()?;
    let signed = filled(&case.message, BODY_HASH, &body_hash);
    Some(filled(&signed, SIGNATURE, &to_base64(&made)))
}

/// The body hash that its own signer would write. It signs nothing with SHA-1.
fn body_hash(draft: &[u8]) -> Option<Vec<u8>> {
    let parsed = AuthenticatedMessage::parse_with_opts(draft, None, false)?;
    let signature = room(&parsed)?;
    if signature.a == Algorithm::RsaSha1 {
        return None;
    }
    let body = parsed.raw_body();
    let length = usize::try_from(signature.l).unwrap_or(usize::MAX);
    let body = if length == 0 { body } else { body.get(..length).unwrap_or(body) };
    let key = Ed25519Key::from_seed_and_public_key(&SEED, &key(false).public_key().to_p_tag());
    let signer = DkimSigner::from_key(key.expect("the two belong together"))
        .domain("example.com")
        .selector("s")
        .headers(["From"])
        .body_canonicalization(signature.cb);
    Some(signer.sign(&[b"From: a@example.com\r\n\r\n", body].concat()).ok()?.bh)
}

/// The signature that there is room for, if it is the one whose input can be had.
fn room<'m>(message: &'m AuthenticatedMessage<'_>) -> Option<&'m Signature> {
    let mut signatures = message.dkim_signatures().iter().map(|header| &header.header);
    let first = signatures.find(|signature| signature.x == 0 || signature.x > signature.t)?;
    (dkim_tags::value::base64(not_yet()).as_ref() == Some(&first.b)).then_some(first)
}

/// What the DNS says of a case.
fn records(case: &Case) -> Records {
    let mut records = Records::complete();
    for (name, _) in &case.records {
        let texts = case.texts(name);
        match name.contains("._atps.") {
            true => records.insert(name, AtpsRecord::parse_records(&texts)),
            false => records.insert(name, DomainKey::parse_records(&texts)),
        }
    }
    records
}
