//! What a verifier hands to whoever decides about a message (RFC 5585 §5, RFC 5863 §2.4, §6).

use std::fmt;

use dkim_adsp::{AdspFinding, AtpsFinding, Author, AuthorError, authors_of};
use dkim_authres::AdspResult;
use dkim_hash::FieldIndex;
use dkim_message::Header;
use dkim_tags::{DomainName, Signature};
use dkim_verify::Verification;

use crate::LocalPractices;
use crate::covered::covered;
use crate::mediators::Mediators;

/// Who takes responsibility for a message, how they stand to its authors, and what was found of the
/// authors' practices: everything that DKIM has to say to a filter, and no verdict.
///
/// A signature that does not verify is not here at all: "Verifiers SHOULD ignore failed signatures
/// as though they were not present in the message" (RFC 6376 §6.1). Nor is a selector: it tells
/// where a key is, not who signs (RFC 6376 §3.1).
///
/// ```
/// use dkim_stack::message::split;
/// use dkim_stack::{Assessment, Known, Policy, Zone, now, provider, verify_blocking};
///
/// let message = b"From: joe@example.com\r\n\r\nHi.\r\n";
/// let (header, _) = split(message);
/// let found = verify_blocking(message, &Policy::rfc(), now(), provider(), &Zone::new());
/// let assessment = Assessment::new(&header, &found, &Known::default());
/// assert!(assessment.signers.is_empty() && !assessment.is_signed_for_all_authors());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Assessment {
    /// Who has verifiably signed, in the order of the signatures, top to bottom. "The order in which
    /// the signers are assessed and the interactions among the assessments are not defined" (RFC
    /// 5585 §5): that is for the reader. A mailing list is a signer like any other (RFC 6377 §5.9),
    /// and a complaint is for all who have signed (RFC 6377 §5.10).
    pub signers: Vec<VerifiedSigner>,
    /// The authors, one for each Author Domain (RFC 5617 §2.3), in the order of the addresses; why
    /// they cannot be told, if they cannot.
    pub authors: Result<Vec<Author>, AuthorError>,
    /// What was found of the authors' signing practices.
    pub practices: Vec<Practices>,
}

/// Somebody who has verifiably signed a message.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct VerifiedSigner {
    /// The SDID: who takes responsibility. The one thing that a reputation can be kept for.
    pub sdid: DomainName,
    /// The AUID, if one is stated.
    pub auid: Option<OpaqueAuid>,
    /// How the signer stands to the message.
    pub role: Role,
    /// Whether the key says `t=y`: the message is not to be treated otherwise than an unsigned one
    /// (RFC 6376 §3.6.1).
    pub testing: bool,
}

/// An AUID (RFC 6376 §3.11): a token that can be compared with others of the same SDID, and whose
/// meaning is known to nobody but the signer. It is no address, and says nothing about the author.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OpaqueAuid(String);

impl fmt::Display for OpaqueAuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How a signer stands to a message (RFC 5863 §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Role {
    /// The SDID is an Author Domain: an author signature (RFC 5863 §6.1).
    Author,
    /// An Author Domain is below the SDID (RFC 5863 §6.2).
    ParentDomain,
    /// Whoever decides here has said that the signer signs for an Author Domain
    /// ([`LocalPractices`]), or the Author Domain has (ATPS, RFC 6541).
    Delegate,
    /// A field that the signature covers says that the message came through the signer's domain: a
    /// mailing list, or who sent it again (RFC 5863 §7.7, RFC 6377 §5.8). That is what the signer
    /// says.
    Mediator,
    /// Anybody else (RFC 5863 §6.3).
    ThirdParty,
}

/// How an SDID stands to an Author Domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Alignment {
    /// The same name.
    Exact,
    /// The Author Domain is below the SDID.
    Parent,
    /// Neither.
    None,
}

/// What was found of the signing practices of an Author Domain.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Practices {
    /// The Author Domain.
    pub author_domain: DomainName,
    /// Who says so.
    pub source: Source,
    /// What that makes of the message, in the words of ADSP (RFC 5617 §5.4).
    pub result: AdspResult,
}

/// Where practices were found (RFC 5585 §5, figure 1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Source {
    /// The domain publishes them.
    Remote,
    /// Whoever decides here knows them: they go before what is published.
    Local,
}

