//! What a mediator, such as a mailing list, does to a header before it signs (RFC 6377 §5.7).

use dkim_authres::{AuthenticationResults, DkimResult, ResInfo};
use dkim_message::Header;
use dkim_tags::{DomainName, Signature};
use dkim_verify::{Verification, res_infos};

/// The fields that a mediator takes away, and the one that it adds on top.
///
/// Its own old signatures go: it signs anew what it sends out. All results that the message brings
/// go, whoever is said to have written them: under the mediator's signature a forged one would be
/// believed (RFC 6377 §5.7, step 3, and what it says of receivers). The signatures of others stay,
/// whether they still verify or not is for the receiver to see: `broken` names those to take away
/// that the mediator itself has broken (`dkim_explain::relayed` tells which).
///
/// ```
/// use dkim_stack::message::Header;
/// use dkim_stack::{DomainName, Mediation};
///
/// let header = Header::parse(
///     b"Authentication-Results: mx.example; dkim=pass header.d=bank.example\r\n\
///       From: joe@example.com\r\n",
/// );
/// let own = DomainName::parse("lists.example")?;
/// let mediation = Mediation::new(&header, &own, "lists.example", &[], &[]);
/// assert_eq!(mediation.removed, [0]);
/// let out = String::from_utf8(mediation.header(&header))?;
/// assert_eq!(out, format!("{}From: joe@example.com\r\n", mediation.results.field()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Mediation {
    /// Indexes of the fields to take away, from last to first.
    pub removed: Vec<usize>,
    /// What was found when the message came in, for the top of the header (RFC 6377 §5.6): of an
    /// unsigned one, too, which is signed like others (RFC 6377 §5.8).
    /// A signature that passed with a key in test, or that leaves a part of the body or a second field
    /// of a kind to anybody, is handed on as `policy`.
    pub results: AuthenticationResults,
}

impl Mediation {
    /// For a message that goes out with this header. `received` is what was found when it came in,
    /// before anything was changed; `broken` are the places of signatures to take away, among all
    /// fields of the header that goes out.
    #[must_use]
    pub fn new(
        header: &Header<'_>,
        own: &DomainName,
        authserv_id: &str,
        received: &[Verification],
        broken: &[usize],
    ) -> Self {
        let is_own = |body: &[u8]| {
            Signature::parse(body).is_ok_and(|signature| signature.sdid.is_within(own))
        };
        let signatures = header.fields().named(Signature::FIELD_NAME);
        let stale = signatures
            .filter(|(position, field)| is_own(field.body()) || broken.contains(position))
            .map(|(position, _)| position);
        // No field is both.
        let mut removed: Vec<usize> =
            stale.chain(header.fields().positions("Authentication-Results")).collect();
        removed.sort_unstable_by(|a, b| b.cmp(a));
        let vouch = |(at, info)| match received.get(at) {
            Some(found) => vouched(found, info),
            None => info,
        };
        let infos = res_infos(received).into_iter().enumerate().map(vouch);
        let results = AuthenticationResults::new(authserv_id);
        Self { removed, results: infos.fold(results, AuthenticationResults::with) }
    }

    /// The header as it goes out, to be signed with
    /// [`Fields::of_mediator`](dkim_sign::Fields::of_mediator). All other fields stand as they did.
    /// A continuation of nothing stays on top, where it is a defect that no signer takes: it must
    /// not continue the results.
    #[must_use]
    pub fn header(&self, header: &Header<'_>) -> Vec<u8> {
        let mut out = Vec::new();
        let mut removed = self.removed.iter().rev().peekable();
        let mut results = Some(self.results.field());
        for (position, field) in header.fields().iter().enumerate() {
            if !field.octets().starts_with(b" ") && !field.octets().starts_with(b"\t") {
                out.extend(results.take().unwrap_or_default().bytes());
            }
            if removed.next_if_eq(&&position).is_none() {
                out.extend_from_slice(field.octets());
                out.extend_from_slice(b"\r\n");
            }
        }
        out.extend(results.unwrap_or_default().bytes());
        out
    }
}

/// A result as a mediator hands it on: under the mediator's signature, what anybody could add would be
/// taken for the author's.
fn vouched(found: &Verification, info: ResInfo) -> ResInfo {
    match found.deviations.iter().find(|deviation| deviation.lessens_a_pass()) {
        Some(deviation) if found.passes() => ResInfo {
            result: DkimResult::Policy.name().to_owned(),
            reason: Some(deviation.to_string()),
            ..info
        },
        _ => info,
    }
}
