//! `dkim key test`: what the DNS says of keys, held against what usually goes wrong.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use clap::Args;
use dkim_keys::{
    FileAudit, FileFault, FileRules, Finding, KeyTest, RecordFault, Signatory, Tested, loop_back,
};
use dkim_stack::dns::{Dnssec, TrustAnchors, drive_blocking};
use dkim_stack::keyrec::record_name;
use dkim_stack::{Auid, DomainName, Outcome, Selector, SigningKey, now};
use serde::Serialize;

use crate::config::ConfigFile;
use crate::diagnostics::Failure;
use crate::dns::{self, Dns, DnsArgs};
use crate::exit::{self, Exit};
use crate::findings::{self, FailOn};
use crate::json;
use crate::key_file;
use crate::printable::printable;
use crate::provider::provider;

/// Test what is published of a key
///
/// Asks the DNS as a verifier would, names whatever usually goes wrong, compares the record with the
/// private key if it is given, and then signs a message and verifies it.
///
/// Answers of name servers are validated with DNSSEC, here, from the keys of the root zone down:
/// secure, insecure (not signed, as the zone above says), bogus, or unknown, where the server asked
/// does not have what that takes, as one that answers for its own zones only. Who is on the way to
/// that server can make an answer unknown, and insecure below a zone that lists signed delegations
/// only; secure is proof.
#[derive(Debug, Args)]
#[command(after_long_help = help())]
pub(super) struct Test {
    /// The domain that signs
    #[arg(long, value_name = "D", value_parser = DomainName::parse, required_unless_present_any = ["keys", "config"])]
    domain: Option<DomainName>,

    /// The selector: the record stands at S._domainkey.D
    #[arg(long, value_name = "S", value_parser = Selector::parse, required_unless_present_any = ["keys", "config"])]
    selector: Option<Selector>,

    /// The file with the private key, to be compared with the record
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,

    /// Test all keys of this directory whose files tell for whom they sign
    ///
    /// S._domainkey.D.pem as `dkim key new` names them, or D/S.private.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["domain", "selector", "key"])]
    keys: Option<PathBuf>,

    /// Test all keys that may sign by this configuration
    #[arg(long, value_name = "FILE", conflicts_with_all = ["domain", "selector", "key", "keys"])]
    config: Option<PathBuf>,

    #[command(flatten)]
    dns: DnsArgs,

    /// Ask each authoritative name server of the domain for itself
    #[arg(long, conflicts_with_all = ["zone", "dns"])]
    all_servers: bool,

    /// Begin DNSSEC validation at the DS or DNSKEY records of this file, not at the root zone's keys
    ///
    /// As they stand in a master file: what `dnssec-keygen` and `dnssec-signzone` write. With those of
    /// the domain's own zone, its name servers can be asked, too. Names that no record in the file is
    /// above are of unknown state.
    #[arg(long, value_name = "FILE", conflicts_with = "zone")]
    trust_anchor: Option<PathBuf>,

    #[command(flatten)]
    fail_on: FailOn,

    /// Write JSON, one object a key and server, on one line
    #[arg(long)]
    json: bool,
}

fn help() -> String {
    const EXAMPLES: &str = "\
Examples:
  dkim key test --domain example.com --selector s2024
  dkim key test --domain example.com --selector s2024 --key s2024.pem \\
      --all-servers
  # each server for itself
  dkim key test --keys /etc/dkim --dns 192.0.2.53 --dns 192.0.2.54
  dkim key test --config /etc/dkim/config.toml
  # before publishing
  dkim key test --domain example.com --selector s2024 --zone example.com.zone
  dkim key test --domain example.com --selector s2024 --all-servers \\
      --trust-anchor example.ds

JSON, one object a key and server (null where there is no value):
  schema                1; raised when a change breaks readers
  name, domain, selector
  server                the server asked, if one was named
  record                the text of the record; null if it holds the private key
  key_type, key_bits    of the key published
  ttl                   in seconds
  aliases               the CNAME targets on the way
  dnssec                secure, insecure, bogus or unknown
  loop_back             result for a message signed with the private key (RFC 8601)
  right                 whether nothing was found that counts (--fail-on)
";
    [EXAMPLES, findings::JSON_HELP, "\n", &exit::help()].concat()
}

/// A key to be tested.
struct Subject {
    selector: Selector,
    domain: DomainName,
    key: Option<Arc<dyn SigningKey>>,
    /// `i=` of what is signed with it; none, where nobody says.
    identities: Vec<Auid>,
}

#[derive(Serialize)]
struct Json<'t> {
    schema: u32,
    name: &'t str,
    domain: &'t str,
    selector: &'t str,
    server: Option<SocketAddr>,
    record: Option<String>,
    key_type: Option<&'static str>,
    key_bits: Option<u32>,
    ttl: Option<u64>,
    aliases: &'t [String],
    dnssec: &'static str,
    loop_back: Option<&'static str>,
    right: bool,
    findings: Vec<findings::Json<'t>>,
}

