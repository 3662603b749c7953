//! Which rules fit a message, which keys sign it, and why others do not. Whoever writes to mailing
//! lists may so have another SDID than mail that nobody passes on (RFC 6377 §4.1, §5.5).

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use dkim_keyrec::record_name;
use dkim_message::Address;
use dkim_tags::{Auid, DomainName, Selector};
use ipnet::IpNet;

use super::check::NONE_SIGNS;
use super::{Config, Matching, Pattern, Rule};
use crate::NameTooLong;

/// What is known of a message when it is to be signed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Mail {
    /// The local part of the author's address, quoting removed.
    pub local_part: String,
    /// Its domain: a name in A-labels, or whatever else stands behind the `@`.
    pub domain: String,
    /// Where the message comes from, if that is known.
    pub client: Option<IpAddr>,
    /// Whether whoever sends it has shown who they are (SMTP AUTH).
    pub authenticated: bool,
}

impl Mail {
    /// A message of this author; U-labels become A-labels, in which rules are written.
    #[must_use]
    pub fn new(local_part: &str, domain: &str) -> Self {
        let name = DomainName::of_address(domain);
        Self {
            local_part: local_part.to_owned(),
            domain: name.as_ref().map_or(domain, DomainName::as_str).to_owned(),
            client: None,
            authenticated: false,
        }
    }

    /// The same message, handed in by a client with this address.
    #[must_use]
    pub fn from_client(self, client: IpAddr) -> Self {
        // An IPv4 address within IPv6 is the address it is.
        Self { client: Some(client.to_canonical()), ..self }
    }
}

impl From<&Address> for Mail {
    /// A message of one of the authors that `dkim_message::author_addresses` finds in a From field.
    fn from(author: &Address) -> Self {
        Self::new(&author.local_part, &author.domain)
    }
}

/// A signature that is to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Chosen {
    /// The name of the key in the configuration: by it a key is found that is in no file.
    pub key: String,
    /// The rule, counted from 1.
    pub rule: usize,
    /// `d=`.
    pub domain: DomainName,
    /// `s=`.
    pub selector: Selector,
    /// The file with the key, seen from the directory of the configuration; where
    /// [`is_in_token`](super::is_in_token) says so, a URI that is seen from nowhere.
    pub file: PathBuf,
    /// `i=`.
    pub identity: Option<Auid>,
}

impl Chosen {
    fn is_of_same_name(&self, other: &Self) -> bool {
        self.domain == other.domain && self.selector == other.selector
    }
}

/// Why a rule has no part in it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// The author is not one of its authors.
    Author,
    /// The client is in none of its networks.
    Client,
    /// It is for some clients, and which this one is, is not known.
    UnknownClient,
    /// A rule before it fits, and the first decides.
    Later,
    /// It fits, and names no key.
    NoKeys,
    /// It fits, and another rule that fits names no key.
    Unsigned {
        /// That rule, counted from 1.
        by: usize,
    },
    /// It fits, and its key would sign in the name of another author of the message as well, in whose
    /// own name nothing signs.
    OtherAuthor {
        /// The key.
        key: String,
        /// The domain of that author, or whatever stands behind the `@`.
        author: String,
    },
    /// It fits, and a rule before it that fits names its key.
    AlreadySigned {
        /// The key.
        key: String,
    },
    /// It fits, and its key cannot sign for this author.
    NoName {
        /// The key.
        key: String,
        /// What is wrong.
        why: String,
    },
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Author => f.write_str("the author is none of its authors"),
            Self::Client => f.write_str("the client is in none of its networks"),
            Self::UnknownClient => {
                f.write_str("it is for some clients, and the client is not known")
            }
            Self::Later => f.write_str("a rule before it fits, and the first decides"),
            Self::NoKeys => f.write_str("it fits, and says not to sign"),
            Self::Unsigned { by } => write!(f, "it fits, and rule {by} says not to sign"),
            Self::OtherAuthor { key, author } => write!(
                f,
                "it fits, and the key {key} would sign in the name of the author in {author}, too, for whom nothing does"
            ),
            Self::AlreadySigned { key } => {
                write!(f, "it fits, and a rule before it names the key {key} already")
            }
            Self::NoName { key, why } => {
                write!(f, "it fits, and the key {key} cannot sign for this author: {why}")
            }
        }
    }
}

/// A rule that has no part in a message, or a key of it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PassedOver {
    /// The rule, counted from 1.
    pub rule: usize,
    /// Why.
    pub why: Verdict,
}

