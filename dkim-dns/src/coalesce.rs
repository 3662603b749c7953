//! Asks once what several ask at the same time.

use std::collections::HashMap;
use std::fmt::{self, Debug, Formatter};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared, WeakShared};

use crate::{Answer, Query, QueryKind, Resolver};

/// A resolver that passes a question on once, however many ask it at the same time: whoever asks
/// what is open already waits for the same answer, or the same failure. Afterwards nothing is kept;
/// that is for a cache.
///
/// A question is open for as long as one of its askers waits. Names are told apart octet by octet.
/// An asker should wait to the end: whoever is dropped just when the answer arrives may take the
/// news of it along, and the others hear of it when the resolver moves again, at its time limit at
/// the latest. Should the resolver panic, all who wait for the same answer do.
///
/// ```
/// use dkim_dns::{Coalescing, LookupError, Query, QueryId, QueryKind, Resolver, Zone};
/// # use futures_util::FutureExt;
///
/// let resolver = Coalescing::new(Zone::new());
/// let name = "s._domainkey.example.org".to_owned();
/// let query = Query { id: QueryId(0), name, kind: QueryKind::Txt };
/// let answer = resolver.lookup(&query);
/// # let answer = answer.now_or_never().expect("a zone answers at once");
/// assert_eq!(answer, Err(LookupError::NoSuchName));
/// ```
pub struct Coalescing<R> {
    resolver: Arc<R>,
    open: Arc<Open>,
}

type Key = (String, QueryKind);
type Lookup = BoxFuture<'static, Answer>;

/// The questions that somebody waits for. Weak, so that what nobody waits for ends.
#[derive(Default)]
struct Open(Mutex<HashMap<Key, WeakShared<Lookup>>>);

impl<R> Coalescing<R> {
    /// Stands before another resolver.
    #[must_use]
    pub fn new(resolver: R) -> Self {
        Self { resolver: Arc::new(resolver), open: Arc::default() }
    }
}

impl<R: Resolver + Send + Sync + 'static> Coalescing<R> {
    /// Joins those who wait for the answer already, or asks.
    fn join(&self, query: &Query) -> Shared<Lookup> {
        let key = (query.name.clone(), query.kind);
        let mut open = self.open.lock();
        if let Some(lookup) = open.get(&key).and_then(WeakShared::upgrade) {
            return lookup;
        }
        let (resolver, query) = (Arc::clone(&self.resolver), query.clone());
        let entry = Entry { open: Arc::clone(&self.open), key: key.clone() };
        let lookup = async move {
            let _entry = entry;
            resolver.lookup(&query).await
        };
        let lookup = lookup.boxed().shared();
        if let Some(weak) = lookup.downgrade() {
            open.insert(key, weak);
        }
        lookup
    }
}

impl<R: Resolver + Send + Sync + 'static> Resolver for Coalescing<R> {
    fn lookup(&self, query: &Query) -> impl Future<Output = Answer> + Send {
        self.join(query)
    }
}

impl<R: Debug> Debug for Coalescing<R> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Coalescing").field("resolver", &self.resolver).finish_non_exhaustive()
    }
}

impl Open {
    fn lock(&self) -> MutexGuard<'_, HashMap<Key, WeakShared<Lookup>>> {
        // The map is whole between any two of its calls.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends with its question: when that is answered, or nobody waits any more. Should somebody have
/// asked anew just then, a third asker asks once more, and no harm is done.
struct Entry {
    open: Arc<Open>,
    key: Key,
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.open.lock().remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use std::future;

    use super::*;
    use crate::{QueryId, Zone};

    struct Silent;

    impl Resolver for Silent {
        fn lookup(&self, _: &Query) -> impl Future<Output = Answer> + Send {
            future::pending()
        }
    }

    #[test]
    fn nothing_is_kept_of_what_was_answered_or_given_up() {
        let query = Query { id: QueryId(0), name: "a.example".to_owned(), kind: QueryKind::Txt };
        let zone = Coalescing::new(Zone::new());
        assert!(zone.lookup(&query).now_or_never().is_some());
        assert!(zone.open.lock().is_empty());
        let silent = Coalescing::new(Silent);
        let lookup = silent.join(&query);
        assert!(silent.open.lock().contains_key(&("a.example".to_owned(), QueryKind::Txt)));
        assert!(lookup.now_or_never().is_none());
        assert!(silent.open.lock().is_empty());
    }
}
