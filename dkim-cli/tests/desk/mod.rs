//! A desk at which the keys of a configuration are changed, with a name server of its own.
#![allow(dead_code, unreachable_pub, missing_docs, clippy::unwrap_used)]

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

use crate::command::{self, run, text};
use crate::primary::Primary;

pub const MESSAGE: &[u8] = b"From: joe@example.com\r\nSubject: s\r\n\r\nHi.\r\n";

/// Runs a command: its exit code, and what it says on both outputs.
pub fn dkim(args: &[&str]) -> (i32, String) {
    let output = run(args, b"");
    let said = text(&output.stdout) + &text(&output.stderr);
    (output.status.code().unwrap(), said)
}

pub const NAME: &str = "s._domainkey.example.com";
pub const ED25519: &str = "v=DKIM1; k=ed25519; p=8vZGyah9eIa0iPkErh33Ez5MOGlWXWs5C4cet/sYT3A=";
pub const PRIVATE: &str = "v=DKIM1; k=ed25519; \
    p=MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g";
pub const OTHER: &str = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";

/// A configuration in a directory of its own, with a plan in seconds.
pub struct Desk {
    pub directory: TempDir,
    pub config: String,
    pub server: Primary,
}

pub const PLAN: &str = "kind = 'ed25519', selector = 'k{counter}', every = 1, ttl = 1, \
                    negative-ttl = 0, message-life = 0, revoked-for = 0";

impl Desk {
    pub fn new(rotation: &str, key: &str) -> Self {
        let (directory, server) = (tempfile::tempdir().unwrap(), Primary::start());
        let path = directory.path().join("config.toml");
        let address = server.address;
        let rotation = rotation.replace("SERVER", &format!("'{address}'"));
        let rules = "[[rules]]\nfrom = ['*@example.com']\nkeys = ['main']\n";
        let config = format!(
            "[rotation]\nservers = ['{address}']\n{rotation}\n[keys.main]\n\
             domain = 'example.com'\n{key}\n{rules}"
        );
        fs::write(&path, config).unwrap();
        Self { directory, config: path.to_str().unwrap().to_owned(), server }
    }

    pub fn dkim(&self, args: &[&str]) -> (i32, String) {
        dkim(&[args, &["--config", &self.config]].concat())
    }

    pub fn path(&self, name: &str) -> std::path::PathBuf {
        self.directory.path().join(name)
    }

    /// Begins a step and kills it after so many milliseconds: later and later, until it comes to its
    /// end before that.
    pub fn step_killed_after(&self, delay: &mut u64) {
        let mut step = command::dkim(&["rotate", "step", "--config", &self.config]);
        let mut step = step.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        thread::sleep(Duration::from_millis(*delay));
        // It may have ended.
        let _ = step.kill();
        *delay = match step.wait().unwrap().code() {
            Some(_) => 0,
            None => *delay * 4 / 3 + 3,
        };
    }

    /// The selector that signs now, whose signature verifies now.
    pub fn sign(&self) -> Option<String> {
        let signed = run(&["sign", "--config", &self.config], MESSAGE);
        if !signed.status.success() {
            assert!(text(&signed.stderr).contains("signs for none"), "{}", text(&signed.stderr));
            return None;
        }
        let server = self.server.address.to_string();
        let verified = run(&["verify", "--json", "--dns", &server], &signed.stdout);
        let said = text(&verified.stdout);
        assert_eq!(verified.status.code(), Some(0), "{said}");
        let (_, rest) = said.split_once("\"selector\":\"").unwrap();
        Some(rest.split('"').next().unwrap().to_owned())
    }
}

/// A desk at which the key of a file signed before there was a plan.
pub fn taken_over(plan: &str, more: &str) -> Desk {
    let key = format!("selector = 'old'\nfile = 'mail.pem'\nrotate = {{ {plan} }}\n{more}");
    let desk = Desk::new("server = SERVER", &key);
    fs::copy(Path::new(command::DATA).join("keys/ed25519.pem"), desk.path("mail.pem")).unwrap();
    desk.server.publish("old._domainkey.example.com", ED25519);
    while desk.sign().as_deref() == Some("old") {
        assert_eq!(desk.dkim(&["rotate", "step"]).0, 0);
    }
    desk
}
