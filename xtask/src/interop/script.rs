//! Peers that are libraries of a scripting language: a script takes jobs from us, one a line.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use dkim_tags::value::{base64, to_base64};
use serde_json::{Value, json};

use super::messages::NO_FINAL_LINE_END;
use super::peer::{Algorithm, Answer, Order, Peer, printed};
use super::{About, DOMAIN, NOW, SIGNED_FIELDS};
use crate::workspace;

/// How long is waited for an answer. Most take milliseconds.
const PATIENCE: Duration = Duration::from_secs(120);

/// A library and the script that speaks for it.
pub(super) struct Script {
    name: &'static str,
    interpreter: &'static str,
    print_version: &'static [&'static str],
    /// What makes the interpreter take jobs.
    run: &'static [&'static str],
    install: &'static str,
    /// The first version that knows Ed25519, compared as text.
    ed25519_since: &'static str,
    fault: fn(&About) -> Option<&'static str>,
}

pub(super) fn dkimpy() -> Script {
    Script {
        name: "dkimpy",
        interpreter: "python3",
        print_version: &[
            "-c",
            "import dkim, nacl, importlib.metadata as m; print(m.version('dkimpy'))",
        ],
        run: &["-c", include_str!("dkimpy.py")],
        install: "pip install dkimpy pynacl",
        ed25519_since: "0.7",
        fault: |_| None,
    }
}

pub(super) fn maildkim() -> Script {
    Script {
        name: "Mail::DKIM",
        interpreter: "perl",
        print_version: &["-e", "use Mail::DKIM; print $Mail::DKIM::VERSION"],
        run: &["-e", include_str!("maildkim.pl")],
        install: "apt-get install libmail-dkim-perl, or cpan Mail::DKIM",
        ed25519_since: "1.2024",
        fault: |about| {
            let unended = about.message == NO_FINAL_LINE_END && about.form.ends_with("/simple");
            unended.then_some("it does not add the missing line end (RFC 6376 §3.4.3)")
        },
    }
}

/// By its defaults, or as strict as it can be asked to be.
pub(super) fn mailauth(strict: bool) -> Script {
    const SCRIPT: &str = include_str!("mailauth.js");
    Script {
        name: if strict { "mailauth, strict" } else { "mailauth" },
        interpreter: "node",
        print_version: &["-p", "require('mailauth/package.json').version"],
        run: if strict { &["-e", SCRIPT, "strict"] } else { &["-e", SCRIPT] },
        install: "npm install mailauth, and NODE_PATH set to its node_modules",
        ed25519_since: "",
        fault: |_| None,
    }
}

pub(super) fn mail_auth() -> Script {
    rust("mail-auth", &PEERS_MAIL_AUTH, &PEERS_MAIL_AUTH_VERSION)
}

pub(super) fn cfdkim() -> Script {
    rust("cfdkim", &PEERS_CFDKIM, &PEERS_CFDKIM_VERSION)
}

/// Starts the program of `peers/`, for an implementation and its options. Of what it is made of
/// some says that it wants a newer compiler, and builds with this one.
macro_rules! peers {
    ($($option:literal)*) => {
        [
            "run", "--quiet", "--ignore-rust-version", "--locked", "--manifest-path",
            "peers/Cargo.toml", "--", $($option),*
        ]
    };
}

static PEERS_MAIL_AUTH: [&str; 8] = peers!("mail-auth");
static PEERS_MAIL_AUTH_VERSION: [&str; 9] = peers!("mail-auth" "--version");
static PEERS_CFDKIM: [&str; 8] = peers!("cfdkim");
static PEERS_CFDKIM_VERSION: [&str; 9] = peers!("cfdkim" "--version");

fn rust(
    name: &'static str,
    run: &'static [&'static str],
    print_version: &'static [&'static str],
) -> Script {
    Script {
        name,
        interpreter: "cargo",
        print_version,
        run,
        install: "cargo build --ignore-rust-version --manifest-path peers/Cargo.toml",
        ed25519_since: "",
        fault: |_| None,
    }
}

impl Script {
    /// Starts the script; it takes jobs until the conversation is dropped.
    pub(super) fn start(&self) -> Result<Conversation> {
        let mut child = Command::new(self.interpreter)
            .args(self.run)
            .current_dir(workspace::root())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", self.interpreter))?;
        let input = child.stdin.take().context("a pipe was asked for")?;
        let output = BufReader::new(child.stdout.take().context("a pipe was asked for")?);
        let patience = PATIENCE;
        Ok(Conversation { name: self.name, child, input: Some(input), output, patience })
    }
}

/// A running script.
pub(super) struct Conversation {
    name: &'static str,
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    patience: Duration,
}

impl Conversation {
    /// Each message with its signature on top.
    pub(super) fn sign(&mut self, orders: &[Order]) -> Result<Vec<Answer<Vec<u8>>>> {
        let job = |order: &Order| {
            let job = json!({
                "key": order.algorithm.pem(), "domain": DOMAIN,
                "selector": order.algorithm.selector(), "algorithm": order.algorithm.name(),
                "canonicalization": order.form, "fields": order.fields, "length": order.length,
                "time": NOW.0,
            });
            line(&job, &order.message)
        };
        let answers = self.ask(&orders.iter().map(job).collect::<Vec<_>>())?;
        let signed = answers.iter().zip(orders).map(|(answer, order)| {
            let field = answer["field"].as_str().and_then(base64);
            Ok([field.ok_or(error(answer))?, order.message.clone()].concat())
        });
        Ok(signed.collect())
    }

