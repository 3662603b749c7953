//! `dkim key publish` and `dkim key withdraw`: key records put into a zone, and taken out of it.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use dkim_keys::Publication;
use dkim_stack::crypto::PublicKey;
use dkim_stack::dns::{Answer, Condition, Found, Record};
use dkim_stack::keyrec::{KeyRecord, record_name};
use dkim_stack::{DomainName, Selector};
use serde::Serialize;

use super::tags::Tags;
use crate::diagnostics::Failure;
use crate::dns::{parse_server, zone_name};
use crate::exit::{self, Exit};
use crate::json;
use crate::key_file;
use crate::name_servers::{NameServers, Seen};
use crate::printable::printable;
use crate::publication::ttl;
use crate::update::{Primary, Wanted, text_of};

/// Publish the key record of a private key, by dynamic update (RFC 2136)
///
/// The record comes to a name that has none, or in the place of a record of the same key with other
/// tags. What else stands there is let be, the record of another key or of a revoked one: mail that
/// was signed with it would not verify any more. --replace says that it may go. An alias (CNAME) is
/// always let be. If every server shows the record already, nothing is sent. The server looks again
/// what stands there before it changes anything; not so with --replace, which takes away whatever is
/// there by then.
///
/// The update is authenticated with TSIG (RFC 8945); without a key it is sent to this machine's own
/// addresses only (127.0.0.1, ::1).
#[derive(Debug, Args)]
#[command(after_long_help = publish_help())]
pub(super) struct Publish {
    #[command(flatten)]
    place: Place,

    /// The file with the private key; only its public half is published
    #[arg(long, value_name = "FILE")]
    key: PathBuf,

    #[command(flatten)]
    tags: Tags,

    /// How long resolvers may keep the record, in seconds [default: 3600]
    #[arg(long, value_name = "SECONDS", value_parser = ttl())]
    ttl: Option<u32>,

    /// Whatever TXT records stand there may go, those of other keys, too
    #[arg(long)]
    replace: bool,
}

/// Take a key record out of the DNS, by dynamic update (RFC 2136)
///
/// Mail that was signed with the key does not verify from then on: `dkim rotate` waits for it, and
/// shows the key as revoked before its record goes. Without --key whatever TXT records the name has
/// go, also such as came after we looked; what they were is told.
#[derive(Debug, Args)]
#[command(after_long_help = withdraw_help())]
pub(super) struct Withdraw {
    #[command(flatten)]
    place: Place,

    /// The file with the private key: the record goes only if it is that key's, and not revoked
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
}

/// Where a record goes, and who is told.
#[derive(Debug, Args)]
struct Place {
    /// The domain that signs
    #[arg(long, value_name = "D", value_parser = DomainName::parse)]
    domain: DomainName,

    /// The selector: the record stands at S._domainkey.D
    #[arg(long, value_name = "S", value_parser = Selector::parse)]
    selector: Selector,

    /// The name server that takes the update; port 53 unless said
    ///
    /// May be given several times: the first takes the update, and all must show it.
    #[arg(long, value_name = "ADDR[:PORT]", value_parser = parse_server, required = true)]
    server: Vec<SocketAddr>,

    /// Each authoritative name server of the domain must show it, too
    #[arg(long)]
    all_servers: bool,

    /// The file with the TSIG key, as `tsig-keygen` writes it: hmac-sha256, -sha384 or -sha512
    #[arg(long, value_name = "FILE")]
    tsig: Option<PathBuf>,

    /// The zone that the record is in [default: the server is asked]
    #[arg(long, value_name = "Z", value_parser = zone_name)]
    zone_name: Option<String>,

    /// How long to wait until all servers show it
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 10,
        value_parser = clap::value_parser!(u64).range(..=86_400)
    )]
    wait: u64,

    /// Send nothing; print what would be sent, as commands for `nsupdate`
    #[arg(long)]
    dry_run: bool,

    /// Write one JSON object
    #[arg(long, conflicts_with = "dry_run")]
    json: bool,
}

const JSON_HELP: &str = "
JSON:
  schema                1; raised when a change breaks readers
  name                  S._domainkey.D
  record                the text of the record; null if it is to go
  was                   the texts of the TXT records that stood there before; `(a private key)`
                        for one that holds one
  sent                  whether an update was sent, and carried out
  done                  whether every server shows it
  servers               one object each: server, shows, answer (what it says instead)
