//! A server of our own: in a temporary directory, on a port of the loopback interface.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

/// The zone that may be updated.
pub(super) const ZONE: &str = "example.com";

/// A running server; it ends when this is dropped.
pub(super) struct Server {
    directory: TempDir,
    child: Child,
    pub(super) address: SocketAddr,
}

impl Server {
    /// With these entries beside what every zone has.
    pub(super) fn start(entries: &str) -> Result<Self> {
        Self::configured(ZONE, |directory, port| configure(directory, port, entries))
    }

    /// With what is put into its directory, and the configuration returned; it is to have loaded this
    /// zone, if one is named.
    pub(super) fn configured(
        zone: &str,
        configure: impl FnOnce(&Path, u16) -> Result<String>,
    ) -> Result<Self> {
        let directory = tempfile::tempdir()?;
        let address = free_address()?;
        let configuration = configure(directory.path(), address.port())?;
        fs::write(directory.path().join("named.conf"), configuration)?;
        let log = File::create(directory.path().join("log"))?;
        let child = Command::new("named")
            .args(["-4", "-f", "-g", "-c"])
            .arg(directory.path().join("named.conf"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .context("cannot start named")?;
        let mut server = Self { directory, child, address };
        server.wait(zone)?;
        Ok(server)
    }

    fn wait(&mut self, zone: &str) -> Result<()> {
        let end = Instant::now() + Duration::from_secs(10);
        while Instant::now() < end && self.child.try_wait()?.is_none() {
            // It listens before it has loaded its zones.
            let log = fs::read_to_string(self.path("log"))?;
            if log.lines().any(|line| line.ends_with(" running")) {
                if !zone.is_empty() && !log.contains(&format!("zone {zone}/IN: loaded")) {
                    break;
                }
                TcpStream::connect(self.address)?;
                return Ok(());
            }
            thread::sleep(Duration::from_millis(20));
        }
        bail!("named does not start:\n{}", fs::read_to_string(self.path("log"))?)
    }

    /// A file in its directory.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A zone that may be updated, the keys to do it, and these entries beside what every zone has.
fn configure(directory: &Path, port: u16, entries: &str) -> Result<String> {
    let here = directory.display().to_string();
    let secret = || -> String {
        dkim_tags::value::to_base64(&(0..32).map(|_| fastrand::u8(..)).collect::<Vec<u8>>())
    };
    let key = |name: &str, secret: &str| {
        format!("key \"{name}\" {{\n\talgorithm hmac-sha256;\n\tsecret \"{secret}\";\n}};\n")
    };
    let mut keys = String::new();
    // The one that may update; one that may not; the first with another secret; and one that
    // the server does not know.
    for (file, name, is_known) in [
        ("update.key", "update", true),
        ("guest.key", "guest", true),
        ("forged.key", "update", false),
        ("stranger.key", "stranger", false),
    ] {
        let key = key(name, &secret());
        fs::write(directory.join(file), &key)?;
        if is_known {
            keys.push_str(&key);
        }
    }
    let mut configuration = keys;
    writeln!(
        configuration,
        "options {{\n directory \"{here}\"; pid-file \"{here}/pid\"; session-keyfile none;\n \
             listen-on port {port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};\n \
             recursion no; dnssec-validation no; allow-transfer {{ none; }}; notify no;\n}};\n\
             controls {{ }};\n\
             zone \"{ZONE}\" {{ type primary; file \"zone\"; \
             update-policy {{ grant update zonesub TXT; }}; }};\n\
             zone \"broken.{ZONE}\" {{ type primary; file \"not-there\"; }};"
    )?;
    fs::write(
        directory.join("zone"),
        format!(
            "$ORIGIN {ZONE}.\n$TTL 1\n@ IN SOA ns hostmaster 1 3600 600 86400 1\n\
                 @ IN NS ns\nns IN A 127.0.0.1\n{entries}"
        ),
    )?;
    Ok(configuration)
}

/// An address at which neither TCP nor UDP is in use.
fn free_address() -> Result<SocketAddr> {
    for _ in 0..100 {
        let tcp = TcpListener::bind("127.0.0.1:0")?;
        let address = tcp.local_addr()?;
        if UdpSocket::bind(address).is_ok() {
            return Ok(address);
        }
    }
    bail!("no free port")
}
