//! The ways from a client to its service that whole-call tests run over.
#![allow(dead_code, unused_imports, unused_macros, reason = "each test binary uses its part")]

pub(crate) mod spawn;
pub(crate) mod streams;

use std::pin::pin;

use futures::future::{Either, select};
use handover::{MessagePort, context, testing};

pub(crate) use handover::testing::{settle, turn};

/// Writes down the ways: where the service is, how calls travel, and what starts it there.
macro_rules! ways {
    ($($(#[$doc:meta])* $way:ident: $where:ident, $as:ident, $spawn:path;)*) => {
        /// A way from a client to its service.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Way { $($(#[$doc])* $way,)* }

        /// Every way there is.
        pub(crate) const WAYS: [Way; [$(Way::$way),*].len()] = [$(Way::$way),*];

        impl Way {
            /// Serves at the far end of the way.
            pub(crate) fn spawn<C, F, Fut>(self, main: F) -> C
            where
                C: From<MessagePort>,
                F: FnOnce(MessagePort) -> Fut + Send + 'static,
                Fut: Future<Output = ()> + 'static,
            {
                match self { $(Self::$way => $spawn(main),)* }
            }

            /// Serves in the context of the test, what need not be `Send`.
            pub(crate) fn spawn_here<C, F, Fut>(self, main: F) -> C
            where
                C: From<MessagePort>,
                F: FnOnce(MessagePort) -> Fut,
                Fut: Future<Output = ()> + 'static,
            {
                match self { $(Self::$way => ways!(spawn_here $where $spawn, main),)* }
            }

            /// Whether calls travel as bytes, and not as values.
            pub(crate) fn is_bytes(self) -> bool {
                match self { $(Self::$way => ways!(is_bytes $as),)* }
            }
        }

        /// Hands the names of all ways to another macro.
        macro_rules! for_every_way {
            ($then:ident) => { $then! { $($way)* } };
        }
        pub(crate) use for_every_way;
    };
    (spawn_here here $spawn:path, $main:ident) => { $spawn($main) };
    (spawn_here away $spawn:path, $main:ident) => { panic!("this service stays where it is") };
    (is_bytes bytes) => { true };
    (is_bytes values) => { false };
}

// A new transport joins here, by a line.
ways! {
    /// One context.
    Direct: here, values, testing::connect;
    /// One context, with a link of bytes in the middle, as over any link out of the process, and so do the calls of every client
    /// that travels over it.
    Bytes: here, bytes, spawn::over_a_link;
    /// One context, with a stream of bytes in the middle, as to another process.
    Stream: here, bytes, streams::connect;
    /// Two threads.
    Thread: away, values, spawn::on_a_thread;
    /// A thread with another executor.
    Tokio: away, values, spawn::on_tokio;
    /// A connection to a shared worker.
    Shared: away, values, spawn::on_a_shared_worker;
}

/// Waits for something that comes, if it ever does, within very many turns, though another thread may have to run for it.
pub(crate) async fn within<F: Future>(future: F) -> F::Output {
    let turns = async {
        for _ in 0..1_000_000 {
            std::thread::yield_now();
            turn().await;
        }
    };
    match select(pin!(future), pin!(turns)).await {
        Either::Left((output, _)) => output,
        Either::Right(((), _)) => panic!("it is waited for in vain"),
    }
}

/// Runs a test over every way.
pub(crate) fn over_every_way<Fut: Future<Output = ()>>(test: impl Fn(Way) -> Fut) {
    for way in WAYS {
        println!("way: {way:?}");
        context::block_on(test(way));
    }
}
