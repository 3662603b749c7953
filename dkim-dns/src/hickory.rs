//! The DNS itself, asked through hickory-resolver; the blocking face brings its own runtime.

#[cfg(all(feature = "dnssec", any(feature = "ring", feature = "aws-lc-rs")))]
mod validation;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::slice;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use hickory_resolver::config::{NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError, NoRecords};
use hickory_resolver::proto::op::{Message, Query as Question, ResponseCode};
use hickory_resolver::proto::rr::{Name, RData, Record as RawRecord, RecordType};
use hickory_resolver::{ResponseCache, TokioResolver, TtlConfig};
use tokio::runtime::{self, Handle, Runtime};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time;

use crate::name;
use crate::{
    Answer, BlockingResolver, Dnssec, Found, LookupError, MAX_CNAME_HOPS, MAX_RECORDS, Query,
    QueryKind, Record, Resolver,
};

/// How many questions may be open at once, unless said.
const MAX_OPEN_QUESTIONS: usize = 128;

/// How patiently to ask, how many questions at once, and how much to keep.
///
/// ```
/// let mut options = dkim_dns::HickoryOptions::new();
/// options.attempts = 1;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HickoryOptions {
    /// How long one attempt may take; by default 5 seconds. A question is given up, with
    /// [`LookupError::Timeout`], after as many times this as there are attempts, whatever aliases
    /// and servers it led to.
    pub timeout: Duration,
    /// How often a question that gets no usable answer is sent; at least once, by default 2 times.
    pub attempts: u32,
    /// How many answers are kept for as long as their TTL allows; by default 1024. With 0, none.
    pub cache_size: u32,
    /// How many questions may be open at once; by default 128, and at least one. Each has a socket, and
    /// some have two or more when servers are slow; a process often has 1024 files and sockets and no
    /// more. The next ones wait, and their time begins when they are asked; what is kept needs no place.
    /// Whoever sends mail chooses some of the names, and may let their servers be silent.
    pub open_questions: usize,
    /// Where to begin validating with DNSSEC; by default nothing is validated, and
    /// [`Found::dnssec`] is [`Dnssec::Unknown`].
    #[cfg(all(feature = "dnssec", any(feature = "ring", feature = "aws-lc-rs")))]
    pub trust_anchors: Option<crate::TrustAnchors>,
}

impl HickoryOptions {
    /// The defaults.
    #[must_use]
    pub fn new() -> Self {
        Self {
            timeout: Duration::from_secs(5),
            attempts: 2,
            cache_size: 1024,
            open_questions: MAX_OPEN_QUESTIONS,
            #[cfg(all(feature = "dnssec", any(feature = "ring", feature = "aws-lc-rs")))]
            trust_anchors: None,
        }
    }
}

impl Default for HickoryOptions {
    fn default() -> Self {
        Self::new()
    }
}

