//! `dkim key new`: makes a key pair, and the record to publish.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use dkim_keys::{Form, KeyKind, KeyPair, NameTooLong, Publication, key_file_name, save_new};
use dkim_stack::crypto::{PrivateKey, PrivateKeyError};
use dkim_stack::keyrec::{KeyRecord, record_name};
use dkim_stack::{DomainName, Selector};
use serde::Serialize;

use super::owner::{self, Owner};
use crate::diagnostics::{Failure, note};
use crate::exit::{self, Exit};
use crate::json;
use crate::key_file;
use crate::output;
use crate::provider::provider;

/// Make a key pair, and the key record to publish
///
/// The private key goes to a file (PKCS#8 in PEM) that only its owner can read; an existing file is
/// never written over. The key record is written to standard output as a zone file has it, cut into
/// strings of 255 octets; `dkim key dns` prints it in other forms.
#[derive(Debug, Args)]
#[command(after_long_help = help())]
pub(crate) struct New {
    /// The kind of key; rsa2048 is what every verifier knows
    ///
    /// `both` makes two keys, for two signatures: rsa2048 with the selector given, and ed25519 with
    /// the selector given and `-ed25519` behind it.
    #[arg(long, value_enum, default_value = "rsa2048")]
    r#type: Kind,

    /// The domain that will sign
    #[arg(long, value_name = "D", value_parser = DomainName::parse)]
    domain: DomainName,

    /// The selector: the record stands at S._domainkey.D
    #[arg(long, value_name = "S", value_parser = Selector::parse)]
    selector: Selector,

    /// The file for the private key; `-` for standard output
    ///
    /// With `-` nothing else goes to standard output, a terminal or not, for a secret store to take;
    /// the record goes to standard error. A file that others can read is refused there.
    #[arg(long, value_name = "FILE", conflicts_with = "dir")]
    out: Option<PathBuf>,

    /// The directory for the private key, in a file S._domainkey.D.pem
    #[arg(long, value_name = "DIR", default_value = ".")]
    dir: PathBuf,

    /// The user who is to have the file, by name or number; only root can give files away
    #[arg(long, value_name = "USER[:GROUP]", value_parser = owner::parse)]
    owner: Option<Owner>,

    /// Write one JSON object a key, on one line: schema, file (null for standard output), key_type,
    /// key_bits, selector, name, record (its text), zone (the record as a zone file has it)
    #[arg(long)]
    json: bool,
}

fn help() -> String {
    const EXAMPLES: &str = "\
Examples:
  dkim key new --domain example.com --selector s2024 --dir /etc/dkim \\
      --owner postfix
  dkim key new --type ed25519 --domain example.com --selector e2024 \\
      --out e2024.pem >> keys.zone
  dkim key new --domain example.com --selector s1 --out - 2> s1.zone |
      vault kv put kv/dkim key=-
";
    [EXAMPLES, &exit::help()].join("\n")
}

/// What can be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Kind {
    Rsa2048,
    Rsa3072,
    Rsa4096,
    Ed25519,
    Both,
}

impl Kind {
    /// The keys, and what each adds to the selector: a record has room for one key.
    const fn keys(self) -> &'static [(KeyKind, &'static str)] {
        match self {
            Self::Rsa2048 => &[(KeyKind::Rsa2048, "")],
            Self::Rsa3072 => &[(KeyKind::Rsa3072, "")],
            Self::Rsa4096 => &[(KeyKind::Rsa4096, "")],
            Self::Ed25519 => &[(KeyKind::Ed25519, "")],
            Self::Both => &[(KeyKind::Rsa2048, ""), (KeyKind::Ed25519, "-ed25519")],
        }
    }
}

#[derive(Serialize)]
struct Made<'a> {
    schema: u32,
    file: Option<&'a str>,
    key_type: &'static str,
    key_bits: u32,
    selector: &'a str,
    name: &'a str,
    record: &'a str,
    zone: &'a str,
}

/// A key that is to be made.
struct Wanted {
    kind: KeyKind,
    selector: Selector,
    place: Place,
}

/// Where a private key goes.
enum Place {
    File(PathBuf),
    Output,
}

impl Place {
    /// Refuses a place where a key would replace another, or be for all to read.
    fn check(&self) -> Result<(), Failure> {
        let Self::File(path) = self else {
            output::refuse_closed()?;
            return readable_by_nobody_else();
        };
        if path.is_dir() {
            return Err(Failure::new(Exit::CannotCreate, "is a directory")
                .on(path.display())
                .remedy("name it with --dir, or a file in it with --out"));
        }
        key_file::check_free(path)
    }

