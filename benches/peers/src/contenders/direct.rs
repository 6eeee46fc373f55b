//! No channel at all: an async method is called where it is.

use std::hint::black_box;

use futures::{Stream, stream};

use crate::{
    Executor, Place, System,
    rows::{Adds, Echoes, EchoesMoved, EchoesPeople, Lends, Person, Streams},
};

/// The service is its own client.
#[derive(Debug)]
pub(crate) struct Direct;

impl System for Direct {
    type Client = Self;

    async fn connect<E: Executor>(_: &Place<E>) -> Self {
        Self
    }
}

impl Adds for Direct {
    // As a service whose code is elsewhere.
    #[inline(never)]
    async fn add(&self, a: u32, b: u32) -> u32 {
        a + b
    }
}

impl Echoes for Direct {
    async fn echo(&self, bytes: Vec<u8>) -> Vec<u8> {
        bytes
    }
}

impl EchoesMoved for Direct {
    type Buffer = Vec<u8>;

    async fn echo_moved(&self, buffer: Vec<u8>) -> Vec<u8> {
        buffer
    }

    fn length(buffer: &Vec<u8>) -> usize {
        buffer.len()
    }
}

impl EchoesPeople for Direct {
    async fn echo_people(&self, people: Vec<Person>) -> Vec<Person> {
        people
    }
}

impl Streams for Direct {
    async fn numbers(&self, count: u32) -> impl Stream<Item = u32> {
        stream::iter(0..count)
    }

    async fn sum(&self, count: u32) -> u64 {
        (0..count).map(black_box).map(u64::from).sum()
    }
}

impl Lends for Direct {
    async fn lend<E: Executor>(&self, _: &Place<E>) -> u32 {
        let adder: Box<Self> = Box::new(Self);
        adder.add(1, 2).await
    }
}
