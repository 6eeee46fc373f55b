//! Structs with strings that come back as they went.

use std::mem::take;

use serde::{Deserialize, Serialize};

use crate::{Executor, Measure, Row, System, measure::measure};

/// A struct as programs have many, which every system can send.
#[derive(Clone, PartialEq, Serialize, Deserialize, prost::Message)]
pub struct Person {
    /// A number.
    #[prost(uint32, tag = "1")]
    pub id: u32,
    /// A short string.
    #[prost(string, tag = "2")]
    pub name: String,
    /// A longer one.
    #[prost(string, tag = "3")]
    pub mail: String,
}

/// How many there are.
const PEOPLE: u32 = 1_000;

/// Calls a service that gives back whom it was given.
pub trait EchoesPeople {
    /// Makes one call, and panics if it fails.
    fn echo_people(&self, people: Vec<Person>) -> impl Future<Output = Vec<Person>>;
}

pub(crate) fn run<S: System<Client: EchoesPeople>, E: Executor>(row: &Row, how: Measure) -> Vec<f64> {
    let make = || (0..PEOPLE).map(person).collect();
    measure::<S, E, Vec<_>>(row, how, make, async |client, people, times, stopwatch, _| {
        for _ in 0..times {
            let begun = stopwatch.begin();
            *people = client.echo_people(take(people)).await;
            stopwatch.end(begun, 1);
        }
        assert_eq!(people.len(), PEOPLE as usize);
        assert_eq!(people.last(), Some(&person(PEOPLE - 1)));
    })
}

fn person(id: u32) -> Person {
    Person { id, name: format!("Guillaume Tell {id}"), mail: format!("guillaume.tell.{id}@buerglen.example") }
}
