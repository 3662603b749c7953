//! What several ask at the same time is asked once, and every one of them has the answer.
#![allow(clippy::unwrap_used)]

use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use dkim_dns::{Answer, Coalescing, Found, LookupError, Query, QueryId, QueryKind, Resolver};
use futures_util::future::{join_all, join3};
use tokio::sync::oneshot;

/// Counts the questions, and answers them when it is told to.
#[derive(Default)]
struct Patient {
    asked: AtomicUsize,
    waiting: Mutex<Vec<oneshot::Sender<Answer>>>,
}

impl Patient {
    fn answer(&self, answer: &Answer) {
        for waiting in std::mem::take(&mut *self.waiting.lock().unwrap()) {
            // Who gave up wants no answer.
            let _ = waiting.send(answer.clone());
        }
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}

impl Resolver for Patient {
    async fn lookup(&self, _: &Query) -> Answer {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let (sender, answer) = oneshot::channel();
        self.waiting.lock().unwrap().push(sender);
        answer.await.unwrap()
    }
}

fn query(id: u32, name: &str, kind: QueryKind) -> Query {
    Query { id: QueryId(id), name: name.to_owned(), kind }
}

fn poll<T>(future: &mut Pin<Box<impl Future<Output = T>>>) -> Poll<T> {
    future.as_mut().poll(&mut Context::from_waker(Waker::noop()))
}

fn answers() -> [Answer; 2] {
    let found = Found { ttl: Duration::from_secs(60), ..Found::default() };
    [Ok(found), Err(LookupError::Timeout)]
}

#[test]
fn a_hundred_askers_are_one_question() {
    for answer in answers() {
        let patient = Arc::new(Patient::default());
        let coalescing = Coalescing::new(Arc::clone(&patient));
        for round in 1..=2 {
            let ask = |id| {
                let coalescing = &coalescing;
                async move { coalescing.lookup(&query(id, "a.example", QueryKind::Txt)).await }
            };
            let mut askers = Box::pin(join_all((0..100).map(ask)));
            assert!(poll(&mut askers).is_pending());
            // What is answered is not kept: the next who asks has another answer.
            assert_eq!(patient.asked(), round);
            patient.answer(&answer);
            assert_eq!(poll(&mut askers), Poll::Ready(vec![answer.clone(); 100]));
        }
    }
}

#[test]
fn other_names_and_kinds_are_other_questions() {
    let patient = Arc::new(Patient::default());
    let coalescing = Coalescing::new(Arc::clone(&patient));
    let queries = [
        query(0, "a.example", QueryKind::Txt),
        query(0, "b.example", QueryKind::Txt),
        query(0, "a.example", QueryKind::Exists),
    ];
    let mut askers = Box::pin(join_all(queries.iter().map(|query| coalescing.lookup(query))));
    assert!(poll(&mut askers).is_pending());
    assert_eq!(patient.asked(), 3);
}

#[test]
fn who_gives_up_takes_nobody_along() {
    let patient = Arc::new(Patient::default());
    let coalescing = Coalescing::new(Arc::clone(&patient));
    let query = query(0, "a.example", QueryKind::Txt);
    let mut first = Box::pin(coalescing.lookup(&query));
    let mut second = Box::pin(coalescing.lookup(&query));
    assert!(poll(&mut first).is_pending() && poll(&mut second).is_pending());
    drop(first);
    patient.answer(&Err(LookupError::NoRecords));
    assert_eq!(poll(&mut second), Poll::Ready(Err(LookupError::NoRecords)));
    assert_eq!(patient.asked(), 1);
}

#[test]
fn what_all_gave_up_is_asked_anew() {
    let patient = Arc::new(Patient::default());
    let coalescing = Coalescing::new(Arc::clone(&patient));
    let query = query(0, "a.example", QueryKind::Txt);
    for asked in 1..=2 {
        let mut given_up = Box::pin(coalescing.lookup(&query));
        assert!(poll(&mut given_up).is_pending());
        assert_eq!(patient.asked(), asked);
    }
}

/// The one who is woken is not the one who asked first.
#[test]
fn askers_on_other_threads_are_woken() {
    let patient = Arc::new(Patient::default());
    let coalescing = Arc::new(Coalescing::new(Arc::clone(&patient)));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let asker = {
        let coalescing = Arc::clone(&coalescing);
        runtime
            .spawn(async move { coalescing.lookup(&query(1, "a.example", QueryKind::Txt)).await })
    };
    let other = query(2, "a.example", QueryKind::Txt);
    let answered = async {
        while patient.asked() == 0 {
            tokio::task::yield_now().await;
        }
        patient.answer(&Err(LookupError::NoSuchName));
    };
    let all = join3(asker, coalescing.lookup(&other), answered);
    let (asker, other, ()) = runtime.block_on(all);
    assert_eq!(asker.unwrap(), Err(LookupError::NoSuchName));
    assert_eq!(other, Err(LookupError::NoSuchName));
    assert_eq!(patient.asked(), 1);
}
