//! Keys at hand: records read once and prepared once, for many signatures.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use dkim_crypto::{Provider, PublicKeyError, VerifyingKey};
use dkim_dns::Record;
use dkim_keyrec::{KeyRecord, KeyRecordError};

/// A key record, and its key as the provider wants it.
pub(crate) struct Key {
    pub(crate) record: Arc<KeyRecord>,
    provider: &'static dyn Provider,
    /// Made when it is first wanted: most records that are looked at in vain are never used.
    prepared: OnceLock<Result<Arc<dyn VerifyingKey>, PublicKeyError>>,
}

impl Key {
    /// Reads a TXT record.
    pub(crate) fn read(
        record: &Record,
        provider: &'static dyn Provider,
    ) -> Result<Arc<Self>, KeyRecordError> {
        let record = Arc::new(KeyRecord::parse(&record.joined())?);
        Ok(Arc::new(Self { record, provider, prepared: OnceLock::new() }))
    }

    /// The key, ready to verify; `None` when it was revoked.
    pub(crate) fn prepared(&self) -> Option<&Result<Arc<dyn VerifyingKey>, PublicKeyError>> {
        let key = self.record.key.as_ref()?;
        Some(self.prepared.get_or_init(|| self.provider.prepare(key)))
    }
}

/// Keys kept from message to message, so that a signer who sends much mail has its key record read
/// and its key prepared once. Verifiers on any number of threads may share one.
///
/// It never answers for the DNS: a verifier asks for the key record each time, and a record that is
/// octet by octet one that was seen before is not read again. So nothing in it can be stale, and it
/// has no need of a clock. What is not used for long goes first.
///
/// ```
/// use std::sync::Arc;
///
/// use dkim_crypto::ring::PROVIDER;
/// use dkim_tags::UnixTime;
/// use dkim_verify::{KeyCache, Policy, Verifier};
///
/// let keys = Arc::new(KeyCache::new(&PROVIDER, 1000));
/// for message in [&b"From: joe@example.com\r\n\r\nHi.\r\n"[..], b"From: ann@example.com\r\n"] {
///     let (header, body) = dkim_message::split(message);
///     let now = UnixTime(1_700_000_000);
///     let verifier = Verifier::new(&header, &Policy::rfc(), now, &PROVIDER).with_key_cache(&keys);
///     // Its questions and the body, as ever.
/// }
/// ```
pub struct KeyCache {
    provider: &'static dyn Provider,
    generations: Mutex<Generations>,
}

impl KeyCache {
    /// The longest record that is kept, in octets: an RSA key of 8192 bits needs less.
    const MAX_RECORD: usize = 2048;
    /// The most strings of a record that is kept, and the most words in its tags: each takes more
    /// memory than its octets.
    const MAX_PIECES: usize = 16;

    /// A cache for about as many keys, made ready by this provider, which the verifiers must have,
    /// too. A key takes a kilobyte or two, and never more than ten.
    #[must_use]
    pub fn new(provider: &'static dyn Provider, keys: usize) -> Self {
        let generations = Generations { half: keys.div_ceil(2), ..Generations::default() };
        Self { provider, generations: Mutex::new(generations) }
    }

    /// Whether the keys are those of this provider.
    pub(crate) fn is_of(&self, provider: &dyn Provider) -> bool {
        self.provider.is_same_as(provider)
    }

    /// The key of a TXT record, read if it is not there yet.
    pub(crate) fn read(&self, record: &Record) -> Result<Arc<Key>, KeyRecordError> {
        if let Some(key) = self.lock(|generations| generations.get(record)) {
            return Ok(key);
        }
        let key = Key::read(record, self.provider)?;
        if Self::is_modest(record, &key.record) {
            self.lock(|generations| generations.put(record.clone(), Arc::clone(&key)));
        }
        Ok(key)
    }

    fn is_modest(record: &Record, read: &KeyRecord) -> bool {
        let words = [read.hashes().unwrap_or_default(), read.services().unwrap_or_default()];
        let words = words.into_iter().chain([read.flags()]).map(<[String]>::len).sum::<usize>();
        record.len() <= Self::MAX_RECORD
            && record.strings.len() <= Self::MAX_PIECES
            && words <= Self::MAX_PIECES
    }

