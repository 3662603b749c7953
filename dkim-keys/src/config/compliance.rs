//! Whether mail, signed as configured, keeps to what its domains publish about it.

use std::collections::HashMap;
use std::fmt;

use dkim_adsp::{Adsp, AdspRecord};
use dkim_dns::{Answer, Inquirer, Query, QueryId, QueryKind, records};
use dkim_tags::{DomainName, TagList};

use super::{Config, Pattern, SigningDomain};
use crate::Finding;
use crate::Severity::{Error, Warning};
use crate::finding::Row;

/// Something that a domain publishes about its mail, and that the configuration does not keep.
pub(crate) enum ComplianceFault {
    /// ADSP (RFC 5617): all mail has a signature of the Author Domain, and this has none.
    Adsp { practices: &'static str },
    /// DMARC (RFC 7489): the SDID is to be the domain of the author, or near it.
    Dmarc { strict: bool },
}

impl ComplianceFault {
    /// THE table.
    pub(crate) const fn row(&self) -> Row {
        let (code, severity, reference, remedy) = match self {
            Self::Adsp { .. } => (
                "adsp-not-kept",
                Error,
                "RFC 5617 §4.2.1",
                "let a key of exactly that domain sign, or take the record away: ADSP is Historic",
            ),
            Self::Dmarc { .. } => (
                "dmarc-not-aligned",
                Warning,
                "RFC 7489 §3.1.1",
                "let a key of the author's domain sign; SPF alone does not outlive a forwarder",
            ),
        };
        Row { code, severity, remedy, reference }
    }
}

impl fmt::Display for ComplianceFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Adsp { practices } => {
                write!(f, "the domain publishes dkim={practices}, and no key of it signs its mail")
            }
            Self::Dmarc { strict: true } => {
                f.write_str("the domain publishes DMARC with adkim=s, and no key of it signs its mail")
            }
            Self::Dmarc { strict: false } => f.write_str(
                "the domain publishes DMARC, and no key of it, or above or below it, signs its mail",
            ),
        }
    }
}

/// Asks what the domains publish that a configuration names as authors (ADSP, DMARC), and holds the
/// signatures of their mail against it. Domains that only patterns fit are not asked.
///
/// ```
/// use dkim_dns::{Zone, drive_blocking};
/// use dkim_keys::{Compliance, Config};
///
/// let config = Config::parse(
///     r#"
///     [keys.esp]
///     domain = "esp.example"
///     selector = "s1"
///     file = "s1.pem"
///     [[rules]]
///     from = ["*@example.com"]
///     keys = ["esp"]
///     "#,
/// )?;
/// let mut compliance = Compliance::new(&config);
/// let zone = Zone::new().txt("_adsp._domainkey.example.com", "dkim=discardable");
/// drive_blocking(&mut compliance, &zone);
/// assert_eq!(compliance.finish()[0].code, "adsp-not-kept");
/// # Ok::<(), dkim_keys::ConfigError>(())
/// ```
///
/// The domains are asked about 64 at a time: after the answers come the next questions, as `drive` and
/// `drive_blocking` of dkim-dns know.
#[derive(Clone, Debug)]
pub struct Compliance {
    signers: Vec<Signers>,
    authors: Vec<Author>,
    /// How many of them were asked about.
    asked: usize,
    /// How many answers have come.
    answered: usize,
}

/// Who signs by a rule.
#[derive(Clone, Debug)]
struct Signers {
    /// Whether the Author Domain does, whatever it is.
    own: bool,
    sdids: Vec<DomainName>,
}

#[derive(Clone, Debug)]
struct Author {
    domain: DomainName,
    /// The places of those who sign its mail, a rule each.
    signers: Vec<usize>,
    adsp: Option<Adsp>,
    dmarc: Option<Dmarc>,
}

/// What a domain says of who is to sign its mail (RFC 7489 §6.3 `adkim=`).
#[derive(Clone, Copy, Debug)]
enum Dmarc {
    Nothing,
    Relaxed,
    Strict,
}

impl Compliance {
    /// Domains of authors that are asked about at the same time, with two questions each.
    const MAX_AT_ONCE: usize = 64;

