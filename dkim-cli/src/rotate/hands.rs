//! What the steps of a rotation do in the world: files, name servers, the hook.

use std::cell::RefCell;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use dkim_keys::{
    Done, Hands, KeyFileError, KeyPair, KeySource, KeyTest, LockedState, NameTooLong, NamedKey,
    Phase, Publication, RotatedKey, RotationState, Severity, Sharer, Unclear, delete_key,
    delete_unfinished, is_in_token, key_file_name, loop_back, public_sha256, save_new,
};
use dkim_stack::crypto::{PrivateKey, PublicKey};
use dkim_stack::dns::{
    Answer, Condition, LookupError, Query, QueryId, QueryKind, Record, drive_blocking,
};
use dkim_stack::keyrec::{KeyRecord, record_name};
use dkim_stack::{BlockingResolver, DomainName, Outcome, Selector, SigningKey, now};

use super::reveal::reveal;
use crate::config::{ConfigFile, state_failure};
use crate::diagnostics::Failure;
use crate::dns::Dns;
use crate::exit::Exit;
use crate::key::{Owner, parse_owner};
use crate::name_servers::{NameServers, is_of_wildcard};
use crate::provider::provider;
use crate::update::{Primary, Wanted, text_of};
use crate::{key_file, token};

/// The world, as a configuration sees it.
pub(crate) struct World<'c> {
    file: &'c ConfigFile,
    state: &'c RotationState,
    locked: &'c LockedState,
    means: Means,
    /// How the hook has failed in this command, which has been told.
    hook_failed: &'c RefCell<Option<String>>,
}

/// What a rotation needs before its first step.
pub(crate) struct Means {
    /// Who takes updates.
    primary: Option<Primary>,
    /// Who is to have new keys.
    owner: Option<Owner>,
}

impl Means {
    /// Those that a configuration names: its TSIG key is read, its owner looked up, and no server asked.
    pub(crate) fn of(file: &ConfigFile) -> Result<Self, Failure> {
        let rotation = &file.config.rotation;
        let tsig: Option<PathBuf> = rotation.tsig.as_ref().map(|tsig| file.directory.join(tsig));
        let primary = match &rotation.server {
            Some(server) => Some(Primary::new(server.0, tsig.as_deref(), rotation.zone.clone())?),
            None => None,
        };
        let owner = rotation.owner.as_deref().map(parse_owner).transpose();
        let owner = owner.map_err(|error| Failure::new(Exit::Data, error).on("rotation.owner"))?;
        Ok(Self { primary, owner })
    }
}

/// A key with its name in the DNS.
struct Place {
    selector: Selector,
    domain: DomainName,
    name: String,
}

/// Whose a record is.
#[derive(PartialEq, Eq)]
enum Whose {
    /// That of the key.
    Own,
    /// That of a key that is revoked: it does not say which.
    Revoked,
    Another,
    Unclear,
}

/// What to do where servers cannot be asked.
const NAME_SERVERS: &str = "see that it answers from here, and try again; \
                            or name those to be asked: `servers = [\"ADDR\"]` in [rotation]";

/// [`RotatedKey::public_sha256`] of a key.
pub(super) fn sha256(public: &PublicKey) -> Result<String, Failure> {
    let none = || Failure::new(Exit::Data, "the cryptographic library has no SHA-256");
    public_sha256(public, provider()).ok_or_else(none)
}

impl<'c> World<'c> {
    pub(super) fn new(
        file: &'c ConfigFile,
        state: &'c RotationState,
        locked: &'c LockedState,
        hook_failed: &'c RefCell<Option<String>>,
    ) -> Result<Self, Failure> {
        Ok(Self { file, state, locked, means: Means::of(file)?, hook_failed })
    }

    /// Whether a person has to publish.
    pub(crate) fn is_by_hand(&self) -> bool {
        self.means.primary.is_none()
    }

    fn path(&self, key: &RotatedKey) -> PathBuf {
        self.file.path_of(&key.file)
    }

    /// Who must show the records of a name.
    fn servers(&self, name: &str) -> Result<NameServers, Failure> {
        let said: Vec<SocketAddr> =
            self.file.config.rotation.servers.iter().map(|server| server.0).collect();
        Ok(NameServers::new(&match said.is_empty() {
            true => {
                NameServers::authoritative(name).map_err(|failure| failure.remedy(NAME_SERVERS))?
            }
            false => said,
        }))
    }

