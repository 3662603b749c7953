//! What the DNS says of a key: asked, and examined for the usual mistakes.

use std::time::Duration;

use dkim_crypto::PublicKey;
use dkim_dns::{
    Answer, Dnssec, Found, Inquirer, LookupError, MAX_CNAME_HOPS, Query, QueryId, QueryKind, Record,
};
use dkim_keyrec::{KeyRecord, record_name};
use dkim_tags::{DomainName, Selector};

use crate::{Finding, RecordFault, examine};

/// Tests what is published under a selector: asks, and asks on where the answer raises a suspicion.
///
/// ```
/// use dkim_dns::{Zone, drive_blocking};
/// use dkim_keys::KeyTest;
/// use dkim_tags::{DomainName, Selector};
///
/// let zone = Zone::new().txt("s._domainkey.example.com.example.com", "v=DKIM1; p=");
/// let (selector, domain) = (Selector::parse("s")?, DomainName::parse("example.com")?);
/// let mut test = KeyTest::new(&selector, &domain, None);
/// drive_blocking(&mut test, &zone);
/// assert_eq!(test.finish().faults[0].code(), "name-doubled");
/// # Ok::<(), dkim_tags::InvalidName>(())
/// ```
#[derive(Clone, Debug)]
pub struct KeyTest {
    name: String,
    domain: DomainName,
    expected: Option<PublicKey>,
    /// Questions not taken yet.
    waiting: Vec<(QueryId, QueryKind, String)>,
    record: Option<Answer>,
    wildcard: Option<Answer>,
    alias: Option<Answer>,
    doubled: Option<Answer>,
    /// The aliases on the way, where there is no answer: servers fail on a circle of them.
    hops: Vec<String>,
    /// The name whose alias is asked for.
    next_hop: String,
    is_circle: bool,
}

const RECORD: QueryId = QueryId(0);
const WILDCARD: QueryId = QueryId(1);
const ALIAS: QueryId = QueryId(2);
const DOUBLED: QueryId = QueryId(3);
const HOP: QueryId = QueryId(4);

impl KeyTest {
    /// Of this selector; `expected` is the public key of the private key that signs with it, if that
    /// is at hand.
    #[must_use]
    pub fn new(selector: &Selector, domain: &DomainName, expected: Option<PublicKey>) -> Self {
        let name = record_name(selector, domain);
        // Nobody has made a key of this name, and everybody can see what it is for.
        let nobody = format!("no-such-selector-{}", selector.as_str().replace('.', "-"));
        let unused =
            format!("{}._domainkey.{}", nobody.get(..63).unwrap_or(&nobody), domain.as_str());
        let waiting =
            vec![(RECORD, QueryKind::Txt, name.clone()), (WILDCARD, QueryKind::Txt, unused)];
        let domain = domain.clone();
        let (record, wildcard, alias, doubled) = (None, None, None, None);
        let (hops, next_hop, is_circle) = (Vec::new(), String::new(), false);
        Self {
            name,
            domain,
            expected,
            waiting,
            record,
            wildcard,
            alias,
            doubled,
            hops,
            next_hop,
            is_circle,
        }
    }

    /// What was found; what is still unanswered counts as no answer.
    #[must_use]
    pub fn finish(self) -> Tested {
        const DAY: Duration = Duration::from_secs(24 * 60 * 60);

        let missing = self.missing();
        let found = self.record.and_then(Result::ok);
        let mut faults = match &found {
            Some(found) => faults_of(found, &self.name, self.expected.as_ref()),
            None => missing,
        };
        if matches!(self.wildcard, Some(Ok(_))) {
            faults.push(RecordFault::Wildcard);
        }
        if let Some(ttl) = found.as_ref().map(|found| found.ttl).filter(|ttl| *ttl > DAY) {
            faults.push(RecordFault::LongTtl { seconds: ttl.as_secs() });
        }
        if found.as_ref().is_some_and(|found| found.dnssec == Dnssec::Bogus) {
            faults.push(RecordFault::Bogus);
        }
        // The worst first.
        faults.sort_by_key(RecordFault::severity);
        Tested { name: self.name, found, faults, expected: self.expected }
    }

    /// Why there is no record.
    fn missing(&self) -> Vec<RecordFault> {
        let target = || match &self.alias {
            Some(Ok(alias)) => alias.chain.first().cloned(),
            _ => None,
        };
        let fault = match &self.record {
            Some(Ok(_)) => return Vec::new(),
            None => RecordFault::Unanswered { why: LookupError::Timeout.to_string() },
            Some(Err(_)) if self.is_circle => RecordFault::AliasLoop,
            Some(Err(LookupError::Bogus)) => RecordFault::Bogus,
            Some(Err(error)) if error.is_temporary() => {
                RecordFault::Unanswered { why: error.to_string() }
            }
            Some(Err(LookupError::ChainTooLong)) => RecordFault::AliasLoop,
            Some(Err(error)) => match (target(), &self.doubled) {
                (Some(target), _) => RecordFault::DanglingAlias { target },
                (None, Some(Ok(_))) => RecordFault::NameDoubled { at: self.doubled_name() },
                (None, _) if *error == LookupError::NoRecords => RecordFault::NoTxt,
                (None, _) => RecordFault::NoRecord,
            },
        };
        vec![fault]
    }

