//! Both drivers ask every question once, all open ones together, until none is left.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, VecDeque};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use dkim_dns::{
    Answer, BlockingResolver, Found, Inquirer, LookupError, Query, QueryId, QueryKind, Resolver,
    Zone, ask_until, drive, drive_blocking, drive_until,
};
use futures_util::FutureExt;

/// Asks for names, and for whatever names the answers give.
#[derive(Default)]
struct Crawler {
    open: VecDeque<String>,
    asked: Vec<String>,
    answers: BTreeMap<String, Answer>,
}

impl Crawler {
    fn new(names: &[&str]) -> Self {
        let open = names.iter().map(|name| (*name).to_owned()).collect();
        Self { open, ..Self::default() }
    }
}

impl Inquirer for Crawler {
    fn queries(&mut self) -> Vec<Query> {
        let mut queries = Vec::new();
        while let Some(name) = self.open.pop_front() {
            let id = QueryId(u32::try_from(self.asked.len()).unwrap());
            self.asked.push(name.clone());
            queries.push(Query { id, name, kind: QueryKind::Txt });
        }
        queries
    }

    fn answer(&mut self, id: QueryId, answer: Answer) {
        if let Ok(found) = &answer {
            let texts = found.records.iter().map(|record| record.joined());
            self.open.extend(texts.map(|text| String::from_utf8(text).unwrap()));
        }
        let name = self.asked[usize::try_from(id.0).unwrap()].clone();
        assert!(self.answers.insert(name, answer).is_none(), "answered twice");
    }
}

fn tree() -> Zone {
    Zone::new().txt("a", "b").txt("a", "c").txt("c", "d").exists("d").fails("x")
}

fn check(crawler: &Crawler) {
    assert_eq!(crawler.answers.len(), 5);
    assert_eq!(crawler.answers["b"], Err(LookupError::NoSuchName));
    assert_eq!(crawler.answers["d"], Err(LookupError::NoRecords));
    assert!(crawler.answers["x"].as_ref().is_err_and(LookupError::is_temporary));
    assert!(crawler.answers["a"].is_ok() && crawler.answers["c"].is_ok());
}

#[test]
fn answers_raise_new_questions() {
    let mut crawler = Crawler::new(&["a", "x"]);
    drive_blocking(&mut crawler, &tree());
    check(&crawler);

    let mut crawler = Crawler::new(&["a", "x"]);
    drive(&mut crawler, &tree()).now_or_never().unwrap();
    check(&crawler);

    let mut nothing = Crawler::default();
    drive_blocking(&mut nothing, &tree());
    drive(&mut nothing, &tree()).now_or_never().unwrap();
    assert!(nothing.asked.is_empty());
}

#[test]
fn resolvers_may_be_shared_and_inquirers_unsized() {
    fn unsized_inquirer(inquirer: &mut Crawler) -> &mut dyn Inquirer {
        inquirer
    }
    let shared = Arc::new(tree());
    let dynamic: Arc<dyn BlockingResolver> = shared.clone();
    let mut crawler = Crawler::new(&["a", "x"]);
    drive_blocking(unsized_inquirer(&mut crawler), &*dynamic);
    check(&crawler);
    let mut crawler = Crawler::new(&["a", "x"]);
    drive_blocking(&mut crawler, &&dynamic);
    check(&crawler);
    let mut crawler = Crawler::new(&["a", "x"]);
    drive(unsized_inquirer(&mut crawler), &&shared).now_or_never().unwrap();
    check(&crawler);
}

/// Answers nothing before three questions are open, and then the newest first.
struct Reversed {
    open: Mutex<Vec<QueryId>>,
    full: AtomicBool,
}

impl Resolver for Reversed {
    fn lookup(&self, query: &Query) -> impl Future<Output = Answer> + Send {
        let id = query.id;
        self.open.lock().unwrap().push(id);
        poll_fn(move |cx| {
            let mut open = self.open.lock().unwrap();
            self.full.fetch_or(open.len() == 3, Ordering::Relaxed);
            if self.full.load(Ordering::Relaxed) && open.last() == Some(&id) {
                open.pop();
                return Poll::Ready(Err(LookupError::NoSuchName));
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        })
    }
}

#[test]
fn open_questions_wait_together() {
    let mut crawler = Crawler::new(&["a", "b", "c"]);
    let resolver = Reversed { open: Mutex::default(), full: AtomicBool::new(false) };
    {
        let mut driven = pin!(drive(&mut crawler, &resolver));
        let mut cx = Context::from_waker(Waker::noop());
        while driven.as_mut().poll(&mut cx).is_pending() {}
    }
    assert_eq!(crawler.answers.len(), 3);
}

/// What has come by the end counts, and nothing is waited for after it.
#[test]
fn a_deadline_keeps_what_has_come() {
    struct SlowAt(&'static str);
    impl Resolver for SlowAt {
        async fn lookup(&self, query: &Query) -> Answer {
            if query.name == self.0 {
                std::future::pending::<()>().await;
            }
            Ok(Found::default())
        }
    }
    fn run(slow: &'static str, mut end: impl Future<Output = ()> + Unpin) -> (bool, String) {
        let mut crawler = Crawler::new(&["a", "b", "c"]);
        let driven = drive_until(&mut crawler, &SlowAt(slow), &mut end).now_or_never();
        let names: Vec<_> = crawler.answers.into_keys().collect();
        (driven.expect("somebody ends it"), names.concat())
    }
    assert_eq!(run("b", std::future::ready(())), (false, "ac".to_owned()));
    assert_eq!(run("-", std::future::ready(())), (true, "abc".to_owned()));
    assert_eq!(run("-", std::future::pending()), (true, "abc".to_owned()));
}

#[test]
fn the_future_may_be_spawned() {
    fn spawnable(_: &(impl Future + Send)) {}
    let mut crawler = Crawler::new(&["a"]);
    let zone = tree();
    spawnable(&drive(&mut crawler, &zone));
    spawnable(&ask_until(Vec::new(), &zone, std::future::ready(())));
    let mut other = Crawler::new(&["a"]);
    spawnable(&drive_until(&mut other, &zone, &mut std::future::ready(())));
}

/// A resolver that loses answers ends the drive all the same.
#[test]
fn missing_answers_end_the_round() {
    struct Lossy;
    impl BlockingResolver for Lossy {
        fn lookup(&self, _: &Query) -> Answer {
            Err(LookupError::Timeout)
        }

        fn lookup_all(&self, _: &[Query]) -> Vec<Answer> {
            vec![Err(LookupError::Timeout)]
        }
    }
    let mut crawler = Crawler::new(&["a", "b", "c"]);
    drive_blocking(&mut crawler, &Lossy);
    assert_eq!(crawler.answers.len(), 1);
}
