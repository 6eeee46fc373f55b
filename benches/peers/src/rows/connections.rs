//! Connections that are made, do nothing, and are dropped.

use crate::{Core, Executor, Measure, Place, Row, System, What, Work, place::turn, rows::Adds};

pub(crate) fn run<S: System<Client: Adds>, E: Executor>(row: &Row, how: Measure) -> Vec<f64> {
    Core::Caller.pin();
    let row = *row;
    E::run(async move {
        let place = Place::<E>::new(row.threads);
        // Whatever an executor or a system has only once is there before anything is counted.
        drop(connect::<S, E>(&place, 16, row.work).await);
        place.settle().await;
        let What::Whole(gauge) = how.what else { return Vec::new() };
        let before = gauge();
        let connections = connect::<S, E>(&place, how.times, row.work).await;
        let after = match row.work {
            Work::Disconnect => {
                let before = gauge();
                drop(connections);
                place.settle().await;
                return vec![gauge().wrapping_sub(before) as f64];
            }
            _ => gauge(),
        };
        drop(connections);
        place.settle().await;
        vec![after.wrapping_sub(before) as f64]
    })
}

/// Connections both of whose ends have begun. Those whose bytes are counted have made a call: by then each has what it needs.
async fn connect<S: System<Client: Adds>, E: Executor>(place: &Place<E>, times: u32, work: Work) -> Vec<S::Client> {
    let mut connections = Vec::with_capacity(times as usize);
    for number in 0..times {
        let connection = S::connect(place).await;
        if work == Work::Idle {
            assert_eq!(connection.add(number, 1).await, number + 1);
        }
        connections.push(connection);
    }
    turn().await;
    turn().await;
    connections
}
