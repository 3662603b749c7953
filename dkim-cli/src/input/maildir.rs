//! Maildirs: a message a file, in `cur` and `new`.

use std::io;
use std::path::{Path, PathBuf};

/// Whether a directory is a Maildir.
pub(crate) fn is_maildir(directory: &Path) -> bool {
    ["cur", "new"].iter().any(|name| directory.join(name).is_dir())
}

/// The files of its messages by name, which is the order of their delivery as a rule. Those that
/// begin with a dot are none; `tmp` holds what is not delivered yet.
pub(crate) fn messages(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut messages = Vec::new();
    for name in ["cur", "new"] {
        let entries = match directory.join(name).read_dir() {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        for entry in entries {
            let entry = entry?;
            if !entry.file_name().as_encoded_bytes().starts_with(b".") {
                messages.push(entry.path());
            }
        }
    }
    messages.sort_by(|a, b| a.file_name().cmp(&b.file_name()).then_with(|| a.cmp(b)));
    Ok(messages)
}
