//! What is wanted of a zone, and the server that is told.

use std::net::SocketAddr;
use std::path::Path;

use dkim_keys::{Form, Publication, RecordFault, examine};
use dkim_stack::dns::{
    Answer, Change, Condition, LookupError, Record, TsigKey, Update, UpdateError, Updater,
};
use dkim_stack::now;
use zeroize::Zeroizing;

use crate::diagnostics::Failure;
use crate::exit::Exit;
use crate::input::read_whole;

/// What a name is to have: one TXT record, or none.
pub(crate) enum Wanted {
    Record(Publication),
    Nothing { name: String },
}

impl Wanted {
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Record(publication) => &publication.name,
            Self::Nothing { name } => name,
        }
    }

    /// Whether an answer shows just that.
    pub(crate) fn is_shown_by(&self, answer: &Answer) -> bool {
        match (self, answer) {
            (Self::Record(publication), Ok(found)) => {
                let is = |record: &Record| record.joined() == publication.text.as_bytes();
                found.chain.is_empty() && matches!(&*found.records, [one] if is(one))
            }
            (Self::Nothing { .. }, Err(error)) => {
                matches!(error, LookupError::NoSuchName | LookupError::NoRecords)
            }
            _ => false,
        }
    }

    fn change(&self) -> Change {
        match self {
            Self::Record(publication) => {
                let strings = publication.strings().map(|string| string.as_bytes().to_vec());
                let record = Record { strings: strings.collect() };
                Change::Replace { record, ttl: publication.ttl }
            }
            Self::Nothing { .. } => Change::Delete,
        }
    }

    /// The same as commands for `nsupdate`.
    pub(crate) fn nsupdate(&self, server: SocketAddr, zone: &str, condition: &Condition) -> String {
        let (address, port, name) = (server.ip(), server.port(), self.name());
        let condition = match condition {
            Condition::Just(records) if records.is_empty() => {
                format!("prereq nxrrset {name}. IN TXT\n")
            }
            Condition::Just(records) => records.iter().fold(String::new(), |lines, record| {
                format!("{lines}prereq yxrrset {name}. IN TXT {}\n", strings(record))
            }),
            _ => String::new(),
        };
        let commands = match self {
            Self::Record(publication) => Form::Nsupdate.write(publication),
            Self::Nothing { name } => {
                format!("prereq nxrrset {name}. IN CNAME\nupdate delete {name}. IN TXT\nsend\n")
            }
        };
        format!("server {address} {port}\nzone {zone}.\n{condition}{commands}")
    }
}

/// The strings of a record as they stand in a master file (RFC 1035 §5.1): it may be anybody's, with
/// any octets in it.
fn strings(record: &Record) -> String {
    let octet = |octet: &u8| match octet {
        b'"' | b'\\' => format!("\\{}", char::from(*octet)),
        b' '..=b'~' => char::from(*octet).to_string(),
        other => format!("\\{other:03}"),
    };
    let string = |string: &Vec<u8>| format!("\"{}\"", string.iter().map(octet).collect::<String>());
    record.strings.iter().map(string).collect::<Vec<_>>().join(" ")
}

/// The text of a record that stands at a name, unless somebody published a private key.
pub(crate) fn text_of(record: &Record) -> String {
    match examine(record, None).contains(&RecordFault::PrivateKey) {
        true => "(a private key)".to_owned(),
        false => String::from_utf8_lossy(&record.joined()).into_owned(),
    }
}

/// The server that takes updates.
pub(crate) struct Primary {
    updater: Updater,
    zone: Option<String>,
    is_authenticated: bool,
}

impl Primary {
    /// At this address, with the key in this file; the zone, if it is known.
    pub(crate) fn new(
        server: SocketAddr,
        tsig: Option<&Path>,
        zone: Option<String>,
    ) -> Result<Self, Failure> {
        let key = tsig.map(read_key).transpose()?;
        let is_authenticated = key.is_some();
        let updater = Updater::new(server, key).map_err(|error| failure(server, &error))?;
        Ok(Self { updater, zone, is_authenticated })
    }

    /// The zone that a name is in.
    pub(crate) fn zone_of(&self, name: &str) -> Result<String, Failure> {
        let found = || self.updater.zone_of(name);
        let zone = self.zone.clone().map_or_else(found, Ok);
        zone.map_err(|error| self.failure(&error))
    }

    /// Where it is.
    pub(crate) const fn server(&self) -> SocketAddr {
        self.updater.server()
    }

    /// Lets it carry out what is wanted, on this condition.
    pub(crate) fn update_if(&self, wanted: &Wanted, condition: Condition) -> Result<(), Failure> {
        let (name, change) = (wanted.name().to_owned(), wanted.change());
        let zone = self.zone_of(&name)?;
        let update = Update { zone, name, condition, change };
        let sent = self.updater.send(&update, now().0);
        sent.map_err(|error| self.failure(&error))
    }

    fn failure(&self, error: &UpdateError) -> Failure {
        let failure = failure(self.updater.server(), error);
        match error {
            UpdateError::Refused if !self.is_authenticated => failure.remedy(
                "name the TSIG key that the server lets change TXT records there: \
                 `--tsig FILE`, or `tsig` in [rotation]",
            ),
            _ => failure,
        }
    }
}

fn read_key(path: &Path) -> Result<TsigKey, Failure> {
    // Room for all at once: a vector that grows leaves copies of itself behind.
    let mut octets = Zeroizing::new(Vec::with_capacity(TsigKey::MAX_LEN + 2));
    read_whole(path, TsigKey::MAX_LEN, &mut octets)?;
    let data = |error: &dyn std::error::Error| {
        Failure::of(Exit::Data, error)
            .on(path.display())
            .remedy("`tsig-keygen NAME` writes such a file; the server must have the same")
    };
    let text = str::from_utf8(&octets).map_err(|error| data(&error))?;
    TsigKey::parse(text).map_err(|error| data(&error))
}

/// What to tell of an update that was not carried out.
fn failure(server: SocketAddr, error: &UpdateError) -> Failure {
    let exit = match error {
        UpdateError::Unauthenticated => Exit::Usage,
        UpdateError::Unsendable { .. } => Exit::Data,
        // Whoever looks again sees what stands there now.
        UpdateError::Changed(_) => Exit::Temporary,
        error if error.is_temporary() => Exit::Temporary,
        _ => Exit::NonePasses,
    };
    let failure = Failure::of(exit, error).remedy(error.remedy());
    match error {
        // It names the server itself.
        UpdateError::Silent { .. } => failure,
        _ => failure.on(server),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::fs;

    use super::*;

    /// A key that was not sent needs no other rights.
    #[test]
    fn who_is_refused_without_a_key_is_told_of_keys() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let secret = "YSBzZWNyZXQgb2YgdGhpcnR5LXR3byBvY3RldHMgISE=";
        fs::write(&file, format!("key k {{ algorithm hmac-sha256; secret \"{secret}\"; }};"))
            .unwrap();
        let server = "127.0.0.1:53".parse().unwrap();
        for (tsig, remedy) in [(None, "`--tsig FILE`"), (Some(file.path()), "let the key change")] {
            let primary = Primary::new(server, tsig, None).unwrap();
            let told = primary.failure(&UpdateError::Refused).to_string();
            assert!(told.contains(remedy), "{told}");
        }
    }
}
