//! BIND, a name server that takes updates: keys published, changed and withdrawn with the command
//! `dkim`, what is usually published wrong, and zones signed with DNSSEC.

mod mistakes;
mod publication;
mod rotation;
mod server;
mod signed;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context, Result};
use cargo_metadata::MetadataCommand;

use crate::workspace;
use server::Server;

/// Its version, or `None` if it is not installed.
pub(super) fn version() -> Option<String> {
    let output = Command::new("named").arg("-v").output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    Some(text.split_whitespace().nth(1)?.to_owned())
}

pub(super) const HOW_TO_INSTALL: &str = "apt-get install bind9";

/// Does everything, and returns how much of it was not as it should be.
pub(super) fn run() -> Result<usize> {
    let dkim = Dkim::build()?;
    let mut faults = signed::run(&dkim)?;
    let server = Server::start(&mistakes::zone())?;
    faults += publication::run(&dkim, &server)?;
    faults += rotation::run(&dkim, &server)?;
    faults += mistakes::run(&dkim, &server)?;
    Ok(faults)
}

/// The command `dkim`.
struct Dkim {
    path: PathBuf,
}

/// What a command said, and how it ended.
struct Ended {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Dkim {
    fn build() -> Result<Self> {
        let features = ["--no-default-features", "--features", "ring"];
        let build = ["build", "--quiet", "--package", "dkim-cli"];
        workspace::run(&mut workspace::cargo(build.into_iter().chain(features)))?;
        let manifest = workspace::path("Cargo.toml");
        let metadata = MetadataCommand::new().manifest_path(manifest).no_deps().exec()?;
        Ok(Self { path: metadata.target_directory.join("debug/dkim").into_std_path_buf() })
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.path);
        command.args(arguments);
        command
    }

    fn run(&self, arguments: &[&str]) -> Result<Ended> {
        let output = self.command(arguments).output().context("cannot start dkim")?;
        Ok(Ended::from(output))
    }
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
        Self { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
    }
}

/// Counts what is not as it should be, and tells it.
#[derive(Default)]
struct Tally {
    right: usize,
    wrong: usize,
}

impl Tally {
    fn expect(&mut self, what: &str, is_so: bool, ended: &Ended) {
        if is_so {
            self.right += 1;
            return;
        }
        self.wrong += 1;
        println!("    DISAGREES: {what}: exit code {:?}\n{}{}", ended.code, ended.out, ended.err);
    }
}

fn text(path: &Path) -> Result<&str> {
    path.to_str().context("a path that is not UTF-8")
}
