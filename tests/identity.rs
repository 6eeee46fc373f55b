//! Whose a client is: coming home, and two clients of one object. The cheaters write their frames by hand.

mod common;

use common::{WAYS, Way, settle};
use futures::{FutureExt, future::select, pin_mut, poll};
use handover::{
    Host, Message, Refusal, ServeOptions, context, in_process,
    prelude::*,
    rpc::CallRouter,
    same_service,
    wire::{CallId, Fault, Frame, MethodId},
    worker_thread,
};

/// The ways on which a port is the same at both ends.
const IN_PROCESS: [Way; 4] = [Way::Direct, Way::Thread, Way::Tokio, Way::Shared];

#[service(client_trait)]
trait Purse {
    async fn balance(&self) -> Result<u32, Broken>;
    /// Whether that purse is this one.
    async fn is_me(&self, context: CallContext, purse: PurseClient) -> Result<bool, Broken>;
    /// Asks by the purse itself, and so this service while it runs this.
    async fn are_the_same(&self, one: PurseClient, other: PurseClient) -> Result<bool, Broken>;
    async fn another(&self, context: CallContext) -> Result<PurseClient, Broken>;
}

#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
struct Broken(String);

impl From<CallError> for Broken {
    fn from(error: CallError) -> Self {
        Self(error.to_string())
    }
}

struct Leather;

impl Purse for Leather {
    async fn balance(&self) -> Result<u32, Broken> {
        Ok(7)
    }

    async fn is_me(&self, context: CallContext, purse: PurseClient) -> Result<bool, Broken> {
        Ok(context.recognises(&purse))
    }

    async fn are_the_same(&self, one: PurseClient, other: PurseClient) -> Result<bool, Broken> {
        Ok(same_service(&one, &other).await?)
    }

    async fn another(&self, context: CallContext) -> Result<PurseClient, Broken> {
        Ok(context.grant().client())
    }
}

/// Somebody who only carries.
#[service]
trait Carrier {
    async fn carry(&self, purse: PurseClient) -> PurseClient;
}

struct Porter;

impl Carrier for Porter {
    async fn carry(&self, purse: PurseClient) -> PurseClient {
        purse
    }
}

fn hosted() -> Host<PurseClient> {
    let (host, hosting) = PurseServer::new(Leather).host();
    context::spawn_local(async move { drop(hosting.serve().await) });
    host
}

fn served() -> PurseClient {
    in_process::spawn(|port| PurseServer::new(Leather).serve(port))
}

/// Passes everything on by hand, both ways, and keeps nothing: to its caller it behaves as what is behind it.
fn relay(to: PurseClient) -> PurseClient {
    let (ours, theirs) = MessageChannel::new().into_ports();
    context::spawn_local(async move {
        let to = to.into_port();
        theirs.start();
        to.start();
        let there = async {
            while let Ok(message) = theirs.recv().await {
                to.post_message(message).unwrap();
            }
        };
        let back = async {
            while let Ok(message) = to.recv().await {
                theirs.post_message(message).unwrap();
            }
        };
        pin_mut!(there, back);
        select(there, back).await;
    });
    PurseClient::from(ours)
}

/// A service of the same trait whose every answer comes from another one.
fn proxy(to: PurseClient) -> PurseClient {
    in_process::spawn(|port| PurseServer::new(to).serve(port))
}

/// Says yes to whatever it is asked.
fn liar() -> PurseClient {
    let (ours, theirs) = MessageChannel::new().into_ports();
    context::spawn_local(async move {
        theirs.start();
        while let Ok(message) = theirs.recv().await {
            if let Ok(Frame::Call { id, .. }) = Frame::parse(message.data()) {
                theirs.post_message(Frame::Reply { id, result: &[0, 1] }.to_bytes()).unwrap();
            }
        }
    });
    PurseClient::from(ours)
}

/// By a router: calls go to the one purse that it has.
fn routed(to: PurseClient) -> PurseClient {
    let router = CallRouter::new();
    router.add(to.into_port());
    let client = PurseClient::from(router.connect());
    context::spawn_local(async move {
        std::future::pending::<()>().await;
        drop(router);
    });
    client
}

