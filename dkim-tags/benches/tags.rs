//! What it costs to read and to write a DKIM-Signature.
#![allow(missing_docs, clippy::unwrap_used)]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use dkim_tags::{Signature, TagList, without_b};

/// The larger signature of RFC 8463 appendix A.3.
const FIELD: &[u8] = b" v=1; a=rsa-sha256; c=relaxed/relaxed;\r\n \
    d=football.example.com; i=@football.example.com;\r\n \
    q=dns/txt; s=test; t=1528637909; h=from : to : subject :\r\n \
    date : message-id : from : subject : date;\r\n \
    bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n \
    b=F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3\r\n \
    DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2Jz\r\n \
    dA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=";

fn tags(c: &mut Criterion) {
    let mut group = c.benchmark_group("tags");
    group.throughput(Throughput::Bytes(FIELD.len().try_into().unwrap()));
    group.bench_function("tag-list", |b| b.iter(|| TagList::parse(black_box(FIELD)).unwrap()));
    group.bench_function("signature", |b| b.iter(|| Signature::parse(black_box(FIELD)).unwrap()));
    let list = TagList::parse(FIELD).unwrap();
    group.bench_function("without-b", |b| b.iter(|| without_b(black_box(FIELD), &list)));
    let signature = Signature::parse(FIELD).unwrap();
    group.bench_function("write", |b| b.iter(|| black_box(&signature).to_field_body()));
    group.finish();
}

criterion_group!(benches, tags);
criterion_main!(benches);
