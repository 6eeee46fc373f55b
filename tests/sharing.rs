//! Many clients of one service: clones, and clients that its host makes.

mod common;

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use common::{Way, over_every_way, settle};
use futures::{FutureExt, channel::oneshot, future::join_all};
use handover::{
    Host, Interruption, Message, NotSent, Refusal, ServeOptions, context, in_process,
    prelude::*,
    rpc::CallRouter,
    testing::{Link, LinkOptions},
    wire::{CallId, Fault, Frame, MethodId},
};

#[service]
trait Counter {
    async fn next(&self) -> u32;
    async fn wait(&self) -> u32;
    #[rpc(ordered)]
    async fn note(&self, number: u32);
    async fn noted(&self) -> Vec<u32>;
    #[rpc(oneway)]
    async fn skip(&self);
}

#[derive(Default)]
struct Count {
    last: Cell<u32>,
    noted: RefCell<Vec<u32>>,
    hold: Rc<RefCell<Option<oneshot::Receiver<()>>>>,
}

impl Counter for Count {
    async fn next(&self) -> u32 {
        self.last.set(self.last.get() + 1);
        self.last.get()
    }

    async fn wait(&self) -> u32 {
        let hold = self.hold.borrow_mut().take();
        match hold {
            Some(hold) => hold.await.map_or(0, |()| 1),
            None => std::future::pending().await,
        }
    }

    async fn note(&self, number: u32) {
        self.noted.borrow_mut().push(number);
    }

    async fn noted(&self) -> Vec<u32> {
        self.noted.borrow().clone()
    }

    async fn skip(&self) {
        self.last.set(self.last.get() + 1);
    }
}

/// A counter in this context, and its host.
fn hosted() -> (Host<CounterClient>, Rc<Cell<bool>>) {
    let (host, hosting) = CounterServer::new(Count::default()).host();
    let has_ended = Rc::new(Cell::new(false));
    let ended = has_ended.clone();
    context::spawn_local(async move {
        assert!(hosting.serve().await.is_none());
        ended.set(true);
    });
    (host, has_ended)
}

#[test]
fn a_clone_calls_the_same_object_and_outlives_the_client_it_was_made_of() {
    over_every_way(async |way| {
        let counter: CounterClient = way.spawn(|port| CounterServer::new(Count::default()).serve(port));
        assert_eq!(counter.next().await, Ok(1));

        let clone = counter.clone();
        let clone_of_clone = clone.clone();
        drop(counter);
        drop(clone);

        assert_eq!(clone_of_clone.next().await, Ok(2));
        clone_of_clone.skip().await.unwrap();
        assert_eq!(clone_of_clone.next().await, Ok(4));
    });
}

#[test]
fn a_clone_can_be_called_at_once_and_be_handed_on_before_anybody_has_served_it() {
    handover::block_on(async {
        let (ours, theirs) = MessageChannel::new().into_ports();
        let counter = CounterClient::from(ours);

        let clone = counter.clone();
        let again = CounterClient::from(clone.clone().into_port());
        let calls = join_all([counter.next(), clone.next(), again.next()]);
        context::spawn_local(CounterServer::new(Count::default()).serve(theirs));

        let mut numbers: Vec<_> = calls.await.into_iter().map(Result::unwrap).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, [1, 2, 3]);
    });
}

#[test]
fn the_calls_of_each_client_keep_their_order() {
    over_every_way(async |way| {
        let first: CounterClient = way.spawn(|port| CounterServer::new(Count::default()).serve(port));
        let clients: Vec<_> = (0..10).map(|_| first.clone()).collect();

        let calls = clients.iter().zip(0..).map(async |(client, who)| {
            for number in 0..50 {
                client.note(who * 100 + number).await.unwrap();
            }
        });
        join_all(calls).await;

        let noted = first.noted().await.unwrap();
        for who in 0..10 {
            let own: Vec<_> = noted.iter().copied().filter(|number| number / 100 == who).collect();
            assert_eq!(own, (who * 100..who * 100 + 50).collect::<Vec<_>>());
        }
    });
}

