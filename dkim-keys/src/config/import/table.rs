//! What opendkim(8) calls a data set, as far as a file or a list is one.

use std::path::PathBuf;

use zeroize::Zeroizing;

use super::{ImportError, ReadFile};
use crate::excerpt::quoted;

/// Keys, and what they mean.
pub(super) struct Table {
    /// Whether keys are patterns.
    pub(super) is_wild: bool,
    /// A value may be a private key.
    pub(super) entries: Zeroizing<Vec<(String, String)>>,
    /// The numbers of lines that OpenDKIM does not see.
    pub(super) unseen: Vec<usize>,
}

impl Table {
    /// A word before the first colon is the kind, unless a comma stands before it. Without a kind a
    /// path is a file, and all else a list.
    pub(super) fn read(
        setting: &'static str,
        spec: &str,
        files: &impl ReadFile,
    ) -> Result<Self, ImportError> {
        let file = |path: &str| {
            let path = PathBuf::from(path);
            files(&path).map_err(|error| ImportError::File { path, error })
        };
        let unread = |kind: &str| ImportError::Kind { setting, kind: quoted(kind) };
        match spec.split_once(':').filter(|(kind, _)| !kind.contains(',')) {
            Some((kind, rest)) => match kind.to_ascii_lowercase().as_str() {
                "refile" => Ok(Self::of_patterns(&file(rest)?)),
                "file" => Ok(Self::of_lines(&file(rest)?)),
                "csl" => Self::of_list(setting, rest),
                _ => Err(unread(kind)),
            },
            None if spec.ends_with(".db") => Err(unread("db")),
            None if spec.starts_with('/') => Ok(Self::of_lines(&file(spec)?)),
            None => Self::of_list(setting, spec),
        }
    }

    fn of_lines(text: &str) -> Self {
        let line = |line| {
            let line = trimmed(without_comment(line));
            let (key, value) = line.split_once(is_space).unwrap_or((line, ""));
            (!key.is_empty()).then(|| (key.to_owned(), trimmed(value).to_owned()))
        };
        let entries: Vec<_> = text.lines().filter_map(line).collect();
        Self { is_wild: false, entries: entries.into(), unseen: Vec::new() }
    }

    /// The first white space ends the pattern, wherever it stands: before it there may be none.
    fn of_patterns(text: &str) -> Self {
        let mut table = Self { is_wild: true, entries: Zeroizing::default(), unseen: Vec::new() };
        for (number, line) in (1..).zip(text.lines()) {
            let line = without_comment(line);
            let (pattern, value) = line.split_once(is_space).unwrap_or((line, ""));
            let value = trimmed(value);
            if !pattern.is_empty() {
                table.entries.push((pattern.to_owned(), value.to_owned()));
            } else if !value.is_empty() {
                table.unseen.push(number);
            }
        }
        table
    }

    /// Two commas in a row, or one at the end, have nothing between them that could be missed.
    fn of_list(setting: &'static str, text: &str) -> Result<Self, ImportError> {
        let entry = |item: &str| {
            let (key, value) = item.split_once('=').unwrap_or((item, ""));
            if key.is_empty() {
                // Without the value, which may be a key.
                return Err(ImportError::entry(setting, "", "nothing stands before its `=`"));
            }
            Ok((trimmed(key).to_owned(), trimmed(value).to_owned()))
        };
        let items = text.split(',').map(trimmed).filter(|item| !item.is_empty());
        let entries: Vec<_> = items.map(entry).collect::<Result<_, _>>()?;
        Ok(Self { is_wild: false, entries: entries.into(), unseen: Vec::new() })
    }

    /// Of several entries of one key the first is found, and no other.
    pub(super) fn keep_first_of_each(&mut self) {
        let mut seen = std::collections::HashSet::new();
        self.entries.retain(|(key, _)| seen.insert(key.to_ascii_lowercase()));
    }
}

fn without_comment(line: &str) -> &str {
    line.split('#').next().unwrap_or_default()
}

fn trimmed(text: &str) -> &str {
    text.trim_matches(is_space)
}

/// What `isspace` takes for white space, in ASCII.
const fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t'..='\r')
}
