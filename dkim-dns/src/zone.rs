//! A resolver that is a literal or a master file, so that everything works without a network.

use std::collections::{BTreeMap, HashSet};
use std::future::{self, Future};
use std::ops::Bound;
use std::time::Duration;

use crate::master_file::{DEFAULT_TTL, Data, Entries, Entry, Failure, ZoneError};
use crate::name::Name;
use crate::{
    Answer, BlockingResolver, Found, LookupError, MAX_CNAME_HOPS, Query, QueryKind, Record,
    Resolver,
};

/// The DNS as a value: TXT records, aliases, and failures on demand.
///
/// Built by hand or [read from a master file](Self::parse). A name that is not there is
/// [`LookupError::NoSuchName`]; one that exists with other data, or only above other names, is
/// [`LookupError::NoRecords`]. At most [`MAX_CNAME_HOPS`] CNAME records are followed, in the zone
/// itself; a longer chain, such as a loop, is [`LookupError::ChainTooLong`]. Names match without regard
/// to case, wildcards count (RFC 4592), and a name that is to fail does so whatever else it holds.
///
/// Names are given as questions carry them: absolute, in ASCII, without escapes. One that is no
/// domain name (RFC 1035 §2.3.4) is left out, since it never exists.
///
/// ```
/// use dkim_dns::{BlockingResolver, LookupError, Query, QueryId, QueryKind, Zone};
///
/// let zone = Zone::new()
///     .txt("s._domainkey.example.org", "v=DKIM1; p=")
///     .cname("alias._domainkey.example.net", "s._domainkey.example.org")
///     .fails("down._domainkey.example.org");
///
/// let ask = |name: &str| {
///     zone.lookup(&Query { id: QueryId(0), name: name.to_owned(), kind: QueryKind::Txt })
/// };
/// let found = ask("alias._domainkey.example.net")?;
/// assert_eq!(found.records[0].joined(), b"v=DKIM1; p=");
/// assert_eq!(found.chain, ["s._domainkey.example.org"]);
/// assert_eq!(ask("x._domainkey.example.org"), Err(LookupError::NoSuchName));
/// assert_eq!(ask("example.org"), Err(LookupError::NoRecords));
/// assert!(ask("down._domainkey.example.org").is_err_and(|error| error.is_temporary()));
/// # Ok::<(), LookupError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Zone {
    nodes: BTreeMap<Name, Node>,
}

/// What stands at a name. Nothing, if only names below it hold something (RFC 4592 §2.2.2).
#[derive(Clone, Debug, PartialEq, Eq)]
struct Node {
    txt: Vec<Record>,
    cname: Option<Name>,
    failure: Option<Failure>,
    /// The smallest of the TXT records (RFC 2181 §5.2), or of the alias.
    ttl: Option<Duration>,
}

impl Node {
    const EMPTY: Self = Self { txt: Vec::new(), cname: None, failure: None, ttl: None };
}

impl Zone {
    /// A DNS without any name.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a TXT record with this text, cut into strings of 255 octets.
    #[must_use]
    pub fn txt(self, name: &str, text: impl AsRef<[u8]>) -> Self {
        let mut strings: Vec<Vec<u8>> = text.as_ref().chunks(255).map(<[u8]>::to_vec).collect();
        if strings.is_empty() {
            strings.push(Vec::new());
        }
        self.record(name, Record { strings })
    }

    /// Adds a TXT record with these strings.
    #[must_use]
    pub fn record(self, name: &str, record: Record) -> Self {
        self.with(name, Data::Txt(record))
    }

    /// Makes `name` an alias of `target`: its own TXT records do not count, nor an earlier target.
    #[must_use]
    pub fn cname(self, name: &str, target: &str) -> Self {
        match Name::absolute(target) {
            Ok(target) => self.with(name, Data::Cname(target)),
            Err(_) => self,
        }
    }

