//! Nothing of others' runs while a lock of ours is held: not their wakers, not the drop of what they posted.
//!
//! A test that goes wrong here waits for a lock that its own thread holds, so each runs beside a time limit.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    task::{Context, Wake, Waker},
    thread,
    time::Duration,
};

use futures::FutureExt;
use handover_core::{Message, MessageChannel, MessagePort};

/// Runs a test on a thread of its own, and fails if it does not come back.
fn in_time(test: impl FnOnce() + Send + 'static) {
    let (done, waiting) = mpsc::channel();
    let thread = thread::spawn(move || {
        test();
        done.send(()).unwrap();
    });
    match waiting.recv_timeout(Duration::from_secs(20)) {
        Ok(()) => {}
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("the test is waiting for its own lock"),
        Err(mpsc::RecvTimeoutError::Disconnected) => {
            std::panic::resume_unwind(thread.join().unwrap_err());
        }
    }
}

/// A waker that uses both ports whenever it is woken, and when it is dropped.
#[derive(Clone)]
struct Meddler {
    ports: Arc<Mutex<Vec<Arc<MessagePort>>>>,
    woken: Arc<AtomicUsize>,
}

impl Meddler {
    fn new(ports: &[&Arc<MessagePort>]) -> Self {
        Self { ports: Arc::new(Mutex::new(ports.iter().map(|port| Arc::clone(port)).collect())), woken: Arc::default() }
    }

    fn meddle(&self) {
        for port in &*self.ports.lock().unwrap() {
            port.start();
            let _unseen = (port.is_closed(), port.recv().now_or_never());
        }
    }

    fn waker(&self) -> Waker {
        Waker::from(Arc::new(self.clone()))
    }
}

impl Wake for Meddler {
    fn wake(self: Arc<Self>) {
        self.woken.fetch_add(1, Ordering::SeqCst);
        self.meddle();
    }
}

impl Drop for Meddler {
    fn drop(&mut self) {
        self.meddle();
    }
}

fn ports() -> (Arc<MessagePort>, Arc<MessagePort>) {
    let (ours, theirs) = MessageChannel::new().into_ports();
    (Arc::new(ours), Arc::new(theirs))
}

/// Leaves a task that waits for a message and for the end of the channel, and does what should wake it.
fn woken_by(act: impl FnOnce(&MessagePort, &MessagePort) + Send + 'static) {
    in_time(move || {
        let (ours, theirs) = ports();
        let meddler = Meddler::new(&[&ours, &theirs]);
        let mut recv = Box::pin(ours.recv());
        let mut closed = Box::pin(ours.closed());
        for _ in 0..2 {
            // Again with another waker: the first is replaced, and dropped.
            let waker = meddler.waker();
            assert!(recv.poll_unpin(&mut Context::from_waker(&waker)).is_pending());
            assert!(closed.poll_unpin(&mut Context::from_waker(&waker)).is_pending());
        }

        act(&ours, &theirs);

        assert!(meddler.woken.load(Ordering::SeqCst) > 0, "nobody was woken");
        drop((recv, closed));
        meddler.ports.lock().unwrap().clear();
    });
}

#[test]
fn a_waker_may_use_the_ports_when_a_message_is_posted() {
    woken_by(|ours, theirs| {
        ours.start();
        theirs.post_message("x").unwrap();
    });
}

#[test]
fn a_waker_may_use_the_ports_when_a_queue_that_holds_something_is_started() {
    woken_by(|ours, theirs| {
        theirs.post_message("x").unwrap();
        ours.start();
    });
}

#[test]
fn a_waker_may_use_the_ports_when_either_end_closes() {
    woken_by(|ours, _| ours.close());
    woken_by(|_, theirs| theirs.close());
}

#[test]
fn a_waiter_that_is_dropped_lets_its_waker_go_with_no_lock_held() {
    in_time(|| {
        let (ours, theirs) = ports();
        let meddler = Meddler::new(&[&ours, &theirs]);
        let mut recv = Box::pin(ours.recv());
        assert!(recv.poll_unpin(&mut Context::from_waker(&meddler.waker())).is_pending());

        drop(recv);

        assert_eq!(meddler.woken.load(Ordering::SeqCst), 0);
        meddler.ports.lock().unwrap().clear();
    });
}

#[test]
fn a_refused_message_that_holds_the_port_that_refused_it_is_dropped_with_no_lock_held() {
    in_time(|| {
        let (ours, theirs) = MessageChannel::new().into_ports();
        let (carrier, arrival) = MessageChannel::new().into_ports();
        carrier.post_message(Message::new("inner").with_port(theirs)).unwrap();
        ours.close();

        // `theirs` lies in the queue of `arrival`, which is in the message that `theirs` refuses.
        ours.post_message(Message::new("outer").with_port(arrival)).unwrap();

        assert!(carrier.is_closed());
    });
}