    /// Each message with a DomainKeys signature on top, over these fields; over all, if there are none.
    pub(super) fn sign_domainkeys(
        &mut self,
        messages: &[Vec<u8>],
        algorithm: Algorithm,
        form: &str,
        fields: &[&str],
    ) -> Result<Vec<Answer<Vec<u8>>>> {
        let job = json!({
            "domainkeys": true, "key": algorithm.pem(), "domain": DOMAIN,
            "selector": algorithm.selector(), "canonicalization": form, "fields": fields,
        });
        let jobs: Vec<String> = messages.iter().map(|one| line(&job, one)).collect();
        let answers = self.ask(&jobs)?;
        let signed = answers.iter().zip(messages).map(|(answer, message)| {
            let field = answer["field"].as_str().and_then(base64);
            Ok([&field.ok_or(error(answer))?, &message[..]].concat())
        });
        Ok(signed.collect())
    }

    /// Whether a signature of each message passes, against these TXT records by name.
    pub(super) fn verify(
        &mut self,
        messages: &[&[u8]],
        records: &BTreeMap<String, String>,
    ) -> Result<Vec<Answer<bool>>> {
        let job = json!({"records": records});
        let answers = self.ask(&messages.iter().map(|one| line(&job, one)).collect::<Vec<_>>())?;
        Ok(answers.iter().map(|answer| answer["pass"].as_bool().ok_or(error(answer))).collect())
    }

    /// What an Author Domain says about its mail, against these TXT records by name.
    pub(super) fn practices(
        &mut self,
        domain: &str,
        records: &BTreeMap<String, String>,
    ) -> Result<Answer<String>> {
        let job = json!({"adsp": domain, "records": records});
        let answers = self.ask(&[line(&job, b"")])?;
        let answer = answers.first().context("one answer to one job")?;
        Ok(answer["practices"].as_str().map(str::to_owned).ok_or_else(|| error(answer)))
    }

    /// Hands all jobs to the script and returns its answers, in the same order.
    fn ask(&mut self, jobs: &[String]) -> Result<Vec<Value>> {
        let (name, output, child) = (self.name, &mut self.output, &mut self.child);
        let patience = self.patience;
        let input = self.input.as_mut().context("the script has ended")?;
        // Both pipes at once: neither side may wait for the other to read.
        std::thread::scope(|scope| {
            let write = || jobs.iter().try_for_each(|job| input.write_all(job.as_bytes()));
            let writer = scope.spawn(write);
            let (reader, lines) = mpsc::channel();
            scope.spawn(move || {
                for _ in jobs {
                    let mut line = String::new();
                    // Whoever waits for lines waits for as many.
                    let _ = reader.send(output.read_line(&mut line).map(|_| line));
                }
            });
            let answers: Result<Vec<Value>> = (0..jobs.len())
                .map(|number| {
                    let silent = || format!("{name}: no answer within {} s", patience.as_secs());
                    let line = lines.recv_timeout(patience).with_context(silent)??;
                    let ended = || format!("{name}: {number} answers to {} jobs", jobs.len());
                    serde_json::from_str(&line).with_context(ended)
                })
                .collect();
            // Nobody reads on, so it must not write on. What it did not take shows in the number
            // of answers.
            if answers.is_err() {
                let _ = child.kill();
            }
            let _ = writer.join();
            answers
        })
    }
}

/// A job and the message it is about. The message stands apart: a script in Perl takes long to
/// read long strings of JSON, and need not read the same job again.
fn line(job: &Value, message: &[u8]) -> String {
    format!("{job}\t{}\n", to_base64(message))
}

impl Drop for Conversation {
    fn drop(&mut self) {
        // The end of its input is the end of the script.
        drop(self.input.take());
        let _ = self.child.wait();
    }
}

fn error(answer: &Value) -> String {
    answer["error"].as_str().unwrap_or("no answer").trim().to_owned()
}

impl Peer for Script {
    fn name(&self) -> &'static str {
        self.name
    }

    fn version(&self) -> Result<String> {
        let mut command = Command::new(self.interpreter);
        let version = printed(command.args(self.print_version).current_dir(workspace::root()))?;
        ensure!(!version.is_empty(), "it tells no version");
        Ok(version)
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
        let messages: Vec<&[u8]> = messages.iter().map(Vec::as_slice).collect();
        self.start()?.verify(&messages, records)
    }

    fn sign(
        &self,
        messages: &[Vec<u8>],
        algorithm: Algorithm,
        form: &'static str,
    ) -> Result<Vec<Answer<Vec<u8>>>> {
        let fields = SIGNED_FIELDS.map(str::to_owned).to_vec();
        let order = |message: &Vec<u8>| Order {
            message: message.clone(),
            algorithm,
            form,
            fields: fields.clone(),
            length: false,
        };
        self.start()?.sign(&messages.iter().map(order).collect::<Vec<_>>())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn script(interpreter: &'static str, run: &'static [&'static str]) -> Script {
        Script { interpreter, run, ..mail_auth() }
    }

    /// What comes after it is not held up: it ends, be its child as patient as it likes.
    #[test]
    fn who_does_not_answer_is_given_up() {
        let mut silent = script("sleep", &["100000"]).start().unwrap();
        silent.patience = Duration::from_millis(10);
        let error = silent.verify(&[b"From: joe@example.com"], &BTreeMap::new()).unwrap_err();
        assert!(error.to_string().contains("mail-auth: no answer within"), "{error:#}");
        assert!(!silent.child.wait().unwrap().success());
    }

    #[test]
    fn who_ends_has_not_answered() {
        let mut short = script("true", &[]).start().unwrap();
        let messages: [&[u8]; 2] = [b"From: joe@example.com"; 2];
        let error = short.verify(&messages, &BTreeMap::new()).unwrap_err();
        assert!(error.to_string().contains("0 answers to 2 jobs"), "{error:#}");
    }
}
