//! A rotation with time compressed, whose steps are killed at any moment: whatever is signed at any
//! time verifies then, and for as long as it may be on its way.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::server::{Server, ZONE};
use super::{Dkim, Ended, Tally, text};

/// Mail may be on its way for so long, in the plan.
const MESSAGE_LIFE: Duration = Duration::from_secs(3);

/// Clocks of the state count seconds.
const CLOCK: Duration = Duration::from_secs(1);

/// The selectors whose whole life is looked at.
const LIVES: usize = 2;

/// No rotation takes that long.
const PATIENCE: Duration = Duration::from_secs(300);

pub(super) fn run(dkim: &Dkim, server: &Server) -> Result<usize> {
    let directory = tempfile::tempdir()?;
    let desk = Desk::new(dkim, server, directory.path())?;
    let mut tally = Tally::default();
    let mut kills: BTreeMap<String, usize> = BTreeMap::new();
    let mut steps = 0;
    let mut mail: Vec<(Instant, Vec<u8>)> = Vec::new();
    let mut lives: Vec<String> = Vec::new();
    let begun = Instant::now();
    // Each step is killed later and later, until it comes to its end.
    let mut delay = Duration::ZERO;
    while desk.count("removed")? < LIVES {
        if begun.elapsed() > PATIENCE {
            bail!("the rotation does not come to its end:\n{}", desk.status()?.out);
        }
        if tally.wrong > 0 {
            bail!("stopped; the rotation stands here:\n{}", desk.status()?.out);
        }
        let before = desk.status()?.out;
        steps += 1;
        match desk.step(delay)? {
            Step::Killed => {
                *kills.entry(desk.phase()?).or_default() += 1;
                delay += Duration::from_millis(3);
            }
            Step::Ended(ended) => {
                tally.expect("a step is taken", ended.code == Some(0), &ended);
                delay = Duration::ZERO;
                // It waits for a time to come.
                if before == desk.status()?.out {
                    thread::sleep(Duration::from_millis(200));
                }
            }
        }
        // Now, and as long as it may be on its way.
        if let Some(message) = desk.sign(&mut tally)? {
            mail.push((Instant::now(), message));
        }
        mail.retain(|(sent, _)| sent.elapsed() < MESSAGE_LIFE - CLOCK);
        if let Some((_, oldest)) = mail.first() {
            desk.verify(oldest, "mail that is on its way", &mut tally)?;
        }
        if let Some((_, newest)) = mail.last() {
            let selector = desk.verify(newest, "mail that was just signed", &mut tally)?;
            if lives.last() != Some(&selector) {
                lives.push(selector);
            }
        }
    }
    let told: Vec<String> = kills.iter().map(|(phase, count)| format!("{phase} {count}")).collect();
    println!("  killed while the newest key was: {}", told.join(", "));
    let files: Vec<String> = fs::read_dir(directory.path())?
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect::<Result<_>>()?;
    let first = format!("k1._domainkey.{ZONE}");
    let status = desk.status()?;
    tally.expect(
        "the file of the first key is gone",
        !files.contains(&format!("{first}.pem")),
        &status,
    );
    let is_left = |name: &&String| name.starts_with('.') || name.ends_with(".new");
    let left: Vec<&String> = files.iter().filter(is_left).collect();
    // The key file under way, at most, when the last step was killed.
    tally.expect(&format!("nothing is left lying about: {left:?}"), left.len() <= 1, &status);
    let test = ["key", "test", "--domain", ZONE, "--selector", "k1", "--json", "--dns"];
    let ended = dkim.run(&[&test[..], &[&server.address.to_string()]].concat())?;
    tally.expect("its record, too", ended.out.contains("no-record"), &ended);
    tally.expect("keys follow one another", lives.len() > LIVES, &status);
    println!(
        "  rotation          {} right, {} wrong; {steps} steps, {} killed; {} signed",
        tally.right,
        tally.wrong,
        kills.values().sum::<usize>(),
        lives.join(", ")
    );
    Ok(tally.wrong)
}

