//! Throughput and round-trip time over the three routes, by criterion.
//!
//! `AMQP_TAP_TEST_BROKER=127.0.0.1:5672 cargo bench -p amqp-tap --bench wire`
#![allow(missing_docs, reason = "criterion's macros make undocumented items")]

mod routes;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use routes::{ROUTES, Route, broker};
use std::time::Duration;
use tokio::runtime::Runtime;

fn wire(criterion: &mut Criterion) {
    let (Some(address), Ok(runtime)) = (broker(), Runtime::new()) else {
        return;
    };
    let mut open = Vec::new();
    for name in ROUTES {
        open.push(runtime.block_on(Route::open(name, address)));
    }
    for (size, count, name) in [(12, 1000, "12 B"), (64 * 1024, 100, "64 KiB")] {
        let body = vec![b'x'; size];
        let mut group = criterion.benchmark_group(format!("publish with confirms, {name}"));
        group
            .throughput(Throughput::Elements(count as u64))
            .sample_size(10)
            .measurement_time(Duration::from_secs(3))
            .warm_up_time(Duration::from_millis(500));
        for route in &open {
            group.bench_function(route.name, |bencher| {
                bencher.to_async(&runtime).iter_custom(|times| {
                    let body = &body;
                    async move {
                        let mut total = Duration::ZERO;
                        for _ in 0..times {
                            total += route.publish(count, body).await;
                            route.purge().await;
                        }
                        total
                    }
                });
            });
        }
        group.finish();
        let mut group = criterion.benchmark_group(format!("consume with acks, {name}"));
        group
            .throughput(Throughput::Elements(count as u64))
            .sample_size(10)
            .measurement_time(Duration::from_secs(3))
            .warm_up_time(Duration::from_millis(500));
        for route in &open {
            group.bench_function(route.name, |bencher| {
                bencher.to_async(&runtime).iter_custom(|times| {
                    let body = &body;
                    async move {
                        let mut total = Duration::ZERO;
                        for _ in 0..times {
                            route.publish(count, body).await;
                            total += route.consume(count).await;
                        }
                        total
                    }
                });
            });
        }
        group.finish();
    }
    let mut group = criterion.benchmark_group("round trip, one message in flight");
    group
        .sample_size(50)
        .measurement_time(Duration::from_secs(3))
        .warm_up_time(Duration::from_millis(500));
    for route in &open {
        group.bench_function(route.name, |bencher| {
            bencher.to_async(&runtime).iter(|| route.round_trip());
        });
        runtime.block_on(route.purge());
    }
    group.finish();
    for route in open {
        runtime.block_on(route.close());
    }
}

criterion_group!(benches, wire);
criterion_main!(benches);
