//! `dkim agent`: holds the private keys, and signs for those who hold none.

mod host;
mod keys;
mod list;
mod remote;
mod socket;
mod user;

use std::io;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use tokio::net::UnixListener;
use tokio::runtime::Builder;
use tokio::signal::unix::{Signal, SignalKind, signal};

use self::host::{Host, Limits};
use self::keys::Keys;
pub(crate) use self::remote::{configured_key, remote_key};
use self::socket::Socket;
use crate::diagnostics::{Failure, note};
use crate::exit::{self, Exit};
use crate::key::{Owner, parse_group, parse_owner};
use crate::runtime;

/// Hold the private keys, and sign for programs that hold none
///
/// The program that handles mail talks to the world and is attacked first. With an agent it has no
/// key to lose: `dkim sign --agent SOCKET` hands over what is to be signed and is given a signature.
/// The agent reads the configuration and the keys once, when it starts and at SIGHUP, and ends at
/// SIGTERM or Ctrl-C, when all that was asked is answered. Keys that change (`dkim rotate`) it comes
/// to know by itself: the next one is at hand once it is proven, and when it is asked for a key that
/// it does not know it looks again, once a second at most, where keys stand. It stays in the foreground and says on
/// standard error what goes wrong, and never anything of a key.
///
/// It signs nothing but DKIM-Signatures that name one of its keys, and for nobody but the user it
/// runs as and each --allow-user, as the kernel tells who asks. Whoever else comes is refused
/// unheard.
#[derive(Debug, Args)]
#[command(after_long_help = help())]
pub(crate) struct Agent {
    /// The keys: all that a rule of this configuration names; `dkim config --help` shows how it is
    /// written
    ///
    /// A key for authors of any domain (`domain = "%"`) signs for those that a rule names, and for
    /// those that have a file (`file = "%.pem"`).
    #[arg(long, value_name = "FILE", required_unless_present = "list")]
    config: Option<PathBuf>,

    /// Where to listen
    ///
    /// Mode 0600, or 0660 with --group. A socket at which nobody listens any more is replaced, and
    /// nothing else is. The directory should be one in which only the agent can write.
    #[arg(long, value_name = "PATH")]
    socket: PathBuf,

    /// Sign for this user, too, by name or number; may be given several times
    #[arg(long, value_name = "USER", value_parser = parse_owner)]
    allow_user: Vec<Owner>,

    /// Let this group open the socket, by name or number: the users for whom is signed must be in
    /// it, and the one that the agent runs as
    #[arg(long, value_name = "GROUP", value_parser = parse_group)]
    group: Option<u32>,

    /// Become this user once keys and socket are there; for that, start as root
    ///
    /// Where the system starts the agent as its user, as systemd does, there is no need.
    #[arg(long, value_name = "USER[:GROUP]", value_parser = parse_owner)]
    user: Option<Owner>,

    /// How long to wait for a request, in seconds, and for somebody to take the answer
    #[arg(long, value_name = "SECONDS", default_value_t = 10,
          value_parser = clap::value_parser!(u64).range(1..=3600))]
    timeout: u64,

    /// Start no agent: ask the one at the socket which keys it has
    #[arg(long, conflicts_with_all = ["config", "allow_user", "group", "user"])]
    list: bool,

    /// With --list, write one JSON object a key, on one line: schema, domain, selector, algorithm,
    /// key_bits, name, record (its text)
    #[arg(long, requires = "list")]
    json: bool,
}

fn help() -> String {
    const EXAMPLES: &str = "\
Examples:
  dkim agent --config /etc/dkim/config.toml --socket /run/dkim/agent.sock \\
      --group dkim --allow-user filter
  dkim agent --list --socket /run/dkim/agent.sock
  dkim sign --agent /run/dkim/agent.sock --config /etc/dkim/config.toml \\
      message.eml
  dkim sign --agent /run/dkim/agent.sock --domain example.com --selector s1 \\
      message.eml

A unit for systemd, /etc/systemd/system/dkim-agent.service:
  [Unit]
  Description=Keeper of the DKIM keys

  [Service]
  User=dkim-agent
  Group=dkim-agent
  SupplementaryGroups=dkim
  RuntimeDirectory=dkim
  RuntimeDirectoryMode=0755
  ExecStart=/usr/bin/dkim agent --config /etc/dkim/config.toml \\
      --socket /run/dkim/agent.sock --group dkim --allow-user filter
  ExecReload=/bin/kill -HUP $MAINPID
  Restart=always
  UMask=0077
  NoNewPrivileges=yes
  PrivateNetwork=yes
  PrivateDevices=yes
  ProtectSystem=strict
  ProtectHome=yes
  RestrictAddressFamilies=AF_UNIX
  SystemCallFilter=@system-service
  MemoryDenyWriteExecute=yes
  LimitCORE=0

  [Install]
  WantedBy=multi-user.target

The keys belong to dkim-agent, mode 0600; the configuration may be read by all. The user filter, as
which mail is handled, is in the group dkim.

Keys that change: let `owner` in [rotation] be dkim-agent, and the hook `systemctl reload
dkim-agent`. Before another key signs, the agent has it: it reads where keys stand from the file
beside the configuration, as the user that it runs as. SIGHUP makes it let go of old keys: let the
hook tell those who sign before it tells the agent.
";
    [EXAMPLES, &exit::help()].join("\n")
}

