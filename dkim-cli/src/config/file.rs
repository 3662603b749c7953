//! A configuration, and where it was read.

use std::path::{Path, PathBuf};

use dkim_keys::{Chosen, Config, Mail, is_in_token};
use dkim_stack::DomainName;
use dkim_stack::message::{Address, author_addresses};

use crate::diagnostics::Failure;
use crate::exit::Exit;
use crate::input::read_whole;

/// A configuration from a file.
pub(crate) struct ConfigFile {
    pub(crate) config: Config,
    /// What paths in it are seen from.
    pub(crate) directory: PathBuf,
}

impl ConfigFile {
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let mut octets = Vec::new();
        read_whole(path, Config::MAX_LEN, &mut octets)?;
        let text = String::from_utf8(octets)
            .map_err(|error| Failure::of(Exit::Data, &error.utf8_error()).on(path.display()))?;
        let config = Config::parse(&text).map_err(|error| {
            Failure::of(Exit::Data, &error)
                .on(path.display())
                .remedy("`dkim config --help` shows how it is written")
        })?;
        let directory = path.parent().unwrap_or(Path::new("")).to_owned();
        Ok(Self { config, directory })
    }

    /// The file of a key that was chosen.
    pub(crate) fn key_file(&self, chosen: &Chosen) -> PathBuf {
        if is_in_token(&chosen.file) {
            return chosen.file.clone();
        }
        self.directory.join(&chosen.file)
    }
}

/// The message of each author that a From field body names, as rules see it.
pub(crate) fn mail_of(from: &[u8]) -> Result<Vec<Mail>, Failure> {
    let authors = author_addresses(from).map_err(|error| {
        Failure::of(Exit::Data, &error)
            .on("From")
            .remedy("an address is needed, or what stands after `From:`")
    })?;
    let mail = |author: &Address| {
        let (local_part, domain) =
            (String::from_utf8_lossy(&author.local_part), String::from_utf8_lossy(&author.domain));
        // In A-labels, as rules are written.
        let name = DomainName::parse(&domain);
        Mail::new(&local_part, name.as_ref().map_or(&*domain, DomainName::as_str))
    };
    Ok(authors.iter().map(mail).collect())
}
