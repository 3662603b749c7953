//! SigningTable: whose mail is signed with which keys.

use std::cmp::Reverse;

use dkim_tags::{Auid, DomainName};

use super::table::Table;
use super::{Import, ImportError, is_regular_expression};
use crate::config::{Matching, NOT_IN_A_LABELS, Pattern, Rule};
use crate::excerpt::quoted;

const SETTING: &str = "SigningTable";

impl Import {
    pub(super) fn signing_table(&mut self, mut table: Table) -> Result<(), ImportError> {
        if !table.is_wild {
            table.keep_first_of_each();
        }
        self.refuse_mixture(&table)?;
        let mut rules = Vec::new();
        for (key, value) in table.entries.iter() {
            let (order, of_entry) = self.rules_of(key, value, table.is_wild)?;
            rules.extend(of_entry.into_iter().map(|rule| (order, rule)));
        }
        // In the order in which a table is looked up; lines of one kind stay as they stand.
        rules.sort_by_key(|(order, _)| *order);
        self.config.rules = rules.into_iter().map(|(_, rule)| rule).collect();
        Ok(())
    }

    /// Where `%` finds no key, OpenDKIM refuses the mail, whatever else signs it. With
    /// MultipleSignatures a rule without keys would keep the keys that `%` finds from it, too.
    fn refuse_mixture(&self, table: &Table) -> Result<(), ImportError> {
        let is_named_by_author = |value: &str| value == "%" || value.starts_with("%:");
        let mut named = table.entries.iter().filter(|(_, value)| is_named_by_author(value));
        match named.next() {
            Some((key, _))
                if self.config.matching == Matching::Every
                    && named.count() + 1 < table.entries.len() =>
            {
                let why = "mail for which `%` finds no key would be signed by other entries, as MultipleSignatures is on: name the keys";
                Err(ImportError::entry(SETTING, key, why))
            }
            _ => Ok(()),
        }
    }

    /// The rules for an entry, and where they stand among those of others.
    fn rules_of(
        &mut self,
        key: &str,
        value: &str,
        is_wild: bool,
    ) -> Result<(Order, Vec<Rule>), ImportError> {
        if is_wild && is_regular_expression(key) {
            self.note(
                key,
                "is a regular expression, and is left out: write patterns instead; until then no entry after it signs in its place",
            );
            let pattern = all_that_may_fit(key);
            if !Pattern::new(&*pattern).is_in_a_labels() {
                return Err(ImportError::entry(SETTING, key, NOT_IN_A_LABELS));
            }
            return Ok((Order::default(), self.blocking(pattern)));
        }
        if !is_wild && !key.is_ascii() {
            self.note(key, "fits nobody: OpenDKIM finds no more than ASCII; the entry is left out");
            return Ok((Order::default(), Vec::new()));
        }
        let looked_up = match is_wild {
            true => Some((Order::default(), key.to_owned())),
            false => pattern_of(key),
        };
        let Some((order, pattern)) = looked_up else {
            self.note(key, "fits nobody: such a `*` is a pattern in a table of the kind `refile` only; the entry is left out");
            return Ok((Order::default(), Vec::new()));
        };
        if !Pattern::new(&*pattern).is_in_a_labels() {
            return Err(ImportError::entry(SETTING, key, NOT_IN_A_LABELS));
        }
        let (name, identity) = value.split_once(':').unwrap_or((value, ""));
        let identity = (!identity.is_empty()).then(|| identity.to_owned());
        if identity.as_ref().is_some_and(|text| !is_identity(text)) {
            return Err(ImportError::entry(SETTING, key, "its identity is no address"));
        }
        if name == "%" {
            return Ok((order, self.named_by_author(key, pattern, identity.as_ref())));
        }
        if !self.config.keys.contains_key(name) {
            return Err(ImportError::entry(SETTING, key, "its key is not in the KeyTable"));
        }
        let rule = Rule::new(vec![Pattern::new(pattern)], vec![name.to_owned()]);
        Ok((order, vec![Rule { identity, ..rule }]))
    }