/// Why a resolver was not made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HickoryError {
    /// The list of servers is empty.
    #[error("no name server given")]
    NoServers,
    /// The system's resolver configuration cannot be read, or names no server.
    #[error("the system's resolver configuration cannot be used")]
    Configuration(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The private runtime of [`HickoryBlocking`] did not start.
    #[error("the runtime for DNS lookups did not start")]
    Runtime(#[source] io::Error),
}

/// A stub resolver: asks recursive name servers over UDP, and over TCP what does not fit.
///
/// Used inside a tokio runtime with I/O and time switched on. Clones share cache, connections and the
/// number of questions that may be open.
/// Answers are kept for the name and the type asked: what one says of other names, the targets of
/// aliases too, is no answer to a later question.
///
/// Names are sent absolute and in lower case; neither search lists nor the hosts file apply. Of an
/// answer [`MAX_RECORDS`] TXT records and one more are kept, in the order received; each is below
/// 64 KiB by the protocol. At most [`MAX_CNAME_HOPS`] CNAME records are followed. A name that cannot
/// be sent (RFC 1035 §2.3.4) is [`LookupError::NoSuchName`].
///
/// # DNSSEC
///
/// With trust anchors (`HickoryOptions::trust_anchors`, feature `dnssec`) answers are validated here,
/// and what a server says of its own validation counts for nothing, since nothing protects the way to
/// it. [`Dnssec::Secure`] is what a chain of signatures from an anchor proves, and [`Dnssec::Insecure`]
/// what such a chain proves to be unsigned. An answer whose signatures do not hold is
/// [`Dnssec::Bogus`], and so is, as [`LookupError::Bogus`], one that says that nothing is there. Where
/// the servers do not give the keys or signatures that it takes, or not in time, the question is asked
/// once more as without anchors, for which it has its full time again, and the answer is
/// [`Dnssec::Unknown`]: whoever is between us and the server can bring that about. Questions are sent with
/// the CD flag, at most 128 for one; what is validated is not kept for the next.
/// Without anchors everything is [`Dnssec::Unknown`].
///
/// ```no_run
/// use dkim_dns::{HickoryOptions, HickoryResolver, Inquirer, drive};
///
/// async fn ask(inquirer: &mut impl Inquirer) -> Result<(), dkim_dns::HickoryError> {
///     let resolver = HickoryResolver::from_system(&HickoryOptions::new())?;
///     drive(inquirer, &resolver).await;
///     Ok(())
/// }
/// ```
#[derive(Clone, Debug)]
pub struct HickoryResolver {
    pool: TokioResolver,
    /// Each server for itself, where there are several.
    single: Vec<TokioResolver>,
    /// The answers, each for its own question.
    kept: ResponseCache,
    /// For a question as a whole.
    limit: Duration,
    /// Places for questions.
    open: Arc<Semaphore>,
    #[cfg(all(feature = "dnssec", any(feature = "ring", feature = "aws-lc-rs")))]
    validator: Option<validation::Validator>,
}

impl HickoryResolver {
    /// Asks the servers of the system's configuration (`/etc/resolv.conf` on Unix).
    ///
    /// # Errors
    ///
    /// When there is none, or it cannot be read.
    pub fn from_system(options: &HickoryOptions) -> Result<Self, HickoryError> {
        let (config, _) = hickory_resolver::system_conf::read_system_conf()
            .map_err(|error| HickoryError::Configuration(error.into()))?;
        Self::new(config.name_servers(), options)
    }

    /// Asks these servers.
    ///
    /// # Errors
    ///
    /// When the list is empty.
    pub fn with_servers(
        servers: &[SocketAddr],
        options: &HickoryOptions,
    ) -> Result<Self, HickoryError> {
        let configure = |server: &SocketAddr| {
            let mut config = NameServerConfig::udp_and_tcp(server.ip());
            for connection in &mut config.connections {
                connection.port = server.port();
            }
            config
        };
        Self::new(&servers.iter().map(configure).collect::<Vec<_>>(), options)
    }

    fn new(servers: &[NameServerConfig], options: &HickoryOptions) -> Result<Self, HickoryError> {
        if servers.is_empty() {
            return Err(HickoryError::NoServers);
        }
        let attempts = options.attempts.max(1);
        let mut opts = ResolverOpts::default();
        opts.timeout = options.timeout;
        // The library counts the attempts after the first.
        opts.attempts = usize::try_from(attempts - 1).unwrap_or(usize::MAX);
        // The library keeps for an alias's target what came with the alias (which RFC 2181 §5.4.1
        // warns of), and gives it to the next alias without that alias's own record.
        opts.cache_size = 0;
        opts.use_hosts_file = ResolveHosts::Never;
        opts.preserve_intermediates = true;
        // RFC 8767 §4: "a recommended cap of 604,800 seconds (seven days)". The library's is a day, and
        // would hide TTLs that are too long.
        opts.positive_max_ttl = Some(Duration::from_secs(604_800));
        let build = |servers: &[NameServerConfig], opts: &ResolverOpts| {
            let config = ResolverConfig::from_parts(None, Vec::new(), servers.to_vec());
            TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
                .with_options(opts.clone())
                .build()
                .map_err(|error| HickoryError::Configuration(error.into()))
        };
        let pool = build(servers, &opts)?;
        #[cfg(all(feature = "dnssec", any(feature = "ring", feature = "aws-lc-rs")))]
        let validator = options
            .trust_anchors
            .clone()
            .map(|anchors| validation::Validator::new(servers, opts.clone(), anchors, attempts))
            .transpose()?;
        let kept = ResponseCache::new(options.cache_size.into(), TtlConfig::from_opts(&opts));
        opts.attempts = 0;
        let single = match servers {
            [_] => Vec::new(),
            _ => servers.chunks(1).map(|server| build(server, &opts)).collect::<Result<_, _>>()?,
        };
        Ok(Self {
            pool,
            single,
            kept,
            limit: options.timeout.saturating_mul(attempts),
            open: Arc::new(Semaphore::new(options.open_questions.clamp(1, Semaphore::MAX_PERMITS))),
            #[cfg(all(feature = "dnssec", any(feature = "ring", feature = "aws-lc-rs")))]
            validator,
        })
    }

    /// The name servers of the zone that a name is in, by name and with their addresses: who has
    /// the first word on it, before any cache.
    ///
    /// # Errors
    ///
    /// When no zone above the name is found, or a lookup fails, also that of a server's addresses where
    /// none is found.
    pub async fn name_servers(&self, name: &str) -> Result<Vec<NameServer>, LookupError> {
        let name = name::Name::absolute(name).map_err(|_| LookupError::NoSuchName)?;
        let mut name = Name::from_labels(name.labels()).map_err(|_| LookupError::NoSuchName)?;
        while !name.is_root() {
            match self.ask(&name, RecordType::NS).await {
                Ok(message) => {
                    // The answer to an alias tells the servers of the zone that it leads to.
                    let own = message.answers.iter().filter(|record| record.name == name);
                    let names: Vec<Name> = own.filter_map(name_server).collect();
                    if !names.is_empty() {
                        return self.addresses(names).await;
                    }
                }
                Err(error) => match failure(error) {
                    LookupError::NoSuchName | LookupError::NoRecords => {}
                    error => return Err(error),
                },
            }
            name = name.base_name();
        }
        Err(LookupError::NoSuchName)
    }

    /// Who left out a server whose addresses it could not ask for would take the others for all.
    async fn addresses(&self, names: Vec<Name>) -> Result<Vec<NameServer>, LookupError> {
        let mut servers = Vec::new();
        for name in names {
            let mut addresses = Vec::new();
            let mut failed = None;
            for kind in [RecordType::A, RecordType::AAAA] {
                match self.ask(&name, kind).await {
                    Ok(message) => {
                        addresses.extend(message.answers.iter().filter_map(|record| {
                            match &record.data {
                                RData::A(address) => Some(IpAddr::V4(address.0)),
                                RData::AAAA(address) => Some(IpAddr::V6(address.0)),
                                _ => None,
                            }
                        }));
                    }
                    Err(error) => {
                        failed = Some(failure(error)).filter(LookupError::is_temporary).or(failed);
                    }
                }
            }
            if let Some(error) = failed.filter(|_| addresses.is_empty()) {
                return Err(error);
            }
            servers.push(NameServer { name: shown(&name), addresses });
        }
        Ok(servers)
    }

    /// Whether an answer is kept, which takes no place; what is validated is not.
    fn is_kept(&self, name: &Name, kind: QueryKind) -> bool {
        let kind = match kind {
            QueryKind::Txt => RecordType::TXT,
            QueryKind::Exists => RecordType::MX,
            QueryKind::Cname => RecordType::CNAME,
        };
        #[cfg(all(feature = "dnssec", any(feature = "ring", feature = "aws-lc-rs")))]
        if self.validator.is_some() {
            return false;
        }
        self.kept.get(&Question::query(name.clone(), kind), Instant::now()).is_some()
    }

    /// A place for a question, once there is one.
    async fn place(&self) -> SemaphorePermit<'_> {
        let mut place = pin!(self.open.acquire());
        // Whoever shares a future with somebody who is gone may have missed the news: it looks again
        // each second, and keeps its turn.
        loop {
            if let Ok(place) = time::timeout(Duration::from_secs(1), &mut place).await {
                return place.expect("nobody closes it");
            }
        }
    }

    /// What is kept, or what the servers say.
    async fn ask(&self, name: &Name, kind: RecordType) -> Result<Message, NetError> {
        let question = Question::query(name.clone(), kind);
        if let Some(answer) = self.kept.get(&question, Instant::now()) {
            return answer;
        }
        let answer = self.ask_servers(name, kind).await;
        // How long there is nothing at an alias's target says nothing of how long the alias leads
        // there, and that TTL is not told.
        let is_of_target = matches!(&answer,
            Err(NetError::Dns(DnsError::NoRecordsFound(none))) if none.query.name() != name);
        if !is_of_target {
            self.kept.insert(question, answer.clone(), Instant::now());
        }
        answer
    }

    /// One question to the servers; a failure only when all fail.
    async fn ask_servers(&self, name: &Name, kind: RecordType) -> Result<Message, NetError> {
        let answer = told(&self.pool, name, kind).await;
        if !matches!(answer, Err(NetError::Dns(DnsError::ResponseCode(_)) | NetError::Message(_))) {
            return answer;
        }
        // The pool takes the first SERVFAIL, REFUSED or referral for the answer of all servers.
        for server in &self.single {
            match told(server, name, kind).await {
                Err(NetError::Dns(DnsError::NoRecordsFound(none))) => return Err(none.into()),
                Err(_) => {}
                found => return found,
            }
        }
        answer
    }

    async fn txt(&self, name: Name) -> Answer {
        match self.ask(&name, RecordType::TXT).await {
            Ok(message) => Trail::new(name).end(&message.answers, RecordType::TXT, Dnssec::Unknown),
            Err(NetError::Dns(DnsError::NoRecordsFound(none))) if gave_up(&none, &name) => {
                let trail = self.hop_by_hop(name).await?;
                let message = self.ask(&trail.name, RecordType::TXT).await.map_err(failure)?;
                trail.end(&message.answers, RecordType::TXT, Dnssec::Unknown)
            }
            Err(error) => Err(failure(error)),
        }
    }

    /// Asks for the CNAME records one after the other, up to where they lead.
    async fn hop_by_hop(&self, name: Name) -> Result<Trail, LookupError> {
        let mut trail = Trail::new(name);
        loop {
            let hops = trail.chain.len();
            match self.ask(&trail.name, RecordType::CNAME).await {
                Ok(message) => trail.follow(&message.answers)?,
                Err(error) => match failure(error) {
                    LookupError::NoRecords => {}
                    error => return Err(error),
                },
            }
            if trail.chain.len() == hops {
                return Ok(trail);
            }
        }
    }

    async fn cname(&self, name: Name) -> Answer {
        let message = self.ask(&name, RecordType::CNAME).await.map_err(failure)?;
        let mut trail = Trail::new(name);
        trail.follow(&message.answers)?;
        trail.alias(Dnssec::Unknown)
    }

    /// RFC 5617 §4.3: "Any resource record type could be used for this query since the existence of
    /// a resource record of any type will prevent an NXDOMAIN error. MX is a reasonable choice".
    async fn exists(&self, name: Name) -> Answer {
        let mut asked = self.ask(&name, RecordType::MX).await;
        let mut trail = Trail::new(name);
        if let Err(NetError::Dns(DnsError::NoRecordsFound(none))) = &asked
            && gave_up(none, &trail.name)
        {
            trail = self.hop_by_hop(trail.name).await?;
            asked = self.ask(&trail.name, RecordType::MX).await;
        }
        match asked {
            Ok(message) => trail.end(&message.answers, RecordType::MX, Dnssec::Unknown),
            Err(NetError::Dns(DnsError::NoRecordsFound(none)))
                if none.response_code == ResponseCode::NoError =>
            {
                let ttl = Duration::from_secs(none.negative_ttl.unwrap_or(0).into());
                Ok(Found { ttl, ..Found::default() })
            }
            Err(error) => Err(failure(error)),
        }
    }
}

