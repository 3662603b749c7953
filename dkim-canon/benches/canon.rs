//! Canonicalization of 1 MiB bodies of several kinds, and of a header field.
#![allow(missing_docs)]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use dkim_canon::{BodyCanonicalizer, Canonicalization, write_field};

const MIB: usize = 1 << 20;

/// `pattern` again and again, up to 1 MiB.
fn mib_of(pattern: &str) -> Vec<u8> {
    pattern.bytes().cycle().take(MIB).collect()
}

fn bodies() -> [(&'static str, Vec<u8>); 10] {
    let text = "A line of ordinary text with words of three to eleven letters,\r\n\
                some of them followed by a comma or a full stop. No two spaces stand\r\n\
                side by side, and no line ends in one.\r\n\r\n";
    let html = "<table>\r\n\t<tr>\r\n\t\t<td class=\"c1\">Some words in a cell</td>\r\n\
                \t\t<td>\t12.50 </td>\r\n\t</tr>\r\n    <!-- a remark, with spaces -->\r\n</table>\r\n";
    let base64 = "TWFueSBoYW5kcyBtYWtlIGxpZ2h0IHdvcmsuTWFueSBoYW5kcyBtYWtlIGxpZ2h0IHdvcmsu\r\n";
    [
        ("text", mib_of(text)),
        ("html", mib_of(html)),
        ("base64", mib_of(base64)),
        ("one line", mib_of("words in a line that never ends, ")),
        ("white space", mib_of(" \t  ")),
        ("white space and letters", mib_of("  x\t")),
        ("white space lines", mib_of(" \r\n")),
        ("crlf", mib_of("\r\n")),
        ("bare cr", mib_of("\r")),
        ("bare lf", mib_of("\n")),
    ]
}

fn body(criterion: &mut Criterion) {
    for c in [Canonicalization::Simple, Canonicalization::Relaxed] {
        let mut group = criterion.benchmark_group(format!("body {c}"));
        for (kind, body) in bodies() {
            group.throughput(Throughput::Bytes(1 << 20));
            group.bench_function(kind, |bencher| {
                bencher.iter(|| {
                    let mut octets = 0;
                    let mut canonicalizer = BodyCanonicalizer::new(c);
                    canonicalizer.chunk(black_box(&body), |piece| octets += black_box(piece).len());
                    canonicalizer.finish(|piece| octets += black_box(piece).len());
                    octets
                });
            });
        }
        let body = mib_of("A line as a reader of lines would feed it, one by one, to the end.\r\n");
        group.bench_function("text line by line", |bencher| {
            bencher.iter(|| {
                let mut octets = 0;
                let mut canonicalizer = BodyCanonicalizer::new(c);
                for line in black_box(&body).chunks(68) {
                    canonicalizer.chunk(line, |piece| octets += black_box(piece).len());
                }
                canonicalizer.finish(|piece| octets += black_box(piece).len());
                octets
            });
        });
        group.finish();
    }
}

fn field(criterion: &mut Criterion) {
    let folded = b" from mail.example.org (mail.example.org [192.0.2.1])\r\n\tby mx.example.net \
                   with ESMTPS id 4Zx1yQ2abc for <joe@example.net>;\r\n\tFri, 11 Jul 2003 21:00:37 -0700 (PDT)";
    let mut out = Vec::new();
    for c in [Canonicalization::Simple, Canonicalization::Relaxed] {
        let mut group = criterion.benchmark_group(format!("field {c}"));
        for (kind, body) in [
            ("received", folded.to_vec()),
            ("1 MiB of white space", mib_of(" \t  ")),
            ("1 MiB of folds", mib_of("\r\n ")),
            ("1 MiB of bare cr", mib_of("\r")),
            ("1 MiB of words", mib_of("words in a line that never ends, ")),
        ] {
            group.throughput(Throughput::Bytes(body.len().try_into().unwrap_or(0)));
            group.bench_function(kind, |bencher| {
                bencher.iter(|| {
                    out.clear();
                    write_field(c, b"Received", black_box(&body), &mut out);
                    out.len()
                });
            });
        }
        group.finish();
    }
}

criterion_group!(benches, body, field);
criterion_main!(benches);
