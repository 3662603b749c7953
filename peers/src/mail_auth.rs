//! mail-auth, as it is set up.

use dkim_peer_mail_auth::mail_auth::{AuthenticatedMessage, DkimResult};
use dkim_peer_mail_auth::{MailAuth, Records as AtHand};

use crate::Records;

pub(crate) fn verify(message: &[u8], records: &Records) -> Result<bool, String> {
    let mut at_hand = AtHand::default();
    for (name, text) in records {
        at_hand.insert_key(name, text.as_bytes());
    }
    let message = AuthenticatedMessage::parse(message).ok_or("it reads no message")?;
    // Where it asks for a key that is not there, nothing passes.
    let found = MailAuth::new()?.verify(&message, &at_hand).unwrap_or_default();
    Ok(found.iter().any(|one| one.result() == &DkimResult::Pass))
}
