//! Whether mail, signed as configured, keeps to what its domains publish about it.

use std::collections::HashMap;
use std::fmt;

use dkim_adsp::{Adsp, AdspRecord};
use dkim_dns::{Answer, Inquirer, Query, QueryId, QueryKind, records};
use dkim_tags::{DomainName, TagList};

use super::{Config, Pattern};
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
#[derive(Clone, Debug)]
pub struct Compliance {
    authors: Vec<Author>,
    /// How many of them were asked about.
    asked: usize,
    /// How many answers have come.
    answered: usize,
}

#[derive(Clone, Debug)]
struct Author {
    domain: DomainName,
    /// Who signs its mail.
    sdids: Vec<DomainName>,
    adsp: Option<Answer>,
    dmarc: Option<Answer>,
}

impl Compliance {
    /// Domains of authors that are asked about at the same time; the others follow.
    const MAX_AT_ONCE: usize = 100;

    /// Of this configuration.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        let mut authors: Vec<Author> = Vec::new();
        let mut places: HashMap<DomainName, usize> = HashMap::new();
        for rule in config.rules.iter().filter(|rule| !rule.keys.is_empty()) {
            let keys = rule.keys.iter().filter_map(|name| config.keys.get(name));
            for domain in rule.from.iter().filter_map(domain_of) {
                let sdid = |key: &super::KeyEntry| match &*key.domain {
                    "%" => Some(domain.clone()),
                    named => DomainName::parse(named).ok(),
                };
                let sdids = keys.clone().filter_map(sdid);
                let place = *places.entry(domain.clone()).or_insert(authors.len());
                if let Some(author) = authors.get_mut(place) {
                    author.sdids.extend(sdids);
                } else {
                    let (sdids, adsp, dmarc) = (sdids.collect(), None, None);
                    authors.push(Author { domain: domain.clone(), sdids, adsp, dmarc });
                }
            }
        }
        Self { authors, asked: 0, answered: 0 }
    }

    /// What is not kept.
    #[must_use]
    pub fn finish(self) -> Vec<Finding> {
        let faults = |author: Author| {
            let (adsp, dmarc) = (author.adsp_fault(), author.dmarc_fault());
            let faults = adsp.into_iter().chain(dmarc);
            faults.map(move |fault| fault.row().finding(author.domain.as_str(), &fault))
        };
        self.authors.into_iter().flat_map(faults).collect()
    }
}

/// The domain that a pattern names, if it is one.
fn domain_of(pattern: &Pattern) -> Option<DomainName> {
    let domain = pattern.as_str().rsplit('@').next()?;
    DomainName::parse(domain).ok().filter(|_| !domain.contains('*'))
}

impl Author {
    fn adsp_fault(&self) -> Option<ComplianceFault> {
        let practices = match texts(self.adsp.as_ref())
            .find_map(|text| AdspRecord::parse(&text).ok())?
            .practices()
        {
            Adsp::All => "all",
            Adsp::Discardable => "discardable",
            _ => return None,
        };
        // RFC 5617 §2.7: the very name.
        let is_kept = self.sdids.contains(&self.domain);
        (!is_kept).then_some(ComplianceFault::Adsp { practices })
    }

    fn dmarc_fault(&self) -> Option<ComplianceFault> {
        let strict = texts(self.dmarc.as_ref()).find_map(|text| {
            let tags = TagList::parse(&text).ok()?;
            // RFC 7489 §6.3: `v=` is the first tag.
            let is_dmarc =
                tags.tags().first().is_some_and(|tag| (tag.name(), tag.value()) == ("v", "DMARC1"));
            is_dmarc.then(|| tags.value("adkim") == Some("s"))
        })?;
        // Near it is what shares the organization's domain, which only a list of all registries
        // tells; above and below it always does.
        let is_near =
            |sdid: &DomainName| self.domain.is_within(sdid) || sdid.is_within(&self.domain);
        let is_kept = match strict {
            true => self.sdids.contains(&self.domain),
            false => self.sdids.iter().any(is_near),
        };
        (!is_kept).then_some(ComplianceFault::Dmarc { strict })
    }
}

/// The texts of an answer; none of one that is none.
fn texts(answer: Option<&Answer>) -> impl Iterator<Item = Vec<u8>> {
    let found = answer.and_then(|answer| records(answer).ok()).unwrap_or_default();
    found.iter().map(dkim_dns::Record::joined)
}

impl Inquirer for Compliance {
    fn queries(&mut self) -> Vec<Query> {
        let (first, last) = (self.asked, self.answered / 2 + Self::MAX_AT_ONCE);
        self.asked = last.min(self.authors.len()).max(first);
        let query = |id, name| Query { id: QueryId(id), name, kind: QueryKind::Txt };
        let of_author = |(number, author): (u32, &Author)| {
            let dmarc = format!("_dmarc.{}", author.domain.as_str());
            [query(2 * number, AdspRecord::name(&author.domain)), query(2 * number + 1, dmarc)]
        };
        (0..).zip(&self.authors).take(self.asked).skip(first).flat_map(of_author).collect()
    }

    fn answer(&mut self, id: QueryId, answer: Answer) {
        let author = usize::try_from(id.0 / 2).ok().and_then(|at| self.authors.get_mut(at));
        let Some(author) = author else { return };
        let place = if id.0.is_multiple_of(2) { &mut author.adsp } else { &mut author.dmarc };
        if place.is_none() {
            *place = Some(answer);
            self.answered += 1;
        }
    }
}
