//! All cells with criterion, so that runs can be kept and compared. `cargo bench --bench cells`.
#![allow(missing_docs)]

use std::cell::OnceCell;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use dkim_bench::{Pair, Work, cells};

fn all(criterion: &mut Criterion) {
    for cell in cells() {
        let mut group = criterion.benchmark_group(cell.name());
        // What is not chosen is not made.
        let pair = OnceCell::new();
        let mut bench = |name: &str, work: fn(&Pair) -> Option<&Work>| {
            group.bench_function(name, |bencher| {
                if let Some(work) = work(pair.get_or_init(|| cell.make())) {
                    bencher.iter(|| work.run());
                }
            });
        };
        bench("ours", |pair| Some(&pair.ours));
        bench("limit", |pair| Some(&pair.limit));
        if cfg!(feature = "peers") {
            bench("peer", |pair| pair.peer.as_ref());
        }
        group.finish();
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(2));
    targets = all
}
criterion_main!(benches);
