//! OpenDKIM's tables, read by its rules and written in ours.

mod hosts;
mod keys;
mod signers;
mod table;

use std::io;
use std::path::{Path, PathBuf};

use dkim_tags::Canonicalizations;

use self::table::Table;
use super::{Config, Matching};

/// Where the files of an OpenDKIM configuration come from.
pub trait OpendkimFiles {
    /// The text of a file.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    fn read(&self, path: &Path) -> io::Result<String>;
}

impl<F: Fn(&Path) -> io::Result<String>> OpendkimFiles for F {
    fn read(&self, path: &Path) -> io::Result<String> {
        self(path)
    }
}

/// An OpenDKIM configuration in our words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Import {
    /// What it says about signing.
    pub config: Config,
    /// What it says beside that, or in a way that we do not know, a sentence each.
    pub notes: Vec<String>,
}

/// Why an OpenDKIM configuration cannot be taken over.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// A file cannot be read.
    #[error("{}: {error}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A table is kept in a way that only a database can read.
    #[error(
        "{setting}: tables of the kind `{}` are not read; a list with a colon in its first entry begins with `csl:`",
        kind.escape_debug()
    )]
    Kind {
        /// The setting.
        setting: &'static str,
        /// The word before the colon, its first 24 characters, or the end of the name.
        kind: String,
    },
    /// A line of a table says nothing that can be done.
    #[error("{setting}: {entry:?}: {why}")]
    Entry {
        /// The setting.
        setting: &'static str,
        /// The key of the entry, its first 24 characters; empty where nothing else than a private
        /// key may stand there.
        entry: String,
        /// What is wrong.
        why: &'static str,
    },
    /// What it says is no configuration of ours.
    #[error(transparent)]
    Config(#[from] super::ConfigError),
    /// Neither tables nor a single key.
    #[error(
        "it names no keys: neither KeyTable and SigningTable, nor Domain, Selector and KeyFile"
    )]
    NoKeys,
    /// One of two tables, without which the other is nothing.
    #[error("{missing} is missing: OpenDKIM signs by KeyTable and SigningTable together")]
    Missing {
        /// The setting that is not there.
        missing: &'static str,
    },
}

impl ImportError {
    fn entry(setting: &'static str, entry: &str, why: &'static str) -> Self {
        Self::Entry { setting, entry: quoted(entry), why }
    }
}

/// Reads `opendkim.conf` and the tables it names.
///
/// A `refile` is searched from its first line to its last. All other tables are looked up by the
/// whole address, then by the domain, then with ever shorter domains: that order becomes the order of
/// the rules. Of several entries of one key there the first counts.
///
/// Of patterns `*` is taken over, but no regular expressions.
///
/// InternalHosts are networks and addresses, written as OpenDKIM writes them when it looks for a
/// client; other texts fit nobody there, and are left out.
///
/// # Errors
///
/// When a table cannot be read, or names keys that are not there.
pub fn import_opendkim(conf: &str, files: &impl OpendkimFiles) -> Result<Import, ImportError> {
    let settings = Settings::read(conf);
    let mut import = Import::default();
    import.config.matching = match settings.is_on("MultipleSignatures") {
        true => Matching::Every,
        false => Matching::First,
    };
    match (settings.get("KeyTable"), settings.get("SigningTable")) {
        (Some(keys), Some(signers)) => {
            let keys = import.table("KeyTable", keys, files)?;
            import.key_table(keys)?;
            let signers = import.table("SigningTable", signers, files)?;
            import.signing_table(signers)?;
        }
        (Some(_), None) => return Err(ImportError::Missing { missing: "SigningTable" }),
        (None, Some(_)) => return Err(ImportError::Missing { missing: "KeyTable" }),
        (None, None) => import.single_key(&settings, files)?,
    }
    import.clients(settings.get("InternalHosts"), files)?;
    import.signing(&settings, files)?;
    import.others(&settings);
    import.config.check()?;
    Ok(import)
}

