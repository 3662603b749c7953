//! The program that a hook is.

use std::env;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::Rotation;

impl Rotation {
    /// The program that the hook runs, or why it cannot be run; `None` without a hook.
    pub(crate) fn hook_program(&self) -> Option<Result<PathBuf, &'static str>> {
        let program = Path::new(self.hook.first()?);
        Some(match program.components().count() {
            // As execvp(3) looks for it.
            1 if !self.hook.first()?.contains('/') => {
                let path = env::var_os("PATH").unwrap_or_default();
                let mut candidates = env::split_paths(&path).map(|here| here.join(program));
                candidates.find(|path| is_program(path)).ok_or("it is nowhere in PATH")
            }
            _ if program.is_relative() => {
                Err("it is looked for in whatever directory `dkim rotate` is started in")
            }
            _ if is_program(program) => Ok(program.to_owned()),
            _ if program.exists() => Err("it is no program that may be run"),
            _ => Err("it is not there"),
        })
    }
}

fn is_program(path: &Path) -> bool {
    const EXECUTE: u32 = 0o111;

    fs::metadata(path).is_ok_and(|file| file.is_file() && file.permissions().mode() & EXECUTE != 0)
}