/// Whether the library may have given up following aliases, which it does after some hops: it tells so
/// as if there were no records, then without SOA record or for another name than the one asked. Few
/// servers leave the SOA record of RFC 2308 §2.2 out, so that "no records" rarely costs another
/// question.
fn gave_up(none: &NoRecords, asked: &Name) -> bool {
    none.response_code == ResponseCode::NoError
        && (none.soa.is_none() || none.query.name() != asked)
}

impl Resolver for HickoryResolver {
    async fn lookup(&self, query: &Query) -> Answer {
        // Label by label, so that nothing is taken for an escape, a U-label or a relative name.
        let name = name::Name::absolute(&query.name)
            .ok()
            .and_then(|name| Name::from_labels(name.labels()).ok())
            .ok_or(LookupError::NoSuchName)?;
        let _place = match self.is_kept(&name, query.kind) {
            true => None,
            false => Some(self.place().await),
        };
        #[cfg(all(feature = "dnssec", any(feature = "ring", feature = "aws-lc-rs")))]
        if let Some(validator) = &self.validator {
            // Servers that do not know what it takes may know the answer.
            let validated = validator.lookup(name.clone(), query.kind);
            if let Ok(Some(answer)) = time::timeout(self.limit, validated).await {
                return answer;
            }
        }
        let answer = async {
            match query.kind {
                QueryKind::Txt => self.txt(name).await,
                QueryKind::Exists => self.exists(name).await,
                QueryKind::Cname => self.cname(name).await,
            }
        };
        time::timeout(self.limit, answer).await.unwrap_or(Err(LookupError::Timeout))
    }
}

