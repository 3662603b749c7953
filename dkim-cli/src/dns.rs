//! Where records come from: zone files, given name servers, or the system's.

use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};

use clap::Args;
use dkim_keys::ServerAddress;
use dkim_stack::dns::{
    Answer, Coalescing, HickoryError, HickoryOptions, LookupError, Query, TrustAnchors,
    ZoneErrorKind,
};
use dkim_stack::tags::InvalidName;
use dkim_stack::{BlockingResolver, HickoryBlocking, HickoryResolver, Resolver, Selector, Zone};

use crate::diagnostics::Failure;
use crate::exit::Exit;
use crate::input::read_whole;

/// How long a zone file may be, in octets.
const ZONE_LIMIT: usize = 64 * 1024 * 1024;

/// How long a file of trust anchors may be, in octets.
const ANCHORS_LIMIT: usize = 64 * 1024;

/// How many answers are kept for many messages. One takes a kilobyte or two, and seventy at most:
/// whoever publishes records chooses how long they are.
const KEPT_ANSWERS: u32 = 4_096;

/// Where the command line says that records come from.
#[derive(Debug, Args)]
pub(crate) struct DnsArgs {
    /// Take records from this master file (RFC 1035 §5.1) and ask no server
    ///
    /// May be given several times. The comments `;! SERVFAIL name.` and `;! TIMEOUT name.` let a
    /// name fail.
    #[arg(long, value_name = "FILE", conflicts_with = "dns")]
    zone: Vec<PathBuf>,

    /// The zone that the file is of, if it does not begin with $ORIGIN
    #[arg(long, value_name = "NAME", requires = "zone", value_parser = zone_name)]
    origin: Option<String>,

    /// Ask this name server and not the system's; port 53 unless said
    ///
    /// May be given several times.
    #[arg(long, value_name = "ADDR[:PORT]", value_parser = parse_server)]
    dns: Vec<SocketAddr>,
}

/// Reads the name of a zone, without a closing dot: labels may begin with `_`, as in selectors, and
/// the root has none.
pub(crate) fn zone_name(text: &str) -> Result<String, InvalidName> {
    let text = text.strip_suffix('.').unwrap_or(text);
    if text.is_empty() {
        return Ok(String::new());
    }
    Selector::parse(text).map(|name| name.as_str().to_owned())
}

impl DnsArgs {
    /// One after the other what is asked each for itself: the zone files together, each server, or
    /// the system's servers together.
    pub(crate) fn each(&self) -> Vec<Self> {
        match &*self.dns {
            [] => {
                vec![Self { zone: self.zone.clone(), origin: self.origin.clone(), dns: Vec::new() }]
            }
            servers => servers.iter().map(|server| Self::of_server(*server)).collect(),
        }
    }

    /// As if nothing had been said.
    pub(crate) fn of_system() -> Self {
        Self { zone: Vec::new(), origin: None, dns: Vec::new() }
    }

    /// As if this one name server had been said.
    pub(crate) fn of_server(server: SocketAddr) -> Self {
        Self { zone: Vec::new(), origin: None, dns: vec![server] }
    }

    /// Who is asked, if it is a server that was named.
    pub(crate) fn server(&self) -> Option<SocketAddr> {
        self.dns.first().copied()
    }

    /// Whether anything is said.
    pub(crate) fn is_given(&self) -> bool {
        !self.zone.is_empty() || !self.dns.is_empty()
    }
}

/// The DNS of an invocation.
pub(crate) enum Dns<R = HickoryBlocking> {
    Zone(Zone),
    Servers(Box<R>),
    /// There is no way to ask, which may be mended: every question fails for now.
    Unreachable(String),
}

/// The DNS for many messages at once: what several of them ask is asked once, and waits before the
/// resolver, so that a slow name takes one of its places, however many messages wait for it.
pub(crate) type SharedDns = Dns<Coalescing<HickoryResolver>>;

impl Dns {
    /// The addresses of the servers that have the first word on a name, but for those that this machine
    /// has no way to: without IPv6, the others of a server tell as much. Where a server has no other,
    /// they stay, and whoever asks is told.
    pub(crate) fn authoritative(&self, name: &str) -> Result<Vec<SocketAddr>, Failure> {
        const PORT: u16 = 53;

        let servers = match self {
            Self::Servers(servers) => servers.name_servers(name),
            Self::Zone(_) => return Err(Failure::new(Exit::Usage, "a zone file has no servers")),
            Self::Unreachable(why) => Err(LookupError::Failed(why.clone())),
        };
        let servers = servers.map_err(|error| {
            Failure::of(Exit::Temporary, &error).on(format_args!("the name servers of {name}"))
        })?;
        let addresses = servers.into_iter().flat_map(|server| {
            let all = server.addresses.into_iter().map(|address| SocketAddr::new(address, PORT));
            reachable(all.collect(), has_way_to)
        });
        Ok(addresses.collect())
    }