#[test]
fn a_client_that_comes_home_is_known_with_the_right_that_was_granted_wherever_it_has_been() {
    for way in IN_PROCESS {
        context::block_on(async {
            let host = hosted();
            let (game, social) = (host.grant().label("game").client(), host.grant().label("social").client());
            let carriers: [CarrierClient; 3] =
                std::array::from_fn(|_| way.spawn(|port| CarrierServer::new(Porter).serve(port)));

            let mut home = game;
            for carrier in &carriers {
                home = carrier.carry(home).await.unwrap();
            }

            let export = host.recognise(&home).expect("it is its own");
            assert_eq!(export.state.label, "game");
            assert_eq!(host.recognise(&social).unwrap().state.label, "social");
            export.revoker.revoke();
            assert_eq!(home.balance().await, Err(CallError::Refused(Refusal::Revoked).into()));
            assert!(host.recognise(&home).is_none(), "its right has ended");
            assert_eq!(social.balance().await, Ok(7));
        });
    }
}

#[test]
fn a_method_knows_a_client_of_its_own_service_whatever_port_that_has() {
    for way in IN_PROCESS {
        context::block_on(async {
            let spawn = || way.spawn(|port| PurseServer::new(Leather).serve(port));
            let (purse, other): (PurseClient, PurseClient) = (spawn(), spawn());

            assert_eq!(purse.is_me(purse.clone()).await, Ok(true));
            let clone_of_clone = purse.clone().clone();
            assert_eq!(clone_of_clone.balance().await, Ok(7), "it is attached");
            assert_eq!(purse.is_me(clone_of_clone).await, Ok(true));
            assert_eq!(purse.is_me(purse.another().await.unwrap()).await, Ok(true));
            assert_eq!(purse.clone().is_me(purse).await, Ok(true), "that of the first port");
            assert_eq!(other.is_me(spawn()).await, Ok(false));
        });
    }
}

#[test]
fn what_only_behaves_like_a_client_of_its_own_is_not_known() {
    context::block_on(async {
        let host = hosted();
        let purse = host.client();

        for stranger in
            [relay(host.client()), proxy(host.client()), routed(host.client()), liar(), served(), hosted().client()]
        {
            assert!(host.recognise(&stranger).is_none());
            assert_eq!(purse.is_me(stranger).await, Ok(false));
        }
        assert_eq!(relay(host.client()).balance().await, Ok(7), "it does behave like one");
        assert_eq!(proxy(host.client()).balance().await, Ok(7));
        assert_eq!(routed(host.client()).balance().await, Ok(7));
    });
}

#[test]
fn a_client_that_is_closed_and_one_of_a_service_that_has_ended_are_nobodys() {
    context::block_on(async {
        let host = hosted();
        let closed = host.client();
        closed.port().close();
        assert!(host.recognise(&closed).is_none());

        let (host, hosting) = PurseServer::new(Leather).host();
        let client = host.client();
        assert!(host.recognise(&client).is_some(), "also before it is served");
        drop(hosting);
        assert!(host.recognise(&client).is_none());
    });
}

#[test]
fn a_client_of_what_a_call_will_return_is_known_once_the_call_has_returned() {
    context::block_on(async {
        let host = hosted();
        let purse = host.client();

        let piped: PurseClient = purse.another().pipelined();

        assert!(host.recognise(&piped).is_none(), "nothing was returned yet");
        assert_eq!(piped.balance().await, Ok(7));
        assert!(host.recognise(&piped).is_some());
        assert_eq!(same_service(&piped, &purse).await, Ok(true));
        let again: PurseClient = purse.another().pipelined();
        assert_eq!(same_service(&again, &purse.another().pipelined()).await, Ok(true), "asking waits for that");
    });
}

#[test]
fn two_clients_are_the_same_service_if_they_reach_one_object_whatever_they_may_do_there() {
    for way in IN_PROCESS {
        context::block_on(async {
            let spawn = || way.spawn(|port| PurseServer::new(Leather).serve(port));
            let (one, other): (PurseClient, PurseClient) = (spawn(), spawn());
            let clone = one.clone();
            let granted = one.another().await.unwrap();

            for client in [&one, &clone, &granted] {
                assert_eq!(same_service(client, &one).await, Ok(true));
                assert_eq!(same_service(&one, client).await, Ok(true));
                assert_eq!(same_service(client, &other).await, Ok(false));
                assert_eq!(same_service(&other, client).await, Ok(false));
            }
        });
    }
}