    /// A name that is only `%` is the domain of the author: each key that is called so signs, and
    /// where there is none, nothing does.
    fn named_by_author(
        &mut self,
        key: &str,
        pattern: String,
        identity: Option<&String>,
    ) -> Vec<Rule> {
        // There the domain of the author is in lower case, and names of keys are as they are: no
        // patterns.
        let is_found = |name: &&String| {
            DomainName::parse(name).is_ok_and(|domain| domain.as_str() == name.as_str())
        };
        let names = self.config.keys.keys().filter(is_found);
        let rule = |name: &String| {
            let from = vec![Pattern::new(within(&pattern, name)?)];
            Some(Rule { identity: identity.cloned(), ..Rule::new(from, vec![name.clone()]) })
        };
        let mut rules: Vec<Rule> = names.filter_map(rule).collect();
        if pattern != "*" && !pattern.contains('@') {
            self.note(key, "has no `@`, so that which keys `%` stands for is not known; nothing signs what it fits");
        } else if rules.is_empty() {
            self.note(
                key,
                "fits the name of no key, which is what `%` asks for; nothing signs what it fits",
            );
        }
        rules.extend(self.blocking(pattern));
        rules
    }

    /// What keeps entries after it from signing, if the first that fits decides.
    fn blocking(&self, pattern: String) -> Vec<Rule> {
        match self.config.matching {
            Matching::First => vec![Rule::new(vec![Pattern::new(pattern)], Vec::new())],
            Matching::Every => Vec::new(),
        }
    }

    fn note(&mut self, key: &str, what: &str) {
        self.notes.push(format!("{SETTING}: {:?} {what}", quoted(key)));
    }
}

/// In which order OpenDKIM 2.11 looks for an author in a table that is no `refile`: `user@host`,
/// then `host`; for each domain above it, from the longest on, `user@.domain` and `.domain`; then
/// `user@*`, and `*`. (Its manual has each `user@.domain` before the first `.domain`.)
type Order = (u8, Reverse<usize>, u8);

/// The pattern that fits what a key of a table is found by, and when it is looked up. A `*` stands
/// for more than itself only alone or behind `user@`; elsewhere it is no more than an octet, for
/// which there is no pattern.
fn pattern_of(key: &str) -> Option<(Order, String)> {
    let literal = if key == "*" { "" } else { key.strip_suffix("@*").unwrap_or(key) };
    if literal.contains('*') {
        return None;
    }
    let (class, length, last, pattern) = match key.rsplit_once('@') {
        Some((user, "*")) => (3, 0, 0, format!("{user}@*")),
        Some((user, domain)) if domain.starts_with('.') => {
            (2, domain.len(), 0, format!("{user}@*{domain}"))
        }
        Some(_) => (0, 0, 0, key.to_owned()),
        None if key == "*" => (4, 0, 0, "*".to_owned()),
        None if key.starts_with('.') => (2, key.len(), 1, format!("*@*{key}")),
        None => (1, 0, 0, format!("*@{key}")),
    };
    Some(((class, Reverse(length), last), pattern))
}

/// What of a pattern is addresses of this domain, if something is.
fn within(pattern: &str, domain: &str) -> Option<String> {
    let (user, host) = match pattern {
        "*" => ("*", "*"),
        pattern => pattern.rsplit_once('@')?,
    };
    Pattern::new(host).fits(domain).then(|| format!("{user}@{domain}"))
}

/// A pattern that fits at least what a regular expression does.
fn all_that_may_fit(expression: &str) -> String {
    match expression.rsplit_once('@') {
        // With `|` it may have a branch that says nothing of the domain.
        Some((user, host)) if !is_regular_expression(host) && !has_open_branch(user) => {
            format!("*@{host}")
        }
        _ => "*".to_owned(),
    }
}

/// Whether a `|` may stand outside all parentheses: surely not if there is one pair, around all.
fn has_open_branch(expression: &str) -> bool {
    let within = expression.strip_prefix('(').and_then(|rest| rest.strip_suffix(')'));
    expression.contains('|') && within.is_none_or(|within| within.contains(['(', ')', '[', '\\']))
}

fn is_identity(text: &str) -> bool {
    Auid::parse(&text.replace('%', "example.com")).is_ok()
}