";

fn publish_help() -> String {
    const EXAMPLES: &str = "\
Examples:
  # let the server know it: update-policy { grant dkim subdomain ... }
  tsig-keygen dkim > update.key
  dkim key publish --domain example.com --selector s2024 --key s2024.pem \\
      --server 192.0.2.53 --tsig update.key
  # the old key is revoked, if its record stands there and no other key's
  dkim key publish --revoked --domain example.com --selector s2023 \\
      --key s2023.pem --server ...
";
    [EXAMPLES, JSON_HELP, "\n", &exit::help()].concat()
}

fn withdraw_help() -> String {
    const EXAMPLES: &str = "\
Example:
  dkim key withdraw --domain example.com --selector s2023 \\
      --server 192.0.2.53 --tsig update.key
";
    [EXAMPLES, JSON_HELP, "\n", &exit::help()].concat()
}

#[derive(Serialize)]
struct Json<'a> {
    schema: u32,
    name: &'a str,
    record: Option<&'a str>,
    was: Vec<String>,
    sent: bool,
    done: bool,
    servers: Vec<Server>,
}

#[derive(Serialize)]
struct Server {
    server: SocketAddr,
    shows: bool,
    answer: Option<String>,
}

impl Publish {
    pub(super) fn run(self) -> Result<Exit, Failure> {
        let public = public_key(&self.key)?;
        let record = self.tags.record(public.clone())?;
        let mut publication = Publication::new(&self.place.selector, &self.place.domain, &record)?;
        publication.ttl = self.ttl.unwrap_or(Publication::TTL);
        let may_go = if self.replace { MayGo::Anything } else { MayGo::RecordsOf(&public) };
        // Without a word about it, a record that is kept for another time is right as it is.
        self.place.bring_about(&Wanted::Record(publication), self.ttl, may_go)
    }
}

impl Withdraw {
    pub(super) fn run(self) -> Result<Exit, Failure> {
        let name = record_name(&self.place.selector, &self.place.domain);
        let key = self.key.as_deref().map(public_key).transpose()?;
        let may_go = key.as_ref().map_or(MayGo::Anything, MayGo::RecordsOf);
        self.place.bring_about(&Wanted::Nothing { name }, None, may_go)
    }
}

/// Which TXT records at the name may go.
#[derive(Clone, Copy)]
enum MayGo<'k> {
    Anything,
    /// Those of this key, whatever their other tags.
    RecordsOf(&'k PublicKey),
}

fn public_key(path: &Path) -> Result<PublicKey, Failure> {
    Ok(key_file::read(path)?.public_key().clone())
}

impl Place {
    /// Sees what the servers show, sends what is missing, and sees again.
    fn bring_about(
        &self,
        wanted: &Wanted,
        ttl: Option<u32>,
        may_go: MayGo<'_>,
    ) -> Result<Exit, Failure> {
        let Some(&first) = self.server.first() else { return Ok(Exit::Usage) };
        let primary = Primary::new(first, self.tsig.as_deref(), self.zone_name.clone())?;
        let name = wanted.name();
        let mut addresses = self.server.clone();
        if self.all_servers {
            addresses.extend(NameServers::authoritative(name)?);
        }
        let servers = NameServers::new(&addresses);
        let mut seen = servers.txt(wanted);
        // What the first shows is what it was told.
        let is_kept = |found: &Found| {
            ttl.is_none_or(|seconds| found.ttl == Duration::from_secs(seconds.into()))
        };
        let is_missing = seen.first().is_some_and(|Seen { answer, shows, .. }| {
            !shows || answer.as_ref().is_ok_and(|found| !is_kept(found))
        });
        let was = servers.standing(name).map_err(|failure| failure.on(first))?;
        if is_missing {
            may_go.allow(&was, wanted).map_err(|failure| failure.on(first))?;
        }
        let condition = match may_go {
            MayGo::Anything => Condition::Any,
            MayGo::RecordsOf(_) => Condition::Just(was.clone()),
        };
        if self.dry_run {
            return self.print(wanted, &primary, is_missing.then_some((first, &condition)));
        }
        if is_missing {
            primary.update_if(wanted, condition)?;
        }
        if is_missing || !seen.iter().all(|seen| seen.shows) {
            let patience = Duration::from_secs(self.wait);
            seen = servers.wait_for(wanted, patience);
        }
        let done = seen.iter().all(|seen| seen.shows);
        self.write(wanted, &seen, is_missing, was.iter().map(text_of).collect())
            .map_err(|error| Failure::output(&error))?;
        Ok(if done { Exit::Success } else { Exit::Temporary })
    }