impl Test {
    pub(super) fn run(self) -> Result<Exit, Failure> {
        let mut exit = Exit::Success;
        let mut out = io::BufWriter::new(anstream::stdout().lock());
        let anchors = match &self.trust_anchor {
            Some(file) => dns::trust_anchors(file)?,
            None => TrustAnchors::root(),
        };
        // A zone file may be a pipe, and is read once.
        let validating =
            |asked: DnsArgs| Ok((asked.server(), Dns::validating(&asked, anchors.clone())?));
        let asked = self.dns.each().into_iter().map(validating);
        let asked: Vec<_> = match self.all_servers {
            true => Vec::new(),
            false => asked.collect::<Result<_, Failure>>()?,
        };
        let (subjects, unusable) = self.subjects()?;
        exit = exit.max(unusable);
        for subject in subjects {
            let own: Vec<_> = match self.all_servers {
                true => self
                    .servers(&subject)?
                    .into_iter()
                    .map(validating)
                    .collect::<Result<_, Failure>>()?,
                false => Vec::new(),
            };
            for (server, dns) in asked.iter().chain(&own) {
                let one = self.test(&subject, dns, *server);
                exit = exit.max(one.exit);
                let written = if self.json {
                    json::line(&mut out, &one.json(&subject))
                } else {
                    one.write(&mut out)
                };
                written.map_err(|error| Failure::output(&error))?;
            }
        }
        out.flush().map_err(|error| Failure::output(&error))?;
        Ok(exit)
    }

    /// What is tested, and how badly it went with keys that cannot be used: they are told.
    fn subjects(&self) -> Result<(Vec<Subject>, Exit), Failure> {
        match (&self.config, &self.keys) {
            (Some(config), _) => configured(config),
            (None, Some(directory)) => in_directory(directory),
            (None, None) => {
                // The command line has them both.
                let named = self.domain.clone().zip(self.selector.clone());
                let key = self.key.as_deref().map(key_file::read).transpose()?;
                let subject =
                    |(domain, selector)| Subject { selector, domain, key, identities: Vec::new() };
                Ok((named.map(subject).into_iter().collect(), Exit::Success))
            }
        }
    }

    /// The authoritative name servers.
    fn servers(&self, subject: &Subject) -> Result<Vec<DnsArgs>, Failure> {
        let name = record_name(&subject.selector, &subject.domain);
        let servers = Dns::new(&self.dns)?.authoritative(&name)?;
        if servers.is_empty() {
            return Err(Failure::new(Exit::Temporary, "no name server of it was found").on(name));
        }
        Ok(servers.into_iter().map(DnsArgs::of_server).collect())
    }

    fn test(&self, subject: &Subject, dns: &Dns, server: Option<SocketAddr>) -> One {
        let Subject { selector, domain, key, identities } = subject;
        let expected = key.as_ref().map(|key| key.public_key().clone());
        let mut test = KeyTest::new(selector, domain, expected);
        drive_blocking(&mut test, dns);
        let mut tested = test.finish();
        let mut result = None;
        if let Some(key) = key {
            // Where there is no record, or none to go by, that has been said.
            let is_usable =
                tested.found.as_ref().is_some_and(|found| found.dnssec != Dnssec::Bogus);
            let unsaid = identities.is_empty().then_some(None);
            for identity in identities.iter().map(Some).chain(unsaid) {
                let place = (selector, domain);
                let with = identity.map_or_else(String::new, |auid| format!(" with i={auid}"));
                match loop_back(&**key, place, identity, now(), provider(), dns) {
                    Ok(outcome) => {
                        if result.is_none() || outcome != Outcome::Pass {
                            result = Some(outcome.result().name());
                        }
                        if outcome != Outcome::Pass && is_usable {
                            let outcome = format!("{}: {outcome}{with}", outcome.result());
                            tested.faults.push(RecordFault::LoopBack { outcome });
                        }
                    }
                    Err(error) => {
                        let outcome = format!("{error}{with}");
                        tested.faults.push(RecordFault::LoopBack { outcome });
                    }
                }
            }
        }
        tested.faults.sort_by_key(RecordFault::severity);
        let findings: Vec<Finding> = tested.findings().collect();
        let for_now = tested.faults.iter().any(RecordFault::is_temporary);
        let exit = match self.fail_on.exit(&findings) {
            Exit::NonePasses if for_now => Exit::Temporary,
            exit => exit,
        };
        One { tested, server, loop_back: result, findings, exit }
    }
}

