//! What a verifier hands to whoever decides about a message (RFC 5585 §5, RFC 5863 §2.4, §6).

use std::fmt;

use dkim_adsp::{AdspFinding, AuthorError, authors_of};
use dkim_authres::AdspResult;
use dkim_message::Header;
use dkim_tags::DomainName;
use dkim_verify::Verification;

use crate::LocalPractices;

/// Who takes responsibility for a message, how they stand to its authors, and what was found of the
/// authors' practices: everything that DKIM has to say to a filter, and no verdict.
///
/// A signature that does not verify is not here at all: "Verifiers SHOULD ignore failed signatures
/// as though they were not present in the message" (RFC 6376 §6.1). Nor is a selector: it tells
/// where a key is, not who signs (RFC 6376 §3.1).
///
/// ```
/// use dkim_stack::message::split;
/// use dkim_stack::{Assessment, Policy, Zone, now, provider, verify_blocking};
///
/// let message = b"From: joe@example.com\r\n\r\nHi.\r\n";
/// let (header, _) = split(message);
/// let found = verify_blocking(message, &Policy::rfc(), now(), provider(), &Zone::new());
/// let assessment = Assessment::new(&header, &found);
/// assert!(assessment.signers.is_empty() && !assessment.is_signed_for_all_authors());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Assessment {
    /// Who has verifiably signed, in the order of the signatures, top to bottom. "The order in which
    /// the signers are assessed and the interactions among the assessments are not defined" (RFC
    /// 5585 §5): that is for the reader.
    pub signers: Vec<VerifiedSigner>,
    /// The Author Domains (RFC 5617 §2.3), in the order of the addresses; why they cannot be told,
    /// if they cannot.
    pub authors: Result<Vec<DomainName>, AuthorError>,
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

/// Fields that say through whose hands a message went.
const MEDIATORS: [&str; 5] = ["List-Post", "List-Id", "Sender", "Resent-From", "Resent-Sender"];

impl Assessment {
    /// Puts together what a verifier found in a message with this header.
    #[must_use]
    pub fn new(header: &Header<'_>, found: &[Verification]) -> Self {
        let authors = authors_of(header).map(|authors| {
            authors.iter().filter_map(|author| author.domain().ok().cloned()).collect::<Vec<_>>()
        });
        let author_domains = authors.as_deref().unwrap_or_default();
        let signers = found.iter().filter(|found| found.passes());
        let signers = signers.filter_map(|found| VerifiedSigner::of(header, found, author_domains));
        let signers = signers.collect();
        Self { signers, authors, practices: Vec::new() }
    }

    /// With what the Author Domains publish (ADSP, Historic).
    #[must_use]
    pub fn with_adsp(mut self, findings: &[AdspFinding]) -> Self {
        self.practices.extend(findings.iter().filter_map(|finding| {
            // A domain that is none has no practices.
            let author_domain = finding.author().domain().ok()?.clone();
            Some(Practices { author_domain, source: Source::Remote, result: finding.result() })
        }));
        self
    }

    /// With what is known here: local practices take the place of published ones, and who signs for
    /// an Author Domain by them is its [`Delegate`](Role::Delegate).
    #[must_use]
    pub fn with_local(mut self, local: &LocalPractices) -> Self {
        let author_domains = self.authors.as_deref().unwrap_or_default();
        for signer in &mut self.signers {
            let is_of = |author: &DomainName| local.signs_for(&signer.sdid, author);
            if !matches!(signer.role, Role::Author) && author_domains.iter().any(is_of) {
                signer.role = Role::Delegate;
            }
        }
        for author in author_domains {
            let sdids = self.signers.iter().filter(|signer| !signer.testing);
            if let Some(result) = local.evaluate(author, sdids.map(|signer| &signer.sdid)) {
                self.practices.retain(|found| found.author_domain != *author);
                let author_domain = author.clone();
                self.practices.push(Practices { author_domain, source: Source::Local, result });
            }
        }
        self
    }

    /// With domains whose signatures the Author Domains have said to be as good as their own (ATPS,
    /// RFC 6541, Experimental).
    #[must_use]
    pub fn with_delegates(mut self, authorized: &[DomainName]) -> Self {
        for signer in &mut self.signers {
            if signer.role != Role::Author && authorized.contains(&signer.sdid) {
                signer.role = Role::Delegate;
            }
        }
        self
    }

    /// How a signer stands to an Author Domain.
    #[must_use]
    pub fn alignment(signer: &VerifiedSigner, author_domain: &DomainName) -> Alignment {
        if signer.sdid == *author_domain {
            Alignment::Exact
        } else if author_domain.is_within(&signer.sdid) {
            Alignment::Parent
        } else {
            Alignment::None
        }
    }

    /// Whether each Author Domain has signed itself, with a key that is no test: the only thing that
    /// a signature says about the From field, and no more than that the domain let it pass.
    #[must_use]
    pub fn is_signed_for_all_authors(&self) -> bool {
        let author_domains = self.authors.as_deref().unwrap_or_default();
        let has_signed = |author: &DomainName| {
            self.signers.iter().any(|signer| !signer.testing && signer.sdid == *author)
        };
        !author_domains.is_empty() && author_domains.iter().all(has_signed)
    }
}

impl VerifiedSigner {
    fn of(header: &Header<'_>, found: &Verification, authors: &[DomainName]) -> Option<Self> {
        let signature = found.signature.as_ref()?;
        let sdid = signature.sdid.clone();
        let covers = |name: &&str| signature.signed_fields.contains(name);
        let mediators = MEDIATORS.into_iter().filter(covers);
        let says_so =
            |name: &str| header.named(name).any(|field| names_domain(field.body(), &sdid));
        let role = if authors.contains(&sdid) {
            Role::Author
        } else if authors.iter().any(|author| author.is_within(&sdid)) {
            Role::ParentDomain
        } else if mediators.into_iter().any(says_so) {
            Role::Mediator
        } else {
            Role::ThirdParty
        };
        let auid = signature.auid.as_ref().map(|auid| OpaqueAuid(auid.to_string()));
        Some(Self { sdid, auid, role, testing: found.is_testing() })
    }
}

/// Whether a field body has a name in it that is within a domain, wherever it stands: an address, a
/// URI, or a list's own name.
fn names_domain(body: &[u8], domain: &DomainName) -> bool {
    /// Longer than any name.
    const LONG: usize = 255;

    let is_name = |octet: &u8| octet.is_ascii_alphanumeric() || matches!(octet, b'.' | b'-' | b'_');
    let words = body.split(|octet| !is_name(octet)).filter(|word| (3..=LONG).contains(&word.len()));
    let mut names =
        words.filter_map(|word| DomainName::parse(std::str::from_utf8(word).ok()?).ok());
    names.any(|name| name.is_within(domain))
}
