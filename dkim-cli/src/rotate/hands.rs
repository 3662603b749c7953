//! What the steps of a rotation do in the world: files, name servers, the hook.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use dkim_keys::{
    Done, Hands, KeyEntry, KeyFileError, KeyPair, KeySource, KeyTest, LockedState, Publication,
    RotatedKey, RotationState, Severity, delete_key, delete_unfinished, is_in_token, key_file_name,
    loop_back, save_new,
};
use dkim_stack::crypto::PublicKey;
use dkim_stack::dns::{Answer, LookupError, Query, QueryId, QueryKind, drive_blocking};
use dkim_stack::keyrec::{KeyRecord, record_name};
use dkim_stack::{BlockingResolver, DomainName, Selector, now};

use super::reveal::reveal;
use crate::config::{ConfigFile, state_failure};
use crate::diagnostics::Failure;
use crate::dns::Dns;
use crate::exit::Exit;
use crate::key::{Owner, parse_owner};
use crate::name_servers::NameServers;
use crate::provider::provider;
use crate::update::{Primary, Wanted};
use crate::{key_file, token};

/// The world, as a configuration sees it.
pub(crate) struct World<'c> {
    file: &'c ConfigFile,
    state: &'c RotationState,
    locked: &'c LockedState,
    /// Who takes updates.
    primary: Option<Primary>,
    owner: Option<Owner>,
}

/// A key with its name in the DNS.
struct Place {
    selector: Selector,
    domain: DomainName,
    name: String,
}

impl<'c> World<'c> {
    pub(super) fn new(
        file: &'c ConfigFile,
        state: &'c RotationState,
        locked: &'c LockedState,
    ) -> Result<Self, Failure> {
        let rotation = &file.config.rotation;
        let tsig: Option<PathBuf> = rotation.tsig.as_ref().map(|tsig| file.directory.join(tsig));
        let primary = match &rotation.server {
            Some(server) => Some(Primary::new(server.0, tsig.as_deref(), rotation.zone.clone())?),
            None => None,
        };
        let owner = rotation.owner.as_deref().map(parse_owner).transpose();
        let owner = owner.map_err(|error| Failure::new(Exit::Data, error).on("rotation.owner"))?;
        Ok(Self { file, state, locked, primary, owner })
    }

    /// Whether a person has to publish.
    pub(crate) fn is_by_hand(&self) -> bool {
        self.primary.is_none()
    }

    fn path(&self, key: &RotatedKey) -> PathBuf {
        self.file.path_of(&key.file)
    }

    /// Who must show the records of a name.
    fn servers(&self, name: &str) -> Result<NameServers, Failure> {
        let said: Vec<SocketAddr> =
            self.file.config.rotation.servers.iter().map(|server| server.0).collect();
        Ok(NameServers::new(&match said.is_empty() {
            true => NameServers::authoritative(name)?,
            false => said,
        }))
    }

