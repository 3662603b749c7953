//! `dkim audit`: are the keys well kept, and do their records say what they should?

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use clap::Args;
use dkim_keys::{
    AuditedFiles, Compliance, FileAudit, FileRules, Finding, KeyFile, KeyPair, KeyTest, Phase,
    check_config, check_rotation, read_key,
};
use dkim_stack::crypto::PublicKey;
use dkim_stack::dns::drive_blocking;
use dkim_stack::{DomainName, Selector, now};
use serde::Serialize;

use crate::config::ConfigFile;
use crate::diagnostics::Failure;
use crate::dns::{Dns, DnsArgs};
use crate::exit::{self, Exit};
use crate::findings::{self, FailOn};
use crate::json;
use crate::key::Owner;
use crate::provider::provider;

/// Look at key files with suspicion, and at what is published of them
///
/// Who can read them, who can replace them, copies, old ones, keys that sign for two domains. With
/// --config also the configuration, and all files that it stands on, wherever they are: its keys, the
/// PINs of its tokens, the state of its rotation, the TSIG key and the hook. With --records, --zone or
/// --dns also everything that `dkim key test` looks at, and whether mail signed as configured keeps to
/// what its domains publish (ADSP, DMARC). Fit for cron: it says nothing on standard error, and exits
/// with 1 only if something is found.
#[derive(Debug, Args)]
#[command(after_long_help = help())]
pub(crate) struct Audit {
    /// The directory with the private keys, and everything below it, eight levels deep
    #[arg(long, value_name = "DIR")]
    keys: PathBuf,

    /// The configuration of the signer, to be looked at, too: keys that change, by their plans
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// A user beside root who may own keys; may be given several times [default: who runs this]
    #[arg(long, value_name = "USER", value_parser = crate::key::parse_owner)]
    owner: Vec<Owner>,

    /// How old a key may be, in days
    #[arg(long, value_name = "DAYS", default_value_t = 365)]
    max_age: u64,

    /// Look at the records, too, asking the system's name servers
    #[arg(long)]
    records: bool,

    #[command(flatten)]
    dns: DnsArgs,

    #[command(flatten)]
    fail_on: FailOn,

    /// Write one JSON object
    #[arg(long)]
    json: bool,
}

fn help() -> String {
    const EXAMPLES: &str = "\
Examples:
  dkim audit --keys /etc/dkim --owner postfix --records
  dkim audit --keys /etc/opendkim/keys --fail-on error --json

JSON:
  schema                1; raised when a change breaks readers
  keys                  one object each: file, key_type, key_bits, selector, domain (or null)
";
    [EXAMPLES, findings::JSON_HELP, "\n", &exit::help()].concat()
}

#[derive(Serialize)]
struct Json<'a> {
    schema: u32,
    keys: Vec<Key>,
    findings: Vec<findings::Json<'a>>,
}

#[derive(Serialize)]
struct Key {
    file: String,
    key_type: &'static str,
    key_bits: u32,
    selector: Option<String>,
    domain: Option<String>,
}