#[test]
fn a_service_ends_when_its_last_clone_has_gone_and_not_before() {
    handover::block_on(async {
        let ended = Rc::new(Cell::new(false));
        let end = ended.clone();
        let counter: CounterClient = in_process::spawn(async move |port| {
            CounterServer::new(Count::default()).serve(port).await;
            end.set(true);
        });
        let clone = counter.clone();

        drop(counter);
        settle().await;
        assert!(!ended.get());
        assert_eq!(clone.next().await, Ok(1));

        drop(clone);
        settle().await;
        assert!(ended.get());
    });
}

#[test]
fn a_clone_of_a_client_whose_service_is_gone_is_a_client_whose_service_is_gone() {
    handover::block_on(async {
        let (ours, theirs) = MessageChannel::new().into_ports();
        let counter = CounterClient::from(ours);
        drop(theirs);

        assert_eq!(counter.clone().next().await, Err(CallError::NotSent(NotSent::Closed)));
    });
}

#[test]
fn the_end_of_a_service_ends_the_calls_of_every_clone() {
    handover::block_on(async {
        let (stop, stopped) = oneshot::channel::<()>();
        let counter: CounterClient = in_process::spawn(async |port| {
            let serve = std::pin::pin!(CounterServer::new(Count::default()).serve(port));
            futures::future::select(serve, stopped).await;
        });
        let clone = counter.clone();
        let mut call = clone.wait();
        assert!(futures::poll!(&mut call).is_pending());
        settle().await;
        assert!(futures::poll!(&mut call).is_pending());

        drop(stop);

        assert_eq!(call.await, Err(CallError::Unknown(Interruption::Closed)));
        assert_eq!(clone.next().await, Err(CallError::NotSent(NotSent::Closed)));
    });
}

#[test]
fn a_clone_keeps_to_the_window_of_the_service_too() {
    handover::block_on(async {
        let options = ServeOptions::default().max_calls(1);
        let (open, hold) = oneshot::channel();
        let count = Count { hold: Rc::new(RefCell::new(Some(hold))), ..Count::default() };
        let counter: CounterClient = in_process::spawn(|port| CounterServer::new(count).with(options).serve(port));
        let clone = counter.clone();
        settle().await;

        let mut held = clone.wait();
        assert!(futures::poll!(&mut held).is_pending());
        let mut next = clone.next();
        assert!(futures::poll!(&mut next).is_pending());
        settle().await;
        assert!(futures::poll!(&mut next).is_pending(), "sent although the window is full");

        open.send(()).unwrap();
        assert_eq!(held.await, Ok(1));
        assert_eq!(next.await, Ok(1));
    });
}

#[test]
fn the_frames_of_two_ports_may_have_the_same_numbers() {
    handover::block_on(async {
        let counter: MessagePort = in_process::spawn(|port| CounterServer::new(Count::default()).serve(port));
        let (ours, theirs) = MessageChannel::new().into_ports();
        let attach = Frame::Attach { limits: Box::default() }.to_bytes();
        counter.post_message(Message::new(attach).with_port(theirs)).unwrap();
        let wait = |id| Frame::call(CallId(id), MethodId::of_name("wait"), &[]).to_bytes();
        let next = |id| Frame::call(CallId(id), MethodId::of_name("next"), &[]).to_bytes();

        for port in [&counter, &ours] {
            port.start();
            port.post_message(wait(1)).unwrap();
            port.post_message(next(2)).unwrap();
        }

        for (port, number) in [(&counter, 1), (&ours, 2)] {
            let reply = port.recv().await.unwrap();
            assert_eq!(Frame::parse(reply.data()), Ok(Frame::Reply { id: CallId(2), result: &[0, number] }));
        }
        // The cancelled one is free again, and the other of the same number is not.
        counter.post_message(Frame::Cancel { id: CallId(1) }.to_bytes()).unwrap();
        settle().await;
        counter.post_message(next(1)).unwrap();
        ours.post_message(next(1)).unwrap();
        let reply = counter.recv().await.unwrap();
        assert_eq!(Frame::parse(reply.data()), Ok(Frame::Reply { id: CallId(1), result: &[0, 3] }));
        let fault = Fault::Refused(Refusal::RepeatedCallId);
        let reply = ours.recv().await.unwrap();
        assert_eq!(Frame::parse(reply.data()), Ok(Frame::Fault { id: CallId(1), fault }));
    });
}

