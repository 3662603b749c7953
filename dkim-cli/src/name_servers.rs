//! The name servers of a zone, each asked for itself: what they show, and until they all show it.

use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use dkim_stack::BlockingResolver;
use dkim_stack::dns::{Answer, Query, QueryId, QueryKind};

use crate::diagnostics::Failure;
use crate::dns::{Dns, DnsArgs};
use crate::exit::Exit;

/// Servers that are asked one after the other, and keep nothing between two questions.
pub(crate) struct NameServers {
    servers: Vec<(SocketAddr, Dns)>,
}

/// What a server says.
pub(crate) struct Seen {
    pub(crate) server: SocketAddr,
    pub(crate) answer: Answer,
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
    pub(crate) fn txt(&self, name: &str) -> Vec<Seen> {
        let query = Query { id: QueryId(0), name: name.to_owned(), kind: QueryKind::Txt };
        self.iter().map(|(server, dns)| Seen { server, answer: dns.lookup(&query) }).collect()
    }

    /// What the first has at a name.
    pub(crate) fn ask_first(&self, name: &str, kind: QueryKind) -> Option<Answer> {
        let query = Query { id: QueryId(0), name: name.to_owned(), kind };
        self.servers.first().map(|(_, dns)| dns.lookup(&query))
    }

    /// The TXT records again, asked until all of them satisfy, for so long at most.
    pub(crate) fn wait_for(
        &self,
        name: &str,
        satisfies: impl Fn(&Answer) -> bool,
        patience: Duration,
    ) -> Vec<Seen> {
        const LONGEST: Duration = Duration::from_secs(1);

        let end = Instant::now() + patience;
        let mut pause = Duration::from_millis(50);
        loop {
            let seen = self.txt(name);
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() || seen.iter().all(|seen| satisfies(&seen.answer)) {
                return seen;
            }
            thread::sleep(pause.min(left));
            pause = (pause * 2).min(LONGEST);
        }
    }
}