impl Import {
    fn table(
        &mut self,
        setting: &'static str,
        spec: &str,
        files: &impl OpendkimFiles,
    ) -> Result<Table, ImportError> {
        let table = Table::read(setting, spec, files)?;
        self.notes.extend(table.unseen.iter().map(|line| {
            format!("{setting}: line {line} begins with white space: OpenDKIM sees nothing in it, and it is left out")
        }));
        Ok(table)
    }

    fn signing(
        &mut self,
        settings: &Settings,
        files: &impl OpendkimFiles,
    ) -> Result<(), ImportError> {
        // One name means that one for the header and simple for the body, there and here; none at
        // all means simple there.
        let forms = settings.get("Canonicalization").unwrap_or("simple/simple");
        match Canonicalizations::parse(&forms.to_ascii_lowercase()) {
            Some(forms) => self.config.signing.canonicalization = Some(forms.to_string()),
            None => self.notes.push(format!("Canonicalization: {forms:?} is none")),
        }
        if let Some(seconds) = settings.get("SignatureTTL") {
            match seconds.parse() {
                // No end, there.
                Ok(0) => {}
                Ok(seconds) => self.config.signing.expires = Some(seconds),
                Err(_) => {
                    self.notes.push(format!("SignatureTTL: {seconds:?} is no number of seconds"))
                }
            }
        }
        if let Some(names) = settings.get("OversignHeaders") {
            let names = self.table("OversignHeaders", names, files)?.entries;
            self.config.signing.oversign = Some(names.into_iter().map(|(name, _)| name).collect());
        }
        // `s` signs, `v` verifies, and both are done unless it is said.
        if settings.get("Mode").is_some_and(|mode| !mode.contains('s')) {
            self.notes.push("Mode: it does not sign; this configuration would".to_owned());
        }
        Ok(())
    }

    /// What is not about which key signs for whom is named, so that nobody misses it later.
    fn others(&mut self, settings: &Settings) {
        const TAKEN_OVER: [&str; 12] = [
            "KeyTable",
            "SigningTable",
            "Domain",
            "Selector",
            "KeyFile",
            "SubDomains",
            "MultipleSignatures",
            "InternalHosts",
            "Canonicalization",
            "SignatureTTL",
            "OversignHeaders",
            "Mode",
        ];
        for (name, value) in &settings.0 {
            if !TAKEN_OVER.iter().any(|known| known.eq_ignore_ascii_case(name)) {
                self.notes.push(format!("{name} {value}: not taken over"));
            }
        }
    }
}

/// The settings of a configuration file, in the order they stand; names without regard to case.
struct Settings(Vec<(String, String)>);

impl Settings {
    fn read(conf: &str) -> Self {
        let line = |line: &str| {
            let line = line.split('#').next().unwrap_or_default().trim();
            let (name, value) = line.split_once(char::is_whitespace)?;
            Some((name.to_owned(), value.trim().to_owned()))
        };
        Self(conf.lines().filter_map(line).collect())
    }

    /// Of several the last.
    fn get(&self, name: &str) -> Option<&str> {
        let mut found = self.0.iter().rev().filter(|(other, _)| other.eq_ignore_ascii_case(name));
        found.next().map(|(_, value)| value.as_str())
    }

    fn is_on(&self, name: &str) -> bool {
        // Its first octet decides: T, t, Y, y or 1.
        self.get(name).is_some_and(|value| value.starts_with(['T', 't', 'Y', 'y', '1']))
    }
}

/// Whether a pattern of a `refile` says more than `*` does: OpenDKIM reads it as an extended regular
/// expression in which only `*`, `.` and `+` are no special characters.
fn is_regular_expression(pattern: &str) -> bool {
    pattern.contains(['(', ')', '|', '[', ']', '{', '}', '?', '^', '$', '\\'])
}

/// What is told of a text. It may be a key in a wrong place.
fn quoted(text: &str) -> String {
    const MAX_QUOTED: usize = 24;
    match text.char_indices().nth(MAX_QUOTED) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