    fn lock<T>(&self, access: impl FnOnce(&mut Generations) -> T) -> T {
        // A map is whole between two calls, whoever panicked.
        access(&mut self.generations.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl fmt::Debug for KeyCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys = self.lock(|generations| generations.young.len() + generations.old.len());
        f.debug_struct("KeyCache").field("provider", &self.provider).field("keys", &keys).finish()
    }
}

/// What was used lately, and what was used before that. When the young are as many as there may
/// be, the old go and the young are the old: no list to keep in order, and no work that an
/// attacker's many keys could add to.
#[derive(Default)]
struct Generations {
    half: usize,
    young: HashMap<Record, Arc<Key>>,
    old: HashMap<Record, Arc<Key>>,
}

impl Generations {
    fn get(&mut self, record: &Record) -> Option<Arc<Key>> {
        if let Some(key) = self.young.get(record) {
            return Some(Arc::clone(key));
        }
        let (record, key) = self.old.remove_entry(record)?;
        self.put(record, Arc::clone(&key));
        Some(key)
    }

    fn put(&mut self, record: Record, key: Arc<Key>) {
        if self.half == 0 {
            return;
        }
        if self.young.len() >= self.half {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(record, key);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use dkim_crypto::ring::PROVIDER;

    use super::*;

    fn record(notes: usize) -> Record {
        let text = format!("v=DKIM1; p=; n={notes}");
        Record { strings: vec![text.into_bytes()] }
    }

    fn is_kept(cache: &KeyCache, notes: usize) -> bool {
        cache.lock(|all| [&all.young, &all.old].iter().any(|map| map.contains_key(&record(notes))))
    }

    #[test]
    fn a_record_is_read_once() {
        let cache = KeyCache::new(&PROVIDER, 2);
        let first = cache.read(&record(1)).unwrap();
        assert!(Arc::ptr_eq(&first, &cache.read(&record(1)).unwrap()));
        assert!(!Arc::ptr_eq(&first, &cache.read(&record(2)).unwrap()));
        assert_eq!(cache.read(&record(2)).unwrap().record.notes(), Some("2"));
    }

    #[test]
    fn what_is_used_stays_and_no_more_than_was_said() {
        for keys in [0, 1, 2, 7, 8] {
            let cache = KeyCache::new(&PROVIDER, keys);
            for number in 1..100 {
                cache.read(&record(0)).unwrap();
                cache.read(&record(number)).unwrap();
                let kept = (0..100).filter(|number| is_kept(&cache, *number)).count();
                assert!(kept <= keys.next_multiple_of(2), "{kept} of {keys}");
            }
            assert_eq!(is_kept(&cache, 0), keys > 0, "{keys}");
        }
    }

    #[test]
    fn a_cache_shows_how_many_keys_it_has() {
        let cache = KeyCache::new(&PROVIDER, 2);
        for (number, keys) in [(0, 1), (1, 2), (2, 2)] {
            cache.read(&record(number)).unwrap();
            let shown = format!("{cache:?}");
            assert!(shown.ends_with(&format!("keys: {keys} }}")), "{shown}");
        }
    }

    /// Each as large as it may be, and one more.
    #[test]
    fn neither_long_records_nor_broken_ones_are_kept() {
        let text = |text: String| Record { strings: vec![text.into_bytes()] };
        for (more, kept) in [(0, 3), (1, 0)] {
            let cache = KeyCache::new(&PROVIDER, 10);
            let start = "v=DKIM1; p=; n=";
            let notes = "x".repeat(KeyCache::MAX_RECORD + more - start.len());
            let octets = text(format!("{start}{notes}"));
            let flags = vec!["y"; KeyCache::MAX_PIECES + more].join(":");
            let words = text(format!("v=DKIM1; p=; t={flags}"));
            let mut strings = text("v=DKIM1; p=".to_owned());
            strings.strings.resize(KeyCache::MAX_PIECES + more, Vec::new());
            assert!([octets, words, strings].iter().all(|record| cache.read(record).is_ok()));
            assert!(cache.read(&text("v=spf1 -all".to_owned())).is_err());
            assert_eq!(cache.lock(|all| all.young.len() + all.old.len()), kept, "{more}");
        }
    }
}