    /// Of this configuration.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        let (mut signers, mut authors) = (Vec::new(), Vec::<Author>::new());
        let mut places: HashMap<DomainName, usize> = HashMap::new();
        for rule in config.rules.iter().filter(|rule| !rule.keys.is_empty()) {
            let keys = rule.keys.iter().filter_map(|name| config.keys.get(name));
            let own = keys.clone().any(|key| key.domain == SigningDomain::Author);
            let sdids = keys.filter_map(|key| key.domain.named().cloned()).collect();
            for domain in rule.from.iter().filter_map(Pattern::domain_name) {
                let place = *places.entry(domain.clone()).or_insert(authors.len());
                if authors.len() == place {
                    authors.push(Author { domain, signers: Vec::new(), adsp: None, dmarc: None });
                }
                if let Some(author) = authors.get_mut(place) {
                    author.signers.push(signers.len());
                }
            }
            signers.push(Signers { own, sdids });
        }
        Self { signers, authors, asked: 0, answered: 0 }
    }

    /// What is not kept.
    #[must_use]
    pub fn finish(self) -> Vec<Finding> {
        let faults = |author: &Author| {
            let faults = [self.adsp_fault(author), self.dmarc_fault(author)];
            let subject = author.domain.as_str().to_owned();
            faults.into_iter().flatten().map(move |fault| fault.row().finding(&subject, &fault))
        };
        self.authors.iter().flat_map(faults).collect()
    }

    fn adsp_fault(&self, author: &Author) -> Option<ComplianceFault> {
        let practices = match author.adsp? {
            Adsp::All => "all",
            Adsp::Discardable => "discardable",
            _ => return None,
        };
        // RFC 5617 §2.7: the very name.
        let is_kept = self.is_signed(author, |sdid| *sdid == author.domain);
        (!is_kept).then_some(ComplianceFault::Adsp { practices })
    }

    fn dmarc_fault(&self, author: &Author) -> Option<ComplianceFault> {
        let domain = &author.domain;
        // Near it is what shares the organization's domain, which only a list of all registries
        // tells; above and below it always does.
        let is_near = |sdid: &DomainName| domain.is_within(sdid) || sdid.is_within(domain);
        let (strict, is_kept) = match author.dmarc? {
            Dmarc::Nothing => return None,
            Dmarc::Relaxed => (false, self.is_signed(author, is_near)),
            Dmarc::Strict => (true, self.is_signed(author, |sdid| sdid == domain)),
        };
        (!is_kept).then_some(ComplianceFault::Dmarc { strict })
    }

    /// Whether the Author Domain or such a domain signs the author's mail.
    fn is_signed(&self, author: &Author, is_such: impl Fn(&DomainName) -> bool) -> bool {
        let mut signers = author.signers.iter().filter_map(|place| self.signers.get(*place));
        signers.any(|signers| signers.own || signers.sdids.iter().any(&is_such))
    }
}

/// What an answer says of ADSP.
fn practices(answer: &Answer) -> Adsp {
    let record = texts(answer).find_map(|text| AdspRecord::parse(&text).ok());
    record.map_or(Adsp::Unknown, |record| record.practices())
}

/// What an answer says of DMARC.
fn dmarc(answer: &Answer) -> Dmarc {
    let mode = |text: Vec<u8>| {
        let tags = TagList::parse(&text).ok()?;
        // RFC 7489 §6.3: `v=` is the first tag.
        let is_dmarc =
            tags.tags().first().is_some_and(|tag| (tag.name(), tag.value()) == ("v", "DMARC1"));
        let is_strict = tags.value("adkim") == Some("s");
        is_dmarc.then_some(if is_strict { Dmarc::Strict } else { Dmarc::Relaxed })
    };
    texts(answer).find_map(mode).unwrap_or(Dmarc::Nothing)
}

/// The texts of an answer; none where there are no records.
fn texts(answer: &Answer) -> impl Iterator<Item = Vec<u8>> {
    records(answer).unwrap_or_default().iter().map(dkim_dns::Record::joined)
}

impl Inquirer for Compliance {
    fn queries(&mut self) -> Vec<Query> {
        let first = self.asked;
        self.asked = (self.answered / 2 + Self::MAX_AT_ONCE).min(self.authors.len());
        let authors = self.authors.get(first..self.asked).unwrap_or_default();
        let query = |id, name| Query { id: QueryId(id), name, kind: QueryKind::Txt };
        let of_author = |(number, author): (u32, &Author)| {
            let dmarc = format!("_dmarc.{}", author.domain.as_str());
            [query(2 * number, AdspRecord::name(&author.domain)), query(2 * number + 1, dmarc)]
        };
        let first = u32::try_from(first).unwrap_or(u32::MAX);
        (first..).zip(authors).flat_map(of_author).collect()
    }

    fn answer(&mut self, id: QueryId, answer: Answer) {
        let asked = self.authors.get_mut(..self.asked).unwrap_or_default();
        let author = usize::try_from(id.0 / 2).ok().and_then(|at| asked.get_mut(at));
        let Some(author) = author else { return };
        let is_new = if id.0.is_multiple_of(2) {
            let is_new = author.adsp.is_none();
            author.adsp.get_or_insert_with(|| practices(&answer));
            is_new
        } else {
            let is_new = author.dmarc.is_none();
            author.dmarc.get_or_insert_with(|| dmarc(&answer));
            is_new
        };
        self.answered += usize::from(is_new);
    }
}
