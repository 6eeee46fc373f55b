//! Rights come from the start, from a call, or from a reply, and leave by no other way: not through what is printed, logged, or written.

mod common;

use std::{
    fmt::{self, Write},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
};

use common::{over_every_way, settle, turn};
use futures::FutureExt;
use handover::{
    BroadcastChannel, BroadcastGroup, Inspector, Message, Origin, Refusal, RevokerGroup, Sealed, Sealer, ServeOptions,
    context,
    event_loop::EventLoop,
    in_process,
    prelude::*,
    rpc::Limits,
    shared_worker::SharedWorkerGroup,
    testing::Recorder,
    wire::{CallId, Frame, MethodId},
    worker_thread,
};
use tracing::{Event, Subscriber, field::Field};
use tracing_subscriber::{Layer, layer::SubscriberExt};

#[service]
trait Vault {
    async fn open(&self) -> u32;
    /// Hands out the right to open.
    async fn key(&self) -> VaultClient;
    async fn tell(&self, word: String) -> Result<(), Wrong>;
    async fn keep(&self, sealed: Sealed<String>, port: MessagePort) -> u32;
}

#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct Wrong;

#[derive(Clone, Default)]
struct Gold(Arc<AtomicU32>);

impl Vault for Gold {
    async fn open(&self) -> u32 {
        self.0.fetch_add(1, Ordering::Relaxed) + 1
    }

    async fn key(&self) -> VaultClient {
        let gold = self.clone();
        in_process::spawn(|port| VaultServer::new(gold).serve(port))
    }

    async fn tell(&self, word: String) -> Result<(), Wrong> {
        if word == "xyzzy" { Ok(()) } else { Err(Wrong) }
    }

    async fn keep(&self, sealed: Sealed<String>, port: MessagePort) -> u32 {
        drop((sealed, port));
        1
    }
}

fn broadcast(event_loop: &EventLoop, group: &BroadcastGroup) -> BroadcastChannel<String> {
    let origin: Origin = "https://example.test".parse().unwrap();
    BroadcastChannel::new(event_loop, group, &origin, "vault")
}

/// All that can be made from nothing, with every frame that there is put into it; how much of it was answered by others.
async fn try_everything(start: &MessagePort) -> u32 {
    let mut answered = 0;
    let methods = ["open", "key", "tell", "keep", "handover.describe", "handover.same", "handover.sealed"];
    let calls = methods.map(|name| Frame::call(CallId(1), MethodId::of_name(name), &[0]).to_bytes());
    let attach = || Frame::Attach { limits: Box::<Limits>::default() }.to_bytes();
    start.start();
    // The one port that it has is its maker's, and what is posted there is what its maker makes of it.
    for call in &calls {
        start.post_message(&call[..]).unwrap();
    }
    let (attached, port) = MessageChannel::new().into_ports();
    start.post_message(Message::new(attach()).with_port(port)).unwrap();
    // A channel leads to its other end and nowhere else: with both here, what was posted is all that comes.
    let (ours, theirs) = MessageChannel::new().into_ports();
    for port in [&ours, &theirs, &attached] {
        port.start();
        for call in &calls {
            port.post_message(&call[..]).unwrap();
        }
    }
    settle().await;
    for port in [&ours, &theirs] {
        let came = std::iter::from_fn(|| port.recv().now_or_never()?.ok());
        answered += u32::from(!came.map(|message| message.data().to_vec()).eq(calls.iter().cloned()));
    }
    answered += u32::from(attached.recv().now_or_never().is_some_and(|came| came.is_ok()));
    // What a whole process shares carries no ports, and no calls.
    let event_loop = EventLoop::new();
    let broadcast = broadcast(&event_loop, BroadcastGroup::process());
    for call in &calls {
        broadcast.post_message(&call[..]).unwrap();
    }
    answered += u32::from(broadcast.post_value(&MessageChannel::new().into_ports().0).is_ok());
    // A group of shared workers is handed on like anything else: one that was made here has none of the others' workers.
    answered += u32::try_from(SharedWorkerGroup::new().names().len()).unwrap();
    // Nor does the inspector, which sees what it is shown, nor a group of revokers, nor a sealer.
    answered += u32::try_from(Inspector::default().snapshot().calls.len()).unwrap();
    RevokerGroup::new().revoke();
    let other = Sealer::<String>::new();
    answered += u32::from(other.open(&Sealer::new().seal(String::new())).is_some());
    answered += u32::from(CallContext::current().is_some());
    turn().await;
    answered
}

