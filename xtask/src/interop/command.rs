//! The command `dkim`, built with what an exchange takes.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::workspace;

/// Builds the command with these features, and says where it is.
pub(super) fn build(features: &str) -> Result<PathBuf> {
    let build = ["build", "--package", "dkim-cli", "--bin", "dkim", "--no-default-features"];
    let told = ["--features", features, "--message-format=json-render-diagnostics"];
    let mut command = workspace::cargo(build.into_iter().chain(told));
    let output = command.stderr(Stdio::inherit()).output()?;
    ensure!(output.status.success(), "{} failed", workspace::line(&command));
    let lines = output.stdout.split(|&octet| octet == b'\n');
    let mut messages = lines.filter_map(|line| serde_json::from_slice::<Value>(line).ok());
    let executable = messages.find_map(|message| {
        let is_ours = message["target"]["name"] == "dkim";
        is_ours.then(|| message["executable"].as_str().map(PathBuf::from)).flatten()
    });
    executable.context("cargo built no dkim")
}

/// Runs a command to its end; it is no failure if it fails.
pub(super) fn run<A: AsRef<OsStr>>(
    command: &mut Command,
    arguments: impl IntoIterator<Item = A>,
) -> Result<Output> {
    let output = command.args(arguments).stdin(Stdio::null()).output();
    output.with_context(|| format!("cannot start {}", workspace::line(command)))
}

/// What it said on standard error.
pub(super) fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).trim().to_owned()
}
