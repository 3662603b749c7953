//! Peers that are libraries of a scripting language: a script takes jobs from us, one a line.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use dkim_tags::value::{base64, to_base64};
use serde_json::{Value, json};

use super::messages::NO_FINAL_LINE_END;
use super::peer::{Algorithm, Answer, Peer};
use super::{About, DOMAIN};

/// A library and the script that speaks for it.
pub(super) struct Script {
    name: &'static str,
    interpreter: &'static str,
    /// The option that takes a script as its argument.
    option: &'static str,
    print_version: &'static str,
    script: &'static str,
    install: &'static str,
    /// The first version that knows Ed25519, compared as text.
    ed25519_since: &'static str,
    fault: fn(&About) -> Option<&'static str>,
}

pub(super) fn dkimpy() -> Script {
    Script {
        name: "dkimpy",
        interpreter: "python3",
        option: "-c",
        print_version: "import dkim, nacl, importlib.metadata as m; print(m.version('dkimpy'))",
        script: include_str!("dkimpy.py"),
        install: "pip install dkimpy pynacl",
        ed25519_since: "0.7",
        fault: |_| None,
    }
}

pub(super) fn maildkim() -> Script {
    Script {
        name: "Mail::DKIM",
        interpreter: "perl",
        option: "-e",
        print_version: "use Mail::DKIM; print $Mail::DKIM::VERSION",
        script: include_str!("maildkim.pl"),
        install: "apt-get install libmail-dkim-perl, or cpan Mail::DKIM",
        ed25519_since: "1.2024",
        fault: |about| {
            let unended = about.message == NO_FINAL_LINE_END && about.form.ends_with("/simple");
            unended.then_some("it does not add the missing line end (RFC 6376 §3.4.3)")
        },
    }
}

impl Script {
    /// Hands all jobs to the script and returns its answers, in the same order.
    fn ask(&self, jobs: &[Value]) -> Result<Vec<Value>> {
        let mut child = Command::new(self.interpreter)
            .args([self.option, self.script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", self.interpreter))?;
        let mut input = child.stdin.take().context("a pipe was asked for")?;
        let lines: String = jobs.iter().map(|job| format!("{job}\n")).collect();
        // Both pipes at once: neither side may wait for the other to read.
        let writer = std::thread::spawn(move || input.write_all(lines.as_bytes()));
        let output = child.wait_with_output()?;
        // What was not read shows in the number of answers.
        let _ = writer.join();
        let answers = output.stdout.split(|octet| *octet == b'\n').filter(|line| !line.is_empty());
        let answers: Vec<Value> = answers.map(serde_json::from_slice).collect::<Result<_, _>>()?;
        if answers.len() != jobs.len() {
            bail!("{}: {} answers to {} jobs", self.name, answers.len(), jobs.len());
        }
        Ok(answers)
    }
}

fn error(answer: &Value) -> String {
    answer["error"].as_str().unwrap_or("no answer").trim().to_owned()
}

impl Peer for Script {
    fn name(&self) -> &'static str {
        self.name
    }

    fn version(&self) -> Option<String> {
        let mut command = Command::new(self.interpreter);
        let output = command.args([self.option, self.print_version]).output().ok()?;
        let version = String::from_utf8(output.stdout).ok()?.trim().to_owned();
        output.status.success().then_some(version)
    }

    fn how_to_install(&self) -> &'static str {
        self.install
    }

    fn knows(&self, algorithm: Algorithm, version: &str) -> bool {
        algorithm != Algorithm::Ed25519 || version >= self.ed25519_since
    }

    fn keeps_first_blanks(&self) -> bool {
        true
    }

    fn known_fault(&self, about: &About) -> Option<&'static str> {
        (self.fault)(about)
    }

    fn verify(
        &self,
        messages: &[Vec<u8>],
        records: &BTreeMap<String, String>,
    ) -> Result<Vec<Answer<bool>>> {
        let job = |message: &Vec<u8>| json!({"message": to_base64(message), "records": records});
        let answers = self.ask(&messages.iter().map(job).collect::<Vec<_>>())?;
        Ok(answers.iter().map(|answer| answer["pass"].as_bool().ok_or(error(answer))).collect())
    }

    fn sign(
        &self,
        messages: &[Vec<u8>],
        algorithm: Algorithm,
        form: &str,
    ) -> Result<Vec<Answer<Vec<u8>>>> {
        let job = |message: &Vec<u8>| {
            json!({
                "message": to_base64(message), "key": algorithm.pem(), "domain": DOMAIN,
                "selector": algorithm.selector(), "algorithm": algorithm.name(),
                "canonicalization": form,
            })
        };
        let answers = self.ask(&messages.iter().map(job).collect::<Vec<_>>())?;
        let signed = answers.iter().zip(messages).map(|(answer, message)| {
            let field = answer["field"].as_str().and_then(base64);
            Ok([field.ok_or(error(answer))?, message.clone()].concat())
        });
        Ok(signed.collect())
    }
}
