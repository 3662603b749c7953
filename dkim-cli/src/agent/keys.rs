//! The keys that an agent holds.

use std::collections::BTreeMap;
use std::path::Path;

use dkim_keys::agent::Keyring;
use dkim_keys::agent::wire::KeyName;

use crate::config::ConfigFile;
use crate::diagnostics::Failure;
use crate::exit::Exit;
use crate::key_file;

/// Reads all keys that a configuration may let sign. One that cannot be read is a failure: it is
/// better seen now than when mail is to be signed with it.
pub(super) fn read(config: &Path) -> Result<Keyring, Failure> {
    let file = ConfigFile::read(config)?;
    let failed = |what: String| Failure::new(Exit::Data, what).on(config.display());
    let signatories =
        file.config.signatories(&file.directory).map_err(|error| failed(error.to_string()))?;
    let mut keys = Keyring::default();
    let mut files = BTreeMap::new();
    for signatory in signatories {
        let name = KeyName { domain: signatory.domain, selector: signatory.selector };
        let record_name = name.to_string();
        match files.get(&record_name) {
            // Two words for one key.
            Some(file) if *file == signatory.file => continue,
            Some(_) => {
                return Err(failed(format!("keys.{}: another key has its name", signatory.key))
                    .remedy("give each key a selector of its own"));
            }
            None => {}
        }
        let key = key_file::read(&signatory.file)?;
        files.insert(record_name, signatory.file);
        // That the name is new was seen above.
        let _ = keys.insert(name, key);
    }
    Ok(keys)
}

/// As [`read`], for an agent that begins: without a key there is nothing for it to do. Later there
/// may be none, when the last one was revoked.
pub(super) fn read_some(config: &Path) -> Result<Keyring, Failure> {
    let keys = read(config)?;
    if keys.is_empty() {
        return Err(Failure::new(Exit::Data, "no rule names a key that can sign")
            .on(config.display())
            .remedy("see what it says: dkim config check --config FILE"));
    }
    Ok(keys)
}
