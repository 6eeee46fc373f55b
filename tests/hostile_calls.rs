//! What a peer may name and send, and that nothing else is reached by it.

mod common;

use std::{cell::RefCell, rc::Rc};

use common::settle;
use fastrand::Rng;
use handover::{
    Directory, Host, Message, Refusal, context,
    prelude::*,
    rpc::NoSuchService,
    wire::{CallId, Fault, Frame, MethodId, Options},
};
use serde::{Deserialize, Serialize};

#[service]
trait Shop {
    async fn order(&self, order: Order, note: Option<String>) -> u32;
    #[rpc(id = 7)]
    async fn cancel(&self, number: u16, all: bool);
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Order {
    Nothing,
    Some { item: String, pieces: u32 },
    Many(Vec<i16>),
}

/// Everything that a method was ever run with.
#[derive(Clone, Debug, PartialEq)]
enum Ran {
    Order(Order, Option<String>),
    Cancel(u16, bool),
}

#[derive(Clone, Default)]
struct Counter(Rc<RefCell<Vec<Ran>>>);

impl Shop for Counter {
    async fn order(&self, order: Order, note: Option<String>) -> u32 {
        self.0.borrow_mut().push(Ran::Order(order, note));
        9
    }

    async fn cancel(&self, number: u16, all: bool) {
        self.0.borrow_mut().push(Ran::Cancel(number, all));
    }
}

fn shop() -> (Host<ShopClient>, Counter) {
    let counter = Counter::default();
    let (host, hosting) = ShopServer::new(counter.clone()).host();
    context::spawn_local(async move { drop(hosting.serve().await) });
    (host, counter)
}

async fn answer(port: &MessagePort) -> Vec<u8> {
    port.recv().await.map(|message: Message| message.data().to_vec()).unwrap_or_default()
}

/// Names that mean something somewhere: to objects of a script, to Rust, to this library.
const NAMES: [&str; 22] = [
    "constructor",
    "__proto__",
    "prototype",
    "toString",
    "valueOf",
    "hasOwnProperty",
    "__defineGetter__",
    "then",
    "",
    "drop",
    "clone",
    "Shop::order",
    "shop.order",
    "Order",
    "ORDER",
    "order ",
    "order\0",
    "r#order",
    "run",
    "serve",
    "handover.attach",
    "handover.",
];

/// Anything that is no method of the shop, by the name of one or by chance.
fn ids(rng: &mut Rng) -> Vec<MethodId> {
    let chance = (0..2000).map(|_| MethodId(rng.u32(..)));
    let near = [7u32, MethodId::of_name("order").0].into_iter().flat_map(|id| (0..32).map(move |bit| id ^ (1 << bit)));
    let all = NAMES.into_iter().map(MethodId::of_name).chain(near.map(MethodId)).chain(chance);
    let built_in = ["handover.describe", "handover.same_service"].map(MethodId::of_name);
    let served = [ShopMethod::Order.into(), ShopMethod::Cancel.into()];
    all.filter(|id| !served.contains(id) && !built_in.contains(id)).collect()
}

/// C2
#[test]
fn whatever_a_peer_names_that_is_no_method_is_refused_and_runs_nothing() {
    context::block_on(async {
        let (host, counter) = shop();
        let cheater = host.client().into_port();
        cheater.start();
        let mut rng = Rng::with_seed(2);

        for (number, id) in (0..).zip(ids(&mut rng)) {
            let mut args = vec![0; rng.usize(..12)];
            rng.fill(&mut args);
            cheater.post_message(Frame::tell(id, &args).to_bytes()).unwrap();
            let pipelined = Frame::Pipelined { method: id, options: Options::default(), args: &args }.to_bytes();
            let (ours, theirs) = MessageChannel::new().into_ports();
            cheater.post_message(Message::new(pipelined).with_port(theirs)).unwrap();
            cheater.post_message(Frame::call(CallId(number), id, &args).to_bytes()).unwrap();

            let fault = Fault::Refused(Refusal::UnknownMethod(id));
            assert_eq!(
                Frame::parse(&answer(&cheater).await),
                Ok(Frame::Fault { id: CallId(number), fault: fault.clone() })
            );
            ours.start();
            assert_eq!(Frame::parse(&answer(&ours).await), Ok(Frame::Farewell { fault }));
        }

        assert_eq!(*counter.0.borrow(), []);
        assert_eq!(ShopClient::from(cheater).order(Order::Nothing, None).await, Ok(9), "it is still served");
    });
}

/// C2
#[test]
fn whatever_a_peer_asks_a_directory_for_that_is_not_in_it_is_not_there() {
    context::block_on(async {
        let (ours, theirs) = MessageChannel::new().into_ports();
        let directory = Directory::new().with("shop", |_| panic!("nobody asked for it"));
        context::spawn_local(directory.serve(theirs));
        let directory = handover::rpc::DirectoryClient::from(ours);

        for name in NAMES {
            let opened = directory.open::<ShopClient>(name).await.map(drop);
            assert_eq!(opened, Err(RpcError::Service(NoSuchService(name.to_owned()))));
        }
    });
}

/// Calls that are as they should be.
fn golden() -> Vec<Vec<u8>> {
    let some = Order::Some { item: "tea".to_owned(), pieces: 300 };
    let orders = [(Order::Nothing, None), (some, Some("now".to_owned())), (Order::Many(vec![-1, 300]), None)];
    let orders = orders.into_iter().map(|args| (ShopMethod::Order, postcard::to_stdvec(&args).unwrap()));
    let cancel = (ShopMethod::Cancel, postcard::to_stdvec(&(300u16, true)).unwrap());
    let call = |(method, args): (ShopMethod, Vec<u8>)| Frame::call(CallId(1), method.into(), &args).to_bytes();
    orders.chain([cancel]).map(call).collect()
}

/// All of the bytes as one value, and nothing left over.
fn whole<'de, T: Deserialize<'de>>(bytes: &'de [u8]) -> Option<T> {
    postcard::take_from_bytes(bytes).ok().and_then(|(value, rest)| rest.is_empty().then_some(value))
}

/// What a message asks to run, if all of it can be read.
fn asked(bytes: &[u8]) -> Option<Ran> {
    let (method, options, args) = match Frame::parse(bytes) {
        Ok(Frame::Call { method, options, args, .. } | Frame::Tell { method, options, args }) => {
            (method, options, args)
        }
        _ => return None,
    };
    assert!(options.shape.is_none(), "no change of one byte makes a shape");
    if options.deadline.is_some_and(|left| left.is_zero()) {
        return None;
    }
    if method == ShopMethod::Order.into() {
        whole(args).map(|(order, note)| Ran::Order(order, note))
    } else if method == ShopMethod::Cancel.into() {
        whole(args).map(|(number, all)| Ran::Cancel(number, all))
    } else {
        None
    }
}

/// C3
#[test]
fn whatever_byte_of_a_call_is_changed_only_what_can_be_read_to_its_end_is_run_and_others_notice_nothing() {
    context::block_on(async {
        let (host, counter) = shop();
        let bystander = host.client();
        let mut valid = 0;

        for call in golden() {
            for (at, to) in (0..call.len()).flat_map(|at| (0..=u8::MAX).map(move |to| (at, to))) {
                let mut call = call.clone();
                call[at] = to;
                let cheater = host.client().into_port();
                cheater.post_message(&call[..]).unwrap();
                settle().await;

                let expected: Vec<_> = asked(&call).into_iter().collect();
                assert_eq!(counter.0.take(), expected, "{call:02x?}");
                valid += expected.len();
            }
            assert_eq!(bystander.cancel(1, false).await, Ok(()));
            assert_eq!(counter.0.take(), [Ran::Cancel(1, false)]);
        }

        assert!(valid > 256, "{valid}: some changes make another call");
    });
}

/// C3
#[test]
fn a_call_that_is_cut_short_or_goes_on_too_long_is_refused_with_a_reason_and_costs_nothing_else() {
    context::block_on(async {
        let (host, counter) = shop();
        let cheater = host.client().into_port();
        cheater.start();
        let args_at = Frame::call(CallId(1), MethodId(7), &[]).to_bytes().len();

        for call in golden() {
            let cut = (args_at..call.len()).map(|at| call[..at].to_vec());
            let longer = [[&call[..], &[0]].concat()];
            for bad in cut.chain(longer) {
                cheater.post_message(&bad[..]).unwrap();
                let bytes = answer(&cheater).await;
                let read = Frame::parse(&bytes);
                let Ok(Frame::Fault { fault: Fault::Refused(Refusal::Malformed(why)), .. }) = &read else {
                    panic!("{bad:02x?}: {read:?}")
                };
                assert!(!why.is_empty());
            }
        }

        assert_eq!(counter.0.take(), []);
        assert_eq!(ShopClient::from(cheater).cancel(1, false).await, Ok(()));
    });
}
