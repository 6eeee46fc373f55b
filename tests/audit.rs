//! The log of what becomes of rights: complete, and powerless.

mod common;

use std::{
    cell::Cell,
    collections::BTreeMap,
    rc::Rc,
    sync::{Arc, Mutex},
    time::Duration,
};

use common::{Way, settle};
use fastrand::Rng;
use futures::poll;
use handover::{
    Host, Interruption, Message, Refusal, ServeOptions,
    clock::{self, ManualClock},
    context, in_process,
    prelude::*,
    rpc::{AuditEntry, Limits, RightId},
    testing::{Link, LinkOptions},
    wire::{CallId, Frame, MethodId},
};

const SECOND: Duration = Duration::from_secs(1);

#[service]
trait Ledger {
    async fn enter(&self, line: String) -> Result<u32, NoRoom>;
    async fn read(&self) -> Vec<u8>;
    /// Waits for ever.
    async fn wait(&self);
    #[rpc(ordered)]
    async fn wait_in_line(&self);
    async fn break_down(&self);
    #[rpc(oneway)]
    async fn touch(&self);
    async fn share(&self, context: CallContext) -> LedgerClient;
}

#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
struct NoRoom;

#[derive(Clone, Default)]
struct Paper(Rc<Cell<u32>>);

impl Paper {
    fn begun(&self) {
        self.0.set(self.0.get() + 1);
    }
}

impl Ledger for Paper {
    async fn enter(&self, line: String) -> Result<u32, NoRoom> {
        self.begun();
        if line.is_empty() { Err(NoRoom) } else { Ok(1) }
    }

    async fn read(&self) -> Vec<u8> {
        self.begun();
        vec![7; 100]
    }

    async fn wait(&self) {
        self.begun();
        std::future::pending().await
    }

    async fn wait_in_line(&self) {
        self.begun();
        std::future::pending().await
    }

    async fn break_down(&self) {
        self.begun();
        panic!("as it was asked to");
    }

    async fn touch(&self) {
        self.begun();
    }

    async fn share(&self, context: CallContext) -> LedgerClient {
        self.begun();
        context.grant().client()
    }
}

/// A log, as an auditor keeps it.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<AuditEntry>>>);

impl Log {
    fn options(&self) -> ServeOptions {
        let log = self.clone();
        ServeOptions::default().audit(move |entry| log.0.lock().unwrap().push(entry))
    }

    fn entries(&self) -> Vec<AuditEntry> {
        self.0.lock().unwrap().clone()
    }

    /// In words, with rights by their labels.
    fn lines(&self) -> Vec<String> {
        let entries = self.entries();
        let mut labels = BTreeMap::new();
        for entry in &entries {
            if let AuditEntry::Granted { right, label, .. } = entry {
                labels.insert(*right, label.to_string());
            }
        }
        let name = |right: &RightId| labels.get(right).cloned().unwrap_or_else(|| "service".to_owned());
        let line = |entry: &AuditEntry| match entry {
            AuditEntry::Granted { right, parent, limits, .. } => {
                format!("{} granted from {}, calls {:?}", name(right), name(parent), limits.calls)
            }
            AuditEntry::NotGranted { parent, reason } => format!("not granted from {}: {reason}", name(parent)),
            AuditEntry::Used { right, name: method, outcome, cost, .. } => {
                format!("{} used {method}: {outcome}, {} in, {} out", name(right), cost.received, cost.sent)
            }
            AuditEntry::Refused { right, reason, .. } => format!("{} refused: {reason}", name(right)),
            AuditEntry::Revoked { right } => format!("{} revoked", name(right)),
            AuditEntry::Expired { right } => format!("{} expired", name(right)),
            AuditEntry::Released { right } => format!("{} released", name(right)),
            AuditEntry::Moved => "moved".to_owned(),
            other => panic!("{other:?}"),
        };
        entries.iter().map(line).collect()
    }

    /// Which rights there are, by the log alone, and how often each was used and refused.
    fn replay(&self) -> BTreeMap<RightId, Account> {
        let mut accounts = BTreeMap::<RightId, Account>::new();
        for entry in self.entries() {
            match entry {
                AuditEntry::Granted { right, parent, label, limits } => {
                    let account = Account {
                        parent: Some(parent),
                        label: label.to_string(),
                        limits: *limits,
                        ..Account::default()
                    };
                    assert!(accounts.insert(right, account).is_none(), "a label is given once");
                }
                AuditEntry::Used { right, name, .. } if name != "handover.describe" => {
                    let mut at = Some(right);
                    accounts.entry(right).or_default().used += 1;
                    while let Some(account) = at.and_then(|right| accounts.get_mut(&right)) {
                        account.used_by_all += 1;
                        at = account.parent;
                    }
                }
                AuditEntry::Refused { right, .. } => accounts.entry(right).or_default().refused += 1,
                AuditEntry::Revoked { right } | AuditEntry::Expired { right } => {
                    let account = accounts.get_mut(&right).expect("it was granted");
                    assert!(!account.has_ended, "it ends once");
                    account.has_ended = true;
                }
                AuditEntry::Released { right } => {
                    let account = accounts.get_mut(&right).expect("it was granted");
                    assert!(!account.is_released, "it is released once");
                    account.is_released = true;
                }
                _ => {}
            }
        }
        accounts
    }
}

