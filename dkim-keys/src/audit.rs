//! Private key files and everything above them, looked at with suspicion.

mod fault;
mod mount;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use dkim_crypto::{PrivateKey, PrivateKeyError, Provider, PublicKey};
use dkim_tags::{DomainName, Selector};

pub use self::fault::FileFault;
use crate::key_file::{LIMIT, read_octets};
use crate::{Config, Finding, KeyFileError, KeyPair, RotationState, StateFile, read_key};

/// What key files are held against.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FileRules {
    /// The users who may own keys and the directories above them, beside the superuser.
    pub owners: Vec<u32>,
    /// How old a key may be.
    pub max_age: Duration,
    /// The time it is.
    pub now: SystemTime,
    /// Directories of keys that everybody may read, since they sign no more: these are let be.
    pub revealed: Vec<PathBuf>,
}

impl FileRules {
    /// A year: keys that are never changed are lost one day.
    pub const MAX_AGE: Duration = Duration::from_secs(365 * 24 * 60 * 60);

    /// Keys of the superuser and these users, not older than [`MAX_AGE`](Self::MAX_AGE).
    #[must_use]
    pub const fn new(owners: Vec<u32>, now: SystemTime) -> Self {
        Self { owners, max_age: Self::MAX_AGE, now, revealed: Vec::new() }
    }
}

/// A file with a private key that can be used.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct KeyFile {
    /// Where it is.
    pub path: PathBuf,
    /// The key to be published for it.
    pub public: PublicKey,
    /// Selector and domain, where the path tells them: `S._domainkey.D.pem` as `dkim key new` names
    /// files, or `D/S.private` as is the custom elsewhere.
    pub signs_for: Option<(Selector, DomainName)>,
}

/// What an audit found.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct AuditedFiles {
    /// The keys.
    pub keys: Vec<KeyFile>,
    /// What is wrong.
    pub findings: Vec<Finding>,
}

impl AuditedFiles {
    /// Those findings that are of files which look like keys, and of which no key could be read.
    pub fn unusable(&self) -> impl Iterator<Item = &Finding> {
        let codes = [
            FileFault::TooShort { bits: 0 }.code(),
            FileFault::Encrypted { line: 0 }.code(),
            FileFault::Unusable { why: String::new() }.code(),
            FileFault::Unreadable { why: String::new() }.code(),
        ];
        self.findings.iter().filter(move |finding| codes.contains(&finding.code))
    }
}

/// An audit of the files that keys are in: of directories, and of what configurations name.
///
/// ```
/// use std::time::SystemTime;
///
/// use dkim_crypto::ring::PROVIDER;
/// use dkim_keys::{FileAudit, FileRules};
///
/// # let directory = std::env::temp_dir().join("dkim-keys-audit-example");
/// # std::fs::create_dir_all(&directory)?;
/// let rules = FileRules::new(vec![0], SystemTime::now());
/// let mut audit = FileAudit::new(&rules, &PROVIDER);
/// audit.directory(&directory)?;
/// for finding in audit.finish().findings {
///     println!("{}: {}", finding.subject, finding.cause);
/// }
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct FileAudit<'r> {
    rules: &'r FileRules,
    provider: &'static dyn Provider,
    found: AuditedFiles,
    /// Directories looked at, and files with keys.
    seen: BTreeSet<PathBuf>,
}

impl<'r> FileAudit<'r> {
    /// One that has looked at nothing yet.
    #[must_use]
    pub fn new(rules: &'r FileRules, provider: &'static dyn Provider) -> Self {
        Self { rules, provider, found: AuditedFiles::default(), seen: BTreeSet::new() }
    }

    /// Looks at all files in a directory and below it, eight levels deep, and at every directory
    /// above it. What lies deeper is told.
    ///
    /// Files that neither look like a key nor are called like one are let be. Symbolic links are
    /// told and not followed.
    ///
    /// # Errors
    ///
    /// When the directory cannot be read. Whatever is wrong within it is a finding.
    pub fn directory(&mut self, directory: &Path) -> io::Result<()> {
        let directory = directory.canonicalize()?;
        for above in directory.ancestors() {
            self.folder(above);
        }
        if let Some(kind) = mount::shared(&directory) {
            self.note(&directory, &FileFault::SharedMount { kind });
        }
        self.entries(&directory, 0)
    }