/// C1
#[test]
fn a_context_that_was_handed_nothing_reaches_nobody() {
    over_every_way(async |way| {
        let gold = Gold::default();
        let opened = gold.0.clone();
        let vault: VaultClient = way.spawn(|port| VaultServer::new(gold).serve(port));

        let maker: MessagePort = worker_thread::spawn("guest", async |port: MessagePort| {
            let answered = try_everything(&port).await;
            port.post_message(Message::new([u8::try_from(answered).unwrap_or(u8::MAX)])).unwrap();
        })
        .unwrap();
        maker.start();

        let mut last = Vec::new();
        while let Ok(message) = maker.recv().await {
            last = message.data().to_vec();
        }
        assert_eq!(last, [0]);
        assert_eq!(opened.load(Ordering::Relaxed), 0);
        assert_eq!(vault.open().await, Ok(1), "it was there all the time");
    });
}

#[service]
trait Guest {
    /// Uses what it was given, and what that leads to.
    async fn use_it(&self, vault: VaultClient) -> Result<u32, String>;
}

struct Visitor;

impl Guest for Visitor {
    async fn use_it(&self, vault: VaultClient) -> Result<u32, String> {
        let key = vault.key().await.map_err(|error| error.to_string())?;
        key.open().await.map_err(|error| error.to_string())
    }
}

/// C1
#[test]
fn a_context_reaches_what_it_was_handed_in_a_call_and_what_that_hands_on_in_a_reply() {
    over_every_way(async |way| {
        let gold = Gold::default();
        let opened = gold.0.clone();
        let vault: VaultClient = way.spawn(|port| VaultServer::new(gold).serve(port));
        let guest: GuestClient = way.spawn(|port| GuestServer::new(Visitor).serve(port));

        assert_eq!(guest.use_it(vault).await, Ok(1));
        assert_eq!(opened.load(Ordering::Relaxed), 1);
    });
}

fn vault() -> VaultClient {
    in_process::spawn(|port| VaultServer::new(Gold::default()).serve(port))
}

/// What is printed, without the numbers by which people tell ports apart.
fn shown(value: &dyn fmt::Debug) -> String {
    let text = format!("{value:?}");
    let mut parts = text.split("id: ");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |shown, part| {
        shown + "id: …" + part.trim_start_matches(|c: char| c.is_ascii_hexdigit() || c == '.')
    })
}

/// C30
#[test]
fn what_holds_a_right_shows_nothing_that_could_be_used_nor_what_is_in_it() {
    context::block_on(async {
        let secret = "sesame".to_owned();
        let (ours, theirs) = MessageChannel::new().into_ports();
        ours.post_message(&secret[..]).unwrap();
        let (host, hosting) = VaultServer::new(Gold::default()).host();
        let granting = host.grant().label("game").check(|_| Err("sesame".into()));
        let (client, revoker) = host.grant().revocable();
        let call = client.tell(secret.clone());
        let callback = in_process::callback(async move |guess: String| guess == "sesame");
        let (sealer, sealed) = (Sealer::new(), Sealer::new().seal(secret.clone()));
        let _of_this_type: Option<Arc<String>> = sealer.open(&sealed);
        let port = "MessagePort { id: …, is_closed: false, has_been_shipped: false, .. }";

        assert_eq!(shown(&theirs), port);
        assert_eq!(shown(&client), format!("VaultClient({port})"));
        assert_eq!(shown(&call), "Call { stage: Made, .. }");
        assert_eq!(shown(&callback), format!("Callback({port})"));
        assert_eq!(shown(&(&sealer, &sealed)), "(Sealer, Sealed)");
        assert_eq!(shown(&ours.control()), "PortControl { .. }");
        assert_eq!(shown(&host), "Host { clients: 1, .. }");
        assert_eq!(shown(&revoker), "Revoker { is_over: false }");
        assert_eq!(shown(&hosting), "Hosting { service: \"Vault\", .. }");
        for holder in [&granting as &dyn fmt::Debug, &Recorder::default(), &ServeOptions::default().caller(secret)] {
            assert!(!shown(holder).contains("sesame"), "{}", shown(holder));
        }
    });
}