#[derive(Debug, Default)]
struct Account {
    parent: Option<RightId>,
    label: String,
    limits: Limits,
    used: u64,
    /// By it, and by what was made from it.
    used_by_all: u64,
    refused: u64,
    has_ended: bool,
    is_released: bool,
}

fn ledger(log: &Log) -> (Host<LedgerClient>, Paper) {
    let paper = Paper::default();
    let (host, hosting) = LedgerServer::new(paper.clone()).with(log.options()).host();
    context::spawn_local(async move { drop(hosting.serve().await) });
    (host, paper)
}

fn over(way: Way, client: LedgerClient) -> LedgerClient {
    if !matches!(way, Way::Bytes) {
        return client;
    }
    let (ours, near) = MessageChannel::new().into_ports();
    let _link = Link::spawn(near, client.into_port(), LinkOptions::default());
    LedgerClient::from(ours)
}

/// C26
#[test]
fn the_log_says_who_was_granted_what_and_what_became_of_it_in_order() {
    for way in [Way::Direct, Way::Bytes] {
        let (log, clock) = (Log::default(), Arc::new(ManualClock::default()));
        let _entered = clock::enter(clock.clone());
        context::block_on(async {
            let (host, _) = ledger(&log);
            let (game, revoker) = host.grant().calls(3).label("game").revocable();
            let brief = over(way, host.grant().expires(SECOND).label("brief").client());
            let game = over(way, game);

            assert_eq!(game.enter("Tell".into()).await, Ok(1));
            assert_eq!(game.enter(String::new()).await, Err(RpcError::Service(NoRoom)));
            assert!(game.break_down().await.is_err());
            assert_eq!(game.wait().await, Err(CallError::Refused(Refusal::NoCallsLeft)));
            let (mut given_up, mut runs) = (Box::pin(brief.wait()), brief.wait());
            assert!(poll!(&mut given_up).is_pending() && poll!(&mut runs).is_pending());
            settle().await;
            drop(given_up);
            settle().await;
            clock.advance(SECOND);
            assert_eq!(runs.await, Err(CallError::Unknown(Interruption::Expired)));
            revoker.revoke();
            settle().await;
            assert_eq!(brief.wait().await, Err(CallError::Refused(Refusal::Expired)));
            host.halt();
            settle().await;
        });

        let bytes = |of_values, of_bytes| if way == Way::Bytes { of_bytes } else { of_values };
        let lines = log.lines();
        let used = |line: &str| lines.iter().filter(|it| it.contains(line)).cloned().collect::<Vec<_>>();
        assert_eq!(
            lines.iter().filter(|line| !line.contains(" used ")).collect::<Vec<_>>(),
            [
                "game granted from service, calls Some(3)",
                "brief granted from service, calls None",
                "game refused: no_calls_left",
                "brief expired",
                "brief released",
                "game revoked",
                "game released",
                "moved"
            ]
        );
        assert_eq!(used("game used").len(), 3);
        let entered = used("game used enter");
        assert!(entered[0].starts_with("game used enter: returned, "), "{entered:?}");
        assert_eq!(entered[0].ends_with("0 in, 0 out"), bytes(true, false), "{entered:?}");
        assert!(entered[1].starts_with("game used enter: service_error, "), "{entered:?}");
        assert!(used("game used break_down")[0].contains(": unknown, "));
        let waited = used("brief used wait");
        assert!(waited[0].contains(": cancelled, "), "its caller had gone: {waited:?}");
        assert!(waited[1].contains(": unknown, "), "{waited:?}");
    }
}

