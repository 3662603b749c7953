//! The worst messages we can think of, within the default limits. The budget of each is 100 ms and
//! 20 ms for each MiB of it; a figure over that is a fault.
#![allow(missing_docs, clippy::unwrap_used)]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use dkim_canon::{BodyCanonicalizer, Canonicalization};
use dkim_crypto::ring::PROVIDER;
use dkim_crypto::{HashAlgorithm, Provider};
use dkim_dns::{Zone, drive_blocking};
use dkim_tags::UnixTime;
use dkim_tags::value::to_base64;
use dkim_verify::{Policy, Verification, Verifier};

const MIB: usize = 1024 * 1024;

/// What there is room for beside the signatures in a header within the limit.
const ROOM: usize = 900 * 1024;

const FROM: &str = "From: joe@example.com\r\n";

struct Shape {
    name: &'static str,
    message: Vec<u8>,
    zone: Zone,
}

impl Shape {
    fn new(name: &'static str, message: impl Into<Vec<u8>>) -> Self {
        Self { name, message: message.into(), zone: zone(1, key) }
    }

    fn verify(&self) -> Vec<Verification> {
        let (header, body) = dkim_message::split(&self.message);
        let mut verifier =
            Verifier::new(&header, &Policy::rfc(), UnixTime(1_700_000_000), &PROVIDER);
        drive_blocking(&mut verifier, &self.zone);
        verifier.body_chunk(body);
        verifier.finish()
    }
}

/// A key record of 8192 bits with the longest exponent: nobody's key, and as much work as a real
/// one.
fn key(number: usize) -> String {
    let der = |tag: u8, contents: &[u8]| {
        let [high, low] = u16::try_from(contents.len()).unwrap().to_be_bytes();
        [&[tag, 0x82, high, low][..], contents].concat()
    };
    let exponent = [2, 5, 1, 0xff, 0xff, 0xff, 0xff];
    let mut modulus = [&[0][..], &[0xff; 1024]].concat();
    modulus[1000] = u8::try_from(number).unwrap();
    format!("p={}", to_base64(&der(0x30, &[der(2, &modulus), exponent.to_vec()].concat())))
}

/// So many records at each of ten names.
fn zone(count: usize, record: impl Fn(usize) -> String) -> Zone {
    let places = (0..10).flat_map(|name| (0..count).map(move |number| (name, number)));
    places.fold(Zone::new(), |zone, (name, number)| {
        zone.txt(&format!("s{name}._domainkey.example.com"), record(number))
    })
}

/// The `number`th signature of a message with this body: it is right but for `b=`.
fn signature(number: usize, c: Canonicalization, h: &str, tags: &str, body: &[u8]) -> String {
    let mut digest = PROVIDER.digest(HashAlgorithm::Sha256).unwrap();
    let mut canonicalizer = BodyCanonicalizer::new(c);
    let limit =
        tags.strip_prefix("l=").map_or(usize::MAX, |l| l.trim_end_matches(';').parse().unwrap());
    let mut canonical = Vec::new();
    canonicalizer.chunk(body, |octets| canonical.extend_from_slice(octets));
    canonicalizer.finish(|octets| canonical.extend_from_slice(octets));
    digest.update(canonical.get(..limit).unwrap_or(&canonical));
    let bh = to_base64(digest.finish().as_bytes());
    let b = to_base64(&[0x5a; 1024]);
    format!(
        "DKIM-Signature: v=1; a=rsa-sha256; c={c}/{c}; d=example.com; s=s{}; h={h}; {tags}\r\n \
         bh={bh}; b={b}\r\n",
        number % 10
    )
}

/// Ten signatures that need all the work that can be had.
fn ten(h: &str, rest: &str) -> String {
    let fields = (0..10).map(|number| signature(number, Canonicalization::Relaxed, h, "", b""));
    fields.collect::<String>() + FROM + rest + "\r\n"
}

/// So many octets of header made of one piece again and again.
fn fill(octets: usize, piece: impl Fn(usize) -> String) -> String {
    let mut filled = String::with_capacity(octets);
    for number in 0.. {
        let piece = piece(number);
        if filled.len() + piece.len() > octets {
            break;
        }
        filled.push_str(&piece);
    }
    filled
}