#[test]
fn an_attachment_without_exactly_one_port_closes_what_it_brought_and_costs_nobody_anything() {
    handover::block_on(async {
        let counter: CounterClient = in_process::spawn(|port| CounterServer::new(Count::default()).serve(port));
        let (one, its_end) = MessageChannel::new().into_ports();
        let (two, other_end) = MessageChannel::new().into_ports();
        let attach = || Message::new(Frame::Attach { limits: Box::default() }.to_bytes());

        counter.port().post_message(attach()).unwrap();
        counter.port().post_message(attach().with_port(one).with_port(two)).unwrap();
        settle().await;

        assert!(its_end.is_closed() && other_end.is_closed());
        assert_eq!(counter.next().await, Ok(1));
    });
}

#[test]
fn clones_of_a_routers_client_are_clients_of_the_router() {
    handover::block_on(async {
        let router = CallRouter::new();
        let counter = CounterClient::from(router.connect());
        let clone = counter.clone();
        let linked: CounterClient = Way::Bytes.spawn_here(async move |port: MessagePort| {
            // What comes as bytes goes on as bytes.
            let (ours, theirs) = (port, CallRouter::connect(&router));
            router.add(in_process::spawn(|port| CounterServer::new(Count::default()).serve(port)));
            let _link = Link::spawn(ours, theirs, LinkOptions::default());
            std::future::pending::<()>().await;
        });

        drop(counter);
        let far_clone = linked.clone();

        assert_eq!(clone.next().await, Ok(1));
        assert_eq!(far_clone.next().await, Ok(2));
        assert_eq!(linked.next().await, Ok(3));
    });
}

#[test]
fn clones_go_through_a_port_that_both_sides_call_through() {
    handover::block_on(async {
        let (ours, theirs) = MessageChannel::new().into_ports();
        let (calls, _serves) = handover::rpc::split(ours);
        let (_their_calls, their_serves) = handover::rpc::split(theirs);
        context::spawn_local(CounterServer::new(Count::default()).serve(their_serves));

        let counter = CounterClient::from(calls);
        let clone = counter.clone();
        drop(counter);

        assert_eq!(clone.next().await, Ok(1));
    });
}

#[test]
fn a_host_makes_clients_of_one_object_and_the_service_ends_when_all_have_gone() {
    handover::block_on(async {
        let (host, has_ended) = hosted();
        let (first, second) = (host.client(), host.client());
        assert_eq!((first.next().await, second.next().await), (Ok(1), Ok(2)));
        assert_eq!(host.clients(), 2);

        drop((first, second));
        host.idle().await;
        settle().await;
        assert!(!has_ended.get(), "the host may still make clients");
        assert_eq!(host.clone().client().next().await, Ok(3));

        drop(host);
        settle().await;
        assert!(has_ended.get());
    });
}

#[test]
fn whoever_waits_for_the_last_client_to_go_waits_for_clones_and_for_clients_on_their_way() {
    handover::block_on(async {
        let (host, _) = hosted();
        let client = host.client();
        let (ours, theirs) = MessageChannel::new().into_ports();
        ours.post_message(Message::default().with_port(client.clone().into_port())).unwrap();
        settle().await;

        drop(client);
        settle().await;
        assert_eq!(host.clients(), 1);
        assert!(host.idle().now_or_never().is_none());

        // Nobody will ever receive it.
        drop(theirs);
        host.idle().await;
    });
}