/// C26
#[test]
fn what_is_refused_before_it_was_looked_at_is_in_the_log_and_nothing_that_was_said() {
    context::block_on(async {
        let log = Log::default();
        let (host, paper) = ledger(&log);
        let id = MethodId::of_name;
        let (right, revoker) = host.grant().only([id("enter"), id("wait_in_line")]).label("guest").revocable();
        let raw = right.into_port();
        raw.start();
        let post =
            |id, method, args: &[u8]| raw.post_message(Frame::call(CallId(id), method, args).to_bytes()).unwrap();

        post(1, id("enter"), b"\x07Sesame?");
        post(2, id("enter"), b"\x99Sesame!");
        post(3, id("read"), b"");
        post(4, id("wait_in_line"), b"");
        post(4, id("wait_in_line"), b"");
        post(5, id("wait_in_line"), b"");
        settle().await;
        post(6, id("enter"), b"\x06Sesame");
        post(7, id("nonsense"), b"");
        revoker.revoke();
        settle().await;

        assert_eq!(paper.0.get(), 2);
        let mut lines = log.lines();
        let reasons: Vec<_> = lines.extract_if(.., |line| line.contains("refused")).collect();
        let expected = ["malformed", "unknown_method", "repeated_call_id", "revoked", "revoked", "revoked"];
        assert_eq!(reasons, expected.map(|reason| format!("guest refused: {reason}")));
        assert_eq!(
            lines,
            [
                "guest granted from service, calls None",
                "guest used enter: returned, 16 in, 5 out",
                "guest revoked",
                "guest released",
                "guest used wait_in_line: unknown, 8 in, 0 out",
            ]
        );
        assert!(!format!("{:?}", log.entries()).contains("Sesame"));
    });
}

/// C26
#[test]
fn calls_by_the_first_port_are_in_the_log_too_and_so_is_what_could_not_be_granted() {
    context::block_on(async {
        let log = Log::default();
        let options = log.options().max_clients(1, 1);
        let client: LedgerClient =
            in_process::spawn(async move |port| LedgerServer::new(Paper::default()).with(options).serve(port).await);

        client.touch().await.unwrap();
        assert_eq!(client.read().await.unwrap().len(), 100);
        let clone = client.clone();
        assert_eq!(clone.read().await.unwrap().len(), 100);
        assert_eq!(client.clone().wait().await, Err(CallError::Refused(Refusal::TooManyClients)));
        drop((client, clone));
        settle().await;

        assert_eq!(
            log.lines(),
            [
                "service used touch: returned, 0 in, 0 out",
                "service used read: returned, 0 in, 0 out",
                " granted from service, calls None",
                " used read: returned, 0 in, 0 out",
                "not granted from service: too_many_clients",
                " released"
            ]
        );
    });
}

#[test]
fn an_audit_that_panics_ends_nothing_but_itself() {
    context::block_on(async {
        let options = ServeOptions::default().audit(|_| panic!("no ink"));
        let client: LedgerClient =
            in_process::spawn(async move |port| LedgerServer::new(Paper::default()).with(options).serve(port).await);

        assert_eq!(client.clone().enter("Tell".into()).await, Ok(1));
        assert_eq!(client.enter("Tell".into()).await, Ok(1));
    });
}

/// What happens in a story. Numbers name clients, and wrap.
#[derive(Clone, Debug)]
enum Step {
    Grant {
        calls: Option<u64>,
    },
    Clone(usize),
    Share(usize),
    Enter(usize),
    Touch(usize),
    Wait(usize),
    /// Gives up the eldest call that waits.
    GiveUp,
    Revoke(usize),
    Drop(usize),
    Settle,
}

fn step(rng: &mut Rng) -> Step {
    let which = rng.usize(..);
    match rng.u32(..19) {
        0..2 => Step::Grant { calls: rng.bool().then(|| rng.u64(..4)) },
        2..4 => Step::Clone(which),
        4 => Step::Share(which),
        5..10 => Step::Enter(which),
        10..12 => Step::Touch(which),
        12..14 => Step::Wait(which),
        14 => Step::GiveUp,
        15 => Step::Revoke(which),
        16 => Step::Drop(which),
        _ => Step::Settle,
    }
}

