//! The directory that a file is in, which its path may leave unsaid.

use std::borrow::Cow;
use std::fs::{self, File};
use std::io;
use std::path::Path;

/// The directory of a file; `.` where its path is a name alone.
pub(crate) fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

/// The file that a path leads to by symbolic links; the path itself, where it is none, or leads nowhere.
/// A link among the directories leads to the same file beside it.
pub(crate) fn target_of(path: &Path) -> Cow<'_, Path> {
    match path.is_symlink() {
        true => fs::canonicalize(path).map_or(Cow::Borrowed(path), Cow::Owned),
        false => Cow::Borrowed(path),
    }
}

/// Sees that the names in the directory of a file outlast a power cut.
pub(crate) fn sync_directory_of(path: &Path) -> io::Result<()> {
    File::open(directory_of(path))?.sync_all()
}