    /// Lets the servers show what is wanted, or tells a person to see to it.
    ///
    /// `objection` is what is wrong with what one of them shows. Only records that `may_go` go: any
    /// other is somebody else's, who came to the name meanwhile.
    fn bring_about(
        &self,
        wanted: &Wanted,
        may_go: impl Fn(&Record) -> bool,
        objection: impl Fn(&Dns) -> Option<String>,
    ) -> Result<Done, Failure> {
        /// Secondary servers are told within seconds (RFC 1996).
        const PATIENCE: Duration = Duration::from_secs(5);

        let servers = self.servers(wanted.name())?;
        let look = || -> Vec<String> {
            let object = |(server, dns)| Some(format!("{server}: {}", objection(dns)?));
            servers.iter().filter_map(object).collect()
        };
        let mut objections = look();
        if !objections.is_empty()
            && let Some(primary) = &self.means.primary
        {
            let server = primary.server();
            let was = NameServers::new(&[server]).standing(wanted.name());
            let was = was.map_err(|failure| failure.on(server))?;
            if let Some(record) = was.iter().find(|record| !may_go(record)) {
                let (name, text) = (wanted.name(), text_of(record));
                return Ok(Done::NotYet(format!(
                    "{server}: what stands at {name} is not of this key, and is let be: {text}"
                )));
            }
            primary.update_if(wanted, Condition::Just(was))?;
            servers.wait_for(wanted, PATIENCE);
            objections = look();
        }
        if objections.is_empty() {
            let all: Vec<String> = servers.iter().map(|(server, _)| server.to_string()).collect();
            let is = match wanted {
                Wanted::Record(_) => "shown by",
                Wanted::Nothing { .. } => "not shown any more by",
            };
            return Ok(Done::Seen(format!("{is} {}", all.join(", "))));
        }
        let objections = objections.join("; ");
        Ok(Done::NotYet(match (&self.means.primary, wanted) {
            (Some(_), _) => objections,
            (None, Wanted::Record(publication)) => format!(
                "publish at {} the TXT record `{}` and no other; {objections}",
                publication.name, publication.text
            ),
            (None, Wanted::Nothing { name }) => {
                format!("take the TXT record of {name} away; {objections}")
            }
        }))
    }

    /// The key in its file, if it is still that.
    fn signing_key(&self, key: &RotatedKey) -> Result<Arc<dyn SigningKey>, Failure> {
        let path = self.path(key);
        let remedy = |failure: Failure| {
            let (selector, name) = (&key.selector, &key.name);
            failure.remedy(format_args!(
                "put it back, or take {selector} back: dkim rotate abort --config FILE --key {name}"
            ))
        };
        let signing = key_file::read(&path).map_err(remedy)?;
        if !key.is_key(signing.public_key(), provider()) {
            let failure = Failure::new(Exit::Data, "holds another key than it did");
            return Err(remedy(failure.on(path.display())));
        }
        Ok(signing)
    }

    /// Why the file of a key is not to be deleted: another key that signs is in it, too, or one that is
    /// kept to be revealed, by whatever path; or nobody knows.
    fn other_of_file(&self, key: &RotatedKey, path: &Path) -> Option<String> {
        let told = |name: &str| Some(format!("it is the file of keys.{name}, too"));
        let ConfigFile { config, directory, .. } = self.file;
        let is_file = |other: &Path| is_one_file(path, &self.file.path_of(other));
        let is_kept = |other: &&RotatedKey| {
            (&other.name, &other.selector) != (&key.name, &key.selector)
                && other.kept
                && is_file(&other.file)
        };
        if let Some(kept) = self.state.keys.iter().find(is_kept) {
            return told(&kept.name);
        }
        // Whether a rule names it or not.
        let is_named = |named: &NamedKey| {
            is_file(&named.file) || is_file(&named.file_for(&key.domain, Path::new("")))
        };
        let mut others = config.keys.iter().filter(|(name, _)| **name != key.name);
        if let Some((name, _)) = others.find(|(_, one)| one.signing().is_some_and(is_named)) {
            return told(name);
        }
        // With the domain of an author in its path.
        let by_author = config.signatories_by_key(directory);
        by_author.filter(|(name, _)| *name != key.name).find_map(|(name, all)| match all {
            Ok(all) if all.iter().any(|one| is_one_file(path, &one.file)) => told(name),
            // It has one file, which is another.
            Ok(_) | Err(Unclear::AnyDomain(_)) => None,
            Err(why) => Some(format!("keys.{name}: {why}")),
        })
    }