    /// Looks at the files that a configuration stands on, wherever they are, and at every directory
    /// above them: the configuration itself and the state of its rotation, the keys that both name,
    /// the PINs of those in tokens, the TSIG key and the program of the hook. What is not there is
    /// for [`check_config`](crate::check_config).
    pub fn config(&mut self, file: &Path, config: &Config, state: &RotationState) {
        let directory = &*Config::directory_of(file);
        self.obeyed(file);
        self.obeyed(StateFile::beside(file).path());
        for file in config.key_files(state, directory) {
            if let Some(link) = named(&file).filter(|file| file.is_symlink()) {
                self.link(&link);
            }
            if let Some((file, metadata)) = self.place(&file) {
                self.file(&file, &metadata);
            }
        }
        let rotation = &config.rotation;
        let tsig = rotation.tsig.iter().map(|tsig| directory.join(tsig));
        for secret in config.pin_files(state).into_iter().chain(tsig) {
            if let Some((secret, metadata)) = self.place(&secret) {
                self.access(&secret, &metadata);
            }
        }
        if let Some(Ok(program)) = rotation.hook_program() {
            self.obeyed(&program);
        }
    }

    /// What was found, the gravest first.
    #[must_use]
    pub fn finish(mut self) -> AuditedFiles {
        self.twice();
        let AuditedFiles { keys, mut findings } = self.found;
        // A file may have been come upon in several ways.
        let order = |finding: &Finding| {
            (finding.severity, finding.subject.clone(), finding.code, finding.cause.clone())
        };
        findings.sort_by_cached_key(order);
        findings.dedup();
        AuditedFiles { keys, findings }
    }
}

/// Directories below each other that are looked into.
const MAX_DEPTH: usize = 8;

