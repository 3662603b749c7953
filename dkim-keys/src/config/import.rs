//! OpenDKIM's tables, read by its rules and written in ours.

mod hosts;
mod keys;
mod settings;
mod signers;
mod table;

use std::io;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use self::settings::Settings;
use self::table::Table;
use super::{Config, Matching};
use crate::excerpt::quoted;

/// Where the texts of the files of an OpenDKIM configuration come from.
trait ReadFile: Fn(&Path) -> io::Result<Zeroizing<String>> {}

impl<F: Fn(&Path) -> io::Result<Zeroizing<String>>> ReadFile for F {}

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
    /// A file is included by a file that is itself included by another, and so on.
    #[error("{}: files are included 5 deep at most, and 100 of them", path.display())]
    Included {
        /// The first file that is too much.
        path: PathBuf,
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

/// Reads `opendkim.conf`, the files it includes, and the tables it names.
///
/// What is imported signs no more mail than the tables and InternalHosts let OpenDKIM 2.11 sign,
/// and with the same keys; where we cannot say the same, there is an error, or a note and less is
/// signed. Other settings that keep mail unsigned, such as PeerList or Mode, are noted and not
/// taken over. Three differences stay: an author is compared as an address, without the quotes and
/// comments of the field that OpenDKIM compares with it, and a pattern's `*` takes no `@` that parts
/// the address; of several authors OpenDKIM looks for the first alone, and here all of them count
/// ([`Config::select_all`]); and with MultipleSignatures all entries that fit a sender sign, of which
/// OpenDKIM leaves those between the first and the last out.
///
/// A `refile` is searched from its first line to its last. All other tables are looked up by the
/// whole address, then by the domain, then with ever shorter domains: that order becomes the order
/// of the rules. Of several entries of one key there the first counts.
///
/// InternalHosts are networks and addresses, written as OpenDKIM writes them when it looks for a
/// client; other texts fit nobody there, and are left out.
///
/// Of patterns `*` is taken over, but no regular expressions. Errors and notes quote 24 characters
/// of an entry or value at most, and nothing of the values of settings that are not taken over.
///
/// # Errors
///
/// When a file cannot be read, files include each other without end, a table is of another kind
/// than `file`, `refile` and `csl`, one of the two tables is missing, or an entry names a key that
/// is not there, or says what a configuration of ours cannot.
pub fn import_opendkim(
    conf: &str,
    files: &impl Fn(&Path) -> io::Result<Zeroizing<String>>,
) -> Result<Import, ImportError> {
    let settings = Settings::read(conf, files)?;
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
    import.others(settings);
    import.config.check()?;
    Ok(import)
}

impl Import {
    fn table(
        &mut self,
        setting: &'static str,
        spec: &str,
        files: &impl ReadFile,
    ) -> Result<Table, ImportError> {
        let table = Table::read(setting, spec, files)?;
        self.notes.extend(table.unseen.iter().map(|line| {
            format!("{setting}: line {line} begins with white space: OpenDKIM sees nothing in it, and it is left out")
        }));
        Ok(table)
    }
}

/// Whether a pattern of a `refile` says more than `*` does: OpenDKIM reads it as an extended
/// regular expression in which only `*`, `.` and `+` are no special characters.
fn is_regular_expression(pattern: &str) -> bool {
    pattern.contains(['(', ')', '|', '[', ']', '{', '}', '?', '^', '$', '\\'])
}
