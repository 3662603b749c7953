//! The keys that an agent holds.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use dkim_keys::Signatory;
use dkim_keys::agent::Keyring;
use dkim_keys::agent::wire::KeyName;
use dkim_stack::SigningKey;

use super::host::Source;
use crate::config::ConfigFile;
use crate::diagnostics::Failure;
use crate::exit::Exit;
use crate::key_file;

/// All keys that a configuration may let sign, now or when the next one takes over.
pub(super) struct Keys {
    path: PathBuf,
    file: ConfigFile,
    /// By the names of their records.
    held: BTreeMap<String, Held>,
}

#[derive(Clone)]
struct Held {
    name: KeyName,
    file: PathBuf,
    key: Arc<dyn SigningKey>,
}

impl Keys {
    /// Reads them. One that is to sign and cannot be read is a failure: it is better seen now than
    /// when mail is to be signed with it.
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let file = ConfigFile::read(path)?;
        let held = gather(path, &file, &BTreeMap::new())?;
        Ok(Self { path: path.to_owned(), file, held })
    }

    /// As [`read`](Self::read), for an agent that begins: where there is no key, and none may come,
    /// there is nothing for it to do.
    pub(super) fn read_some(path: &Path) -> Result<Self, Failure> {
        let keys = Self::read(path)?;
        if keys.held.is_empty() && keys.file.config.rotated().next().is_none() {
            return Err(Failure::new(Exit::Data, "no rule names a key that can sign")
                .on(path.display())
                .remedy("see what it says: dkim config check --config FILE"));
        }
        Ok(keys)
    }

    /// As they answer.
    pub(super) fn ring(&self) -> Keyring {
        let mut ring = Keyring::default();
        for Held { name, key, .. } in self.held.values() {
            // Each name is there once.
            let _ = ring.insert(name.clone(), Arc::clone(key));
        }
        ring
    }
}

impl Source for Keys {
    fn may_come(&self, name: &KeyName) -> bool {
        self.file.config.rotated().any(|(_, domain, _)| *domain == name.domain)
    }

    fn follow(&mut self) -> Result<Option<Keyring>, Failure> {
        // Where a key cannot be read this is looked at again, as if nothing had changed yet.
        let mut file = self.file.clone();
        if !file.follow()? {
            return Ok(None);
        }
        self.held = gather(&self.path, &file, &self.held)?;
        self.file = file;
        Ok(Some(self.ring()))
    }

    /// Whoever says so is the hook, or knows as much: nobody is to ask for a key that retires any more.
    /// That the hook has run is saved only afterwards.
    fn reload(&mut self) -> Result<Keyring, Failure> {
        let mut file = ConfigFile::read(&self.path)?;
        let mut told = file.state.clone();
        told.hook_pending = false;
        file.config.follow(&told);
        self.held = gather(&self.path, &file, &BTreeMap::new())?;
        self.file = file;
        Ok(self.ring())
    }
}

/// The keys of a configuration as it stands; those at hand are not read again.
fn gather(
    path: &Path,
    file: &ConfigFile,
    at_hand: &BTreeMap<String, Held>,
) -> Result<BTreeMap<String, Held>, Failure> {
    let failed = |what: String| Failure::new(Exit::Data, what).on(path.display());
    let ConfigFile { config, directory, .. } = file;
    let mut all = BTreeMap::new();
    for Signatory { key, domain, selector, file, .. } in
        config.signatories(directory).map_err(|error| failed(error.to_string()))?
    {
        let name = KeyName { domain, selector };
        match all.get(&name.to_string()) {
            // Two words for one key.
            Some(Held { file: other, .. }) if *other == file => continue,
            Some(_) => {
                return Err(failed(format!("keys.{key}: another key has its name"))
                    .remedy("give each key a selector of its own"));
            }
            None => {}
        }
        all.insert(name.to_string(), hold(name, file, at_hand)?);
    }
    for Signatory { domain, selector, file, .. } in config.standing_by(directory) {
        let name = KeyName { domain, selector };
        match hold(name.clone(), file, at_hand) {
            Ok(held) => drop(all.entry(name.to_string()).or_insert(held)),
            // It does not sign yet, or any more: what does is not to suffer from it.
            Err(failure) => failure.tell(),
        }
    }
    Ok(all)
}

fn hold(name: KeyName, file: PathBuf, at_hand: &BTreeMap<String, Held>) -> Result<Held, Failure> {
    match at_hand.get(&name.to_string()) {
        Some(held) if held.file == file => Ok(held.clone()),
        _ => Ok(Held { key: key_file::read(&file)?, name, file }),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::fs;

    use dkim_keys::{StateFile, save_new};
    use dkim_stack::crypto::PrivateKey;

    use super::*;

    /// Stands for `selector` of the only key.
    fn state(selector: &str) -> String {
        format!(
            "hook_pending = false\n\
             [[keys]]\nname = 'k'\ndomain = 'example.com'\nselector = '{selector}'\n\
             kind = 'ed25519'\nfile = '{selector}.pem'\npublic_sha256 = 'x'\nphase = 'active'\n\
             history = []\n"
        )
    }

    /// The hook runs before the state says that it did.
    #[test]
    fn whoever_is_told_lets_go_of_old_keys() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        for (name, seed) in [("one.pem", 1), ("two.pem", 2)] {
            save_new(&at(name), &PrivateKey::from_ed25519_seed(&[seed; 32]), None).unwrap();
        }
        let config = at("config.toml");
        let text = "[keys.k]\ndomain = 'example.com'\nrotate = { kind = 'ed25519' }\n\
                    [[rules]]\nfrom = ['*@example.com']\nkeys = ['k']\n";
        fs::write(&config, text).unwrap();
        let old = state("one").replace("'active'", "'retiring'").replace("false", "true");
        let new = state("two").replace("hook_pending = false\n", "");
        fs::write(StateFile::beside(&config).path(), old + &new).unwrap();
        let mut keys = Keys::read(&config).unwrap();
        let selectors = |keys: &Keys| -> Vec<String> {
            keys.held.values().map(|held| held.name.selector.to_string()).collect()
        };
        assert_eq!(selectors(&keys), ["one", "two"]);
        keys.reload().unwrap();
        assert_eq!(selectors(&keys), ["two"]);
        assert!(keys.follow().unwrap().is_none());
    }

    #[test]
    fn a_file_that_is_missing_for_a_moment_is_looked_for_again() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        let plant = |name: &str, seed: u8| {
            save_new(&at(name), &PrivateKey::from_ed25519_seed(&[seed; 32]), None).unwrap();
        };
        let config = at("config.toml");
        let text = "[keys.k]\ndomain = 'example.com'\n\
                    rotate = { kind = 'ed25519', every = 864000 }\n\
                    [[rules]]\nfrom = ['*@example.com']\nkeys = ['k']\n";
        fs::write(&config, text).unwrap();
        let state_file = StateFile::beside(&config).path().to_owned();
        fs::write(&state_file, state("one")).unwrap();
        plant("one.pem", 1);
        let mut keys = Keys::read(&config).unwrap();
        assert!(keys.follow().unwrap().is_none());
        fs::write(&state_file, state("two")).unwrap();
        assert!(keys.follow().is_err());
        assert!(keys.held.keys().all(|name| name.starts_with("one.")));
        plant("two.pem", 2);
        assert!(keys.follow().unwrap().is_some());
        assert!(keys.held.keys().all(|name| name.starts_with("two.")));
        assert!(keys.follow().unwrap().is_none());
    }
}
