//! The directory that a file is in, which its path may leave unsaid.

use std::fs::File;
use std::io;
use std::path::Path;

/// The directory of a file; `.` where its path is a name alone.
pub(crate) fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

/// Sees that the names in the directory of a file outlast a power cut.
pub(crate) fn sync_directory_of(path: &Path) -> io::Result<()> {
    File::open(directory_of(path))?.sync_all()
}
