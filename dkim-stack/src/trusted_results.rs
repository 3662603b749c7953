//! What a trusted site found out about a message, under its signature (RFC 6377 §5.7, §7.2).

use std::collections::BTreeMap;

use dkim_authres::{AuthenticationResults, DkimResult};
use dkim_hash::FieldIndex;
use dkim_message::Header;
use dkim_tags::DomainName;
use dkim_verify::Verification;

use crate::covered::covered;

/// An Authentication-Results field of another site, such as a mailing list that has broken the
/// signature of an author whom it had verified before ([`Mediation`](crate::Mediation)).
///
/// All others that came from outside are to be ignored or removed (RFC 6377 §5.11): anybody may
/// have written them. A site that is trusted must have agreed to take away results of others before
/// it signs (RFC 6377 §7.2).
///
/// ```
/// use dkim_stack::message::split;
/// use dkim_stack::{DomainName, Policy, TrustedResults, Zone, now, provider, verify_blocking};
///
/// let message = b"Authentication-Results: lists.example; dkim=pass header.d=example.com\r\n\
///                 From: joe@example.com\r\n\r\nHi.\r\n";
/// let (header, _) = split(message);
/// let found = verify_blocking(message, &Policy::rfc(), now(), provider(), &Zone::new());
/// let trusted = [DomainName::parse("lists.example")?];
/// // It says so, and has not signed it.
/// assert_eq!(TrustedResults::of(&header, &found, &trusted), []);
/// # Ok::<(), dkim_stack::tags::InvalidName>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TrustedResults {
    /// Where the field stands in the header, from 0.
    pub position: usize,
    /// The site that signed it.
    pub site: DomainName,
    /// What the field says.
    pub results: AuthenticationResults,
}

impl TrustedResults {
    /// The fields that trusted sites vouch for, top to bottom. "A Receiver SHOULD consider only"
    /// those that bear the authserv-id of a site it trusts and are "included in the header hash" of
    /// a signature of one (RFC 6377 §5.7).
    ///
    /// A site signs with its domain, and its authserv-id is that or a name below. One does not
    /// vouch for another, which the RFC leaves open: a list that is trusted may pass on what
    /// somebody wrote in the name of the next. A key in test is no signature.
    #[must_use]
    pub fn of(header: &Header<'_>, found: &[Verification], trusted: &[DomainName]) -> Vec<Self> {
        let index = FieldIndex::new(header);
        let mut signed: BTreeMap<usize, Vec<&DomainName>> = BTreeMap::new();
        for one in found.iter().filter(|one| one.counts()) {
            let signature = one.signature.as_ref();
            if let Some(signature) = signature.filter(|one| trusted.contains(&one.sdid)) {
                for position in covered(signature, one.index, header, &index) {
                    signed.entry(position).or_default().push(&signature.sdid);
                }
            }
        }
        let vouched = signed.into_iter().filter_map(|(position, sites)| {
            let field = header.fields().get(position)?;
            field.is("Authentication-Results").then_some(())?;
            let results = AuthenticationResults::parse(field.body()).ok()?;
            // RFC 8601 §2.6: what another version means is not known.
            results.version.is_none_or(|it| it == AuthenticationResults::VERSION).then_some(())?;
            let id = DomainName::parse(&results.authserv_id).ok()?;
            let site = sites.into_iter().find(|site| id.is_within(site))?.clone();
            Some(Self { position, site, results })
        });
        vouched.collect()
    }

    /// The SDIDs of signatures that the site found valid. Beside those found valid here, they are
    /// what ADSP asks for: a signature of the author "can be inferred even if one is not present on
    /// receipt" (RFC 6377 §5.4).
    pub fn valid_sdids(&self) -> impl Iterator<Item = DomainName> + '_ {
        let passing = self.results.results.iter().filter(|info| {
            info.method.eq_ignore_ascii_case("dkim")
                && info.version.is_none_or(|it| it == 1)
                && info.result.eq_ignore_ascii_case(DkimResult::Pass.name())
        });
        passing.filter_map(|info| DomainName::parse(info.get("header", "d")?).ok())
    }
}