/// What a resolver's servers say.
async fn told(
    resolver: &TokioResolver,
    name: &Name,
    kind: RecordType,
) -> Result<Message, NetError> {
    let lookup = resolver.lookup(name.clone(), kind).await.map_err(or_lame)?;
    Ok(lookup.message().clone())
}

/// RFC 2308 §2.2: without an SOA record, but with NS records, it is a referral, which does not say
/// that there is nothing. Servers that recurse for others only, or not at all, give it.
fn or_lame(error: NetError) -> NetError {
    match error {
        NetError::Dns(DnsError::NoRecordsFound(none))
            if none.response_code == ResponseCode::NoError
                && none.soa.is_none()
                && none.ns.is_some() =>
        {
            NetError::Message("the server refers to others")
        }
        error => error,
    }
}

fn name_server(record: &RawRecord) -> Option<Name> {
    match &record.data {
        RData::NS(name) => Some(name.0.clone()),
        _ => None,
    }
}

fn shown(name: &Name) -> String {
    name.to_ascii().trim_end_matches('.').to_owned()
}

/// A name server of a zone.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NameServer {
    /// Its name, without the closing dot.
    pub name: String,
    /// Its addresses; none if they were not found.
    pub addresses: Vec<IpAddr>,
}

/// The way from the name asked to the one that holds the records.
struct Trail {
    name: Name,
    chain: Vec<String>,
    /// The smallest seen, in seconds.
    ttl: u32,
}