/// What is known beside the signatures: by asking, or before.
#[derive(Clone, Copy, Debug, Default)]
pub struct Known<'k> {
    /// What the Author Domains publish (ADSP, Historic).
    pub adsp: &'k [AdspFinding],
    /// Whom the Author Domains let sign for them (ATPS, Experimental).
    pub atps: &'k [AtpsFinding],
    /// What whoever decides here knows about senders; it goes before what they publish.
    pub local: Option<&'k LocalPractices>,
}

impl Alignment {
    /// How an SDID stands to an Author Domain.
    #[must_use]
    pub fn of(sdid: &DomainName, author_domain: &DomainName) -> Self {
        if sdid == author_domain {
            Self::Exact
        } else if author_domain.is_within(sdid) {
            Self::Parent
        } else {
            Self::None
        }
    }
}

impl Assessment {
    /// Puts together what a verifier found in a message with this header, and what else is known.
    #[must_use]
    pub fn new(header: &Header<'_>, found: &[Verification], known: &Known<'_>) -> Self {
        let authors = authors_of(header);
        let domains: Vec<&DomainName> =
            authors.iter().flatten().filter_map(|author| author.domain().ok()).collect();
        let index = FieldIndex::new(header);
        let passing = || found.iter().filter(|found| found.passes());
        let sdids = passing().filter_map(|found| Some(&found.signature.as_ref()?.sdid));
        let mediators = Mediators::new(header, sdids);
        let signer = |found: &Verification| {
            let signature = found.signature.as_ref()?;
            let role = Role::of(signature, &domains, known, || {
                covered(signature, found.index, header, &index)
                    .into_iter()
                    .any(|position| mediators.mention(&signature.sdid, position))
            });
            let auid = signature.auid.as_ref().map(|auid| OpaqueAuid(auid.to_string()));
            let (sdid, testing) = (signature.sdid.clone(), found.is_testing());
            Some(VerifiedSigner { sdid, auid, role, testing })
        };
        let signers: Vec<VerifiedSigner> = passing().filter_map(signer).collect();
        let practices = practices(&domains, &signers, known);
        Self { signers, authors, practices }
    }

    /// Whether each author's domain has signed itself, with a key that is no test: the only thing
    /// that a signature says about the From field, and no more than that the domain let it pass. An
    /// author without a domain in the DNS has nobody who could sign.
    #[must_use]
    pub fn is_signed_for_all_authors(&self) -> bool {
        let authors = self.authors.as_deref().unwrap_or_default();
        let has_signed = |author: &Author| {
            author.domain().is_ok_and(|domain| {
                self.signers.iter().any(|signer| !signer.testing && signer.sdid == *domain)
            })
        };
        !authors.is_empty() && authors.iter().all(has_signed)
    }
}

/// Local practices take the place of published ones. There is no exception for what a list may
/// have altered (RFC 6377 §4.3).
fn practices(
    domains: &[&DomainName],
    signers: &[VerifiedSigner],
    known: &Known<'_>,
) -> Vec<Practices> {
    let locally = |author: &DomainName| {
        let sdids = signers.iter().filter(|signer| !signer.testing).map(|signer| &signer.sdid);
        known.local.and_then(|local| local.evaluate(author, sdids))
    };
    let published = |author: &DomainName| {
        // A domain that is none has no practices.
        let of_author = |finding: &&AdspFinding| finding.author().domain() == Ok(author);
        known.adsp.iter().find(of_author).map(AdspFinding::result)
    };
    let of_author = |author: &&DomainName| {
        let local = locally(author).map(|result| (Source::Local, result));
        let (source, result) = local.or_else(|| Some((Source::Remote, published(author)?)))?;
        Some(Practices { author_domain: (*author).clone(), source, result })
    };
    domains.iter().filter_map(of_author).collect()
}

impl Role {
    /// The role of whoever made a signature.
    fn of(
        signature: &Signature,
        authors: &[&DomainName],
        known: &Known<'_>,
        is_mediator: impl FnOnce() -> bool,
    ) -> Self {
        let sdid = &signature.sdid;
        let is_aligned =
            |wanted| authors.iter().any(|author| Alignment::of(sdid, author) == wanted);
        let is_let = || {
            let locally = authors
                .iter()
                .any(|author| known.local.is_some_and(|local| local.signs_for(sdid, author)));
            locally || known.atps.iter().any(|finding| finding.signer() == Some(sdid))
        };
        if is_aligned(Alignment::Exact) {
            Self::Author
        } else if is_let() {
            Self::Delegate
        } else if is_aligned(Alignment::Parent) {
            Self::ParentDomain
        } else if is_mediator() {
            Self::Mediator
        } else {
            Self::ThirdParty
        }
    }
}
