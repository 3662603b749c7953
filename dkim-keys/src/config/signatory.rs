//! Everybody that a configuration may ever let sign, for whoever must have the keys beforehand.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};
use std::{fs, io};

use dkim_tags::{Auid, DomainName, Selector};

use crate::RotationState;
use crate::token_uri::TokenUri;

use super::{Config, KeyEntry, NamedKey, Pattern, SigningDomain, is_in_token};

/// A domain and a selector that some message may be signed with, and the key for it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Signatory {
    /// The name of the key.
    pub key: String,
    /// `d=`.
    pub domain: DomainName,
    /// `s=`.
    pub selector: Selector,
    /// The file with the key.
    pub file: PathBuf,
    /// `i=` of its signatures, as far as the rules and the domains in them tell.
    pub identities: Vec<Auid>,
}

/// Why it cannot be said who may sign.
#[derive(Debug, thiserror::Error)]
#[error("keys.{key}: {why}")]
#[non_exhaustive]
pub struct SignatoryError {
    /// The name of the key.
    pub key: String,
    /// What is wrong.
    pub why: Unclear,
}

/// What is wrong.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Unclear {
    /// One name in the DNS, and a file for each author.
    #[error("`%` in its file, and none in its domain: one name cannot have several keys")]
    SeveralFiles,
    /// A file for all, and authors anywhere.
    #[error("it signs for the domain of any author that {0:?} fits; name each domain in a rule")]
    AnyDomain(String),
    /// Files of authors anywhere, and no saying where.
    #[error("`%` stands twice in the name of its file; name each domain in a rule")]
    SeveralPlaces,
    /// An author's domain that is no domain name.
    #[error("{0}")]
    Name(String),
    /// The directory with the files of authors cannot be read.
    #[error("{path}: {error}", path = path.display())]
    Unreadable {
        /// The directory.
        path: PathBuf,
        /// What is wrong.
        error: io::Error,
    },
}

impl Config {
    /// All that [`select`](Self::select) may ever choose, in the order of their names. Where a key
    /// is for authors of any domain, these are the domains for which there is a file.
    ///
    /// # Errors
    ///
    /// When that cannot be told from the configuration and the files there are.
    pub fn signatories(&self, directory: &Path) -> Result<Vec<Signatory>, SignatoryError> {
        let mut all = Vec::new();
        for (name, of_key) in self.signatories_by_key(directory) {
            let unclear = |why| SignatoryError { key: name.to_owned(), why };
            all.extend(of_key.map_err(unclear)?);
        }
        Ok(all)
    }

    /// The same for each key by itself, with its name.
    pub fn signatories_by_key(
        &self,
        directory: &Path,
    ) -> impl Iterator<Item = (&str, Result<Vec<Signatory>, Unclear>)> {
        self.keys
            .iter()
            .map(move |(name, entry)| (&**name, self.signatories_of(name, entry, directory)))
    }

    /// Another key than this one that may sign by the name of a record in the DNS, as the rules are.
    /// One with the domain of the author for its own does for every author that they fit, whether
    /// there is a file or not.
    #[must_use]
    pub fn other_signer(
        &self,
        key: &str,
        selector: &Selector,
        domain: &DomainName,
    ) -> Option<&str> {
        let is_selector = |named: &NamedKey| named.selector == *selector;
        let is_author =
            |from: &Pattern| from.domain().is_some_and(|from| from.fits(domain.as_str()));
        let signs = |(name, entry): &(&String, &KeyEntry)| {
            let mut rules = self.rules_of(name);
            *name != key
                && entry.signing().is_some_and(is_selector)
                && match &entry.domain {
                    SigningDomain::Author => rules.any(|rule| rule.from.iter().any(is_author)),
                    SigningDomain::Named(other) => other == domain && rules.next().is_some(),
                }
        };
        self.keys.iter().find(signs).map(|(name, _)| &**name)
    }

    /// The files of all keys, as far as they can be told, each once: also of those that do not sign
    /// yet, or any more.
    pub(crate) fn key_files(&self, state: &RotationState, directory: &Path) -> BTreeSet<PathBuf> {
        let changing = state.keys.iter().filter(|key| !key.is_gone() && !is_in_token(&key.file));
        let mut files: BTreeSet<_> = changing.map(|key| directory.join(&key.file)).collect();
        for (name, entry) in &self.keys {
            let Some(named) = entry.signing().filter(|named| !is_in_token(&named.file)) else {
                continue;
            };
            if !named.is_for_each_author() {
                files.insert(directory.join(&named.file));
            }
            let all = self.signatories_of(name, entry, directory).unwrap_or_default();
            files.extend(all.into_iter().map(|one| one.file));
        }
        files
    }

    /// The files with the PINs of tokens in which keys are.
    pub(crate) fn pin_files(&self, state: &RotationState) -> BTreeSet<PathBuf> {
        let changing = state.keys.iter().filter(|key| !key.is_gone()).map(|key| &key.file);
        let signing = self.keys.values().filter_map(KeyEntry::signing).map(|named| &named.file);
        // What is no URI is told by whoever opens the key.
        let pin_file = |uri: &PathBuf| TokenUri::parse(uri.to_str()?).ok()?.pin_file().ok()?;
        changing.chain(signing).filter_map(pin_file).collect()
    }

