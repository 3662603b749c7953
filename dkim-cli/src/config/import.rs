//! `dkim config import-opendkim`: OpenDKIM's tables in our words.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use dkim_keys::{Config, ImportError, import_opendkim};
use zeroize::Zeroizing;

use crate::diagnostics::{Failure, note};
use crate::exit::{self, Exit};
use crate::input::read_whole;
use crate::output;
use crate::printable::is_harmful;

/// Take over KeyTable, SigningTable and what else concerns signing from OpenDKIM
///
/// Reads `opendkim.conf` and the tables that it names, in files or in the configuration itself, and
/// writes a configuration that signs the same mail with the same keys, or less where it cannot say
/// the same. What is not taken over is said on standard error.
///
/// Authors are compared as addresses: where OpenDKIM compares the text of the field, an address with
/// quotes or comments in it may be signed here and not there. With MultipleSignatures all entries
/// that fit sign, of which OpenDKIM leaves those between the first and the last out.
///
/// Which fields are signed follows this program's own default unless OversignHeaders says otherwise
/// (OpenDKIM over-signs none, and signs fewer), so that `dkim config check` should follow.
///
/// Of several authors in a From field OpenDKIM looks at the first; this program signs for each, with
/// each key once, and not in the name of a domain for one of whose authors nothing signs. Where
/// InternalHosts says whose mail is signed, `dkim sign` is told with --client whose it is.
#[derive(Debug, Args)]
#[command(after_long_help = help())]
pub(super) struct ImportOpendkim {
    /// The configuration of OpenDKIM
    #[arg(value_name = "FILE", default_value = "/etc/opendkim.conf")]
    conf: PathBuf,
}

fn help() -> String {
    const EXAMPLES: &str = "\
Example:
  dkim config import-opendkim /etc/opendkim.conf > /etc/dkim/config.toml
  dkim config which --config /etc/dkim/config.toml --from joe@example.com \\
      --client 127.0.0.1
";
    [EXAMPLES, "\n", &exit::help()].concat()
}

impl ImportOpendkim {
    pub(super) fn run(self) -> Result<Exit, Failure> {
        output::refuse_closed()?;
        let conf = read(&self.conf)?;
        let files = |path: &Path| read(path).map_err(io::Error::other);
        let import = import_opendkim(&conf, &files).map_err(|error| match error {
            ImportError::File { path, error } => error
                .downcast()
                .unwrap_or_else(|error| Failure::new(Exit::NoInput, error).on(path.display())),
            error => Failure::of(Exit::Data, &error).on(self.conf.display()),
        })?;
        for what in &import.notes {
            note(self.conf.display(), what);
        }
        let text = import.config.to_toml().map_err(|error| Failure::of(Exit::Data, &error))?;
        if let Some(c) = text.chars().find(|c| *c != '\n' && is_harmful(*c)) {
            let what =
                format_args!("a name or path holds {}, which is not seen", c.escape_unicode());
            let failure = Failure::new(Exit::Data, what).on(self.conf.display());
            return Err(failure.remedy("write domains in A-labels, and rename files"));
        }
        let mut out = io::stdout().lock();
        let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
        written.map_err(|error| Failure::output(&error))?;
        Ok(Exit::Success)
    }
}

/// The text of a file of OpenDKIM's, as long as a configuration of ours may be, without its
/// comments: they may be in what people wrote before UTF-8.
fn read(path: &Path) -> Result<Zeroizing<String>, Failure> {
    // Where a file is to be named a key may stand: no copies are left behind as it grows.
    let mut octets = Zeroizing::new(Vec::with_capacity(Config::MAX_LEN + 2));
    read_whole(path, Config::MAX_LEN, &mut octets)?;
    let mut text = Zeroizing::new(String::with_capacity(octets.len() + 1));
    for (number, line) in (1..).zip(octets.split_inclusive(|octet| *octet == b'\n')) {
        let said = line.split(|octet| *octet == b'#').next().unwrap_or_default();
        let Ok(said) = str::from_utf8(said) else {
            return Err(Failure::new(Exit::Data, format_args!("line {number} is not in UTF-8"))
                .on(path.display())
                .remedy(
                    "write it in UTF-8, as with `iconv -f latin1 -t utf8`, domains in A-labels",
                ));
        };
        text.push_str(said.trim_end_matches('\n'));
        text.push('\n');
    }
    Ok(text)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn comments_are_in_any_encoding() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(&file, b"# caf\xe9\nDomain a.example # \xe9\n").unwrap();
        assert_eq!(*read(file.path()).unwrap(), "\nDomain a.example \n");
        fs::write(&file, b"# caf\xe9\nDomain caf\xe9.example\n").unwrap();
        let failure = read(file.path()).unwrap_err();
        assert_eq!(failure.exit, Exit::Data);
        assert!(failure.to_string().contains(": line 2 is not in UTF-8"), "{failure}");
    }

    #[test]
    fn a_file_of_opendkims_has_16_mib() {
        let file = tempfile::NamedTempFile::new().unwrap();
        for (more, is_read) in [(0, true), (1, false)] {
            fs::write(&file, "#".repeat(Config::MAX_LEN + more)).unwrap();
            assert_eq!(read(file.path()).is_ok(), is_read, "{more}");
        }
    }
}
