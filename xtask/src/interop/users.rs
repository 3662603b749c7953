//! An agent and users of all kinds: who may ask is told by the kernel, and only the superuser can be
//! several.

use std::fs::{self, Permissions};
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

use super::command::{build, run, said};
use super::peer::Algorithm;
use super::{Bench, DOMAIN};

/// Users and groups that nobody is. The agent is one, another may ask, all but one are in the group.
const AGENT: u32 = 64_001;
const ALLOWED: u32 = 64_002;
const STRANGER: u32 = 64_003;
const GROUP: u32 = 64_010;

/// Whether we can be several.
pub(super) fn is_superuser() -> bool {
    fs::metadata("/proc/self").is_ok_and(|metadata| metadata.uid() == 0)
}

/// Starts an agent that drops to a user, lets others ask it, and returns how much was not as it
/// should be.
pub(super) fn exchange(bench: &Bench) -> Result<usize> {
    let room = Room::new()?;
    let mut agent = room.start()?;
    let (process, mut wrong) = (agent.0.id(), 0);
    let mut hold = |what: &str, holds: bool, why: &str| {
        wrong += usize::from(!holds);
        println!("  {} {what}", if holds { "holds:" } else { "DISAGREES:" });
        if !holds {
            println!("    {why}");
        }
    };
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap_or_default().split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    let own = AGENT.to_string();
    let is_agent = |ids: Vec<String>| ids == [&*own; 4];
    hold("the agent is its user, with no way back", is_agent(line("Uid:")), &status);
    hold("and in its group alone", is_agent(line("Gid:")) && line("Groups:").is_empty(), &status);
    let no_capability = ["CapPrm:", "CapEff:"]
        .iter()
        .all(|name| line(name).iter().all(|mask| mask.bytes().all(|digit| digit == b'0')));
    hold("without any capability", no_capability, &status);

    let socket = fs::metadata(room.path("agent.sock"))?;
    let is = (socket.uid(), socket.gid(), socket.mode() & 0o7777);
    hold("the socket is for its group", is == (AGENT, GROUP, 0o660), &format!("{is:?}"));
    for (what, user, group, code, words) in [
        ("a user who may ask is signed for", ALLOWED, GROUP, 0, ""),
        ("so is the agent's own", AGENT, GROUP, 0, ""),
        ("a strange user is refused", STRANGER, GROUP, 66, "does not sign for this user"),
        ("the superuser, too, unless told", 0, 0, 66, "does not sign for this user"),
        ("who is not in the group comes to a closed door", ALLOWED, ALLOWED, 66, "denied"),
    ] {
        let output = room.sign((user, group), &["--agent", "agent.sock"])?;
        let is_right = output.status.code() == Some(code) && said(&output).contains(words);
        let passes = code != 0 || bench.we_pass(&output.stdout);
        hold(what, is_right && passes, &said(&output));
    }
    let output = room.sign((AGENT, AGENT), &["--key", "key.pem"])?;
    hold("the agent's user cannot read the key", output.status.code() == Some(66), &said(&output));
    let mut cat = Command::new("cat");
    let memory = run(cat.uid(AGENT).gid(AGENT), [format!("/proc/{process}/maps")])?;
    hold("nor look into the agent", memory.stdout.is_empty(), "its memory is open");

    run(&mut Command::new("kill"), [process.to_string()])?;
    let status = agent.0.wait()?;
    hold("it ends in an orderly way", status.code() == Some(0), &status.to_string());
    Ok(wrong)
}

/// A directory that all may look into, with the command in it.
struct Room {
    directory: TempDir,
}

impl Room {
    fn new() -> Result<Self> {
        let room = Self { directory: tempfile::tempdir()? };
        fs::set_permissions(room.directory.path(), Permissions::from_mode(0o755))?;
        // Where it was built it may be out of their reach.
        fs::copy(build("ring")?, room.path("dkim"))?;
        let key = Algorithm::Ed25519;
        fs::write(room.path("key.pem"), key.pem())?;
        fs::set_permissions(room.path("key.pem"), Permissions::from_mode(0o600))?;
        fs::write(room.path("message.eml"), "From: joe@example.com\r\n\r\nHi.\r\n")?;
        let selector = key.selector();
        let config = format!(
            "[keys.k]\ndomain = {DOMAIN:?}\nselector = {selector:?}\nfile = \"key.pem\"\n\
             [[rules]]\nfrom = [\"*\"]\nkeys = [\"k\"]\n"
        );
        fs::write(room.path("config.toml"), config)?;
        for file in ["config.toml", "message.eml"] {
            fs::set_permissions(room.path(file), Permissions::from_mode(0o644))?;
        }
        Ok(room)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn dkim(&self) -> Command {
        let mut command = Command::new(self.path("dkim"));
        command.current_dir(self.directory.path());
        command
    }

    fn start(&self) -> Result<Running> {
        let (user, allowed) = (format!("{AGENT}:{AGENT}"), format!("{ALLOWED}:{ALLOWED}"));
        let mut command = self.dkim();
        command.args(["agent", "--config", "config.toml", "--socket", "agent.sock"]);
        command.args(["--user", &user, "--allow-user", &allowed, "--group", &GROUP.to_string()]);
        let mut agent = Running(command.stderr(Stdio::piped()).spawn()?);
        let said = agent.0.stderr.take().context("it has a standard error")?;
        let mut said = BufReader::new(said);
        let mut line = String::new();
        said.read_line(&mut line)?;
        ensure!(line.contains("listening"), "the agent does not start: {line}");
        // It goes on talking.
        std::thread::spawn(move || std::io::copy(&mut said, &mut std::io::sink()));
        Ok(agent)
    }

    /// Signs as a user and a group, without any other.
    fn sign(&self, (user, group): (u32, u32), more: &[&str]) -> Result<Output> {
        let name = ["sign", "--domain", DOMAIN, "--selector", Algorithm::Ed25519.selector()];
        let mut command = self.dkim();
        command.uid(user).gid(group).args(name).args(more);
        run(&mut command, ["message.eml"])
    }
}

/// A program that ends with us.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
