//! `dkim sign --check`: what a verifier would say of what was signed.

use std::ops::ControlFlow;

use dkim_stack::authres::DkimResult;
use dkim_stack::dns::drive_blocking;
use dkim_stack::message::Header;
use dkim_stack::verify::Reason;
use dkim_stack::{Policy, Selector, Verifier};

use super::Signed;
use crate::diagnostics::Failure;
use crate::dns::Dns;
use crate::exit::Exit;
use crate::input::{Message, MessageError, Twice};
use crate::provider::provider;

/// Verifies the message with its new signatures, as a verifier does that has just received it.
pub(super) fn check(signed: &Signed, octets: &mut Twice, dns: &Dns) -> Result<(), Failure> {
    octets.rewind()?;
    let mut message = Message::open(octets)?;
    let header = [signed.fields.as_bytes(), message.header().octets()].concat();
    let header = Header::parse(&header);
    let mut policy = Policy::rfc();
    let limits = &mut policy.limits;
    limits.signatures = limits.signatures.max(signed.count);
    limits.queries = limits.queries.max(signed.count);
    let mut verifier = Verifier::new(&header, &policy, signed.now, provider());
    drive_blocking(&mut verifier, dns);
    let mut scratch = Vec::new();
    message
        .body
        .for_each(|chunk| {
            verifier.body_chunk(signed.line_ends.to_crlf(chunk, &mut scratch));
            ControlFlow::Continue(())
        })
        .map_err(MessageError::from)?;
    match verifier.finish().iter().take(signed.count).find(|found| !found.passes()) {
        None => Ok(()),
        Some(found) => {
            let claims = found.claims();
            let selector = claims.selector.as_ref().map(Selector::as_written);
            let (outcome, reason) = (&found.outcome, found.outcome.reason());
            let what = format_args!(
                "the signature with selector {} does not verify: {outcome} ({reason})",
                selector.unwrap_or_default()
            );
            let is_temporary = reason.result() == DkimResult::TempError;
            let exit = if is_temporary { Exit::Temporary } else { Exit::NonePasses };
            Err(Failure::new(exit, what).remedy(match reason {
                // Nothing was changed on the way.
                Reason::SignatureMismatch => "publish the key record of the key that signs",
                reason => reason.remedy(),
            }))
        }
    }
}
