//! Other implementations, beside ours: from raw octets to verdicts, the key at hand.

use std::hint::black_box;

use dkim_peer_mail_auth::mail_auth::{AuthenticatedMessage, DkimResult};
use dkim_peer_mail_auth::{MailAuth, Records};

use crate::signing::DOMAIN;
use crate::verifying::Verifying;
use crate::work::Work;

/// mail-auth, where it has the same cryptographic library and passes the message.
pub(crate) fn mail_auth(verifying: &Verifying) -> Option<Work> {
    if verifying.signing.provider.name() != "aws-lc-rs" {
        return None;
    }
    let peer = MailAuth::new().ok()?;
    let record = verifying.signing.key_record();
    let mut records = Records::default();
    for selector in &verifying.signing.selectors {
        records.insert_key(&format!("{selector}._domainkey.{DOMAIN}"), record.as_bytes());
    }
    let message = verifying.message.clone();
    let passes = verify(&peer, &records, &message)?;
    passes.then(|| {
        Work::new(move || {
            black_box(verify(&peer, &records, black_box(&message)));
        })
    })
}

/// Whether all signatures pass; `None` for what it cannot read.
fn verify(peer: &MailAuth, records: &Records, message: &[u8]) -> Option<bool> {
    let message = AuthenticatedMessage::parse(message)?;
    // All keys are at hand, so there is nothing to wait for.
    let found = peer.verify(&message, records)?;
    Some(!found.is_empty() && found.iter().all(|one| one.result() == &DkimResult::Pass))
}