/// How many may be heard at once; others wait until it is their turn.
const MAX_CONNECTIONS: usize = 64;

impl Agent {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        match &self.config {
            Some(config) => self.keep(config),
            None => list::list(&self.socket, Duration::from_secs(self.timeout), self.json),
        }
    }

    fn keep(&self, config: &Path) -> Result<Exit, Failure> {
        // Before there is a key that others could look at.
        user::hide().map_err(|error| Failure::of(Exit::NoInput, &error))?;
        let failed = |error| Failure::new(Exit::Temporary, format!("cannot listen: {error}"));
        let mut hangup = outlive_hangups().map_err(failed)?;
        let keys = Keys::read_some(config)?;
        let ring = keys.ring();
        let count = ring.len();
        let own = match self.user {
            Some(user) => user.numbers().0,
            None => rustix::process::geteuid().as_raw(),
        };
        let mut users: Vec<u32> = self.allow_user.iter().map(|user| user.numbers().0).collect();
        if self.group.is_none() && users.iter().any(|user| *user != own && *user != 0) {
            let what = "nobody but its owner can open the socket, and others are allowed to ask";
            return Err(Failure::new(Exit::Usage, what)
                .remedy("name a group that they are all in with --group"));
        }
        users.push(own);
        let socket = Socket::bind(&self.socket, self.user, self.group)
            .map_err(|failure| failure.on(self.socket.display()))?;
        if let Some(owner) = self.user {
            user::become_user(owner)?;
        }
        let limits =
            Limits { connections: MAX_CONNECTIONS, patience: Duration::from_secs(self.timeout) };
        let name = self.socket.display().to_string();
        let may_ask = move |user| users.contains(&user);
        let host = Host::new(name.clone(), ring, Box::new(keys), Box::new(may_ask), limits);
        let host = Arc::new(host);

        let runtime = runtime::of_threads(usize::MAX)?;
        let served = runtime.block_on(async {
            let mut terminate = signal(SignalKind::terminate())?;
            let mut interrupt = signal(SignalKind::interrupt())?;
            let listener = UnixListener::from_std(socket.listener()?)?;
            let again = async {
                while hangup.recv().await.is_some() {
                    read_again(config, &host).await;
                }
            };
            let end = async {
                tokio::select! {
                    _ = terminate.recv() => {}
                    _ = interrupt.recv() => {}
                    () = again => {}
                }
            };
            let s = if count == 1 { "" } else { "s" };
            note(&name, format_args!("listening, with {count} key{s}"));
            host.serve(listener, pin!(end), || socket.remove()).await;
            Ok(())
        });
        served.map_err(failed)?;
        Ok(Exit::Success)
    }
}

/// From here on SIGHUP ends nothing: a rotation may change keys while an agent starts. One that comes
/// before anybody listens is heard by whoever listens to what this returns, in whatever runtime. This
/// one has no threads, which would stay the user that the agent is to be no longer.
fn outlive_hangups() -> io::Result<Signal> {
    let runtime = Builder::new_current_thread().enable_io().build()?;
    runtime.block_on(async { signal(SignalKind::hangup()) })
}

/// Takes the keys as they are now; if they cannot be read, those from before stay.
async fn read_again(config: &Path, host: &Host) {
    match host.reload().await {
        Ok(count) => {
            let s = if count == 1 { "" } else { "s" };
            note(config.display(), format_args!("read again, {count} key{s}"));
        }
        Err(failure) => {
            failure.tell();
            note(config.display(), "not read again: the keys from before stay");
        }
    }
}