/// C30
#[test]
fn no_right_is_written_as_a_plain_value_nor_broadcast_and_none_is_lost_by_trying() {
    context::block_on(async {
        let sealer = Sealer::new();
        let event_loop = EventLoop::new();
        let channel = broadcast(&event_loop, &BroadcastGroup::new());
        let vault = vault();
        let callback = in_process::callback(async |number: u32| number);
        let sealed = sealer.seal(7);

        assert!(postcard::to_allocvec(&vault).is_err());
        assert!(postcard::to_allocvec(&Some(vec![(1, &vault)])).is_err());
        assert!(postcard::to_allocvec(&callback).is_err());
        assert!(postcard::to_allocvec(&sealed).is_err());
        assert!(postcard::to_allocvec(vault.port()).is_err());
        assert!(postcard::from_bytes::<VaultClient>(&[0]).is_err());
        assert!(postcard::from_bytes::<Sealed<u32>>(&[0]).is_err());
        assert!(channel.post_value(&vault).is_err());
        assert!(channel.post_value(&sealed).is_err());

        assert_eq!(vault.open().await, Ok(1));
        assert_eq!(callback.call(1).await, Ok(1));
        assert_eq!(sealer.open(&sealed).as_deref(), Some(&7));
    });
}

/// C30
#[test]
fn an_error_tells_of_methods_and_gives_back_nothing_that_was_said() {
    context::block_on(async {
        let host = {
            let (host, hosting) = VaultServer::new(Gold::default()).host();
            context::spawn_local(async move { drop(hosting.serve().await) });
            host
        };
        let none = host.grant().calls(0).client();
        let blind = host.grant().only([MethodId::of_name("open")]).client();
        let (gone, revoker) = host.grant().revocable();
        revoker.revoke();

        for client in [&none, &blind, &gone] {
            let error = client.tell("sesame".into()).await.unwrap_err();
            assert!(!format!("{error:?} {error:?}").contains("sesame"), "{error:?}");
            let sealed = Sealer::new().seal("sesame".to_owned());
            let (_kept, port) = MessageChannel::new().into_ports();
            let error = client.keep(sealed, port).await.unwrap_err();
            assert!(!format!("{error:?}").contains("sesame") && !format!("{error:?}").contains("Port"), "{error:?}");
        }
        assert_eq!(none.open().await, Err(CallError::Refused(Refusal::NoCallsLeft)));
    });
}

/// Everything that is logged, in one text.
#[derive(Clone, Default)]
struct Listener(Arc<Mutex<String>>);

impl<S: Subscriber> Layer<S> for Listener {
    fn on_event(&self, event: &Event<'_>, _: tracing_subscriber::layer::Context<'_, S>) {
        event.record(&mut |field: &Field, value: &dyn fmt::Debug| {
            writeln!(self.0.lock().unwrap(), "{field}: {value:?}").unwrap();
        });
    }
}

/// C30
#[test]
fn nothing_that_was_said_and_no_right_is_in_what_is_logged_of_refusals_and_of_cheaters() {
    let listener = Listener::default();
    let subscriber = tracing_subscriber::registry().with(listener.clone());
    tracing::subscriber::with_default(subscriber, || {
        context::block_on(async {
            let (host, hosting) =
                VaultServer::new(Gold::default()).with(ServeOptions::default().max_clients(0, 9)).host();
            context::spawn_local(async move { drop(hosting.serve().await) });
            let (game, revoker) = host.grant().calls(1).label("game").revocable();
            assert!(game.tell("sesame".into()).await.is_err());
            assert!(game.tell("sesame".into()).await.is_err());
            assert!(game.clone().tell("sesame".into()).await.is_err());
            let raw = game.into_port();
            raw.start();
            let tell = MethodId::of_name("tell");
            for (number, args) in (1..).zip([&b"\x06sesam"[..], b"\x06\xffesame", b"\x06sesame?"]) {
                raw.post_message(Frame::call(CallId(number), tell, args).to_bytes()).unwrap();
                raw.post_message(Frame::tell(tell, args).to_bytes()).unwrap();
                raw.post_message(args).unwrap();
            }
            settle().await;
            revoker.revoke();
            settle().await;
        });
    });

    let logged = listener.0.lock().unwrap().clone();
    assert!(logged.contains("game"), "whose it was is told: {logged}");
    assert!(!logged.contains("sesam") && !logged.contains("esame"), "{logged}");
    assert!(!logged.contains("MessagePort"), "{logged}");
}