    /// Lets `name` exist, with data of another type if nothing else is said.
    #[must_use]
    pub fn exists(self, name: &str) -> Self {
        self.with(name, Data::Other)
    }

    /// Answers every question for `name` as if the server had said SERVFAIL.
    #[must_use]
    pub fn fails(self, name: &str) -> Self {
        self.with(name, Data::Fails(Failure::Servfail))
    }

    /// Answers every question for `name` as if no server had answered, without the wait.
    #[must_use]
    pub fn times_out(self, name: &str) -> Self {
        self.with(name, Data::Fails(Failure::Timeout))
    }

    /// Reads a master file (RFC 1035 §5.1): `$ORIGIN`, `$TTL`, parentheses, comments, omitted
    /// owners, TTLs and classes, `\X` and `\DDD`, TTL units, LF or CRLF. TXT and CNAME records are
    /// kept; of other types, known or not, only that their owner exists.
    ///
    /// A comment alone on its line lets a name fail: `;! SERVFAIL name.` or `;! TIMEOUT name.`
    ///
    /// The file is read once, in time and memory proportional to its size, which the caller
    /// bounds. Names end with a dot or come after an `$ORIGIN`. A record without a TTL has that of
    /// `$TTL`, else the one stated last, else an hour. A lone CR counts as white space.
    ///
    /// # Not supported
    ///
    /// Classes other than IN; `$INCLUDE`, since no file is opened here, and `$GENERATE`;
    /// TXT and CNAME in the form of unknown types (RFC 3597 §5); quoted strings over several lines.
    ///
    /// # Errors
    ///
    /// With the line and what is wrong there, at the first entry that cannot be read.
    ///
    /// ```
    /// use dkim_dns::Zone;
    ///
    /// let zone = Zone::parse(
    ///     b"$ORIGIN example.org.\n\
    ///       $TTL 1h\n\
    ///       s._domainkey  IN TXT ( \"v=DKIM1; k=rsa; \" ; split as usual\n\
    ///       \t\"p=\" )\n",
    /// )?;
    /// let error = Zone::parse(b"$TTL 1h\ns._domainkey IN TXT x\n").unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "line 2: the relative name \"s._domainkey\" needs an $ORIGIN before it"
    /// );
    /// # Ok::<(), dkim_dns::ZoneError>(())
    /// ```
    pub fn parse(file: &[u8]) -> Result<Self, ZoneError> {
        Self::read(Entries::new(file))
    }

    /// Reads a master file whose origin is said elsewhere, as the configuration of a name server does
    /// (RFC 1035 §5.1); otherwise as [`parse`](Self::parse).
    ///
    /// # Errors
    ///
    /// As [`parse`](Self::parse); when the origin is no name, too.
    ///
    /// ```
    /// use dkim_dns::Zone;
    ///
    /// let zone = Zone::parse_with_origin(b"s._domainkey IN TXT \"v=DKIM1; p=\"\n", "example.org")?;
    /// assert_eq!(zone, Zone::parse(b"s._domainkey.example.org. IN TXT \"v=DKIM1; p=\"\n")?);
    /// # Ok::<(), dkim_dns::ZoneError>(())
    /// ```
    pub fn parse_with_origin(file: &[u8], origin: &str) -> Result<Self, ZoneError> {
        Self::read(Entries::with_origin(file, origin)?)
    }

    fn read(entries: Entries<'_>) -> Result<Self, ZoneError> {
        let mut zone = Self::new();
        for entry in entries {
            zone.add(entry?);
        }
        Ok(zone)
    }

    /// Adds all that `other` holds.
    #[must_use]
    pub fn merge(mut self, other: Self) -> Self {
        for (name, theirs) in other.nodes {
            let ours = self.nodes.entry(name).or_insert(Node::EMPTY);
            ours.txt.extend(theirs.txt);
            ours.cname = theirs.cname.or(ours.cname.take());
            ours.failure = theirs.failure.or(ours.failure);
            ours.ttl = ours.ttl.into_iter().chain(theirs.ttl).min();
        }
        self
    }