    /// Goes along an alias, unless it leads back.
    fn hop(&mut self, from: &str, answer: Answer) {
        let target = match answer {
            Ok(found) => found.chain.into_iter().next(),
            Err(error) => {
                self.is_circle = error == LookupError::ChainTooLong;
                None
            }
        };
        let Some(target) = target else { return };
        self.hops.push(from.to_owned());
        if self.hops.contains(&target) || self.hops.len() > MAX_CNAME_HOPS {
            self.is_circle = true;
        } else {
            self.waiting.push((HOP, QueryKind::Cname, target.clone()));
            self.next_hop = target;
        }
    }

    /// What becomes of a name at a provider that adds the domain to whatever is entered.
    fn doubled_name(&self) -> String {
        format!("{}.{}", self.name, self.domain.as_str())
    }
}

impl Inquirer for KeyTest {
    fn queries(&mut self) -> Vec<Query> {
        let waiting = std::mem::take(&mut self.waiting).into_iter();
        waiting.map(|(id, kind, name)| Query { id, name, kind }).collect()
    }

    fn answer(&mut self, id: QueryId, answer: Answer) {
        if id == HOP {
            let from = std::mem::take(&mut self.next_hop);
            return self.hop(&from, answer);
        }
        let place = match id {
            RECORD => &mut self.record,
            WILDCARD => &mut self.wildcard,
            ALIAS => &mut self.alias,
            DOUBLED => &mut self.doubled,
            _ => return,
        };
        let is_news = place.is_none();
        let answer = place.get_or_insert(answer);
        let is_missing = matches!(answer, Err(LookupError::NoSuchName | LookupError::NoRecords));
        let has_failed = matches!(answer, Err(LookupError::Failed(_)));
        if id == RECORD && is_news && has_failed {
            self.next_hop.clone_from(&self.name);
            self.waiting.push((HOP, QueryKind::Cname, self.name.clone()));
        }
        if id == RECORD && is_news && is_missing {
            self.waiting.push((ALIAS, QueryKind::Cname, self.name.clone()));
            self.waiting.push((DOUBLED, QueryKind::Txt, self.doubled_name()));
        }
    }
}

/// What is wrong with the records found at a name.
fn faults_of(found: &Found, name: &str, expected: Option<&PublicKey>) -> Vec<RecordFault> {
    let mut faults = Vec::new();
    if found.records.len() > 1 {
        faults.push(RecordFault::SeveralRecords { count: found.records.len() });
    }
    if let Some(record) = likeliest(&found.records, expected) {
        faults.extend(examine(record, expected));
    }
    let octets = answer_octets(name, found);
    if octets > UDP {
        faults.push(RecordFault::Large { octets });
    }
    faults
}

/// The one that is meant to be the key record: that of the private key, if one is.
fn likeliest<'r>(records: &'r [Record], expected: Option<&PublicKey>) -> Option<&'r Record> {
    let is_expected = |record: &&Record| {
        let key = KeyRecord::parse(&record.joined()).ok().and_then(|record| record.key);
        key.is_some() && key.as_ref() == expected
    };
    let reads = |record: &&Record| KeyRecord::parse(&record.joined()).is_ok();
    let tries = |record: &&Record| {
        let text = record.joined();
        text.windows(5).any(|octets| octets.eq_ignore_ascii_case(b"DKIM1"))
    };
    let own = records.iter().find(is_expected);
    own.or_else(|| records.iter().find(reads))
        .or_else(|| records.iter().find(tries))
        .or(records.first())
}

/// The longest message of plain DNS over UDP, in octets (RFC 1035 §2.3.4).
const UDP: usize = 512;

/// Octets of the answer (RFC 1035 §4.1): a header, the question, and records that name their owner
/// by a pointer.
fn answer_octets(name: &str, found: &Found) -> usize {
    const HEADER: usize = 12;
    const QUESTION: usize = 4;
    const RECORD: usize = 12;

    let wire = |name: &str| name.len() + 2;
    let string = |string: &Vec<u8>| 1 + string.len();
    let txt = |record: &Record| RECORD + record.strings.iter().map(string).sum::<usize>();
    let aliases: usize = found.chain.iter().map(|target| RECORD + wire(target)).sum();
    HEADER + wire(name) + QUESTION + aliases + found.records.iter().map(txt).sum::<usize>()
}

/// What a [`KeyTest`] found.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Tested {
    /// The name asked.
    pub name: String,
    /// What stands there, if there is something.
    pub found: Option<Found>,
    /// What is wrong, the worst first.
    pub faults: Vec<RecordFault>,
    /// The public key that was expected.
    expected: Option<PublicKey>,
}

impl Tested {
    /// The record that is meant to be the key record, its strings put together.
    #[must_use]
    pub fn text(&self) -> Option<Vec<u8>> {
        let records = &self.found.as_ref()?.records;
        likeliest(records, self.expected.as_ref()).map(Record::joined)
    }

    /// The key record, if it can be read.
    #[must_use]
    pub fn record(&self) -> Option<KeyRecord> {
        KeyRecord::parse(&self.text()?).ok()
    }

    /// What is wrong, in the form that all findings have.
    pub fn findings(&self) -> impl Iterator<Item = Finding> {
        self.faults.iter().map(|fault| fault.finding(&self.name))
    }
}