/// Plays a story, and compares what the log says with what there is.
async fn play(story: Vec<Step>) {
    let log = Log::default();
    let (host, paper) = ledger(&log);
    let mut clients = vec![Rc::new(host.client())];
    let (mut revokers, mut waiting) = (Vec::new(), Vec::new());
    let (mut ran, mut refused) = (0, 0);
    for step in story {
        let at = |which: usize| which % clients.len().max(1);
        match step {
            Step::Grant { calls } => {
                let grant = calls.into_iter().fold(host.grant().label("some"), |grant, calls| grant.calls(calls));
                let (client, revoker) = grant.revocable();
                clients.push(Rc::new(client));
                revokers.push(revoker);
            }
            Step::Revoke(which) if !revokers.is_empty() => {
                revokers[which % revokers.len()].revoke();
                settle().await;
            }
            Step::GiveUp if !waiting.is_empty() => drop(waiting.remove(0)),
            Step::Settle => settle().await,
            _ if clients.is_empty() => {}
            Step::Clone(which) => clients.push(Rc::new(LedgerClient::clone(&clients[at(which)]))),
            Step::Share(which) => {
                if let Ok(client) = clients[at(which)].share().await {
                    clients.push(Rc::new(client));
                    ran += 1;
                }
            }
            Step::Enter(which) => match clients[at(which)].enter("x".into()).await {
                Ok(_) => ran += 1,
                Err(RpcError::Call(CallError::Refused(Refusal::NoCallsLeft))) => refused += 1,
                // The client was told of the end, so its service did not hear of the call.
                Err(_) => {}
            },
            Step::Touch(which) => drop(clients[at(which)].touch().await),
            Step::Wait(which) => {
                let client = clients[at(which)].clone();
                let mut call = Box::pin(async move { client.wait().await });
                if poll!(&mut call).is_pending() {
                    settle().await;
                    waiting.push(call);
                }
            }
            Step::Drop(which) => drop(clients.remove(at(which))),
            Step::Revoke(_) | Step::GiveUp => {}
        }
    }
    settle().await;

    let accounts = log.replay();
    let live: BTreeMap<_, _> =
        accounts.iter().filter(|(_, account)| account.parent.is_some() && !account.is_released).collect();
    assert_eq!(live.len(), host.clients());
    for export in host.exports() {
        let account = &accounts[&export.state.right];
        assert_eq!(export.state.label, account.label);
        assert_eq!(export.state.has_ended, account.has_ended);
        if let Some(calls) = account.limits.calls {
            assert!(account.used_by_all <= calls);
            assert!(export.state.calls_left.is_some_and(|left| left <= calls - account.used_by_all));
        }
    }
    // Calls that wait are in the log when they have ended.
    drop((waiting, clients));
    settle().await;
    let accounts = log.replay();
    let used: u64 = accounts.values().map(|account| account.used).sum();
    assert_eq!(used, paper.0.get().into(), "each method that began, once");
    assert!(used >= ran);
    assert!(accounts.values().map(|account| account.refused).sum::<u64>() >= refused);
    assert!(accounts.values().all(|account| account.is_released || account.parent.is_none()));
    assert_eq!(host.clients(), 0);
}

/// C26
#[test]
fn whatever_happens_the_log_alone_tells_what_there_is_and_what_ran() {
    for seed in 0..200 {
        println!("seed {seed}");
        let mut rng = Rng::with_seed(seed);
        let story = (0..rng.usize(..40)).map(|_| step(&mut rng)).collect();
        context::block_on(play(story));
    }
}

/// C26
#[test]
fn whoever_has_the_whole_log_can_do_no_more_than_before() {
    context::block_on(async {
        let log = Log::default();
        let (host, paper) = ledger(&log);
        let wide = host.client();
        assert_eq!(wide.enter("Tell".into()).await, Ok(1));
        let thief = host.grant().only([MethodId::of_name("touch")]).label("thief").client().into_port();
        let before = (paper.0.get(), host.clients());
        let rights: Vec<u64> = log
            .replay()
            .keys()
            .map(|right| postcard::to_allocvec(right).unwrap())
            .map(|bytes| postcard::from_bytes(&bytes).unwrap())
            .collect();
        assert!(rights.len() > 1);

        // Every number that the log has, in every place where a frame has one; and the names of everything.
        thief.start();
        for right in rights {
            let args = postcard::to_allocvec(&right).unwrap();
            for name in ["enter", "read", "share", "handover.same", "handover.sealed", "handover.right"] {
                thief.post_message(Frame::call(CallId(right), MethodId::of_name(name), &args).to_bytes()).unwrap();
                thief.post_message(Frame::tell(MethodId(right as u32), &args).to_bytes()).unwrap();
            }
            thief.post_message(Frame::Cancel { id: CallId(right) }.to_bytes()).unwrap();
            thief.post_message(Frame::Attach { limits: Box::default() }.to_bytes()).unwrap();
            let (_kept, port) = MessageChannel::new().into_ports();
            let limits = Box::new({
                let mut limits = Limits::default();
                limits.calls = Some(right);
                limits
            });
            thief.post_message(Message::new(Frame::Attach { limits }.to_bytes()).with_port(port)).unwrap();
        }
        settle().await;

        assert_eq!((paper.0.get(), host.clients()), before);
        assert_eq!(wide.enter("Tell".into()).await, Ok(1));
    });
}