/// The keys of a directory whose files tell for whom they sign.
fn in_directory(directory: &Path) -> Result<(Vec<Subject>, Exit), Failure> {
    let unreadable = |error| Failure::new(Exit::NoInput, error).on(directory.display());
    let rules = FileRules::new(Vec::new(), SystemTime::now());
    let mut audit = FileAudit::new(&rules, provider());
    audit.directory(directory).map_err(unreadable)?;
    let found = audit.finish();
    let unreadable = FileFault::Unreadable { why: String::new() };
    let mut exit = Exit::Success;
    for finding in found.unusable() {
        let is_unreadable = finding.code == unreadable.code();
        let exit_of = if is_unreadable { Exit::NoInput } else { Exit::Data };
        let failure = Failure::new(exit_of, &finding.cause);
        let failure = failure.on(&finding.subject).remedy(&finding.remedy);
        failure.tell();
        exit = exit.max(failure.exit);
    }
    let named = found.keys.into_iter().filter_map(|file| {
        let (selector, domain) = file.signs_for?;
        Some((Subject { selector, domain, key: None, identities: Vec::new() }, file.path))
    });
    let (subjects, failed) = with_keys(named)?;
    if subjects.is_empty() && exit.max(failed) == Exit::Success {
        return Err(Failure::new(Exit::Data, "no key here tells for whom it signs")
            .on(directory.display())
            .remedy("name files S._domainkey.D.pem, or give --domain, --selector and --key"));
    }
    Ok((subjects, exit.max(failed)))
}

/// Who may sign by a configuration.
fn configured(path: &Path) -> Result<(Vec<Subject>, Exit), Failure> {
    let file = ConfigFile::read(path)?;
    let signatories = file.config.signatories(&file.directory).map_err(|error| {
        Failure::of(Exit::Data, &error)
            .on(path.display())
            .remedy("`dkim config check` tells more; or test one key, with --domain and --selector")
    })?;
    if signatories.is_empty() {
        return Err(Failure::new(Exit::Data, "no key signs by it").on(path.display()));
    }
    with_keys(signatories.into_iter().map(
        |Signatory { selector, domain, file, identities, .. }| {
            (Subject { selector, domain, key: None, identities }, file)
        },
    ))
}

/// With the keys in these files; one that cannot be read is told, and keeps no other from its test.
fn with_keys(
    files: impl Iterator<Item = (Subject, PathBuf)>,
) -> Result<(Vec<Subject>, Exit), Failure> {
    let (mut subjects, mut exit) = (Vec::new(), Exit::Success);
    for (subject, file) in files {
        match key_file::read(&file) {
            Ok(key) => subjects.push(Subject { key: Some(key), ..subject }),
            Err(failure) => {
                failure.tell();
                exit = exit.max(failure.exit);
            }
        }
    }
    Ok((subjects, exit))
}

/// What one server says of one key.
struct One {
    tested: Tested,
    server: Option<SocketAddr>,
    loop_back: Option<&'static str>,
    findings: Vec<Finding>,
    exit: Exit,
}

impl One {
    /// The text of the record, unless somebody published a private key.
    fn text(&self) -> Option<String> {
        if self.tested.faults.contains(&RecordFault::PrivateKey) {
            return None;
        }
        self.tested.text().map(|text| String::from_utf8_lossy(&text).into_owned())
    }

    fn json<'t>(&'t self, subject: &'t Subject) -> Json<'t> {
        let key = self.tested.record().and_then(|record| record.key);
        let found = self.tested.found.as_ref();
        Json {
            schema: json::SCHEMA,
            name: &self.tested.name,
            domain: subject.domain.as_str(),
            selector: subject.selector.as_str(),
            server: self.server,
            record: self.text(),
            key_type: key.as_ref().map(|key| key.key_type().name()),
            key_bits: key.as_ref().map(|key| key.bits()),
            ttl: found.map(|found| found.ttl.as_secs()),
            aliases: found.map_or(&[], |found| &found.chain),
            dnssec: match &self.tested.found {
                Some(found) => dnssec(found.dnssec),
                None if self.tested.faults.contains(&RecordFault::Bogus) => dnssec(Dnssec::Bogus),
                None => dnssec(Dnssec::Unknown),
            },
            loop_back: self.loop_back,
            right: self.exit == Exit::Success,
            findings: self.findings.iter().map(findings::Json::from).collect(),
        }
    }

    fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let bold = anstyle::Style::new().bold();
        write!(out, "{bold}{}{bold:#}", printable(&self.tested.name))?;
        match self.server {
            Some(server) => writeln!(out, " (asked {server})")?,
            None => writeln!(out)?,
        }
        let mut line =
            |label: &str, value: &str| writeln!(out, "  {label:<13} {}", printable(value));
        if let Some(key) = self.tested.record().and_then(|record| record.key) {
            line("key", &format!("{}, {} bits", key.key_type(), key.bits()))?;
        }
        if let Some(found) = &self.tested.found {
            for target in &found.chain {
                line("alias of", target)?;
            }
            line("kept for", &format!("{} seconds", found.ttl.as_secs()))?;
            if found.dnssec != Dnssec::Unknown {
                line("DNSSEC", dnssec(found.dnssec))?;
            }
        }
        if let Some(result) = self.loop_back {
            line("test message", result)?;
        }
        if self.findings.is_empty() {
            writeln!(out, "  nothing is wrong")?;
        }
        findings::write(out, &self.findings)
    }
}

const fn dnssec(state: Dnssec) -> &'static str {
    match state {
        Dnssec::Secure => "secure",
        Dnssec::Insecure => "insecure",
        Dnssec::Bogus => "bogus",
        _ => "unknown",
    }
}
