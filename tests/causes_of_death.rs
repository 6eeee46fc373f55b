//! Whatever a service dies of, and wherever it was: every call that waits ends, and says what is true.

mod common;

use std::cell::RefCell;

use common::{WAYS, Way, within};
use futures::{
    Stream, StreamExt,
    channel::mpsc,
    future::{Either, join, select},
};
use handover::{Interruption, NotSent, Refusal, context, prelude::*};
use serde::{Deserialize, Serialize};

/// What a service dies of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Cause {
    /// Whoever serves it stops.
    Stops,
    /// The right to call is taken back.
    IsRevoked,
    /// Its context panics.
    Panics,
    /// Its context ends, with all that is in it.
    Returns,
}

const CAUSES: [Cause; 4] = [Cause::Stops, Cause::IsRevoked, Cause::Panics, Cause::Returns];

#[service]
trait Patient {
    /// Waits for ever.
    async fn wait(&self) -> u32;
    #[rpc(ordered)]
    async fn wait_in_line(&self) -> u32;
    #[rpc(no_cancel)]
    async fn stay(&self) -> u32;
    /// Is never over.
    async fn watch(&self) -> impl Stream<Item = u32>;
    async fn other(&self) -> PatientClient;
    async fn take(&self, other: PatientClient) -> u32;
    /// Has come when everything before it has begun.
    async fn beat(&self) -> u32;
    #[rpc(oneway)]
    async fn die(&self, cause: Cause);
}

struct Ill(mpsc::UnboundedSender<Cause>, RefCell<Vec<PatientClient>>);

impl Patient for Ill {
    async fn wait(&self) -> u32 {
        std::future::pending().await
    }

    async fn wait_in_line(&self) -> u32 {
        std::future::pending().await
    }

    async fn stay(&self) -> u32 {
        std::future::pending().await
    }

    async fn watch(&self) -> impl Stream<Item = u32> {
        futures::stream::iter([1]).chain(futures::stream::pending())
    }

    async fn other(&self) -> PatientClient {
        std::future::pending().await
    }

    async fn take(&self, other: PatientClient) -> u32 {
        self.1.borrow_mut().push(other);
        std::future::pending().await
    }

    async fn beat(&self) -> u32 {
        1
    }

    async fn die(&self, cause: Cause) {
        self.0.unbounded_send(cause).unwrap();
    }
}

/// Serves until it is to die.
async fn serve(port: MessagePort) {
    let (die, mut causes) = mpsc::unbounded();
    let (host, hosting) = PatientServer::new(Ill(die, RefCell::default())).host();
    let revoker = host.grant().serve_at(port);
    let mut serving = Box::pin(hosting.serve());
    let cause = match select(&mut serving, causes.next()).await {
        Either::Left(_) => return,
        Either::Right((cause, _)) => cause,
    };
    match cause {
        Some(Cause::Panics) => panic!("of what it has"),
        Some(Cause::IsRevoked) => {
            revoker.revoke();
            serving.await;
        }
        Some(Cause::Stops) => {
            drop(serving);
            // The context lives on.
            std::future::pending::<()>().await;
        }
        Some(Cause::Returns) | None => {}
    }
}

fn runs_on_a_thread_of_its_own(way: Way) -> bool {
    matches!(way, Way::Thread | Way::Tokio | Way::Shared)
}

/// How far a call had come when its service died.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Course {
    Begun,
    /// Another was before it, or it came too late.
    NotBegun,
    /// It was made on what another call was to return.
    OnWhatWasToBeReturned,
}

/// Whether it is true that a call has ended like this.
fn is_true(error: &CallError, cause: Cause, course: Course) -> bool {
    match error {
        CallError::Unknown(Interruption::Panicked(words)) => cause == Cause::Panics && words.contains("of what it has"),
        CallError::Unknown(Interruption::Closed | Interruption::Disconnected(_)) => {
            !matches!(cause, Cause::Panics | Cause::IsRevoked)
        }
        CallError::Unknown(Interruption::Revoked) => cause == Cause::IsRevoked && course == Course::Begun,
        CallError::Refused(Refusal::Revoked) => cause == Cause::IsRevoked && course != Course::Begun,
        CallError::Refused(Refusal::NotReturned(_)) => course == Course::OnWhatWasToBeReturned,
        // Whoever takes a right back says so, also to those who come later.
        CallError::NotSent(NotSent::Closed) => cause != Cause::IsRevoked && course != Course::Begun,
        _ => false,
    }
}

/// Those of the calls, in the order in which they are made.
const COURSES: [Course; 8] = {
    use Course::{Begun, NotBegun, OnWhatWasToBeReturned};
    [Begun, Begun, Begun, Begun, NotBegun, Begun, Begun, OnWhatWasToBeReturned]
};

async fn dies_of(cause: Cause, way: Way) {
    let patient: PatientClient = way.spawn(serve);
    let clone = patient.clone();
    let narrow = patient.narrow().calls(100).client();
    let mut watched = patient.watch().await.unwrap();
    assert_eq!(watched.next().await, Some(Ok(1)));
    let to_be_returned = patient.other().pipelined();
    let (kept, _theirs) = MessageChannel::new().into_ports();

    let ended = async {
        let of_one = join(patient.wait(), patient.wait_in_line());
        let of_others = join(clone.wait(), narrow.wait());
        let queued = join(patient.wait_in_line(), patient.stay());
        let with_ports = join(patient.take(PatientClient::from(kept)), to_be_returned.wait());
        let all = join(join(of_one, of_others), join(queued, with_ports)).await;
        let (((one, two), (three, four)), ((five, six), (seven, eight))) = all;
        [one, two, three, four, five, six, seven, eight]
    };
    let ended = async { join(ended, watched.next()).await };
    let kill = async {
        // All of them have begun, or wait at the service.
        assert_eq!((patient.beat().await, clone.beat().await, narrow.beat().await), (Ok(1), Ok(1), Ok(1)));
        patient.die(cause).await.unwrap();
    };
    // The eight are polled first, so they are sent first.
    let ((errors, item), ()) = within(join(ended, kill)).await;

    for (number, (error, course)) in errors.into_iter().zip(COURSES).enumerate() {
        let error = error.expect_err("nothing is ever returned");
        assert!(is_true(&error, cause, course), "{cause:?} over {way:?}, call {number}: {error:?}");
    }
    assert!(matches!(item, Some(Err(_))), "{cause:?} over {way:?}: {item:?}");
    let late = clone.beat().await.unwrap_err();
    assert!(is_true(&late, cause, Course::NotBegun), "{cause:?} over {way:?}, a late call: {late:?}");
}

/// C18
#[test]
fn every_call_that_waits_ends_whatever_its_service_dies_of_and_wherever_it_was() {
    for way in WAYS {
        for cause in CAUSES {
            // A panic in this context would be the test's own.
            if cause == Cause::Panics && !runs_on_a_thread_of_its_own(way) {
                continue;
            }
            println!("{cause:?} over {way:?}");
            context::block_on(dies_of(cause, way));
        }
    }
}