impl FileAudit<'_> {
    fn note(&mut self, path: &Path, fault: &FileFault) {
        self.found.findings.push(fault.finding(path));
    }

    fn entries(&mut self, directory: &Path, depth: usize) -> io::Result<()> {
        let is_this = |revealed: &PathBuf| revealed.canonicalize().is_ok_and(|r| r == directory);
        if self.rules.revealed.iter().any(is_this) {
            return Ok(());
        }
        if depth > MAX_DEPTH {
            self.note(directory, &FileFault::TooDeep { limit: MAX_DEPTH });
            return Ok(());
        }
        let mut paths: Vec<PathBuf> = fs::read_dir(directory)?
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<io::Result<_>>()?;
        paths.sort();
        for path in paths {
            match path.symlink_metadata() {
                Ok(metadata) if metadata.is_symlink() => self.link(&path),
                Ok(metadata) if metadata.is_dir() => {
                    self.folder(&path);
                    if let Err(error) = self.entries(&path, depth + 1) {
                        self.note(&path, &FileFault::Unreadable { why: error.to_string() });
                    }
                }
                Ok(metadata) if metadata.is_file() => self.file(&path, &metadata),
                // Pipes, sockets, devices: whoever opens a pipe may wait for ever.
                Ok(_) => {}
                Err(error) => self.note(&path, &FileFault::Unreadable { why: error.to_string() }),
            }
        }
        Ok(())
    }

    /// A directory in which others can write lets them put another key in the place of ours.
    fn folder(&mut self, path: &Path) {
        const STICKY: u32 = 0o1000;

        if !self.seen.insert(path.to_owned()) {
            return;
        }
        let Ok(metadata) = path.metadata() else { return };
        let mode = metadata.mode();
        if mode & 0o022 != 0 && mode & STICKY == 0 {
            self.note(path, &FileFault::DirectoryWritable { mode: mode & 0o7777 });
        }
        self.owner(path, &metadata, |user| FileFault::DirectoryOwner { user });
    }

    /// The place of a file behind all links, when it is there. Who can change a directory above that,
    /// or above a link that leads to it, can put another in its place.
    fn place(&mut self, path: &Path) -> Option<(PathBuf, Metadata)> {
        let (named, real) = (named(path)?, path.canonicalize().ok()?);
        for above in named.ancestors().skip(1).chain(real.ancestors().skip(1)) {
            self.folder(above);
        }
        let metadata = real.metadata().ok().filter(Metadata::is_file)?;
        Some((real, metadata))
    }

    /// A file without a secret, but who can change it decides what is done with the keys.
    fn obeyed(&mut self, path: &Path) {
        let Some((path, metadata)) = self.place(path) else { return };
        let mode = metadata.mode() & 0o7777;
        if mode & 0o022 != 0 {
            self.note(&path, &FileFault::Writable { mode });
        }
        self.owner(&path, &metadata, |user| FileFault::FileOwner { user });
    }

    fn owner(&mut self, path: &Path, metadata: &Metadata, fault: impl Fn(u32) -> FileFault) {
        const SUPERUSER: u32 = 0;

        let user = metadata.uid();
        if user != SUPERUSER && !self.rules.owners.contains(&user) {
            self.note(path, &fault(user));
        }
    }

    fn link(&mut self, path: &Path) {
        // A link to a directory, or to a file that is no key, is nobody's business.
        if looks_like_key(path) || path.is_file() && read_key(path).is_ok() {
            let target = fs::read_link(path).unwrap_or_default();
            self.note(path, &FileFault::Symlink { target });
        }
    }

    fn file(&mut self, path: &Path, metadata: &Metadata) {
        if self.seen.contains(path) {
            return;
        }
        // Whoever has it may publish other keys.
        if is_tsig_key(path) {
            return self.access(path, metadata);
        }
        let key = match read_key(path).map(|key| self.pair(key)) {
            Ok(key) => Some(key),
            Err(KeyFileError::Key(PrivateKeyError::NoPem) | KeyFileError::TooLong { .. })
                if !looks_like_key(path) =>
            {
                return;
            }
            // Certificates and public keys are called `.pem`, too, and anybody may read them.
            Err(KeyFileError::Key(PrivateKeyError::NotPrivate { .. }))
                if !is_called_private(path) =>
            {
                return;
            }
            Err(KeyFileError::Unreadable(error)) => {
                return self.note(path, &FileFault::Unreadable { why: error.to_string() });
            }
            Err(KeyFileError::Key(error)) => {
                self.note(path, &FileFault::of_key(&error));
                None
            }
            Err(error) => {
                self.note(path, &FileFault::Unusable { why: error.to_string() });
                None
            }
        };
        self.access(path, metadata);
        match key {
            Some(Ok(public)) => {
                self.age(path, metadata);
                let signs_for = signs_for(path);
                self.seen.insert(path.to_owned());
                self.found.keys.push(KeyFile { path: path.to_owned(), public, signs_for });
            }
            Some(Err(error)) => self.note(path, &FileFault::of_key(&error)),
            None => {}
        }
    }

    fn pair(&self, key: PrivateKey) -> Result<PublicKey, PrivateKeyError> {
        KeyPair::of(key, self.provider).map(|pair| pair.public)
    }

    /// Who can read or change a key.
    fn access(&mut self, path: &Path, metadata: &Metadata) {
        let mode = metadata.mode() & 0o7777;
        if mode & 0o077 != 0 {
            self.note(path, &FileFault::Exposed { mode });
        }
        self.owner(path, metadata, |user| FileFault::Owner { user });
        if mount::has_access_list(path) {
            self.note(path, &FileFault::AccessList);
        }
        if metadata.nlink() > 1 {
            self.note(path, &FileFault::Linked { names: metadata.nlink() });
        }
        if is_backup(path) {
            self.note(path, &FileFault::Backup);
        }
    }

    fn age(&mut self, path: &Path, metadata: &Metadata) {
        let made = metadata.modified().ok();
        let age = made.and_then(|made| self.rules.now.duration_since(made).ok());
        if let Some(age) = age.filter(|age| *age > self.rules.max_age) {
            self.note(path, &FileFault::Old { days: age.as_secs() / (24 * 60 * 60) });
        }
    }

    /// The same key in several files.
    fn twice(&mut self) {
        let mut files: BTreeMap<Vec<u8>, Vec<&KeyFile>> = BTreeMap::new();
        for key in &self.found.keys {
            files.entry(key.public.to_bare()).or_default().push(key);
        }
        let mut findings = Vec::new();
        for same in files.values() {
            let Some((first, others)) = same.split_first() else { continue };
            for other in others {
                // A copy beside the key is told as that.
                if is_backup(&first.path) || is_backup(&other.path) {
                    continue;
                }
                let domain =
                    |key: &KeyFile| key.signs_for.as_ref().map(|(_, domain)| domain.clone());
                let fault = match (domain(first), domain(other)) {
                    (Some(a), Some(b)) if a != b => {
                        FileFault::SharedKey { with: first.path.clone(), domain: a }
                    }
                    _ => FileFault::CopiedKey { from: first.path.clone() },
                };
                findings.push(fault.finding(&other.path));
            }
        }
        self.found.findings.extend(findings);
    }
}