    /// Why the file of a key is not to be deleted: it holds another one by now.
    fn objection_to_deleting(
        key: &RotatedKey,
        path: &Path,
    ) -> Result<Option<&'static str>, Failure> {
        match path.symlink_metadata() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            _ => {}
        }
        match key_file::read(path) {
            Ok(signing) if key.is_key(signing.public_key(), provider()) => Ok(None),
            Ok(_) => Ok(Some("it holds another key by now")),
            Err(failure) if failure.exit == Exit::NoInput => Err(failure),
            Err(_) => Ok(Some("what it holds is not the key any more")),
        }
    }

    /// Whose a record at the name of a key is.
    fn whose(key: &RotatedKey, record: &Record) -> Whose {
        let Ok(record) = KeyRecord::parse(&record.joined()) else { return Whose::Unclear };
        let Some(public) = record.key else { return Whose::Revoked };
        match key.is_key(&public, provider()) {
            true => Whose::Own,
            false => Whose::Another,
        }
    }

    /// Whether a server shows nothing of the key any more: nothing, what a wildcard says, or another
    /// key's records.
    fn is_gone(&self, key: &RotatedKey, place: &Place, dns: &Dns) -> Result<bool, LookupError> {
        match place.txt(dns) {
            Err(LookupError::NoSuchName | LookupError::NoRecords) => Ok(true),
            Err(error) => Err(error),
            Ok(found) => {
                let is_another = |record: &Record| Self::whose(key, record) == Whose::Another;
                let is_anothers = !found.records.is_empty() && found.records.iter().all(is_another);
                Ok(is_anothers || is_of_wildcard(dns, &place.name, &found))
            }
        }
    }

    /// A record for the key, kept for as long as its plan says.
    fn publication(
        &self,
        key: &RotatedKey,
        place: &Place,
        record: &KeyRecord,
    ) -> Result<Publication, NameTooLong> {
        let mut publication = Publication::new(&place.selector, &place.domain, record)?;
        let entry = self.file.config.keys.get(&key.name).map(|entry| &entry.key);
        if let Some(KeySource::Rotated { plan, .. }) = entry {
            publication.ttl = plan.ttl;
        }
        Ok(publication)
    }
}

