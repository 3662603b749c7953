//! A configuration, and where it was read.

use std::path::{Path, PathBuf};

use dkim_keys::{Chosen, Config, RotationState, StateFile, StateFileError, is_in_token};

use crate::diagnostics::Failure;
use crate::exit::Exit;
use crate::input::read_whole;
use crate::lock;

/// A configuration from a file.
#[derive(Clone)]
pub(crate) struct ConfigFile {
    pub(crate) config: Config,
    /// What paths in it are seen from.
    pub(crate) directory: PathBuf,
    /// Where the keys that change stand, if it has some.
    pub(crate) state: RotationState,
    state_file: StateFile,
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
        let directory = Config::directory_of(path);
        let (state, state_file) = (RotationState::default(), StateFile::beside(path));
        let mut file = Self { config, directory, state, state_file };
        file.follow()?;
        Ok(file)
    }

    /// Reads where the keys that change stand now, and whether they stand elsewhere than before.
    pub(crate) fn follow(&mut self) -> Result<bool, Failure> {
        if self.config.rotated().next().is_none() {
            return Ok(false);
        }
        let state = self.state_file.read();
        let state = state.map_err(|error| state_failure(&self.state_file, &error))?;
        self.config.follow(&state);
        let has_changed = state != self.state;
        self.state = state;
        Ok(has_changed)
    }

    /// The file of a key that was chosen.
    pub(crate) fn key_file(&self, chosen: &Chosen) -> PathBuf {
        self.path_of(&chosen.file)
    }

    /// Where something is that is named as seen from here; in a token it is wherever that is.
    pub(crate) fn path_of(&self, file: &Path) -> PathBuf {
        match is_in_token(file) {
            true => file.to_owned(),
            false => self.directory.join(file),
        }
    }
}

/// What to tell of a state that cannot be read or replaced.
pub(crate) fn state_failure(file: &StateFile, error: &StateFileError) -> Failure {
    let failure = |exit| Failure::of(exit, error).on(file.path().display());
    match error {
        StateFileError::BesideLink { path } => failure(Exit::Data).remedy(format_args!(
            "if {} is the one that counts, move it there, or name the file that the link leads to",
            path.display()
        )),
        StateFileError::Lock(error) => {
            lock::failure(error, &file.lock_path(), "the other `dkim rotate` or `dkim key revoke`")
        }
        StateFileError::Unreadable(_) => failure(Exit::NoInput),
        StateFileError::Unwritable(_) => failure(Exit::CannotCreate),
        _ => failure(Exit::Data).remedy(
            "put the last good copy back: nobody else knows which key signs, and which are revoked",
        ),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_has_16_mib() {
        let file = tempfile::NamedTempFile::new().unwrap();
        for (more, is_read) in [(0, true), (1, false)] {
            std::fs::write(&file, "#".repeat(Config::MAX_LEN + more)).unwrap();
            assert_eq!(ConfigFile::read(file.path()).is_ok(), is_read, "{more}");
        }
    }
}