/// What became of a step.
enum Step {
    Killed,
    Ended(Ended),
}

/// A signer's desk: a configuration, and what is done with it.
struct Desk<'d> {
    dkim: &'d Dkim,
    config: String,
    message: String,
    server: String,
}

impl<'d> Desk<'d> {
    fn new(dkim: &'d Dkim, server: &Server, directory: &Path) -> Result<Self> {
        let config = directory.join("config.toml");
        let (tsig, address) = (server.path("update.key"), server.address);
        let life = MESSAGE_LIFE.as_secs();
        let text_of_config = format!(
            "[rotation]\nserver = '{address}'\nservers = ['{address}']\ntsig = '{}'\n\
             hook = ['true']\n\n\
             [keys.main]\ndomain = '{ZONE}'\nrotate = {{ kind = 'ed25519', \
             selector = 'k{{counter}}', every = 3, ttl = 1, negative-ttl = 1, \
             message-life = {life}, revoked-for = 1 }}\n\n\
             [[rules]]\nfrom = ['*@{ZONE}']\nkeys = ['main']\n",
            tsig.display()
        );
        fs::write(&config, text_of_config)?;
        let message = directory.join("message.eml");
        fs::write(&message, format!("From: joe@{ZONE}\r\nSubject: s\r\n\r\nHi.\r\n"))?;
        let (config, message) = (text(&config)?.to_owned(), text(&message)?.to_owned());
        Ok(Self { dkim, config, message, server: address.to_string() })
    }

    fn status(&self) -> Result<Ended> {
        self.dkim.run(&["rotate", "status", "--history", "--json", "--config", &self.config])
    }

    /// The phases of all keys, oldest first.
    fn phases(&self) -> Result<Vec<String>> {
        let status: Value = serde_json::from_str(&self.status()?.out)?;
        let keys = status["keys"].as_array().context("no keys")?;
        let phase = |key: &Value| Some(key["phase"].as_str()?.to_owned());
        keys.iter().map(|key| phase(key).context("no phase")).collect()
    }

    fn count(&self, phase: &str) -> Result<usize> {
        Ok(self.phases()?.iter().filter(|other| *other == phase).count())
    }

    fn phase(&self) -> Result<String> {
        Ok(self.phases()?.pop().unwrap_or_else(|| "not there".to_owned()))
    }

    /// Begins a step, and kills it after this time unless it has ended.
    fn step(&self, after: Duration) -> Result<Step> {
        let mut command = self.dkim.command(&["rotate", "step", "--config", &self.config]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        thread::sleep(after);
        // It may have ended.
        let _ = child.kill();
        let output = child.wait_with_output()?;
        Ok(match output.status.code() {
            Some(_) => Step::Ended(Ended::from(output)),
            None => Step::Killed,
        })
    }

    /// A signed message, once a key signs.
    fn sign(&self, tally: &mut Tally) -> Result<Option<Vec<u8>>> {
        let output =
            self.dkim.command(&["sign", "--config", &self.config, &self.message]).output()?;
        if output.status.success() {
            return Ok(Some(output.stdout));
        }
        let ended = Ended::from(output);
        let is_too_early = ended.err.contains("signs for none") && self.count("active")? == 0;
        tally.expect("the key that is to sign signs", is_too_early, &ended);
        Ok(None)
    }

    /// The selector of a message that verifies.
    fn verify(&self, message: &[u8], what: &str, tally: &mut Tally) -> Result<String> {
        let file = tempfile::NamedTempFile::new()?;
        fs::write(file.path(), message)?;
        let file = text(file.path())?;
        let ended = self.dkim.run(&["verify", "--json", "--dns", &self.server, file])?;
        tally.expect(what, ended.code == Some(0), &ended);
        let found: Value = serde_json::from_str(&ended.out)?;
        let selector = found["signatures"][0]["selector"].as_str();
        Ok(selector.context("no selector")?.to_owned())
    }
}