impl Audit {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let mut owners: Vec<u32> = self.owner.iter().map(|owner| owner.numbers().0).collect();
        if owners.is_empty() {
            owners.push(rustix::process::geteuid().as_raw());
        }
        let mut rules = FileRules::new(owners, SystemTime::now());
        rules.max_age = Duration::from_secs(self.max_age.saturating_mul(24 * 60 * 60));
        let file = self.config.as_deref().map(ConfigFile::read).transpose()?;
        if let Some(file) = &file {
            let directories = file.config.rotated().filter_map(|(_, _, plan)| plan.reveal.as_ref());
            rules.revealed = directories.map(|reveal| file.directory.join(reveal)).collect();
        }
        let mut audit = FileAudit::new(&rules, provider());
        let unreadable = |error| Failure::new(Exit::NoInput, error).on(self.keys.display());
        audit.directory(&self.keys).map_err(unreadable)?;
        if let (Some(file), Some(path)) = (&file, &self.config) {
            audit.config(path, &file.config, &file.state);
        }
        let AuditedFiles { keys, mut findings, .. } = audit.finish();
        if let Some(file) = &file {
            let of_config = check_config(&file.config, &file.directory, provider());
            let told: Vec<Finding> = findings.clone();
            let is_news = |finding: &Finding| !told.iter().any(|told| is_same_file(finding, told));
            findings.extend(of_config.into_iter().filter(is_news));
            findings.extend(check_rotation(&file.config, &file.state, now()));
        }
        if self.records || self.dns.is_given() {
            let dns = Dns::new(&self.dns)?;
            if let Some(file) = &file {
                let mut compliance = Compliance::new(&file.config);
                drive_blocking(&mut compliance, &dns);
                findings.extend(compliance.finish());
            }
            for (selector, domain, public) in published(&keys, file.as_ref()) {
                let mut test = KeyTest::new(&selector, &domain, Some(public));
                drive_blocking(&mut test, &dns);
                findings.extend(test.finish().findings());
            }
        }
        findings.sort_by_key(|finding| finding.severity);
        let keys = keys.into_iter().map(|key| {
            let (selector, domain) = key.signs_for.unzip();
            Key {
                file: key.path.display().to_string(),
                key_type: key.public.key_type().name(),
                key_bits: key.public.bits(),
                selector: selector.map(|selector| selector.as_str().to_owned()),
                domain: domain.map(|domain| domain.as_str().to_owned()),
            }
        });
        self.write(keys.collect(), &findings).map_err(|error| Failure::output(&error))?;
        Ok(self.fail_on.exit(&findings))
    }

    fn write(&self, keys: Vec<Key>, findings: &[Finding]) -> io::Result<()> {
        let mut out = io::BufWriter::new(anstream::stdout().lock());
        if self.json {
            let findings = findings.iter().map(findings::Json::from).collect();
            json::line(&mut out, &Json { schema: json::SCHEMA, keys, findings })?;
            return out.flush();
        }
        findings::write_by_subject(&mut out, findings)?;
        let s = |count: usize| if count == 1 { "" } else { "s" };
        writeln!(
            out,
            "{} key{}, {} finding{}",
            keys.len(),
            s(keys.len()),
            findings.len(),
            s(findings.len())
        )?;
        out.flush()
    }
}

/// Whether what is wrong with a key of the configuration, `keys.NAME (FILE)`, was told of its file.
fn is_same_file(finding: &Finding, told: &Finding) -> bool {
    let file = finding.subject.strip_suffix(')').and_then(|subject| subject.split_once(" ("));
    finding.code == told.code
        && file.is_some_and(|(_, file)| Path::new(&told.subject).ends_with(file))
}

/// The keys that are to be published, each with its place: those whose files tell it, and those of a
/// configuration.
fn published(
    keys: &[KeyFile],
    file: Option<&ConfigFile>,
) -> Vec<(Selector, DomainName, PublicKey)> {
    let of_file = |key: &KeyFile| {
        let (selector, domain) = key.signs_for.clone()?;
        Some((selector, domain, key.public.clone()))
    };
    let mut all: Vec<_> = keys.iter().filter_map(of_file).collect();
    // What keeps a configuration from saying who signs is a finding of its own.
    let signatories = file.and_then(|file| file.config.signatories(&file.directory).ok());
    for signatory in signatories.into_iter().flatten() {
        let is_known = |(selector, domain, _): &(Selector, DomainName, PublicKey)| {
            *selector == signatory.selector && *domain == signatory.domain
        };
        let public =
            read_key(&signatory.file).ok().and_then(|key| KeyPair::of(key, provider()).ok());
        if let Some(pair) = public.filter(|_| !all.iter().any(is_known)) {
            all.push((signatory.selector, signatory.domain, pair.public));
        }
    }
    // Of a key that is on its way, or at the end of it, no record is to be there.
    let has_record = |(selector, domain, _): &(Selector, DomainName, PublicKey)| {
        let keys = file.iter().flat_map(|file| &file.state.keys);
        let mut same = keys.filter(|key| key.selector == *selector && key.domain == *domain);
        same.all(|key| (Phase::Published..=Phase::Retiring).contains(&key.phase))
    };
    all.retain(has_record);
    all
}