fn tags(count: usize) -> String {
    (0..count)
        .map(|tag| {
            format!("{}{:02}=;", char::from(b'a' + u8::try_from(tag % 26).unwrap()), tag / 26)
        })
        .collect()
}

fn shapes() -> Vec<Shape> {
    let plain = |name, header: String| Shape::new(name, header + FROM + "\r\n");
    let names = |count: usize| (0..count).fold("from".to_owned(), |h, n| format!("{h}:x{n}"));
    let field = |piece: &str| format!("Big: {}\r\n", fill(ROOM, |_| piece.to_owned()));
    let tiny = fill(ROOM, |_| "a:\r\n".to_owned());
    let many = |tags: &str| {
        fill(ROOM, |_| {
            format!(
                "DKIM-Signature: v=1; a=rsa-sha256; d=example.com; s=s; bh=Zm9v; b=Zm9v; {tags}\r\n"
            )
        })
    };
    // Characters that all differ: Punycode takes the square of their number.
    let u_label: String = ('\u{4e00}'..).take(330).collect();
    let u_labels = ["\u{4e00}\u{5000}\u{6000}\u{7000}\u{8000}"; 60].join(".");
    let three = |shape: Shape| Shape { zone: zone(3, key), ..shape };
    let keys = |name, record: &dyn Fn(usize) -> String| Shape {
        zone: zone(64, record),
        ..Shape::new(name, ten("from", ""))
    };
    let mut shapes = vec![
        Shape::new("header/one large field, ten times", ten("from:big", &field("some text "))),
        Shape::new("header/one large field of TABs", ten("from:big", &field("a\t\t"))),
        Shape::new("header/one large field of folds", ten("from:big", &field("a\r\n "))),
        Shape::new("header/one large field of blank folds", ten("from:big", &field("\r\n "))),
        three(Shape::new(
            "header/one large field of TABs, three keys",
            ten("from:big", &field("a\t\t")),
        )),
        Shape::new("header/tiny fields", ten(&names(998), &tiny)),
        Shape::new(
            "header/fields with names alike",
            ten(
                &(0..90).fold("from".to_owned(), |h, n| format!("{h}:{}{n}", "x".repeat(500))),
                &fill(400 * 1024, |n| format!("{}{}:\r\n", "x".repeat(500), n % 100)),
            ),
        ),
        Shape::new(
            "header/each field signed",
            ten(&names(998), &fill(ROOM, |n| format!("x{}: {}\r\n", n % 998, "a ".repeat(400)))),
        ),
        Shape::new(
            "header/30,000 names, 30,000 fields",
            signature(0, Canonicalization::Relaxed, &names(30_000), "", b"")
                + FROM
                + &fill(ROOM * 2 / 3, |n| format!("x{}: a\r\n", n % 30_000))
                + "\r\n",
        ),
        Shape::new("header/NULs, longer than the limit", "\0".repeat(16 * MIB)),
        Shape::new("header/longer than the limit", fill(16 * MIB, |_| "a:\r\n".to_owned())),
        Shape {
            zone: zone(53, |number| match number {
                0..50 => format!("{}x={number}", tags(255)),
                _ => key(number),
            }),
            ..Shape::new(
                "header/folds, and three keys behind what is none",
                ten("from:big", &field("a\r\n ")),
            )
        },
        plain(
            "signatures/300 with lengths that differ",
            (0..300)
                .map(|n| signature(n, Canonicalization::Relaxed, "from", &format!("l={n};"), b""))
                .collect(),
        ),
        plain("signatures/empty", fill(ROOM, |_| "DKIM-Signature:\r\n".to_owned())),
        plain("signatures/valid, more than are judged", many("h=from")),
        plain("signatures/256 tags", fill(ROOM, |_| format!("DKIM-Signature: {}\r\n", tags(256)))),
        plain("signatures/257 tags", fill(ROOM, |_| format!("DKIM-Signature: {}\r\n", tags(257)))),
        plain("signatures/1000 names", many(&format!("h={}", names(999)))),
        plain("signatures/z= of 1000", many(&format!("h=from; z={}", ["a:"; 1000].join("|")))),
        plain("signatures/z= of many", many(&format!("h=from; z={}", ["a:"; 100_000].join("|")))),
        plain("signatures/q= of 1000", many(&format!("h=from; q=dns/txt{}", ":a".repeat(999)))),
        plain(
            "signatures/i= quoted",
            many(&format!("h=from; i={}@example.com", "=20".repeat(100_000))),
        ),
        plain(
            "signatures/d= of one long U-label",
            fill(ROOM, |_| format!("DKIM-Signature: d={u_label}; s={u_label}; i=@{u_label}\r\n")),
        ),
        plain(
            "signatures/d= of U-labels",
            fill(ROOM, |_| {
                format!("DKIM-Signature: d={u_labels}; s={u_labels}; i=@{u_labels}\r\n")
            }),
        ),
        plain(
            "signatures/d= of combining characters",
            fill(ROOM, |_| {
                format!("DKIM-Signature: d={}; s=s; i=a\r\n", "a\u{300}\u{323}".repeat(200))
            }),
        ),
        plain(
            "signatures/deep folds",
            format!("DKIM-Signature: zz={}\r\n", fill(ROOM, |_| "a\r\n ".to_owned())),
        ),
        plain(
            "signatures/blank folds",
            format!("DKIM-Signature: {}a=\r\n", fill(ROOM, |_| "\r\n ".to_owned())),
        ),
        plain(
            "signatures/b= of white space",
            many(&format!("h=from; x={}", "\r\n ".repeat(200_000))),
        ),
        three(Shape::new("keys/ten times three of 8192 bits", ten("from", ""))),
        keys("keys/sixty-four of 16 KiB that are none", &|n| format!("{}!{n}", "a=".repeat(8000))),
        keys("keys/sixty-four of 256 tags", &|n| format!("{}x={n}", tags(255))),
        keys("keys/sixty-four long ones", &|n| format!("n={n}; p={}", "AAAA".repeat(4000))),
        keys("keys/sixty-four of white space", &|n| format!("n={n}{};p=AAAA", " ".repeat(16_000))),
    ];
    for (name, piece) in [
        ("body/one line", "a"),
        ("body/text", "We lost the game. Are you hungry yet?\r\n"),
        ("body/blanks", " "),
        ("body/TABs", "\t"),
        ("body/CRs", "a\r"),
        ("body/CRs alone", "\r"),
        ("body/LFs", "\n"),
        ("body/empty lines", "\r\n"),
        ("body/blank lines", " \r\n"),
        ("body/short words", "a \t"),
        ("body/blank CRs", " \r"),
        ("body/NULs after blanks", " \0"),
    ] {
        let body = piece.repeat(16 * MIB / piece.len()) + "x\r\n";
        let fields: String = [
            (Canonicalization::Relaxed, ""),
            (Canonicalization::Relaxed, "l=1;"),
            (Canonicalization::Simple, ""),
            (Canonicalization::Simple, "l=1;"),
        ]
        .into_iter()
        .enumerate()
        .map(|(number, (form, tags))| signature(number, form, "from", tags, body.as_bytes()))
        .collect();
        shapes.push(Shape::new(name, fields + FROM + "\r\n" + &body));
    }
    shapes
}

fn benches(c: &mut Criterion) {
    let mut group = c.benchmark_group("hostile");
    group.sample_size(10);
    for shape in shapes() {
        let found = shape.verify();
        let outcomes: Vec<_> = found.iter().map(|one| one.outcome.reason().code()).collect();
        println!(
            "{}: {} KiB, {} signatures, first {:?}, budget {} ms",
            shape.name,
            shape.message.len() / 1024,
            outcomes.len(),
            outcomes.first(),
            100 + 20 * shape.message.len() / MIB
        );
        group.bench_function(shape.name, |b| b.iter(|| black_box(shape.verify())));
    }
    group.finish();
}

criterion_group!(all, benches);
criterion_main!(all);
