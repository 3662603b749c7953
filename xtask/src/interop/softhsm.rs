//! Keys in a token of SoftHSM: `dkim sign` signs through PKCS #11, by itself and by an agent, and
//! what it signs verifies.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use anyhow::{Context, Result, bail, ensure};
use tempfile::TempDir;

use super::command::{build, run, said};
use super::messages::MESSAGES;
use super::peer::Algorithm;
use super::{Bench, DOMAIN, FORMS, NOW};
use crate::workspace;

/// Where distributions put the library.
const MODULES: [&str; 5] = [
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib64/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
    "/opt/homebrew/lib/softhsm/libsofthsm2.so",
];
const TOKEN: &str = "dkim test";
const PIN: &str = "87654321";

/// Its version; `None` if it is not installed.
pub(super) fn version() -> Option<String> {
    let output = Command::new("softhsm2-util").arg("--version").output().ok()?;
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

pub(super) const HOW_TO_INSTALL: &str = "apt-get install softhsm2";

/// Makes a token with keys in it, signs with them, and returns how much was not as it should be.
pub(super) fn exchange(bench: &Bench) -> Result<usize> {
    let room = Room::new()?;
    let mut wrong = 0;
    for algorithm in Algorithm::ALL {
        wrong += room.signatures(bench, algorithm)?;
    }
    wrong += room.refusals()?;
    wrong += room.agent(bench)?;
    Ok(wrong)
}

/// A token in a directory of its own, and the command.
struct Room {
    directory: TempDir,
    dkim: PathBuf,
    module: &'static str,
}

impl Room {
    fn new() -> Result<Self> {
        let module = MODULES.into_iter().find(|module| Path::new(module).is_file());
        let module = module.context("the library of SoftHSM is not where it is known to be")?;
        let dkim = build("ring,pkcs11")?;
        let directory = tempfile::tempdir()?;
        let room = Self { directory, dkim, module };
        fs::create_dir(room.path("tokens"))?;
        let tokens = room.path("tokens");
        fs::write(room.path("conf"), format!("directories.tokendir = {}\n", tokens.display()))?;
        fs::write(room.path("pin"), format!("{PIN}\n"))?;
        fs::write(room.path("wrong-pin"), "11111111\n")?;
        let pins = ["--so-pin", "12345678", "--pin", PIN];
        room.utility(&[&["--init-token", "--free", "--label", TOKEN], &pins[..]].concat())?;
        for (algorithm, id) in Algorithm::ALL.into_iter().zip(["01", "02"]) {
            // SoftHSM takes PKCS#8 only.
            let file = workspace::path(match algorithm {
                Algorithm::Rsa => "dkim-testkit/vectors/keys/rsa2048.pem",
                Algorithm::Ed25519 => "dkim-testkit/vectors/keys/ed25519.pem",
            });
            let file = file.to_str().context("a path of UTF-8")?;
            let name = ["--label", algorithm.selector(), "--id", id];
            let import = ["--import", file, "--token", TOKEN, "--pin", PIN];
            room.utility(&[&import[..], &name[..]].concat())?;
        }
        Ok(room)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.env("SOFTHSM2_CONF", self.path("conf"));
        command
    }

    fn utility(&self, arguments: &[&str]) -> Result<Output> {
        let output = run(&mut self.command(Path::new("softhsm2-util")), arguments)?;
        ensure!(output.status.success(), "softhsm2-util {arguments:?}: {}", said(&output));
        Ok(output)
    }

    fn uri(&self, object: &str, pin: &str) -> String {
        let (token, pin) = (TOKEN.replace(' ', "%20"), self.path(pin));
        let query = format!("module-path={}&pin-source=file:{}", self.module, pin.display());
        format!("pkcs11:token={token};object={object}?{query}")
    }

    /// What `dkim sign` makes of a message.
    fn sign(&self, message: &[u8], form: &str, more: &[&str]) -> Result<Output> {
        let file = self.path("message.eml");
        fs::write(&file, message)?;
        let now = NOW.0.to_string();
        let told = ["sign", "--timestamp", &now, "--canon", form];
        let mut command = self.command(&self.dkim);
        command.args(told).args(more);
        run(&mut command, [&file])
    }

    /// All messages in all forms.
    fn signatures(&self, bench: &Bench, algorithm: Algorithm) -> Result<usize> {
        let (uri, selector) = (self.uri(algorithm.selector(), "pin"), algorithm.selector());
        let name = ["--domain", DOMAIN, "--selector", selector, "--key", &uri];
        let (mut wrong, mut all) = (0, 0);
        for form in FORMS {
            for message in MESSAGES {
                all += 1;
                let signed = self.sign(&message.octets(), form, &name)?;
                if let Err(why) = passes(bench, &signed) {
                    wrong += 1;
                    println!(
                        "    DISAGREES: {} {form}, {}: {why}",
                        algorithm.name(),
                        message.title
                    );
                }
            }
        }
        println!("  {:<15} {:<16}  signed there {} of {all}", algorithm.name(), "", all - wrong);
        Ok(wrong)
    }

    /// What is not to be signed, and that no PIN is told.
    fn refusals(&self) -> Result<usize> {
        let mut wrong = 0;
        let unambiguous = self.uri("rsa", "pin").replace(";object=rsa", "");
        let pin_value = format!("{}&pin-value={PIN}", self.uri("rsa", "pin"));
        let no_pin = self.uri("rsa", "pin");
        let no_pin = no_pin.split('&').next().unwrap_or_default();
        // As if it were not plugged in.
        let away = self.uri("rsa", "pin").replace("token=", "token=another%20");
        let refused = [
            (&*self.uri("none", "pin"), 65, "no such private key"),
            (&self.uri("rsa", "none"), 66, "the file with the PIN"),
            (&self.uri("rsa", "wrong-pin"), 65, "PinIncorrect"),
            (&unambiguous, 65, "say more of it"),
            (&pin_value, 65, "a PIN stands in it"),
            (no_pin, 65, "no such private key"),
            (&away, 75, "no such token"),
        ];
        for (uri, code, why) in refused {
            let name = ["--domain", DOMAIN, "--selector", "rsa", "--key", uri];
            let message = b"From: joe@example.com\r\n\r\n";
            let output = self.sign(message, "relaxed/relaxed", &name)?;
            let said = said(&output);
            let is_right = output.status.code() == Some(code) && output.stdout.is_empty();
            if !is_right || !said.contains(why) || said.contains(PIN) {
                wrong += 1;
                println!("    DISAGREES: should be refused with {why:?}: {said}");
            }
        }
        let all = refused.len();
        println!("  {:<15} {:<16}  refused {} of {all}", "what cannot be", "", all - wrong);
        Ok(wrong)
    }

    /// The same keys, with an agent in between.
    fn agent(&self, bench: &Bench) -> Result<usize> {
        let mut config = "[[rules]]\nfrom = [\"*\"]\nkeys = [\"rsa\", \"ed25519\"]\n".to_owned();
        for algorithm in Algorithm::ALL {
            let selector = algorithm.selector();
            let uri = self.uri(selector, "pin");
            config += &format!(
                "[keys.{selector}]\ndomain = {DOMAIN:?}\nselector = {selector:?}\nfile = {uri:?}\n"
            );
        }
        let (file, socket) = (self.path("config.toml"), self.path("agent.sock"));
        fs::write(&file, config)?;
        let file = file.to_str().context("a path of UTF-8")?;
        let socket = socket.to_str().context("a path of UTF-8")?;
        let mut command = self.command(&self.dkim);
        command.args(["agent", "--config", file, "--socket", socket]);
        let mut agent = Running(command.stderr(Stdio::null()).spawn()?);
        agent.wait_for(Path::new(socket))?;
        let told = ["--agent", socket, "--config", file];
        let (mut wrong, mut all) = (0, 0);
        for form in FORMS {
            all += 1;
            let message = b"From: joe@example.com\r\nSubject: a  b\r\n\r\nHi.\r\n";
            let signed = self.sign(message, form, &told)?;
            let count = signed.stdout.windows(16).filter(|field| *field == b"DKIM-Signature: ");
            if let (2, Ok(())) = (count.count(), passes(bench, &signed)) {
                continue;
            }
            wrong += 1;
            println!("    DISAGREES: agent, {form}: {}", said(&signed));
        }
        println!("  {:<15} {:<16}  signed there {} of {all}", "by an agent", "", all - wrong);
        Ok(wrong)
    }
}

/// A program that ends with us.
struct Running(Child);

impl Running {
    fn wait_for(&mut self, path: &Path) -> Result<()> {
        while !path.exists() {
            if let Some(status) = self.0.try_wait()? {
                bail!("the agent does not start: {status}");
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Whether all signatures of a message verify, and none when it is changed.
fn passes(bench: &Bench, signed: &Output) -> Result<(), String> {
    if !signed.status.success() {
        return Err(said(signed));
    }
    let octets = &signed.stdout;
    let found = crate::judge::verify(octets, &bench.zone, NOW);
    let fails = found.iter().find(|found| !found.passes());
    if let Some(fails) = fails {
        return Err(fails.outcome.to_string());
    }
    if found.is_empty() {
        return Err("there is no signature".to_owned());
    }
    let damaged = [octets, &b"One more line.\r\n"[..]].concat();
    match bench.we_pass(&damaged) {
        true => Err("it passes when it is changed, too".to_owned()),
        false => Ok(()),
    }
}
