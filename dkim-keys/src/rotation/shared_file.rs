//! The state file of before, which all configurations of a directory had in common: read for as long
//! as a configuration has none of its own, and given up bit by bit.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use dkim_tags::DomainName;

use super::file::{StateFileError, read, replace, with_end};
use super::{RotatedKey, RotationState};
use crate::directory::{directory_of, sync_directory_of};
use crate::{Config, KeySource, Lock};

pub(super) struct SharedFile {
    /// None where that is the configuration itself.
    path: Option<PathBuf>,
    config: PathBuf,
}

impl SharedFile {
    const NAME: &str = "rotation.toml";

    /// That of all configurations beside this one.
    pub(super) fn beside(config: &Path) -> Self {
        let path = directory_of(config).join(Self::NAME);
        let path = Some(path).filter(|path| path.file_name() != config.file_name());
        Self { path, config: config.to_owned() }
    }

    /// What it says of the keys of a configuration. Two that call their keys alike differ in the
    /// domain.
    pub(super) fn read(&self, config: &Config) -> Result<RotationState, StateFileError> {
        let Some(path) = &self.path else { return Ok(RotationState::default()) };
        let shared = |error| StateFileError::Shared { path: path.clone(), error: Box::new(error) };
        let mut state = read(path).map_err(shared)?.unwrap_or_default();
        state.keys.retain(|key| {
            let entry = config.keys.get(&key.name);
            entry.is_some_and(|entry| {
                matches!(entry.key, KeySource::Rotated { .. })
                    && DomainName::parse(&entry.domain).is_ok_and(|domain| key.is_of(&domain))
            })
        });
        state.hook_pending &= !state.keys.is_empty();
        Ok(state)
    }

    /// Takes out of it the keys of a state that has a file of its own by now, and deletes it when
    /// nothing is left: whatever is called like this one some day is not to find an old state.
    pub(super) fn give_up(&self, state: &RotationState) -> Result<(), StateFileError> {
        /// It is held for the time of a write.
        const PATIENCE: Duration = Duration::from_secs(1);

        let Some(path) = self.path.as_ref().filter(|path| path.exists()) else { return Ok(()) };
        let _lock = Lock::take(&with_end(path, ".lock"), PATIENCE)?;
        let Some(mut left) = read(path)? else { return Ok(()) };
        let is = |key: &RotatedKey, other: &RotatedKey| {
            (&key.name, &key.domain, &key.selector) == (&other.name, &other.domain, &other.selector)
        };
        let before = left.keys.len();
        left.keys.retain(|key| !state.keys.iter().any(|own| is(key, own)));
        // What never had a key in it is somebody else's.
        if left.keys.len() == before {
            return Ok(());
        }
        if left.keys.is_empty() {
            let deleted = fs::remove_file(path).and_then(|()| sync_directory_of(path));
            return deleted.map_err(StateFileError::Unwritable);
        }
        replace(path, &left, &self.config)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::StateFile;

    const STATE: &str = "\
hook_pending = true
[[keys]]
name = 'main'
domain = 'a.example'
selector = 's1'
kind = 'ed25519'
file = 's1._domainkey.a.example.pem'
phase = 'active'
history = []
[[keys]]
name = 'main'
domain = 'b.example'
selector = 's1'
kind = 'ed25519'
file = 's1._domainkey.b.example.pem'
phase = 'active'
history = []
";

    fn config(domain: &str) -> Config {
        Config::parse(&format!("[keys.main]\ndomain = '{domain}'\nrotate = {{}}\n")).unwrap()
    }

    /// Nobody is stranded, whoever comes first.
    #[test]
    fn each_configuration_takes_its_keys_along() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        fs::write(path("rotation.toml"), STATE).unwrap();
        let domains = ["a.example", "B.example"];
        let files = domains.map(|domain| {
            let config = path(&format!("{domain}.toml"));
            fs::write(&config, "").unwrap();
            StateFile::beside(&config)
        });
        let before = [0, 1].map(|at: usize| files[at].read(&config(domains[at])).unwrap());
        for (state, domain) in before.iter().zip(domains) {
            let found: Vec<&str> = state.keys.iter().map(|key| &*key.domain).collect();
            assert_eq!(found, [domain.to_lowercase()]);
            assert!(state.hook_pending);
        }
        // A stranger has nothing of it.
        let stranger = files[0].read(&config("c.example")).unwrap();
        assert_eq!(stranger, RotationState::default());
        for at in [0, 1] {
            let locked = files[at].clone().lock(Duration::ZERO).unwrap();
            locked.save(&before[at]).unwrap();
            for at in [0, 1] {
                assert_eq!(files[at].read(&config(domains[at])).unwrap(), before[at]);
            }
            // Whoever has a name of before finds nothing of what is said elsewhere now.
            let new = StateFile::beside(&path("new.toml")).read(&config(domains[at])).unwrap();
            assert_eq!(new, RotationState::default());
        }
        assert!(!path("rotation.toml").exists());
    }

    #[test]
    fn a_file_without_a_key_is_let_be() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        for name in ["rotation.toml", "config.toml"] {
            fs::write(path(name), "# mine\n").unwrap();
        }
        let locked = StateFile::beside(&path("config.toml")).lock(Duration::ZERO).unwrap();
        locked.save(&RotationState::default()).unwrap();
        assert_eq!(fs::read_to_string(path("rotation.toml")).unwrap(), "# mine\n");
    }

    /// It may have been emptied, and then nobody knows which key signs.
    #[test]
    fn one_that_says_nothing_is_told_by_its_name() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        fs::write(path("rotation.toml"), "").unwrap();
        let read = StateFile::beside(&path("config.toml")).read(&config("a.example"));
        let said = read.unwrap_err().to_string();
        assert!(said.starts_with(path("rotation.toml").to_str().unwrap()), "{said}");
        assert!(said.contains("not a state of rotation"), "{said}");
    }

    #[test]
    fn a_configuration_of_its_name_is_no_state() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("rotation.toml");
        fs::write(&path, "[keys.main]\n").unwrap();
        let file = StateFile::beside(&path);
        assert_eq!(file.read(&config("a.example")).unwrap(), RotationState::default());
        let locked = file.clone().lock(Duration::ZERO).unwrap();
        locked.save(&RotationState::default()).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "[keys.main]\n");
        assert!(file.path().ends_with("rotation.rotation.toml"));
    }
}