    /// `i=` of what a key signs with this domain.
    fn identities(&self, name: &str, entry: &KeyEntry, domain: &DomainName) -> Vec<Auid> {
        let mut all = Vec::new();
        for rule in self.rules_of(name).filter(|rule| rule.identity.is_some()) {
            let authors = match entry.domain {
                SigningDomain::Author => vec![domain.clone()],
                SigningDomain::Named(_) => {
                    rule.from.iter().filter_map(Pattern::domain_name).collect()
                }
            };
            // Where only patterns tell the authors, one of the domain itself stands for them.
            let some_author = authors.is_empty().then_some(domain);
            let identities = authors.iter().chain(some_author);
            all.extend(identities.filter_map(|author| rule.identity_for(author, domain)));
        }
        all.sort_by_key(Auid::to_string);
        all.dedup();
        all
    }

    /// Those of one key.
    pub(super) fn signatories_of(
        &self,
        name: &str,
        entry: &KeyEntry,
        directory: &Path,
    ) -> Result<Vec<Signatory>, Unclear> {
        let authors: Vec<&Pattern> = self.rules_of(name).flat_map(|rule| &rule.from).collect();
        // While none signs, none may be asked for.
        let Some(named) = entry.signing().filter(|_| !authors.is_empty()) else {
            return Ok(Vec::new());
        };
        let domains = match &entry.domain {
            SigningDomain::Author => named.domains_of(&authors, directory)?,
            SigningDomain::Named(_) if named.is_for_each_author() => {
                return Err(Unclear::SeveralFiles);
            }
            SigningDomain::Named(domain) => vec![domain.clone()],
        };
        let signatory = |domain: DomainName| Signatory {
            key: name.to_owned(),
            file: named.file_for(&domain, directory),
            identities: self.identities(name, entry, &domain),
            selector: named.selector.clone(),
            domain,
        };
        Ok(domains.into_iter().map(signatory).collect())
    }
}

impl Config {
    /// The keys that may be asked for around a change, beside those of
    /// [`signatories`](Self::signatories): the next one, once it is proven, and the one before, until
    /// whoever signs has been told. An agent has them at hand, so that the moment of the change is
    /// none at which a key is missing.
    #[must_use]
    pub fn standing_by(&self, directory: &Path) -> Vec<Signatory> {
        let mut all = Vec::new();
        for (name, entry) in &self.keys {
            let Some(domain) = entry.domain.named() else { continue };
            if self.rules_of(name).next().is_none() {
                continue;
            }
            all.extend(entry.standby().iter().map(|named| Signatory {
                key: name.clone(),
                domain: domain.clone(),
                selector: named.selector.clone(),
                file: named.file_for(domain, directory),
                identities: self.identities(name, entry, domain),
            }));
        }
        all
    }
}

impl NamedKey {
    pub(super) fn is_for_each_author(&self) -> bool {
        !is_in_token(&self.file) && self.file.to_string_lossy().contains('%')
    }

    /// The domains of these authors, as far as they are named or have a file.
    fn domains_of(
        &self,
        authors: &[&Pattern],
        directory: &Path,
    ) -> Result<Vec<DomainName>, Unclear> {
        // Each once, in order.
        let mut domains = BTreeSet::new();
        let mut found = None;
        for author in authors {
            let Some(pattern) = author.domain() else { continue };
            if !pattern.as_str().contains('*') {
                let domain = DomainName::parse(pattern.as_str());
                let domain = domain.map_err(|error| Unclear::Name(error.to_string()))?;
                domains.insert(domain);
                continue;
            }
            if !self.is_for_each_author() {
                return Err(Unclear::AnyDomain(author.as_str().to_owned()));
            }
            if found.is_none() {
                found = Some(self.domains_with_file(directory)?);
            }
            for domain in found.iter().flatten().filter(|domain| pattern.fits(domain.as_str())) {
                domains.insert(domain.clone());
            }
        }
        Ok(domains.into_iter().collect())
    }

    /// The domains for which there is something where `%` stands.
    fn domains_with_file(&self, directory: &Path) -> Result<Vec<DomainName>, Unclear> {
        let mut parent = directory.to_owned();
        let mut components = self.file.components();
        let place = loop {
            match components.next() {
                Some(Component::Normal(name)) if name.to_string_lossy().contains('%') => {
                    break name;
                }
                Some(component) => parent.push(component),
                None => return Ok(Vec::new()),
            }
        };
        let place = place.to_str().unwrap_or_default();
        let Some((before, after)) = place.split_once('%') else { return Ok(Vec::new()) };
        if after.contains('%') {
            return Err(Unclear::SeveralPlaces);
        }
        let unreadable = |error| Unclear::Unreadable { path: parent.clone(), error };
        let mut domains = Vec::new();
        for entry in fs::read_dir(&parent).map_err(unreadable)? {
            let name = entry.map_err(unreadable)?.file_name();
            let domain = domain_between(&name, before, after);
            // As the author's domain is written into the path.
            let domain = domain.filter(|domain| self.file_for(domain, directory).exists());
            domains.extend(domain);
        }
        Ok(domains)
    }
}

/// The domain in the name of a file.
fn domain_between(name: &OsStr, before: &str, after: &str) -> Option<DomainName> {
    let domain = name.to_str()?.strip_prefix(before)?.strip_suffix(after)?;
    DomainName::parse(domain).ok()
}
