//! Carries a vector through the verifier and says what came of it in a vector's words.

use std::borrow::Cow;

use anyhow::{Context, Result};
use dkim_crypto::ring::PROVIDER;
use dkim_dns::{Zone, drive_blocking};
use dkim_tags::{Claims, UnixTime};
use dkim_testkit::{Reported, Vector};
use dkim_verify::{Policy, Verification, Verifier};

/// What the verifiers say of a vector's signatures, top to bottom, DomainKeys behind DKIM.
pub(crate) fn judge(vector: &Vector) -> Result<Vec<Reported>> {
    let zone = Zone::parse(&vector.zone).with_context(|| format!("zone of {}", vector.id))?;
    let message = as_transmitted(&vector.message);
    let found = verify(&message, &zone, UnixTime(vector.time));
    let domainkeys = domainkeys(&message, &zone);
    let domainkeys = domainkeys.iter().map(report_domainkeys);
    Ok(found.iter().map(report).chain(domainkeys).collect())
}

/// Verifies a message under the RFC's policy.
pub(crate) fn verify(message: &[u8], zone: &Zone, now: UnixTime) -> Vec<Verification> {
    let (header, body) = dkim_message::split(message);
    let mut verifier = Verifier::new(&header, &Policy::rfc(), now, &PROVIDER);
    drive_blocking(&mut verifier, zone);
    verifier.body_chunk(body);
    verifier.finish()
}

/// Verifies the DomainKeys signatures of a message as one does in archives: by default none passes.
pub(crate) fn domainkeys(message: &[u8], zone: &Zone) -> Vec<dkim_domainkeys::Verification> {
    let mut policy = dkim_domainkeys::Policy::default();
    policy.sha1 = dkim_domainkeys::Treatment::Accept;
    let (header, body) = dkim_message::split(message);
    let mut verifier = dkim_domainkeys::Verifier::new(&header, &policy, &PROVIDER);
    drive_blocking(&mut verifier, zone);
    verifier.body_chunk(body);
    verifier.finish()
}

/// The message with CRLF line ends. Files often hold mail with LF alone: where the header uses it
/// throughout, it stands for CRLF. A message that mixes both is what it is.
pub(crate) fn as_transmitted(message: &[u8]) -> Cow<'_, [u8]> {
    let header_end = message.windows(2).position(|pair| pair == b"\n\n");
    let header = message.get(..header_end.map_or(message.len(), |end| end + 1)).unwrap_or(message);
    if header.contains(&b'\r') || !header.contains(&b'\n') {
        return Cow::Borrowed(message);
    }
    let mut converted = Vec::with_capacity(message.len() + message.len() / 32);
    for line in message.split_inclusive(|octet| *octet == b'\n') {
        match line.strip_suffix(b"\n") {
            Some(text) => {
                converted.extend([text.strip_suffix(b"\r").unwrap_or(text), b"\r\n"].concat())
            }
            None => converted.extend_from_slice(line),
        }
    }
    Cow::Owned(converted)
}

fn report(verification: &Verification) -> Reported {
    let outcome = &verification.outcome;
    reported(outcome.result().name(), outcome.reason().code(), &verification.claims())
}

fn report_domainkeys(verification: &dkim_domainkeys::Verification) -> Reported {
    let outcome = &verification.outcome;
    reported(outcome.result().name(), outcome.reason().code(), &verification.claims())
}

fn reported(result: &str, reason: &str, claims: &Claims) -> Reported {
    Reported {
        result: result.to_owned(),
        reason: class(reason).to_owned(),
        domain: claims.sdid.as_ref().map(|sdid| sdid.as_written().to_owned()),
        selector: claims.selector.as_ref().map(|selector| selector.as_written().to_owned()),
    }
}

/// The class of reasons that ours belongs to. Most bear the name of their class.
fn class(reason: &str) -> &str {
    match reason {
        "malformed-header" => "syntax",
        "from-missing" => "from-not-signed",
        "unsupported-algorithm" => "bad-algorithm",
        named => named,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_of_lf_alone_stands_for_crlf() {
        for (file, transmitted) in [
            (&b"A: b\nC: d\n\nx\ny"[..], &b"A: b\r\nC: d\r\n\r\nx\r\ny"[..]),
            (b"A: b\n", b"A: b\r\n"),
            (b"A: b\n\nx\r\ny\n", b"A: b\r\n\r\nx\r\ny\r\n"),
            (b"A: b\r\n\r\nx\n\ny", b"A: b\r\n\r\nx\n\ny"),
            (b"A: b\nC: d\r\n\r\nx\n", b"A: b\nC: d\r\n\r\nx\n"),
            (b"", b""),
        ] {
            assert_eq!(*as_transmitted(file), *transmitted);
        }
    }
}