    /// One name server, of whose answers none is kept.
    pub(crate) fn of_server(server: SocketAddr) -> Self {
        let mut options = HickoryOptions::new();
        options.cache_size = 0;
        let resolver = HickoryBlocking::with_servers(&[server], &options);
        let resolver = resolver.map(|resolver| Self::Servers(Box::new(resolver)));
        resolver.unwrap_or_else(Self::unreachable)
    }

    /// For one message after the other.
    pub(crate) fn new(args: &DnsArgs) -> Result<Self, Failure> {
        Self::with(args, &HickoryOptions::new())
    }

    /// The same, and answers are validated, beginning at these anchors.
    pub(crate) fn validating(args: &DnsArgs, anchors: TrustAnchors) -> Result<Self, Failure> {
        let mut options = HickoryOptions::new();
        options.trust_anchors = Some(anchors);
        Self::with(args, &options)
    }

    fn with(args: &DnsArgs, options: &HickoryOptions) -> Result<Self, Failure> {
        Self::of(args, |servers| match servers {
            [] => HickoryBlocking::from_system(options),
            servers => HickoryBlocking::with_servers(servers, options),
        })
    }
}

/// Those addresses of a server that can be reached from here; all of them, if none can.
fn reachable(all: Vec<SocketAddr>, has_way_to: fn(&SocketAddr) -> bool) -> Vec<SocketAddr> {
    match all.iter().any(has_way_to) {
        true => all.into_iter().filter(has_way_to).collect(),
        false => all,
    }
}