    fn save(&self, key: &PrivateKey, owner: Option<Owner>) -> Result<(), Failure> {
        match self {
            Self::File(path) => save_new(path, key, owner.map(Owner::numbers))
                .map_err(|error| key_file::unusable(&error).on(path.display())),
            Self::Output => {
                // The buffer of the library would keep the key.
                let write = || stdout()?.write_all(key.to_pkcs8_pem().as_bytes());
                write().map_err(|error| Failure::output(&error))
            }
        }
    }
}

fn stdout() -> io::Result<File> {
    Ok(File::from(io::stdout().as_fd().try_clone_to_owned()?))
}

/// A shell makes files for standard output that all can read, unless told otherwise.
fn readable_by_nobody_else() -> Result<(), Failure> {
    let output = stdout().and_then(|output| output.metadata());
    let output = output.map_err(|error| Failure::output(&error))?;
    let mode = output.mode() & 0o7777;
    if output.is_file() && mode & 0o077 != 0 {
        let what = format_args!("a file that others can read (mode {mode:04o})");
        return Err(Failure::new(Exit::CannotCreate, what)
            .on("standard output")
            .remedy("name the file with --out, which lets nobody else read it"));
    }
    Ok(())
}

impl New {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let wanted = self.wanted()?;
        // Said before the work as well as when the file is made, and of all before the first.
        for one in &wanted {
            one.place.check()?;
        }
        for one in wanted {
            self.make(one)?;
        }
        Ok(Exit::Success)
    }

    fn wanted(&self) -> Result<Vec<Wanted>, Failure> {
        if self.r#type == Kind::Both && self.out.is_some() {
            return Err(Failure::new(
                Exit::Usage,
                "`--type both` makes two files, `--out` names one",
            )
            .remedy("name a directory with --dir"));
        }
        let to_output = self.out.as_deref() == Some(Path::new("-"));
        if to_output && self.owner.is_some() {
            return Err(Failure::new(Exit::Usage, "`--owner` is for files, `--out -` makes none"));
        }
        let wanted = |(kind, suffix): &(KeyKind, &str)| {
            let selector = format!("{}{suffix}", self.selector.as_str());
            let selector =
                Selector::parse(&selector).map_err(|error| Failure::of(Exit::Usage, &error))?;
            // A key whose record can stand nowhere signs in vain.
            NameTooLong::unless_it_fits(record_name(&selector, &self.domain))?;
            let named = || self.dir.join(key_file_name(&selector, &self.domain));
            let path = self.out.clone().unwrap_or_else(named);
            let place = if to_output { Place::Output } else { Place::File(path) };
            Ok(Wanted { kind: *kind, selector, place })
        };
        self.r#type.keys().iter().map(wanted).collect()
    }

    fn make(&self, Wanted { kind, selector, place }: Wanted) -> Result<(), Failure> {
        let pair = KeyPair::make(kind, provider()).map_err(|error| not_made(&error))?;
        let bits = pair.public.bits();
        let record = KeyRecord::new(pair.public);
        let publication = Publication::new(&selector, &self.domain, &record)?;
        place.save(&pair.private, self.owner)?;
        let zone = Form::Zone.write(&publication);
        let (mut out, path): (Box<dyn Write>, _) = match &place {
            Place::File(path) => (Box::new(io::stdout().lock()), Some(path)),
            Place::Output => (Box::new(io::stderr().lock()), None),
        };
        let file = path.map(|path| path.to_string_lossy());
        let written = if self.json {
            let made = Made {
                schema: json::SCHEMA,
                file: file.as_deref(),
                key_type: record.key_type.name(),
                key_bits: bits,
                selector: selector.as_str(),
                name: &publication.name,
                record: &publication.text,
                zone: &zone,
            };
            json::line(&mut out, &made)
        } else {
            if let Some(path) = path {
                note(path.display(), "the private key; publish the record, then sign with it");
            }
            out.write_all(zone.as_bytes())
        };
        written.and_then(|()| out.flush()).map_err(|error| Failure::output(&error))
    }
}

fn not_made(error: &PrivateKeyError) -> Failure {
    let failure = Failure::of(Exit::CannotCreate, error);
    match error {
        PrivateKeyError::NoRsaKeys { .. } => failure.remedy(
            "use that build, or `--type ed25519`, or make an RSA key with `openssl genrsa`",
        ),
        _ => failure,
    }
}