impl Trail {
    fn new(name: Name) -> Self {
        Self { name, chain: Vec::new(), ttl: u32::MAX }
    }

    /// Goes along the CNAME records of an answer.
    fn follow(&mut self, answers: &[RawRecord]) -> Result<(), LookupError> {
        while let Some((ttl, target)) = answers.iter().find_map(|record| {
            let RData::CNAME(target) = &record.data else { return None };
            (record.name == self.name).then_some((record.ttl, &target.0))
        }) {
            if self.chain.len() == MAX_CNAME_HOPS {
                return Err(LookupError::ChainTooLong);
            }
            let labels = target.iter().map(<[u8]>::to_vec).collect();
            let shown = name::Name::new(labels, &name::Name::root());
            let unusable = |error| LookupError::Failed(format!("unusable CNAME record: {error}"));
            self.chain.push(shown.map_err(unusable)?.to_string());
            self.ttl = self.ttl.min(ttl);
            self.name = target.clone();
        }
        Ok(())
    }

    /// The first alias, if there is one.
    fn alias(mut self, dnssec: Dnssec) -> Answer {
        self.chain.truncate(1);
        if self.chain.is_empty() {
            return Err(LookupError::NoRecords);
        }
        let ttl = Duration::from_secs(self.ttl.into());
        Ok(Found { chain: self.chain, ttl, dnssec, ..Found::default() })
    }

    /// Goes along to the end and takes the records of this type there.
    fn end(mut self, answers: &[RawRecord], kind: RecordType, dnssec: Dnssec) -> Answer {
        self.follow(answers)?;
        let answers = answers.iter().filter(|r| r.name == self.name && r.record_type() == kind);
        let mut records = Vec::new();
        for record in answers.take(MAX_RECORDS + 1) {
            self.ttl = self.ttl.min(record.ttl);
            if let RData::TXT(txt) = &record.data {
                let strings = txt.txt_data.iter().map(|string| string.to_vec()).collect();
                records.push(Record { strings });
            }
        }
        if kind == RecordType::TXT && records.is_empty() {
            return Err(LookupError::NoRecords);
        }
        let ttl = Duration::from_secs(self.ttl.into());
        Ok(Found { records: records.into(), chain: self.chain, dnssec, ttl })
    }
}