impl Hands for World<'_> {
    type Error = Failure;
    type PrivateKey = PrivateKey;

    fn is_free(&mut self, domain: &DomainName, selector: &Selector) -> Result<bool, Failure> {
        let name = record_name(selector, domain);
        let file = key_file_name(selector, domain);
        if self.file.directory.join(file).symlink_metadata().is_ok() {
            return Ok(false);
        }
        for (server, dns) in self.servers(&name)?.iter() {
            // An alias first: of where it leads to, this server may know nothing.
            for kind in [QueryKind::Cname, QueryKind::Txt] {
                let answer = dns.lookup(&Query { id: QueryId(0), name: name.clone(), kind });
                match answer {
                    Err(LookupError::NoSuchName | LookupError::NoRecords) => {}
                    Err(error) if error.is_temporary() => {
                        let failure = Failure::of(Exit::Temporary, &error).on(server);
                        return Err(failure.remedy(NAME_SERVERS));
                    }
                    _ => return Ok(false),
                }
            }
        }
        Ok(true)
    }

    fn holds_key(&mut self, key: &RotatedKey) -> Result<Option<bool>, Failure> {
        let path = self.path(key);
        match path.symlink_metadata() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Failure::new(Exit::NoInput, error).on(path.display())),
            // It was there before there was a key.
            Ok(_) if key.public_sha256.is_none() => return Ok(Some(false)),
            Ok(_) => {}
        }
        match key_file::read(&path) {
            Ok(signing) => Ok(Some(key.is_key(signing.public_key(), provider()))),
            Err(failure) if failure.exit == Exit::NoInput => Err(failure),
            // It got its name when it was whole.
            Err(_) => Ok(Some(false)),
        }
    }

    fn make_key(&mut self, key: &RotatedKey) -> Result<(PrivateKey, String), Failure> {
        let path = self.path(key);
        let pair = KeyPair::make(key.kind, provider())
            .map_err(|error| Failure::of(Exit::CannotCreate, &error).on(path.display()))?;
        let known_by = sha256(&pair.public)?;
        Ok((pair.private, known_by))
    }

    fn save_key(&mut self, key: &RotatedKey, private: PrivateKey) -> Result<bool, Failure> {
        let path = self.path(key);
        let failure = |error| Failure::new(Exit::CannotCreate, error).on(path.display());
        delete_unfinished(&path).map_err(failure)?;
        match save_new(&path, &private, self.means.owner.map(Owner::numbers)) {
            Ok(()) => Ok(true),
            Err(KeyFileError::Exists) => Ok(false),
            Err(error) => Err(key_file::unusable(&error).on(path.display())),
        }
    }

    fn publish(&mut self, key: &RotatedKey) -> Result<Done, Failure> {
        let place = Place::of(key);
        let public = self.signing_key(key)?.public_key().clone();
        let publication = self.publication(key, &place, &KeyRecord::new(public.clone()))?;
        let may_go = |record: &Record| Self::whose(key, record) == Whose::Own;
        let objection = |dns: &Dns| place.objection(dns, &public);
        self.bring_about(&Wanted::Record(publication), may_go, objection)
    }

    fn sharer(&mut self, key: &RotatedKey) -> Result<Option<Sharer>, Failure> {
        let config = &self.file.config;
        let Place { selector, domain, name } = Place::of(key);
        if let Some(other) = config.other_signer(&key.name, &selector, &domain) {
            return Ok(Some(Sharer::Signs(format!("keys.{other} signs as {name}"))));
        }
        let is_sharer = |other: &&RotatedKey| {
            other.name != key.name
                && other.phase == Phase::Retiring
                && !other.revoke_now
                && Place::of(other).name == name
        };
        let message_life = |key: &str| {
            let mut rotated = config.rotated();
            rotated.find(|(name, ..)| *name == key).map(|(.., plan)| plan.message_life)
        };
        let until = |other: &RotatedKey| {
            // Where its plan is gone, ours says how long mail is on its way.
            let life = message_life(&other.name).or_else(|| message_life(&key.name));
            other.since().after(life.unwrap_or_default())
        };
        let last = self.state.keys.iter().filter(is_sharer).max_by_key(|other| until(other));
        Ok(last.map(|other| Sharer::Signed {
            what: format!("keys.{} signed as {name}, and mail may be on its way", other.name),
            until: until(other),
        }))
    }

    fn publish_revocation(&mut self, key: &RotatedKey) -> Result<Done, Failure> {
        let place = Place::of(key);
        let text = format!("v=DKIM1; k={}; p=", key.kind.type_and_bits().0.name());
        let record = KeyRecord::parse(text.as_bytes())
            .map_err(|error| Failure::of(Exit::Data, &error).on(&place.name))?;
        let publication = self.publication(key, &place, &record)?;
        let is_by_hand = self.is_by_hand();
        let objection = |dns: &Dns| {
            let answer = place.txt(dns);
            match &answer {
                Ok(found) => match &*found.records {
                    [one] => {
                        let shown = KeyRecord::parse(&one.joined());
                        let is_revoked = shown.is_ok_and(|record| record.key.is_none());
                        (!is_revoked).then(|| "does not show that the key is revoked".to_owned())
                    }
                    many => Some(format!("shows {} records", many.len())),
                },
                // RFC 5863 §3.5.2, step 3: "or deletes the key selector record entirely".
                Err(error) if is_by_hand && !error.is_temporary() => None,
                Err(error) => Some(error.to_string()),
            }
        };
        let may_go =
            |record: &Record| matches!(Self::whose(key, record), Whose::Own | Whose::Revoked);
        self.bring_about(&Wanted::Record(publication), may_go, objection)
    }

    fn withdraw(&mut self, key: &RotatedKey) -> Result<Done, Failure> {
        let place = Place::of(key);
        let wanted = Wanted::Nothing { name: place.name.clone() };
        // One that never signed was not revoked by us.
        let was_revoked = key.history.iter().any(|step| step.phase == Phase::Active);
        let may_go = |record: &Record| match Self::whose(key, record) {
            Whose::Own => true,
            Whose::Revoked => was_revoked,
            Whose::Another | Whose::Unclear => false,
        };
        self.bring_about(&wanted, may_go, |dns| match self.is_gone(key, &place, dns) {
            Ok(true) => None,
            Ok(false) => Some("still shows a record".to_owned()),
            Err(error) => Some(error.to_string()),
        })
    }

    fn is_withdrawn(&mut self, key: &RotatedKey) -> Result<Done, Failure> {
        let place = Place::of(key);
        let (mut all, mut unclear) = (Vec::new(), None);
        for (server, dns) in self.servers(&place.name)?.iter() {
            match self.is_gone(key, &place, dns) {
                Ok(true) => all.push(server.to_string()),
                Err(error) => unclear = Some(Failure::of(Exit::Temporary, &error).on(server)),
                Ok(false) => return Ok(Done::NotYet(format!("shown by {server}"))),
            }
        }
        match unclear {
            Some(failure) => Err(failure),
            None => Ok(Done::Seen(format!("is not shown any more by {}", all.join(", ")))),
        }
    }

    fn prove(&mut self, key: &RotatedKey) -> Result<Done, Failure> {
        let place = Place::of(key);
        let signing = self.signing_key(key)?;
        let mut all = Vec::new();
        for (server, dns) in self.servers(&place.name)?.iter() {
            let Place { selector, domain, .. } = &place;
            let outcome = loop_back(&*signing, (selector, domain), None, now(), provider(), dns)
                .map_err(|error| Failure::of(Exit::Data, &error).on(&place.name))?;
            if outcome != Outcome::Pass {
                return Ok(Done::NotYet(format!("{server}: a test message: {outcome}")));
            }
            all.push(server.to_string());
        }
        Ok(Done::Seen(format!("a test message verifies by {}", all.join(", "))))
    }

    fn delete(&mut self, key: &RotatedKey) -> Result<Option<String>, Failure> {
        let path = self.path(key);
        // Nobody takes a key out of a token but who has its PIN and means it.
        if is_in_token(&path) {
            let uri = path.to_string_lossy();
            let place = token::subject(&uri);
            return Ok(Some(format!(
                "its private key is still in the token: a person has to destroy it there ({place})"
            )));
        }
        if let Some(why) = self.other_of_file(key, &path) {
            return Ok(Some(format!("{} is not deleted: {why}", path.display())));
        }
        if let Some(why) = Self::objection_to_deleting(key, &path)? {
            return Ok(Some(format!("{} is not deleted: {why}", path.display())));
        }
        let failure = |error| Failure::new(Exit::CannotCreate, error).on(path.display());
        delete_key(&path).map_err(failure)?;
        Ok(None)
    }

    fn reveal(&mut self, key: &RotatedKey, directory: &Path) -> Result<Done, Failure> {
        let Place { selector, domain, .. } = &Place::of(key);
        reveal((self.file, self.state), key, (selector, domain), directory)
    }

    fn hook(&mut self) -> Result<(), Failure> {
        let Some((program, arguments)) = self.file.config.rotation.hook.split_first() else {
            return Ok(());
        };
        let failure = |what: &str| Failure::new(Exit::NonePasses, what).on("rotation.hook");
        // It is run once in a command, however many steps are taken and keys change.
        if let Some(what) = &*self.hook_failed.borrow() {
            return Err(failure(what).told());
        }
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null()).stdout(io::stderr());
        let what = match command.status() {
            Ok(status) if status.success() => return Ok(()),
            Ok(status) => format!("{program}: ends with {status}"),
            Err(error) => format!("{program}: cannot be run: {error}"),
        };
        failure(&what)
            .remedy("mend the hook; until it has run, signers may go on with the old key")
            .tell();
        let told = failure(&what).told();
        self.hook_failed.replace(Some(what));
        Err(told)
    }

    fn save(&mut self, state: &RotationState) -> Result<(), Failure> {
        self.locked.save(state).map_err(|error| state_failure(self.locked.file(), &error))
    }
}

/// Whether two paths lead to one file.
fn is_one_file(one: &Path, other: &Path) -> bool {
    let number = |path: &Path| path.metadata().ok().map(|file| (file.dev(), file.ino()));
    one == other || number(one).is_some_and(|one| number(other) == Some(one))
}

impl Place {
    fn of(key: &RotatedKey) -> Self {
        let (selector, domain) = (key.selector.clone(), key.domain.clone());
        let name = record_name(&selector, &domain);
        Self { selector, domain, name }
    }

    fn txt(&self, dns: &Dns) -> Answer {
        dns.lookup(&Query { id: QueryId(0), name: self.name.clone(), kind: QueryKind::Txt })
    }

    /// What keeps mail signed with the key from verifying.
    fn objection(&self, dns: &Dns, public: &PublicKey) -> Option<String> {
        let mut test = KeyTest::new(&self.selector, &self.domain, Some(public.clone()));
        drive_blocking(&mut test, dns);
        let tested = test.finish();
        let error = tested.faults.iter().find(|fault| fault.severity() == Severity::Error)?;
        Some(error.to_string())
    }
}