/// Who signs a message, or what becomes of it for one of its authors.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Selection {
    /// The signatures, in the order of the rules.
    pub chosen: Vec<Chosen>,
    /// All other rules.
    pub passed_over: Vec<PassedOver>,
}

/// Who signs a message that may have several authors.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Decision {
    /// The signatures to be made, each once: those of the first author, then what the others add.
    pub signatures: Vec<Chosen>,
    /// What became of each author, in their order.
    pub authors: Vec<Selection>,
}

/// A message has more authors than are decided about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("more than {} authors", Config::MAX_AUTHORS)]
#[non_exhaustive]
pub struct TooManyAuthors;

impl Selection {
    /// Makes none of the signatures for which there is a reason.
    fn withdraw(&mut self, why: impl Fn(&Chosen) -> Option<Verdict>) {
        let passed_over = &mut self.passed_over;
        self.chosen.retain(|chosen| match why(chosen) {
            Some(why) => {
                passed_over.push(PassedOver { rule: chosen.rule, why });
                false
            }
            None => true,
        });
        passed_over.sort_by_key(|over| over.rule);
    }
}

impl Config {
    /// So many authors of a message are decided about.
    pub const MAX_AUTHORS: usize = 20;

    /// Decides who signs a message with these authors, all that its From field names.
    ///
    /// What it is signed with in the name of a domain stands for each of its authors there (RFC 5617
    /// §2.7): where nothing signs in the name of one of them by the rules for that one, nothing does by
    /// those for others.
    ///
    /// A configuration is asked about mail that is to be signed: a rule without `clients` and
    /// `authenticated` fits whoever writes such an author, from wherever the message comes (RFC 6376
    /// §5.1).
    ///
    /// ```
    /// use dkim_keys::{Config, Mail};
    /// use dkim_message::author_addresses;
    ///
    /// let config = Config::parse(
    ///     r#"
    ///     [keys.main]
    ///     domain = "example.com"
    ///     selector = "s2024"
    ///     file = "s2024._domainkey.example.com.pem"
    ///     [[rules]]
    ///     from = ["*@example.com"]
    ///     keys = ["main"]
    ///     clients = ["192.0.2.0/24"]
    ///     authenticated = true
    ///     "#,
    /// )?;
    /// let client = "192.0.2.7".parse()?;
    /// let authors = author_addresses(b"joe@example.com, ann@example.com")?;
    /// let mails: Vec<_> = authors.iter().map(|one| Mail::from(one).from_client(client)).collect();
    /// assert_eq!(config.select_all(&mails)?.signatures.len(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When there are more authors than [`MAX_AUTHORS`](Self::MAX_AUTHORS): each is held against each
    /// rule, and whoever writes a From field chooses how many they are.
    pub fn select_all(&self, authors: &[Mail]) -> Result<Decision, TooManyAuthors> {
        if authors.len() > Self::MAX_AUTHORS {
            return Err(TooManyAuthors);
        }
        let mut decision = Decision {
            signatures: Vec::new(),
            authors: authors.iter().map(|mail| self.select(mail)).collect(),
        };
        let unsigned = authors.iter().zip(&decision.authors);
        let is_unsigned = |(mail, selection): &(&Mail, &Selection)| {
            !selection.chosen.iter().any(|chosen| is_within(&mail.domain, &chosen.domain))
        };
        let unsigned = unsigned.filter(is_unsigned);
        let unsigned: BTreeSet<&str> = unsigned.map(|(mail, _)| &*mail.domain).collect();
        for selection in &mut decision.authors {
            selection.withdraw(|chosen| {
                let author = unsigned.iter().find(|author| is_within(author, &chosen.domain))?;
                Some(Verdict::OtherAuthor { key: chosen.key.clone(), author: (*author).to_owned() })
            });
            for chosen in &selection.chosen {
                if !decision.signatures.iter().any(|other| other.is_of_same_name(chosen)) {
                    decision.signatures.push(chosen.clone());
                }
            }
        }
        Ok(decision)
    }

    /// Decides who signs a message with this author alone.
    #[must_use]
    pub fn select(&self, mail: &Mail) -> Selection {
        let address = format!("{}@{}", mail.local_part, mail.domain);
        let mut selection = Selection::default();
        let mut without_keys = None;
        let mut decided = false;
        for (rule, what) in (1..).zip(&self.rules) {
            let pass_over = |why| PassedOver { rule, why };
            if let Some(why) = what.unfit(mail, &address) {
                selection.passed_over.push(pass_over(why));
            } else if decided && self.matching == Matching::First {
                selection.passed_over.push(pass_over(Verdict::Later));
            } else {
                decided = true;
                if what.keys.is_empty() {
                    without_keys.get_or_insert(rule);
                    selection.passed_over.push(pass_over(Verdict::NoKeys));
                }
                for name in &what.keys {
                    match self.choose(name, (rule, what), mail, &selection) {
                        Ok(chosen) => selection.chosen.push(chosen),
                        Err(why) => selection.passed_over.push(pass_over(why)),
                    }
                }
            }
        }
        if let Some(by) = without_keys {
            selection.withdraw(|_| Some(Verdict::Unsigned { by }));
        }
        selection
    }