/// The path of a file, itself perhaps a link, in a directory with no link above it.
fn named(path: &Path) -> Option<PathBuf> {
    let parent = path.parent().filter(|parent| *parent != Path::new(""));
    Some(parent.unwrap_or(Path::new(".")).canonicalize().ok()?.join(path.file_name()?))
}

/// Whether a file is called as private keys are.
fn looks_like_key(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    matches!(extension, Some("pem" | "key" | "private"))
}

/// Whether a file holds a secret for dynamic updates, as BIND's `tsig-keygen` writes it, or a person
/// with comments.
fn is_tsig_key(path: &Path) -> bool {
    let octets = read_octets(path).ok().filter(|octets| octets.len() <= LIMIT);
    let text = octets.as_ref().and_then(|octets| str::from_utf8(octets).ok());
    text.is_some_and(is_key_statement)
}

fn is_key_statement(text: &str) -> bool {
    const KEY: &str = "key";
    const SECRET: &[u8] = b"secret";

    let text = skip_comments(text);
    let text = text.strip_prefix('"').unwrap_or(text);
    let Some((key, rest)) = text.split_at_checked(KEY.len()) else { return false };
    key.eq_ignore_ascii_case(KEY)
        && rest.starts_with(|c: char| c.is_whitespace() || matches!(c, '"' | '#' | '/'))
        && rest.contains('{')
        && rest.as_bytes().windows(SECRET.len()).any(|word| word.eq_ignore_ascii_case(SECRET))
}

/// What stands behind white space and comments, which are those of C, C++ and the shell.
fn skip_comments(text: &str) -> &str {
    let mut rest = text.trim_start();
    loop {
        let (begin, end) = match rest {
            _ if rest.starts_with('#') => ("#", "\n"),
            _ if rest.starts_with("//") => ("//", "\n"),
            _ if rest.starts_with("/*") => ("/*", "*/"),
            _ => return rest,
        };
        let comment = rest.strip_prefix(begin).unwrap_or_default();
        rest = comment.split_once(end).map_or("", |(_, after)| after.trim_start());
    }
}

/// Whether a file has a name that only private keys have.
fn is_called_private(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    matches!(extension, Some("key" | "private"))
}

/// Whether a file is called as editors and careful people call copies.
fn is_backup(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    name.ends_with('~')
        || name.starts_with(".#")
        || [".bak", ".old", ".orig", ".save", ".rpmsave", ".rpmorig", ".swp", ".backup", ".copy"]
            .iter()
            .any(|end| name.to_ascii_lowercase().ends_with(end))
}

/// For whom a key signs, by its path.
fn signs_for(path: &Path) -> Option<(Selector, DomainName)> {
    let stem = path.file_stem()?.to_str()?;
    let (selector, domain) = match stem.split_once("._domainkey.") {
        Some(parts) => parts,
        None => (stem, path.parent()?.file_name()?.to_str()?),
    };
    // A directory such as `keys` is no domain that signs.
    let domain = DomainName::parse(domain).ok().filter(|domain| !domain.is_single_label())?;
    Some((Selector::parse(selector).ok()?, domain))
}