    /// Lets the servers show what is wanted, or tells a person to see to it.
    ///
    /// `objection` is what is wrong with what one of them shows.
    fn bring_about(
        &self,
        wanted: &Wanted,
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
            && let Some(primary) = &self.primary
        {
            primary.update(wanted)?;
            servers.wait_for(wanted.name(), |answer| wanted.is_shown_by(answer), PATIENCE);
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
        Ok(Done::NotYet(match (&self.primary, wanted) {
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

    /// A record for the key, kept for as long as its plan says.
    fn publication(&self, key: &RotatedKey, place: &Place, record: &KeyRecord) -> Publication {
        let mut publication = Publication::new(&place.selector, &place.domain, record);
        let entry = self.file.config.keys.get(&key.name).map(|entry| &entry.key);
        if let Some(KeySource::Rotated { plan, .. }) = entry {
            publication.ttl = plan.ttl;
        }
        publication
    }
}

impl Hands for World<'_> {
    type Error = Failure;

    fn is_free(&mut self, domain: &DomainName, selector: &Selector) -> Result<bool, Failure> {
        let name = record_name(selector, domain);
        let file = key_file_name(selector, domain);
        if self.file.directory.join(file).symlink_metadata().is_ok() {
            return Ok(false);
        }
        for (server, dns) in self.servers(&name)?.iter() {
            for kind in [QueryKind::Txt, QueryKind::Cname] {
                let answer = dns.lookup(&Query { id: QueryId(0), name: name.clone(), kind });
                match answer {
                    Err(LookupError::NoSuchName | LookupError::NoRecords) => {}
                    Err(error) if error.is_temporary() => {
                        return Err(Failure::of(Exit::Temporary, &error).on(server));
                    }
                    _ => return Ok(false),
                }
            }
        }
        Ok(true)
    }

    fn make_key(&mut self, key: &RotatedKey) -> Result<(), Failure> {
        let path = self.path(key);
        let unusable = |error: KeyFileError| key_file::unusable(&error).on(path.display());
        let failure = |error| Failure::new(Exit::CannotCreate, error).on(path.display());
        delete_unfinished(&path).map_err(failure)?;
        let pair = KeyPair::make(key.kind, provider())
            .map_err(|error| Failure::of(Exit::CannotCreate, &error).on(path.display()))?;
        match save_new(&path, &pair.private, self.owner.map(Owner::numbers)) {
            // Made before whoever made it was stopped; it got its name when it was whole.
            Err(KeyFileError::Exists) => key_file::read(&path).map(|_| ()),
            saved => saved.map_err(unusable),
        }
    }

    fn publish(&mut self, key: &RotatedKey) -> Result<Done, Failure> {
        let place = Place::of(key)?;
        let public = key_file::read(&self.path(key))?.public_key().clone();
        let publication = self.publication(key, &place, &KeyRecord::new(public.clone()));
        self.bring_about(&Wanted::Record(publication), |dns| place.objection(dns, &public))
    }

    fn publish_revocation(&mut self, key: &RotatedKey) -> Result<Done, Failure> {
        let place = Place::of(key)?;
        let text = format!("v=DKIM1; k={}; p=", key.kind.type_and_bits().0.name());
        let record = KeyRecord::parse(text.as_bytes())
            .map_err(|error| Failure::of(Exit::Data, &error).on(&place.name))?;
        let publication = self.publication(key, &place, &record);
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
        self.bring_about(&Wanted::Record(publication), objection)
    }

    fn withdraw(&mut self, key: &RotatedKey) -> Result<Done, Failure> {
        let place = Place::of(key)?;
        let wanted = Wanted::Nothing { name: place.name.clone() };
        self.bring_about(&wanted, |dns| match place.txt(dns) {
            Err(LookupError::NoSuchName | LookupError::NoRecords) => None,
            Err(error) => Some(error.to_string()),
            Ok(_) => Some("still shows a record".to_owned()),
        })
    }

    fn is_withdrawn(&mut self, key: &RotatedKey) -> Result<Done, Failure> {
        let place = Place::of(key)?;
        let (mut all, mut unclear) = (Vec::new(), None);
        for (server, dns) in self.servers(&place.name)?.iter() {
            match place.txt(dns) {
                Err(LookupError::NoSuchName | LookupError::NoRecords) => {
                    all.push(server.to_string());
                }
                Err(error) => unclear = Some(Failure::of(Exit::Temporary, &error).on(server)),
                Ok(_) => return Ok(Done::NotYet(format!("shown by {server}"))),
            }
        }
        match unclear {
            Some(failure) => Err(failure),
            None => Ok(Done::Seen(format!("is not shown any more by {}", all.join(", ")))),
        }
    }

    fn prove(&mut self, key: &RotatedKey) -> Result<Done, Failure> {
        let place = Place::of(key)?;
        let signing = key_file::read(&self.path(key))?;
        let mut all = Vec::new();
        for (server, dns) in self.servers(&place.name)?.iter() {
            let Place { selector, domain, .. } = &place;
            let outcome = loop_back(&*signing, selector, domain, now(), provider(), dns)
                .map_err(|error| Failure::of(Exit::Data, &error).on(&place.name))?;
            if outcome.result().name() != "pass" {
                return Ok(Done::NotYet(format!("{server}: a test message: {outcome}")));
            }
            all.push(server.to_string());
        }
        Ok(Done::Seen(format!("a test message verifies by {}", all.join(", "))))
    }

    fn bury(&mut self, key: &RotatedKey) -> Result<Option<String>, Failure> {
        let path = self.path(key);
        // Nobody takes a key out of a token but who has its PIN and means it.
        if is_in_token(&path) {
            let uri = path.to_string_lossy();
            let place = token::subject(&uri);
            return Ok(Some(format!(
                "its private key is still in the token: a person has to destroy it there ({place})"
            )));
        }
        // A key that was taken over may be another's, too.
        let is_same = |(name, other): &(&String, &KeyEntry)| {
            **name != key.name && other.signing().is_some_and(|other| other.file == key.file)
        };
        let is_kept = |other: &&RotatedKey| {
            (&other.name, &other.selector) != (&key.name, &key.selector)
                && other.kept
                && other.file == key.file
        };
        let signs = self.file.config.keys.iter().find(is_same).map(|(name, _)| name);
        let kept = || Some(&self.state.keys.iter().find(is_kept)?.name);
        if let Some(other) = signs.or_else(kept) {
            let path = path.display();
            return Ok(Some(format!("{path} is not deleted: it is the file of keys.{other}, too")));
        }
        let failure = |error| Failure::new(Exit::CannotCreate, error).on(path.display());
        delete_key(&path).map_err(failure)?;
        Ok(None)
    }

    fn reveal(&mut self, key: &RotatedKey, directory: &Path) -> Result<Done, Failure> {
        let Place { selector, domain, .. } = &Place::of(key)?;
        reveal((self.file, self.state), key, (selector, domain), directory)
    }

    fn hook(&mut self) -> Result<(), Failure> {
        let Some((program, arguments)) = self.file.config.rotation.hook.split_first() else {
            return Ok(());
        };
        let failure = |what: String| {
            Failure::new(Exit::Temporary, what)
                .on(format_args!("rotation.hook: {program}"))
                .remedy("mend the hook; until it has run, signers may go on with the old key")
        };
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null()).stdout(io::stderr());
        match command.status() {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(failure(format!("ends with {status}"))),
            Err(error) => Err(failure(format!("cannot be run: {error}"))),
        }
    }

    fn save(&mut self, state: &RotationState) -> Result<(), Failure> {
        self.locked.save(state).map_err(|error| state_failure(self.locked.file(), &error))
    }
}

impl Place {
    fn of(key: &RotatedKey) -> Result<Self, Failure> {
        let data = |error: &dyn std::error::Error| {
            Failure::of(Exit::Data, error).on(format_args!("keys.{} in the state", key.name))
        };
        let selector = Selector::parse(&key.selector).map_err(|error| data(&error))?;
        let domain = DomainName::parse(&key.domain).map_err(|error| data(&error))?;
        let name = record_name(&selector, &domain);
        Ok(Self { selector, domain, name })
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
