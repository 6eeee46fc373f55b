//! The `CallContext` as the first parameter of a method: the service's alone.

mod common;

use std::{pin::pin, sync::Arc, time::Duration};

use common::{Way, over_every_way};
use futures::{Stream, StreamExt, stream};
use handover::{
    Metadatum, ServeOptions,
    clock::{self, ManualClock},
    context,
    prelude::*,
    wire::MethodId,
};
use serde::{Deserialize, Serialize};

const SECOND: Duration = Duration::from_secs(1);

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Locale(String);

impl Metadatum for Locale {
    const NAME: &'static str = "locale";
}

/// What a method was told, and of whom.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Told {
    name: String,
    method: MethodId,
    locale: Option<Locale>,
    caller: Option<u32>,
    left: Option<Duration>,
}

impl Told {
    fn by(context: &CallContext) -> Self {
        Self {
            name: context.name().into(),
            method: context.method(),
            locale: context.metadata().unwrap(),
            caller: context.caller::<u32>().copied(),
            left: context.remaining(),
        }
    }
}

#[service]
trait Office {
    async fn owned(&self, context: CallContext) -> Told;
    #[rpc(id = 7)]
    async fn lent(&self, context: &CallContext, greeting: &str) -> (String, Told);
    fn at_once(&self, _: handover::CallContext) -> Told;
    async fn sum(&self, context: &CallContext, numbers: impl Stream<Item = u32>) -> (u32, Told);
    fn every(&self, context: CallContext) -> impl Stream<Item = Told>;
    #[rpc(oneway)]
    async fn note(&self, context: CallContext, port: MessagePort);
    async fn last(self, context: CallContext) -> Told;
}

struct Clerk;

impl Office for Clerk {
    async fn owned(&self, context: CallContext) -> Told {
        Told::by(&context)
    }

    async fn lent(&self, context: &CallContext, greeting: &str) -> (String, Told) {
        (greeting.into(), Told::by(context))
    }

    fn at_once(&self, context: CallContext) -> Told {
        Told::by(&context)
    }

    async fn sum(&self, context: &CallContext, numbers: impl Stream<Item = u32>) -> (u32, Told) {
        let sum = pin!(numbers).fold(0, async |sum, number| sum + number).await;
        (sum, Told::by(context))
    }

    fn every(&self, context: CallContext) -> impl Stream<Item = Told> {
        stream::iter(0..2).map(move |_| Told::by(&context))
    }

    async fn note(&self, context: CallContext, port: MessagePort) {
        port.post_message(format!("{:?}", Told::by(&context)).into_bytes()).unwrap();
    }

    async fn last(self, context: CallContext) -> Told {
        Told::by(&context)
    }
}

fn office(way: Way) -> OfficeClient {
    way.spawn(|port| OfficeServer::new(Clerk).with(ServeOptions::default().caller(42_u32)).serve(port))
}

fn german() -> Locale {
    Locale("de".into())
}

fn told(name: &str, locale: Option<Locale>) -> Told {
    Told { name: name.into(), method: MethodId::of_name(name), locale, caller: Some(42), left: None }
}

#[test]
fn a_method_is_told_of_its_call_and_the_client_says_nothing_of_it() {
    over_every_way(async |way| {
        let office = office(way);

        assert_eq!(office.owned().await, Ok(told("owned", None)));
        assert_eq!(office.owned().metadata(&german()).await, Ok(told("owned", Some(german()))));
        assert_eq!(office.at_once().metadata(&german()).await, Ok(told("at_once", Some(german()))));
    });
}

#[test]
fn a_context_is_lent_beside_other_arguments() {
    over_every_way(async |way| {
        let office = office(way);

        let (greeting, lent) = office.lent("good day").metadata(&german()).await.unwrap();

        assert_eq!(greeting, "good day");
        assert_eq!(lent, Told { method: MethodId(7), ..told("lent", Some(german())) });
    });
}

#[test]
fn a_method_that_takes_or_returns_a_stream_is_told_too() {
    over_every_way(async |way| {
        let office = office(way);

        let summed = office.sum(stream::iter([1, 2])).metadata(&german()).await;
        assert_eq!(summed, Ok((3, told("sum", Some(german())))));
        let every: Vec<_> = office.every().metadata(&german()).await.unwrap().collect().await;
        assert_eq!(every, [Ok(told("every", Some(german()))), Ok(told("every", Some(german())))]);
    });
}

#[test]
fn a_one_way_call_and_a_single_use_are_told_too() {
    over_every_way(async |way| {
        let office = office(way);
        let (ours, theirs) = MessageChannel::new().into_ports();
        ours.start();

        office.note(theirs).metadata(&german()).await.unwrap();

        let noted = ours.recv().await.unwrap();
        assert_eq!(noted.data(), format!("{:?}", told("note", Some(german()))).as_bytes());
        assert_eq!(office.last().metadata(&german()).await, Ok(told("last", Some(german()))));
    });
}

#[test]
fn a_method_is_told_how_much_time_is_left() {
    let clock = Arc::new(ManualClock::default());
    let _entered = clock::enter(clock.clone());
    for way in [Way::Direct, Way::Bytes, Way::Stream] {
        println!("way: {way:?}");
        context::block_on(async {
            let office = office(way);

            let left = Some(3 * SECOND);
            assert_eq!(office.owned().deadline(3 * SECOND).await, Ok(Told { left, ..told("owned", None) }));

            let mut every = office.every().deadline(3 * SECOND).await.unwrap();
            assert_eq!(every.next().await.unwrap().unwrap().left, left);
        });
    }
}

#[test]
fn a_method_that_nobody_has_told_anything_knows_its_name() {
    over_every_way(async |way| {
        let office: OfficeClient = way.spawn(|port| OfficeServer::new(Clerk).serve(port));

        assert_eq!(office.owned().await, Ok(Told { caller: None, ..told("owned", None) }));
    });
}
