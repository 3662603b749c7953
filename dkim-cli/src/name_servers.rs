//! The name servers of a zone, each asked for itself: what they show, and until they all show it.

use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use dkim_stack::BlockingResolver;
use dkim_stack::dns::{Answer, Found, LookupError, Query, QueryId, QueryKind, Record};

use crate::diagnostics::Failure;
use crate::dns::{Dns, DnsArgs};
use crate::exit::Exit;
use crate::update::Wanted;

/// Servers that are asked one after the other, and keep nothing between two questions.
pub(crate) struct NameServers {
    servers: Vec<(SocketAddr, Dns)>,
}

/// What a server says.
pub(crate) struct Seen {
    pub(crate) server: SocketAddr,
    pub(crate) answer: Answer,
    /// Whether that is what is wanted.
    pub(crate) shows: bool,
}

impl NameServers {
    /// These, each once.
    pub(crate) fn new(addresses: &[SocketAddr]) -> Self {
        let mut servers: Vec<(SocketAddr, Dns)> = Vec::new();
        for address in addresses {
            if !servers.iter().any(|(other, _)| other == address) {
                servers.push((*address, Dns::of_server(*address)));
            }
        }
        Self { servers }
    }

    /// Those that have the first word on a name, as the system's servers say.
    pub(crate) fn authoritative(name: &str) -> Result<Vec<SocketAddr>, Failure> {
        let servers = Dns::new(&DnsArgs::of_system())?.authoritative(name)?;
        match servers.is_empty() {
            true => Err(Failure::new(Exit::Temporary, "no name server of it was found").on(name)),
            false => Ok(servers),
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (SocketAddr, &Dns)> {
        self.servers.iter().map(|(server, dns)| (*server, dns))
    }

    /// The TXT records of a name, as each has them.
    pub(crate) fn txt(&self, wanted: &Wanted) -> Vec<Seen> {
        let look = |(server, dns)| {
            let answer = ask(dns, wanted.name(), QueryKind::Txt);
            let shows = match (wanted, &answer) {
                // What is gone may be answered by a wildcard.
                (Wanted::Nothing { name }, Ok(found)) => is_of_wildcard(dns, name, found),
                _ => wanted.is_shown_by(&answer),
            };
            Seen { server, answer, shows }
        };
        self.iter().map(look).collect()
    }

    /// The TXT records that stand at a name, as the first server shows them.
    pub(crate) fn standing(&self, name: &str) -> Result<Vec<Record>, Failure> {
        let Some((_, dns)) = self.servers.first() else { return Ok(Vec::new()) };
        let alias = |target: Option<&String>| {
            let failure = Failure::new(Exit::NonePasses, "the name is an alias (CNAME)");
            let elsewhere = target
                .map(|target| format!("see to the record at {target}, or "))
                .unwrap_or_default();
            Err(failure.remedy(format_args!("{elsewhere}take the CNAME record away")))
        };
        let unclear = |error: LookupError| {
            let what = format!("does not tell what stands at {name}: {error}");
            Failure::new(Exit::Temporary, what)
                .remedy("see that it answers questions from here about the zone, and try again")
        };
        // Of where an alias leads to, this server may know nothing.
        match ask(dns, name, QueryKind::Cname) {
            Ok(found) => return alias(found.chain.first()),
            Err(LookupError::ChainTooLong) => return alias(None),
            Err(error) if error.is_temporary() => return Err(unclear(error)),
            Err(_) => {}
        }
        match ask(dns, name, QueryKind::Txt) {
            Ok(found) if !found.chain.is_empty() => alias(found.chain.first()),
            Ok(found) if is_of_wildcard(dns, name, &found) => Ok(Vec::new()),
            Ok(found) => Ok(found.records.to_vec()),
            Err(LookupError::NoSuchName | LookupError::NoRecords) => Ok(Vec::new()),
            Err(LookupError::ChainTooLong) => alias(None),
            Err(error) => Err(unclear(error)),
        }
    }

    /// The TXT records again, asked until all show what is wanted, for so long at most.
    pub(crate) fn wait_for(&self, wanted: &Wanted, patience: Duration) -> Vec<Seen> {
        const SECOND: Duration = Duration::from_secs(1);

        let start = Instant::now();
        let mut pause = Duration::from_millis(50);
        loop {
            let seen = self.txt(wanted);
            let left = patience.saturating_sub(start.elapsed());
            if left.is_zero() || seen.iter().all(|seen| seen.shows) {
                return seen;
            }
            thread::sleep(pause.min(left));
            pause = (pause * 2).min(SECOND);
        }
    }
}

fn ask(dns: &Dns, name: &str, kind: QueryKind) -> Answer {
    dns.lookup(&Query { id: QueryId(0), name: name.to_owned(), kind })
}

/// Whether a name that nobody made, beside that of a key record, has the same records: then nothing
/// stands at this one, and what its wildcard says (RFC 4592) stays for others.
pub(crate) fn is_of_wildcard(dns: &Dns, name: &str, found: &Found) -> bool {
    const LABEL: usize = 63;

    let Some((selector, domain)) = name.split_once("._domainkey.") else { return false };
    let label = format!("no-such-selector-{}", selector.replace('.', "-"));
    let label = label.get(..LABEL).unwrap_or(&label);
    let other = ask(dns, &format!("{label}._domainkey.{domain}"), QueryKind::Txt);
    matches!(other, Ok(other) if other.records.len() == found.records.len()
        && other.records.iter().all(|record| found.records.contains(record)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use dkim_stack::Zone;

    use super::*;

    /// Whoever publishes and whoever withdraws reads the same words.
    #[test]
    fn an_alias_is_told_with_its_target() {
        let name = "s._domainkey.example.com";
        let zone = Zone::new().cname(name, "s._domainkey.esp.example");
        let server = "192.0.2.53:53".parse().unwrap();
        let told = NameServers { servers: vec![(server, Dns::Zone(zone))] }.standing(name);
        let told = told.unwrap_err().to_string();
        let remedy = "see to the record at s._domainkey.esp.example, or take the CNAME record away";
        assert!(told.contains("is an alias (CNAME)") && told.ends_with(remedy), "{told}");
    }
}