/// Tells the negative answers and the failures apart.
fn failure(error: NetError) -> LookupError {
    match error {
        NetError::Timeout => LookupError::Timeout,
        NetError::Dns(DnsError::NoRecordsFound(none)) => match none.response_code {
            ResponseCode::NXDomain => LookupError::NoSuchName,
            ResponseCode::NoError => LookupError::NoRecords,
            code => LookupError::Failed(code.to_string()),
        },
        NetError::Dns(DnsError::ResponseCode(code)) => LookupError::Failed(code.to_string()),
        error => LookupError::Failed(error.to_string()),
    }
}

/// [`HickoryResolver`] for callers that wait: with a private runtime on the calling thread.
///
/// May be shared between threads. Not for use inside an async runtime, whose thread it would block:
/// there every lookup is [`LookupError::Failed`].
///
/// ```no_run
/// use dkim_dns::{BlockingResolver, HickoryBlocking, HickoryOptions, Query, QueryId, QueryKind};
///
/// let resolver = HickoryBlocking::from_system(&HickoryOptions::new())?;
/// let name = "s._domainkey.example.org".to_owned();
/// let answer = resolver.lookup(&Query { id: QueryId(0), name, kind: QueryKind::Txt });
/// # Ok::<(), dkim_dns::HickoryError>(())
/// ```
#[derive(Debug)]
pub struct HickoryBlocking {
    // Its own, since open connections belong to the runtime they were made in.
    resolver: HickoryResolver,
    /// `None` only while it is dropped.
    runtime: Option<Runtime>,
}

impl HickoryBlocking {
    /// Asks the servers of the system's configuration.
    ///
    /// # Errors
    ///
    /// As [`HickoryResolver::from_system`], and when the runtime does not start.
    pub fn from_system(options: &HickoryOptions) -> Result<Self, HickoryError> {
        Self::new(HickoryResolver::from_system(options)?)
    }

    /// Asks these servers.
    ///
    /// # Errors
    ///
    /// As [`HickoryResolver::with_servers`], and when the runtime does not start.
    pub fn with_servers(
        servers: &[SocketAddr],
        options: &HickoryOptions,
    ) -> Result<Self, HickoryError> {
        Self::new(HickoryResolver::with_servers(servers, options)?)
    }

    fn new(resolver: HickoryResolver) -> Result<Self, HickoryError> {
        let runtime = runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(HickoryError::Runtime)?;
        Ok(Self { resolver, runtime: Some(runtime) })
    }

    /// As [`HickoryResolver::name_servers`].
    ///
    /// # Errors
    ///
    /// The same, and when called inside an async runtime.
    pub fn name_servers(&self, name: &str) -> Result<Vec<NameServer>, LookupError> {
        match (&self.runtime, Handle::try_current()) {
            (Some(runtime), Err(_)) => runtime.block_on(self.resolver.name_servers(name)),
            _ => Err(inside_a_runtime()),
        }
    }
}

fn inside_a_runtime() -> LookupError {
    LookupError::Failed("a blocking lookup in an async runtime".to_owned())
}

impl BlockingResolver for HickoryBlocking {
    fn lookup(&self, query: &Query) -> Answer {
        self.lookup_all(slice::from_ref(query)).pop().unwrap_or(Err(LookupError::Timeout))
    }

    fn lookup_all(&self, queries: &[Query]) -> Vec<Answer> {
        let (Some(runtime), Err(_)) = (&self.runtime, Handle::try_current()) else {
            return vec![Err(inside_a_runtime()); queries.len()];
        };
        runtime.block_on(join_all(queries.iter().map(|query| self.resolver.lookup(query))))
    }
}

impl Drop for HickoryBlocking {
    fn drop(&mut self) {
        // Waiting for the runtime to end, as it does by itself, panics inside another runtime.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