    fn print(
        &self,
        wanted: &Wanted,
        primary: &Primary,
        what: Option<(SocketAddr, &Condition)>,
    ) -> Result<Exit, Failure> {
        let commands = match what {
            Some((server, condition)) => {
                wanted.nsupdate(server, &primary.zone_of(wanted.name())?, condition)
            }
            None => "; nothing is to be sent: the server shows it already\n".to_owned(),
        };
        let mut out = io::stdout().lock();
        let written = out.write_all(commands.as_bytes()).and_then(|()| out.flush());
        written.map_err(|error| Failure::output(&error))?;
        Ok(Exit::Success)
    }

    fn write(
        &self,
        wanted: &Wanted,
        seen: &[Seen],
        sent: bool,
        was: Vec<String>,
    ) -> io::Result<()> {
        let mut out = io::BufWriter::new(anstream::stdout().lock());
        let server = |seen: &Seen| {
            let shows = seen.shows;
            let answer = (!shows).then(|| said(&seen.answer));
            Server { server: seen.server, shows, answer }
        };
        let servers: Vec<Server> = seen.iter().map(server).collect();
        let record = match wanted {
            Wanted::Record(publication) => Some(&*publication.text),
            Wanted::Nothing { .. } => None,
        };
        if self.json {
            let (schema, name) = (json::SCHEMA, wanted.name());
            let done = servers.iter().all(|server| server.shows);
            json::line(&mut out, &Json { schema, name, record, was, sent, done, servers })?;
            return out.flush();
        }
        let bold = anstyle::Style::new().bold();
        writeln!(out, "{bold}{}{bold:#}", printable(wanted.name()))?;
        let what = match (sent, record.is_some()) {
            (true, true) => "published",
            (true, false) => "withdrawn",
            (false, true) => "published already",
            (false, false) => "not there",
        };
        writeln!(out, "  {what}")?;
        for was in was.iter().filter(|_| sent) {
            writeln!(out, "  gone: {}", printable(was))?;
        }
        for Server { server, answer, .. } in servers {
            match answer {
                None if record.is_some() => writeln!(out, "  {server} shows it")?,
                None => writeln!(out, "  {server} shows none")?,
                Some(answer) => writeln!(out, "  {server}: {}", printable(&answer))?,
            }
        }
        out.flush()
    }
}

impl MayGo<'_> {
    /// Refuses if a record stands there that may not go.
    fn allow(self, records: &[Record], wanted: &Wanted) -> Result<(), Failure> {
        let Self::RecordsOf(key) = self else { return Ok(()) };
        let objection = |record: &Record| match KeyRecord::parse(&record.joined()) {
            Ok(record) => match record.key {
                Some(other) if other == *key => None,
                Some(_) => Some("another key's record stands there"),
                None => Some("the record of a revoked key stands there"),
            },
            Err(_) => Some("a record stands there that is no key record"),
        };
        let Some(objection) = records.iter().find_map(objection) else { return Ok(()) };
        let remedy = match wanted {
            Wanted::Record(_) => "choose another selector; or say --replace, if it may go",
            Wanted::Nothing { .. } => "leave --key out, if it is to go nevertheless",
        };
        // As with a key file that is there already.
        Err(Failure::new(Exit::CannotCreate, objection).remedy(remedy))
    }
}

/// What a server says that does not show what it should.
pub(crate) fn said(answer: &Answer) -> String {
    match answer {
        Err(error) => error.to_string(),
        Ok(found) => match &*found.records {
            [one] => format!("another record: {}", text_of(one)),
            many => format!("{} records", many.len()),
        },
    }
}