/// Whether this machine knows where to send what is for an address; nothing is sent.
fn has_way_to(address: &SocketAddr) -> bool {
    let any: SocketAddr = match address {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let connected = UdpSocket::bind(any).and_then(|socket| socket.connect(address));
    !connected.is_err_and(|error| tells_of_no_way(&error))
}

/// Whatever else keeps a machine from telling is no reason to leave a server out.
fn tells_of_no_way(error: &io::Error) -> bool {
    let is_kind = matches!(
        error.kind(),
        ErrorKind::NetworkUnreachable | ErrorKind::HostUnreachable | ErrorKind::AddrNotAvailable
    );
    // A kernel without IPv6.
    is_kind || error.raw_os_error() == Some(rustix::io::Errno::AFNOSUPPORT.raw_os_error())
}

impl SharedDns {
    pub(crate) fn shared(args: &DnsArgs) -> Result<Self, Failure> {
        let mut options = HickoryOptions::new();
        options.cache_size = KEPT_ANSWERS;
        Self::of(args, |servers| {
            let resolver = match servers {
                [] => HickoryResolver::from_system(&options),
                servers => HickoryResolver::with_servers(servers, &options),
            };
            resolver.map(Coalescing::new)
        })
    }
}

impl<R> Dns<R> {
    /// The zone files, if there are some; else the servers, none of which means the system's.
    fn of(
        DnsArgs { zone: zones, origin, dns: servers }: &DnsArgs,
        connect: impl FnOnce(&[SocketAddr]) -> Result<R, HickoryError>,
    ) -> Result<Self, Failure> {
        if zones.is_empty() {
            let resolver = connect(servers).map(|resolver| Self::Servers(Box::new(resolver)));
            return Ok(resolver.unwrap_or_else(Self::unreachable));
        }
        let mut all = Zone::new();
        for path in zones {
            let mut file = Vec::new();
            read_whole(path, ZONE_LIMIT, &mut file)?;
            let zone = match origin {
                Some(origin) => Zone::parse_with_origin(&file, origin),
                None => Zone::parse(&file),
            };
            let zone = zone.map_err(|error| {
                let failure = Failure::of(Exit::Data, &error).on(path.display());
                match error.kind {
                    ZoneErrorKind::Relative(_) => {
                        failure.remedy("say which zone it is: --origin NAME")
                    }
                    _ => failure,
                }
            })?;
            all = all.merge(zone);
        }
        Ok(Self::Zone(all))
    }

    fn unreachable(error: HickoryError) -> Self {
        let failure = Failure::of(Exit::Temporary, &error)
            .on("DNS")
            .remedy("name a server with --dns ADDR, or a zone file with --zone FILE");
        failure.tell();
        Self::Unreachable(failure.what)
    }
}

impl BlockingResolver for Dns {
    fn lookup(&self, query: &Query) -> Answer {
        match self {
            Self::Zone(zone) => zone.answer(query),
            Self::Servers(servers) => servers.lookup(query),
            Self::Unreachable(why) => Err(LookupError::Failed(why.clone())),
        }
    }

    fn lookup_all(&self, queries: &[Query]) -> Vec<Answer> {
        match self {
            Self::Servers(servers) => servers.lookup_all(queries),
            Self::Zone(_) | Self::Unreachable(_) => {
                queries.iter().map(|query| self.lookup(query)).collect()
            }
        }
    }
}

impl Resolver for SharedDns {
    async fn lookup(&self, query: &Query) -> Answer {
        match self {
            Self::Zone(zone) => zone.answer(query),
            Self::Servers(servers) => servers.lookup(query).await,
            Self::Unreachable(why) => Err(LookupError::Failed(why.clone())),
        }
    }
}

/// The trust anchors of a file.
pub(crate) fn trust_anchors(path: &Path) -> Result<TrustAnchors, Failure> {
    let mut file = Vec::new();
    read_whole(path, ANCHORS_LIMIT, &mut file)?;
    TrustAnchors::parse(&String::from_utf8_lossy(&file))
        .map_err(|error| Failure::of(Exit::Data, &error).on(path.display()))
}

pub(crate) fn parse_server(text: &str) -> Result<SocketAddr, &'static str> {
    text.parse().map(|ServerAddress(server)| server)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_addresses_with_or_without_port() {
        for (text, server) in [
            ("192.0.2.1", "192.0.2.1:53"),
            ("192.0.2.1:5353", "192.0.2.1:5353"),
            ("2001:db8::1", "[2001:db8::1]:53"),
            ("[::1]", "[::1]:53"),
            ("[::1]:5353", "[::1]:5353"),
        ] {
            assert_eq!(parse_server(text), Ok(server.parse().expect("an address")), "{text}");
        }
        for bad in ["", "dns.example.org", "192.0.2.1:", "192.0.2.1:99999", "[::1", "::1]:53"] {
            assert!(parse_server(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_server_is_asked_where_there_is_a_way_to_it() {
        let servers = |texts: &[&str]| -> Vec<SocketAddr> {
            texts.iter().map(|text| text.parse().expect("an address")).collect()
        };
        let both = servers(&["192.0.2.1:53", "[2001:db8::1]:53"]);
        assert_eq!(reachable(both.clone(), SocketAddr::is_ipv4), servers(&["192.0.2.1:53"]));
        assert_eq!(reachable(both.clone(), |_| true), both);
        // What cannot be asked is told by whoever asks, and not left out.
        let one = servers(&["[2001:db8::1]:53"]);
        assert_eq!(reachable(one.clone(), SocketAddr::is_ipv4), one);
        assert!(has_way_to(&servers(&["127.0.0.1:53"])[0]));
        let kinds = [ErrorKind::NetworkUnreachable, ErrorKind::HostUnreachable];
        assert!(kinds.iter().all(|kind| tells_of_no_way(&(*kind).into())));
        let no_family = rustix::io::Errno::AFNOSUPPORT.into();
        assert!(tells_of_no_way(&no_family));
        assert!(!tells_of_no_way(&ErrorKind::PermissionDenied.into()));
    }

    /// No zone is read in vain: what is as long as may be is read as a file alone.
    #[test]
    fn files_are_read_up_to_their_limits() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let path = file.path();
        let set_length = |length: usize| {
            let length = u64::try_from(length).expect("a length");
            file.as_file().set_len(length).expect("a file of this length");
        };
        let zone = || {
            let args = DnsArgs { zone: vec![path.to_owned()], origin: None, dns: Vec::new() };
            Dns::<HickoryBlocking>::new(&args).err().map(|failure| failure.to_string())
        };
        let anchors = || trust_anchors(path).err().map(|failure| failure.to_string());
        let is_too_long = |told: Option<String>| told.is_some_and(|told| told.contains("longer"));
        set_length(ZONE_LIMIT);
        assert!(read_whole(path, ZONE_LIMIT, &mut Vec::new()).is_ok());
        set_length(ZONE_LIMIT + 1);
        assert!(is_too_long(zone()));
        set_length(ANCHORS_LIMIT);
        assert!(!is_too_long(anchors()));
        set_length(ANCHORS_LIMIT + 1);
        assert!(is_too_long(anchors()));
    }
}