#[test]
fn a_host_of_a_service_that_is_served_no_more_makes_clients_that_are_closed() {
    handover::block_on(async {
        let (host, hosting) = CounterServer::new(Count::default()).host();
        let before = host.client();

        drop(hosting);

        assert_eq!(before.next().await, Err(CallError::NotSent(NotSent::Closed)));
        assert_eq!(host.client().next().await, Err(CallError::NotSent(NotSent::Closed)));
        host.idle().await;
    });
}

#[service]
trait Visitor {
    async fn visit(&self, counter: &CounterClient) -> u32;
}

struct Guest;

impl Visitor for Guest {
    async fn visit(&self, counter: &CounterClient) -> u32 {
        counter.next().await.unwrap()
    }
}

#[test]
fn a_client_that_is_lent_to_a_method_goes_as_a_clone_which_is_given_back_when_the_method_ends() {
    handover::block_on(async {
        let (host, _) = hosted();
        let counter = host.client();
        let visitor: VisitorClient = Way::Thread.spawn(|port| VisitorServer::new(Guest).serve(port));

        assert_eq!(visitor.visit(&counter).await, Ok(1));
        assert_eq!(counter.next().await, Ok(2));

        drop(visitor);
        while host.clients() > 1 {
            common::turn().await;
        }
    });
}

#[service]
trait Ticket {
    async fn look(&self) -> u32;
    async fn spend(self) -> u32;
}

struct Once(Rc<Cell<u32>>);

impl Ticket for Once {
    async fn look(&self) -> u32 {
        self.0.get()
    }

    async fn spend(self) -> u32 {
        self.0.set(self.0.get() + 1);
        self.0.get()
    }
}

/// C4
#[test]
fn of_all_clients_of_a_single_use_one_is_served_and_the_others_are_refused_as_spent() {
    handover::block_on(async {
        let spent = Rc::new(Cell::new(0));
        let (host, hosting) = TicketServer::new(Once(spent.clone())).host();
        let clients: Vec<_> = (0..5).map(|_| host.client()).collect();
        drop(host);
        context::spawn_local(async move { drop(hosting.serve().await) });

        let mut outcomes = join_all(clients.into_iter().map(TicketClient::spend)).await;

        outcomes.sort_by_key(Result::is_err);
        assert_eq!(outcomes[0], Ok(1));
        assert!(
            outcomes[1..].iter().all(|outcome| *outcome == Err(CallError::Refused(Refusal::Spent))),
            "{outcomes:?}"
        );
        assert_eq!(spent.get(), 1);
    });
}

#[test]
fn a_peer_that_attaches_both_ends_of_a_channel_keeps_nothing_alive() {
    handover::block_on(async {
        let attach = |through: &MessagePort, port| {
            let frame = Frame::Attach { limits: Box::default() }.to_bytes();
            through.post_message(Message::new(frame).with_port(port)).unwrap();
        };
        let served = || {
            let ended = Rc::new(Cell::new(false));
            let end = ended.clone();
            let client: CounterClient = in_process::spawn(async move |port| {
                CounterServer::new(Count::default()).serve(port).await;
                end.set(true);
            });
            (client, ended)
        };
        let ((one, one_ended), (other, other_ended)) = (served(), served());

        // At one service, at two, and the end by which the first port is called.
        for others in [&one, &other] {
            let (left, right) = MessageChannel::new().into_ports();
            attach(one.port(), left);
            attach(others.port(), right);
        }
        let (through, its_end) = MessageChannel::new().into_ports();
        attach(one.port(), its_end);
        settle().await;
        assert_eq!(one.next().await, Ok(1), "nobody is disturbed");
        attach(&through, one.into_port());
        drop((through, other));
        settle().await;

        assert!(one_ended.get() && other_ended.get());
    });
}
