//! The keys: KeyTable, or one of Selector and KeyFile for all domains of Domain.

use std::cmp::Reverse;
use std::path::PathBuf;

use dkim_tags::Selector;

use super::settings::Settings;
use super::table::Table;
use super::{Import, ImportError, ReadFile, is_regular_expression};
use crate::config::{KeyEntry, Matching, Pattern, Rule};
use crate::excerpt::quoted;
use crate::is_secret;

const KEY_ITSELF: &str = "the key itself stands there: put it into a file";

const LITERAL_PERCENT: &str =
    "`%` in this path is itself, and the author's domain in ours: rename the file";

impl Import {
    pub(super) fn key_table(&mut self, table: Table) -> Result<(), ImportError> {
        let setting = "KeyTable";
        for (name, value) in table.entries.iter() {
            let wrong = |why| ImportError::entry(setting, name, why);
            if table.is_wild && (name.contains('*') || is_regular_expression(name)) {
                return Err(wrong("it is a pattern: write an entry for each name that it fits"));
            }
            // The first of a name is found, and no other.
            if self.config.keys.contains_key(name) {
                continue;
            }
            let mut parts = value.splitn(3, ':');
            let (Some(domain), Some(selector), Some(file)) =
                (parts.next(), parts.next(), parts.next())
            else {
                return Err(wrong("DOMAIN:SELECTOR:FILE is needed"));
            };
            if !["/", "./", "../"].iter().any(|start| file.starts_with(start)) {
                return Err(wrong(KEY_ITSELF));
            }
            if !file.starts_with('/') {
                if file.contains('%') {
                    return Err(wrong(LITERAL_PERCENT));
                }
                self.note_relative(&format!("{setting}: {:?}", quoted(name)));
            }
            // There `%` in a path is the domain that signs, and here the author's.
            let file = match domain {
                "%" => file.to_owned(),
                domain => file.replace('%', domain),
            };
            let entry = fixed_key((domain, selector, file)).map_err(wrong)?;
            self.config.keys.insert(name.clone(), entry);
        }
        Ok(())
    }

    /// One key for a list of domains: of those that an author is within, the longest signs.
    pub(super) fn single_key(
        &mut self,
        settings: &Settings,
        files: &impl ReadFile,
    ) -> Result<(), ImportError> {
        let (Some(domains), Some(selector), Some(file)) =
            (settings.get("Domain"), settings.get("Selector"), settings.get("KeyFile"))
        else {
            return Err(ImportError::NoKeys);
        };
        let of_file = |why| ImportError::entry("KeyFile", "", why);
        if is_secret(file) {
            return Err(of_file(KEY_ITSELF));
        }
        if file.contains('%') {
            return Err(of_file(LITERAL_PERCENT));
        }
        if !file.starts_with('/') {
            self.note_relative("KeyFile");
        }
        let mut table = self.table("Domain", domains, files)?;
        table.keep_first_of_each();
        table.entries.sort_by_key(|(domain, _)| Reverse(domain.len()));
        self.config.matching = Matching::First;
        for (domain, _) in table.entries.iter() {
            let wrong = |why| ImportError::entry("Domain", domain, why);
            if table.is_wild || domain.contains('*') {
                return Err(wrong("patterns in Domain are not taken over: name the domains"));
            }
            let entry = fixed_key((domain, selector, file.to_owned())).map_err(wrong)?;
            self.config.keys.insert(domain.clone(), entry);
            let mut from = vec![Pattern::new(format!("*@{domain}"))];
            if settings.is_on("SubDomains") {
                from.push(Pattern::new(format!("*@*.{domain}")));
            }
            self.config.rules.push(Rule::new(from, vec![domain.clone()]));
        }
        Ok(())
    }

    fn note_relative(&mut self, whose: &str) {
        self.notes.push(format!(
            "{whose}: a relative path: it is seen from the directory of the new configuration"
        ));
    }
}

/// What is wrong with a key is told without its words: they may be a key in a wrong place.
fn fixed_key((domain, selector, file): (&str, &str, String)) -> Result<KeyEntry, &'static str> {
    const NO_NAME: &str = "no key signs by such a domain and selector";

    let domain = domain.parse().map_err(|_| NO_NAME)?;
    let selector = Selector::parse(selector).map_err(|_| NO_NAME)?;
    let entry = KeyEntry::new(domain, selector, PathBuf::from(file));
    entry.check().map_err(|_| NO_NAME)?;
    Ok(entry)
}