    fn choose(
        &self,
        name: &str,
        (number, rule): (usize, &Rule),
        mail: &Mail,
        so_far: &Selection,
    ) -> Result<Chosen, Verdict> {
        let key = name.to_owned();
        let no_name = |why: String| Verdict::NoName { key: key.clone(), why };
        let entry =
            self.keys.get(name).ok_or_else(|| no_name("there is no such key".to_owned()))?;
        let author =
            DomainName::of_address(&mail.domain).map_err(|error| no_name(error.to_string()))?;
        let domain = entry.domain.for_author(&author);
        // That of an author may be none that signs.
        DomainName::parse(domain.as_str()).map_err(|error| no_name(error.to_string()))?;
        if domain.is_single_label() {
            return Err(no_name(format!("{domain} is a top-level domain")));
        }
        let signing = entry.signing().ok_or_else(|| match entry.other_domain() {
            Some(other) => no_name(format!("its keys are of {other}, and it says {domain}")),
            None => no_name(NONE_SIGNS.to_owned()),
        })?;
        let selector = &signing.selector;
        NameTooLong::unless_it_fits(record_name(selector, domain))
            .map_err(|error| no_name(error.to_string()))?;
        let identity = rule.identity_for(&author, domain);
        let file = signing.file_for(&author, Path::new(""));
        let (domain, selector) = (domain.clone(), selector.clone());
        let chosen = Chosen { key, rule: number, domain, selector, file, identity };
        match so_far.chosen.iter().any(|other| other.is_of_same_name(&chosen)) {
            true => Err(Verdict::AlreadySigned { key: chosen.key }),
            false => Ok(chosen),
        }
    }
}

/// Whether what stands behind an `@` is this domain or ends below it, be it a name in the DNS or not: a
/// reader is shown it.
fn is_within(author: &str, domain: &DomainName) -> bool {
    let (author, domain) = (author.as_bytes(), domain.as_str().as_bytes());
    let split = author.len().checked_sub(domain.len()).map(|at| author.split_at(at));
    split.is_some_and(|(below, end)| {
        end.eq_ignore_ascii_case(domain) && matches!(below, [] | [.., b'.'])
    })
}

impl Rule {
    /// `i=` for mail of an author that is signed with this domain.
    pub(super) fn identity_for(&self, author: &DomainName, domain: &DomainName) -> Option<Auid> {
        let identity = self.identity.as_ref()?.replace('%', author.as_str());
        Auid::parse(&identity).ok().filter(|auid| auid.domain().is_within(domain))
    }

    /// Whether all mail that fits another rule fits this one, as far as one pattern after the other
    /// and one network after the other tell.
    pub(super) fn takes_all_of(&self, other: &Self) -> bool {
        // A `*` of the other's pattern can only stand where this one has a `*`, too, which takes
        // whatever it stands for.
        let has_author = |author: &Pattern| self.from.iter().any(|p| p.fits(author.as_str()));
        let has_network =
            |network: &IpNet| self.clients.iter().any(|outer| outer.contains(network));
        let is_for_all = |rule: &Self| rule.clients.is_empty() && !rule.authenticated;
        let has_clients = is_for_all(self)
            || !is_for_all(other)
                && other.clients.iter().all(has_network)
                && (self.authenticated || !other.authenticated);
        has_clients && other.from.iter().all(has_author)
    }

    /// Why the rule does not fit mail of the author with this address; `None` if it does.
    fn unfit(&self, mail: &Mail, address: &str) -> Option<Verdict> {
        if !self.from.iter().any(|pattern| pattern.fits(address)) {
            return Some(Verdict::Author);
        }
        match mail.client {
            _ if self.authenticated && mail.authenticated => None,
            _ if self.clients.is_empty() && !self.authenticated => None,
            None => Some(Verdict::UnknownClient),
            Some(client) if self.clients.iter().any(|network| network.contains(&client)) => None,
            Some(_) => Some(Verdict::Client),
        }
    }
}
