//! What it costs to read a key record.
#![allow(missing_docs, clippy::unwrap_used)]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use dkim_keyrec::KeyRecord;

/// The records of RFC 8463 appendix A.2, the first with everything that senders put beside a key.
const RECORDS: [(&str, &str); 2] = [
    (
        "rsa",
        "v=DKIM1; k=rsa; h=sha256; s=email; t=s; n=notes=20to=20a=20person; \
         p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQi\
         Y/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYL\
         zBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB",
    ),
    ("ed25519", "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="),
];

fn key_records(c: &mut Criterion) {
    let mut group = c.benchmark_group("keyrec");
    for (kind, record) in RECORDS {
        group.throughput(Throughput::Bytes(record.len().try_into().unwrap()));
        group.bench_function(kind, |b| {
            b.iter(|| KeyRecord::parse(black_box(record.as_bytes())).unwrap());
        });
    }
    group.finish();
}

criterion_group!(benches, key_records);
criterion_main!(benches);
