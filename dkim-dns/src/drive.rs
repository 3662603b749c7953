//! Carries the questions of an [`Inquirer`] to a resolver and the answers back.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use futures_util::future::{Either, select};
use futures_util::stream::{FuturesUnordered, StreamExt};

use crate::{Answer, Inquirer, LookupError, Query, QueryId};

/// Answers questions without blocking the thread, on whatever runtime it needs.
///
/// The futures are [`Send`], so that [`drive`] may be spawned; `async fn lookup` is one, where its
/// future is. Where a program chooses between resolvers, an `enum` of them is one: a `dyn Resolver`
/// there cannot be.
pub trait Resolver {
    /// Answers one question. Several may be open at the same time.
    fn lookup(&self, query: &Query) -> impl Future<Output = Answer> + Send;
}

/// Answers questions while the caller waits.
pub trait BlockingResolver {
    /// Answers one question.
    fn lookup(&self, query: &Query) -> Answer;

    /// Answers several questions, in the same order; all at once, where the resolver can.
    fn lookup_all(&self, queries: &[Query]) -> Vec<Answer> {
        queries.iter().map(|query| self.lookup(query)).collect()
    }
}

impl<R: Resolver + ?Sized> Resolver for &R {
    fn lookup(&self, query: &Query) -> impl Future<Output = Answer> + Send {
        (**self).lookup(query)
    }
}

impl<R: Resolver + ?Sized> Resolver for Arc<R> {
    fn lookup(&self, query: &Query) -> impl Future<Output = Answer> + Send {
        (**self).lookup(query)
    }
}

impl<R: BlockingResolver + ?Sized> BlockingResolver for &R {
    fn lookup(&self, query: &Query) -> Answer {
        (**self).lookup(query)
    }

    fn lookup_all(&self, queries: &[Query]) -> Vec<Answer> {
        (**self).lookup_all(queries)
    }
}

impl<R: BlockingResolver + ?Sized> BlockingResolver for Arc<R> {
    fn lookup(&self, query: &Query) -> Answer {
        (**self).lookup(query)
    }

    fn lookup_all(&self, queries: &[Query]) -> Vec<Answer> {
        (**self).lookup_all(queries)
    }
}

/// Asks until no question is left: all open questions at once, and those that an answer raises as
/// soon as it is there.
///
/// Needs no runtime of its own and sets no time limit: the resolver's counts. The number of
/// questions is up to the inquirer. A future that is dropped has taken the questions with it: what
/// it had no answer to stays unanswered.
pub async fn drive(inquirer: &mut (impl Inquirer + ?Sized), resolver: &impl Resolver) {
    drive_while(inquirer, resolver, |_| ()).await;
}

/// Asks questions, all at once, and borrows no inquirer: while the answers are on their way, it may be
/// handed what else it needs, such as a verifier the body of its message as that arrives. The answers
/// come in any order. A future that is dropped has told none of them: [`ask_until`] gives up and
/// keeps what it has.
///
/// ```
/// use dkim_dns::{Query, QueryId, QueryKind, Zone, ask};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let zone = Zone::new().txt("s._domainkey.example.com", "v=DKIM1; p=");
/// let name = "s._domainkey.example.com".to_owned();
/// let query = Query { id: QueryId(7), name, kind: QueryKind::Txt };
/// let reading = async { 3 };
/// let (answers, read) = tokio::join!(ask(vec![query], &zone), reading);
/// assert!(answers[0].0 == QueryId(7) && answers[0].1.is_ok() && read == 3);
/// # }
/// ```
pub async fn ask(queries: Vec<Query>, resolver: &impl Resolver) -> Vec<(QueryId, Answer)> {
    ask_until(queries, resolver, std::future::pending()).await
}

/// As [`ask`], until something else happens, such as a deadline: then what has no answer yet is given up,
/// as [`LookupError::Timeout`], and all other answers stand. One slow domain takes no other's key with it.
///
/// ```
/// use std::future::ready;
///
/// use dkim_dns::{Answer, LookupError, Query, QueryId, QueryKind, Resolver, ask_until};
///
/// struct Slow;
///
/// impl Resolver for Slow {
///     async fn lookup(&self, query: &Query) -> Answer {
///         match &*query.name {
///             "slow.example" => std::future::pending().await,
///             _ => Ok(Default::default()),
///         }
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let query = |id, name: &str| Query { id: QueryId(id), name: name.into(), kind: QueryKind::Txt };
/// let queries = vec![query(0, "slow.example"), query(1, "a.example")];
/// // With tokio: `tokio::time::sleep(limit)`.
/// let answers = ask_until(queries, &Slow, ready(())).await;
/// assert!(answers[0].0 == QueryId(1) && answers[0].1.is_ok());
/// assert_eq!(answers[1], (QueryId(0), Err(LookupError::Timeout)));
/// # }
/// ```
pub async fn ask_until(
    queries: Vec<Query>,
    resolver: &impl Resolver,
    end: impl Future<Output = ()>,
) -> Vec<(QueryId, Answer)> {
    let mut open: Vec<QueryId> = queries.iter().map(|query| query.id).collect();
    let mut answers = Vec::with_capacity(open.len());
    let mut asked: FuturesUnordered<_> =
        queries.into_iter().map(|query| answered(query, resolver)).collect();
    let mut end = pin!(end);
    // What is answered already comes first.
    while let Either::Left((Some((id, answer)), _)) = select(asked.next(), &mut end).await {
        if let Some(place) = open.iter().position(|one| *one == id) {
            open.swap_remove(place);
        }
        answers.push((id, answer));
    }
    answers.extend(open.into_iter().map(|id| (id, Err(LookupError::Timeout))));
    answers
}

async fn answered(query: Query, resolver: &impl Resolver) -> (QueryId, Answer) {
    let answer = resolver.lookup(&query).await;
    (query.id, answer)
}

/// As [`drive`], until something else happens, such as a deadline, and tells whether all questions were
/// answered by then. What was not stays unanswered, and what was counts. `end` is not polled again once
/// it has ended.
pub async fn drive_until(
    inquirer: &mut (impl Inquirer + ?Sized),
    resolver: &impl Resolver,
    end: &mut (impl Future<Output = ()> + Unpin),
) -> bool {
    let driven = pin!(drive(inquirer, resolver));
    matches!(select(driven, end).await, Either::Left(_))
}

/// Like [`drive`], and does some work with the inquirer while the first questions are on their way,
/// such as handing a verifier the body of its message.
pub async fn drive_while<I: Inquirer + ?Sized>(
    inquirer: &mut I,
    resolver: &impl Resolver,
    work: impl FnOnce(&mut I),
) {
    let ask = |query| answered(query, resolver);
    let mut open: FuturesUnordered<_> = inquirer.queries().into_iter().map(ask).collect();
    // The first poll sends the questions out.
    let first = futures_util::poll!(open.next());
    work(inquirer);
    if let Poll::Ready(Some((id, answer))) = first {
        inquirer.answer(id, answer);
    }
    loop {
        open.extend(inquirer.queries().into_iter().map(ask));
        let Some((id, answer)) = open.next().await else { return };
        inquirer.answer(id, answer);
    }
}

/// Asks until no question is left, round by round, and returns with the last answer.
pub fn drive_blocking(
    inquirer: &mut (impl Inquirer + ?Sized),
    resolver: &(impl BlockingResolver + ?Sized),
) {
    loop {
        let queries = inquirer.queries();
        if queries.is_empty() {
            return;
        }
        let answers = resolver.lookup_all(&queries);
        for (query, answer) in queries.iter().zip(answers) {
            inquirer.answer(query.id, answer);
        }
    }
}
