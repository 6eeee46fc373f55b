//! Streams in the signatures of services: what a method returns bit by bit, and what it takes so.

mod common;

use common::over_every_way;
use futures::{Stream, StreamExt, stream};
use handover::prelude::*;

#[service]
trait Numbers {
    fn count_to(&self, end: u32) -> impl Stream<Item = u32>;
    async fn sum(&self, numbers: impl Stream<Item = u32>) -> u32;
    fn double(&self, numbers: impl Stream<Item = u32>) -> impl Stream<Item = u32>;
}

struct Arithmetic;

impl Numbers for Arithmetic {
    fn count_to(&self, end: u32) -> impl Stream<Item = u32> {
        stream::iter(1..=end)
    }
    async fn sum(&self, numbers: impl Stream<Item = u32>) -> u32 {
        numbers.fold(0, async |sum, number| sum + number).await
    }
    fn double(&self, numbers: impl Stream<Item = u32>) -> impl Stream<Item = u32> {
        numbers.map(|number| 2 * number)
    }
}

#[test]
fn first() {
    over_every_way(async |way| {
        let numbers: NumbersClient = way.spawn(|port| NumbersServer::new(Arithmetic).serve(port));
        let got: Vec<_> = numbers.count_to(3).await.unwrap().map(|item| item.unwrap()).collect().await;
        assert_eq!(got, [1, 2, 3]);
        assert_eq!(numbers.sum(stream::iter([1, 2, 3])).await, Ok(6));
        let got: Vec<_> =
            numbers.double(stream::iter([1, 2, 3])).await.unwrap().map(|item| item.unwrap()).collect().await;
        assert_eq!(got, [2, 4, 6]);
    });
}