#[test]
fn asking_needs_no_method_and_no_call_that_is_left_and_no_right_that_has_ended() {
    context::block_on(async {
        let host = hosted();
        let spent = host.grant().calls(1).client();
        let narrow = host.grant().only([MethodId::of_name("balance")]).client();
        assert_eq!(spent.balance().await, Ok(7));

        assert_eq!(same_service(&spent, &narrow).await, Ok(true));
        assert_eq!(spent.balance().await, Err(CallError::Refused(Refusal::NoCallsLeft).into()));

        let (ended, revoker) = host.grant().revocable();
        revoker.revoke();
        assert_eq!(same_service(&ended, &narrow).await, Err(CallError::Refused(Refusal::Revoked)));
        assert_eq!(same_service(&narrow, &ended).await, Err(CallError::Refused(Refusal::Revoked)));
    });
}

#[test]
fn nothing_passes_for_the_object_behind_it_whatever_it_passes_on_and_says() {
    context::block_on(async {
        let host = hosted();
        let purse = host.client();

        for stranger in [relay(host.client()), proxy(host.client()), routed(host.client()), liar(), served()] {
            assert_eq!(same_service(&stranger, &purse).await, Ok(false));
            assert_eq!(same_service(&purse, &stranger).await, Ok(false));
        }
    });
}

#[test]
fn what_a_link_of_bytes_lies_between_is_not_taken_for_the_same() {
    for way in WAYS.into_iter().filter(|way| !IN_PROCESS.contains(way)) {
        context::block_on(async {
            let purse: PurseClient = way.spawn(|port| PurseServer::new(Leather).serve(port));

            assert_eq!(same_service(&purse, &purse.clone()).await, Ok(false));
            assert_eq!(purse.is_me(purse.clone()).await, Ok(false));
        });
    }
}

#[test]
fn no_bytes_make_a_port_one_of_a_services_own() {
    context::block_on(async {
        let purse = served();
        let forger = purse.clone().into_port();
        forger.start();
        let name = MethodId::of_name("handover.same");

        for (number, args) in (0..).zip([&[][..], &[0], &[1], &[1, 0, 0, 0, 0, 0, 0, 0, 1]]) {
            forger.post_message(Frame::call(CallId(number), name, args).to_bytes()).unwrap();
            let answer: Message = forger.recv().await.unwrap();
            match Frame::parse(answer.data()) {
                Ok(Frame::Reply { id, result: [0, 0] }) => assert_eq!((id, args.len()), (CallId(number), 0)),
                Ok(Frame::Fault { fault: Fault::Refused(Refusal::Malformed(_)), .. }) => assert_ne!(args.len(), 0),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(purse.balance().await, Ok(7));
    });
}

#[test]
fn a_service_that_runs_as_many_calls_as_it_may_can_still_ask_whose_a_client_is() {
    context::block_on(async {
        let options = ServeOptions::default().max_calls(1);
        let purse: PurseClient = in_process::spawn(|port| PurseServer::new(Leather).with(options).serve(port));

        let mut asking = purse.are_the_same(purse.clone(), purse.clone());

        assert!(poll!(&mut asking).is_pending());
        settle().await;
        assert_eq!(asking.now_or_never(), Some(Ok(true)));
    });
}

#[test]
fn a_client_that_nobody_serves_yet_is_asked_when_somebody_does() {
    context::block_on(async {
        let (ours, theirs) = MessageChannel::new().into_ports();
        let purse = PurseClient::from(ours);
        let clone = purse.clone();
        let mut asking = Box::pin(same_service(&purse, &clone));
        assert!(poll!(&mut asking).is_pending());

        context::spawn_local(PurseServer::new(Leather).serve(theirs));

        assert_eq!(asking.await, Ok(true));
    });
}

#[test]
fn a_service_that_was_served_elsewhere_meanwhile_knows_its_clients_still() {
    context::block_on(async {
        let (host, hosting) = PurseServer::new(Leather).host();
        let client = host.client();
        host.halt();
        let hosting = hosting.serve().await.expect("it was halted");

        let elsewhere: MessagePort = worker_thread::spawn("elsewhere", async |port| {
            drop(hosting.serve().await);
            drop(port);
        })
        .unwrap();

        assert_eq!(client.is_me(client.clone()).await, Ok(true));
        assert!(host.recognise(&client).is_some());
        drop((client, host));
        elsewhere.closed().await;
    });
}
