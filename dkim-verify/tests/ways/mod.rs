//! The ways a message may take through the verifier.
#![allow(dead_code)]

use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll, Waker};

use dkim_crypto::ring::PROVIDER;
use dkim_dns::{Answer, BlockingResolver, Inquirer, Query, Resolver, Zone, drive, drive_blocking};
use dkim_message::{HeaderBuf, split};
use dkim_tags::UnixTime;
use dkim_testkit::{Reported, Vector, own_vectors};
use dkim_verify::{Deviation, KeyCache, Outcome, Policy, Verification, Verifier};

/// One way: a message, the DNS and the time in, verifications out.
pub(crate) type Way = fn(&[u8], &Zone, UnixTime) -> Vec<Verification>;

/// Every way, by name.
pub(crate) const WAYS: [(&str, Way); 5] = [
    ("asynchronous", asynchronous),
    ("blocking", blocking),
    ("with keys at hand", with_keys_at_hand),
    ("milter order, answers before the body", |message, zone, now| {
        milter_order(message, zone, now, 3, 0)
    }),
    ("milter order, answers after the body", |message, zone, now| {
        milter_order(message, zone, now, 3, usize::MAX)
    }),
];

pub(crate) fn vector(id: &str) -> Vector {
    own_vectors().unwrap().into_iter().find(|vector| vector.id == id).unwrap()
}

pub(crate) fn zone(vector: &Vector) -> Zone {
    Zone::parse(&vector.zone).unwrap_or_else(|error| panic!("{}: {error}", vector.id))
}

/// The verifier waits for nobody: questions through the blocking driver, then the body.
pub(crate) fn blocking(message: &[u8], zone: &Zone, now: UnixTime) -> Vec<Verification> {
    let (header, body) = split(message);
    let mut verifier = Verifier::new(&header, &Policy::rfc(), now, &PROVIDER);
    drive_blocking(&mut verifier, zone);
    verifier.body_chunk(body);
    verifier.finish()
}

/// Keys are kept from message to message, and from test to test, few enough that some go.
pub(crate) fn with_keys_at_hand(message: &[u8], zone: &Zone, now: UnixTime) -> Vec<Verification> {
    static KEYS: LazyLock<Arc<KeyCache>> = LazyLock::new(|| Arc::new(KeyCache::new(&PROVIDER, 8)));
    let (header, body) = split(message);
    let verifier = Verifier::new(&header, &Policy::rfc(), now, &PROVIDER);
    let mut verifier = verifier.with_key_cache(&KEYS);
    drive_blocking(&mut verifier, zone);
    verifier.body_chunk(body);
    verifier.finish()
}

/// The async driver, over a resolver that keeps everybody waiting and answers the last question
/// first.
pub(crate) fn asynchronous(message: &[u8], zone: &Zone, now: UnixTime) -> Vec<Verification> {
    let (header, body) = split(message);
    let mut verifier = Verifier::new(&header, &Policy::rfc(), now, &PROVIDER);
    verifier.body_chunk(body);
    block_on(drive(&mut verifier, &Late(zone)));
    verifier.finish()
}

/// As a milter does it: fields one by one, the body in pieces of `size` octets, and after
/// `pieces_first` of them the answers, in reverse order.
pub(crate) fn milter_order(
    message: &[u8],
    zone: &Zone,
    now: UnixTime,
    size: usize,
    pieces_first: usize,
) -> Vec<Verification> {
    let (header, body) = split(message);
    let mut fields = HeaderBuf::new();
    for field in header.fields().iter() {
        // Folds are handed on with LF alone.
        fields.push(field.raw_name(), &without_cr(field.body()));
    }
    let mut verifier = Verifier::new(&fields.header(), &Policy::rfc(), now, &PROVIDER);
    drop(fields);
    let queries = verifier.queries();
    let mut pieces = body.chunks(size);
    for piece in pieces.by_ref().take(pieces_first) {
        verifier.body_chunk(piece);
    }
    for query in queries.iter().rev() {
        verifier.answer(query.id, BlockingResolver::lookup(zone, query));
    }
    for piece in pieces {
        verifier.body_chunk(piece);
    }
    verifier.finish()
}

fn without_cr(body: &[u8]) -> Vec<u8> {
    let lines: Vec<&[u8]> = body
        .split(|octet| *octet == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
        .collect();
    lines.join(&b'\n')
}

/// What a verification comes to.
pub(crate) fn outcomes(found: &[Verification]) -> Vec<(usize, Outcome, Vec<Deviation>)> {
    let outcome = |one: &Verification| (one.index, one.outcome.clone(), one.deviations.clone());
    found.iter().map(outcome).collect()
}

/// A verification in the words of a vector.
pub(crate) fn report(verification: &Verification) -> Reported {
    let claims = &verification.claims();
    Reported {
        result: verification.outcome.result().name().to_owned(),
        reason: verification.outcome.reason().code().to_owned(),
        domain: claims.sdid.as_ref().map(|sdid| sdid.as_written().to_owned()),
        selector: claims.selector.as_ref().map(|selector| selector.as_written().to_owned()),
    }
}

/// A zone that answers later, and the last question first.
struct Late<'z>(&'z Zone);

impl Resolver for Late<'_> {
    async fn lookup(&self, query: &Query) -> Answer {
        for _ in query.id.0..50 {
            yield_once().await;
        }
        Resolver::lookup(self.0, query).await
    }
}

/// Lets everybody else go first, once.
fn yield_once() -> impl Future<Output = ()> {
    let mut yielded = false;
    std::future::poll_fn(move |context| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
}

/// Asks again and again: nothing here waits for anything but its turn.
fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
}