    /// What this DNS says to a question, at once.
    ///
    /// # Errors
    ///
    /// The answer is an error where there is no positive one; see [`Zone`].
    pub fn answer(&self, query: &Query) -> Answer {
        let mut name = Name::absolute(&query.name).map_err(|_| LookupError::NoSuchName)?;
        let mut found = Found::default();
        let mut ttl = None;
        loop {
            let node = self.find(&name).ok_or(LookupError::NoSuchName)?;
            match node.failure {
                Some(Failure::Servfail) => return Err(LookupError::Failed("SERVFAIL".to_owned())),
                Some(Failure::Timeout) => return Err(LookupError::Timeout),
                None => {}
            }
            ttl = ttl.into_iter().chain(node.ttl).min();
            if query.kind == QueryKind::Cname {
                let target = node.cname.as_ref().ok_or(LookupError::NoRecords)?;
                found.chain.push(target.to_string());
                return Ok(Found { ttl: ttl.unwrap_or(DEFAULT_TTL), ..found });
            }
            // RFC 1034 §3.6.2: "If a CNAME RR is present at a node, no other data should be present".
            let Some(target) = &node.cname else {
                found.ttl = ttl.unwrap_or(DEFAULT_TTL);
                if query.kind == QueryKind::Txt {
                    // RFC 2181 §5: no two records are the same.
                    let mut seen = HashSet::new();
                    let records = node.txt.iter().filter(|record| seen.insert(&record.strings));
                    found.records = records.cloned().collect();
                    if found.records.is_empty() {
                        return Err(LookupError::NoRecords);
                    }
                }
                return Ok(found);
            };
            if found.chain.len() == MAX_CNAME_HOPS {
                return Err(LookupError::ChainTooLong);
            }
            found.chain.push(target.to_string());
            name = target.clone();
        }
    }

    /// Adds what is said by hand; a name that is none is left out.
    fn with(mut self, name: &str, data: Data) -> Self {
        if let Ok(owner) = Name::absolute(name) {
            self.add(Entry { owner, ttl: DEFAULT_TTL, data });
        }
        self
    }

    fn add(&mut self, Entry { owner, ttl, data }: Entry) {
        let node = self.nodes.entry(owner).or_insert(Node::EMPTY);
        if matches!(data, Data::Txt(_) | Data::Cname(_)) {
            node.ttl = Some(node.ttl.map_or(ttl, |smallest| smallest.min(ttl)));
        }
        match data {
            Data::Txt(record) => node.txt.push(record),
            Data::Cname(target) => node.cname = Some(target),
            Data::Other => {}
            Data::Fails(failure) => node.failure = Some(failure),
        }
    }

    /// The node that answers for a name: its own, or that of a wildcard.
    fn find(&self, name: &Name) -> Option<&Node> {
        // RFC 4592 §3.3.1: the wildcard is looked for right below the closest encloser, the
        // longest name above that exists, and nowhere else.
        self.node(name).or_else(|| {
            let encloser = name.ancestors().find(|ancestor| self.node(ancestor).is_some())?;
            self.node(&encloser.wildcard())
        })
    }

    /// The node at a name, an empty one if there are only names below it.
    fn node(&self, name: &Name) -> Option<&Node> {
        const EMPTY: &Node = &Node::EMPTY;
        let from: (Bound<&Name>, Bound<&Name>) = (Bound::Included(name), Bound::Unbounded);
        let (first, node) = self.nodes.range::<Name, _>(from).next()?;
        if first == name { Some(node) } else { first.is_within(name).then_some(EMPTY) }
    }
}

impl Resolver for Zone {
    fn lookup(&self, query: &Query) -> impl Future<Output = Answer> + Send {
        future::ready(self.answer(query))
    }
}

impl BlockingResolver for Zone {
    fn lookup(&self, query: &Query) -> Answer {
        self.answer(query)
    }
}
