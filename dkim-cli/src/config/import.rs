//! `dkim config import-opendkim`: OpenDKIM's tables in our words.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use dkim_keys::{ImportError, import_opendkim};

use crate::diagnostics::{Failure, note};
use crate::exit::{self, Exit};
use crate::printable::is_harmful;

/// Take over KeyTable, SigningTable and what else concerns signing from OpenDKIM
///
/// Reads `opendkim.conf` and the tables that it names, in files or in the configuration itself, and
/// writes a configuration that signs the same mail with the same keys, or less where it cannot say
/// the same. What is not taken over is said on standard error.
///
/// Which fields are signed follows this program's own default unless OversignHeaders says otherwise
/// (OpenDKIM over-signs none, and signs fewer), so that `dkim config check` should follow.
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
  dkim config which --config /etc/dkim/config.toml --from joe@example.com --client 127.0.0.1
";
    [EXAMPLES, "\n", &exit::help()].concat()
}

impl ImportOpendkim {
    pub(super) fn run(self) -> Result<Exit, Failure> {
        let unreadable =
            |path: &Path, error: &io::Error| Failure::new(Exit::NoInput, error).on(path.display());
        let conf =
            fs::read_to_string(&self.conf).map_err(|error| unreadable(&self.conf, &error))?;
        let read = |path: &Path| fs::read_to_string(path);
        let import = import_opendkim(&conf, &read).map_err(|error| match &error {
            ImportError::File { path, error } => unreadable(path, error),
            error => Failure::of(Exit::Data, error).on(self.conf.display()),
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
