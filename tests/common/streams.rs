//! Two sides of a connection in one context, with a stream in memory between them.

use std::pin::pin;

use futures::{
    future::{Either, select},
    io::AsyncReadExt,
};
use handover::{
    MessagePort,
    byte_stream::{self, Connection, ConnectionOptions},
    context,
    testing::settle,
};
use tokio::io::DuplexStream;
use tokio_util::compat::{Compat, TokioAsyncReadCompatExt};

/// One end of a stream in memory.
pub(crate) type Stream = Compat<DuplexStream>;

/// A side of a connection over it.
pub(crate) type Side = Connection<futures::io::ReadHalf<Stream>, futures::io::WriteHalf<Stream>>;

/// A stream in memory that holds so many bytes each way.
pub(crate) fn stream(bytes: usize) -> (Stream, Stream) {
    let (one, other) = tokio::io::duplex(bytes);
    (one.compat(), other.compat())
}

/// One side of a connection over an end of a stream.
pub(crate) fn side(stream: Stream, options: ConnectionOptions) -> (MessagePort, Side) {
    let (reader, writer) = stream.split();
    byte_stream::connect(reader, writer, options)
}

/// Two sides that are connected.
pub(crate) fn sides(options: ConnectionOptions) -> ((MessagePort, Side), (MessagePort, Side)) {
    let (one, other) = stream(64 << 10);
    (side(one, options.clone()), side(other, options))
}

/// Two ports that are connected, in this context.
pub(crate) fn ports(options: ConnectionOptions) -> (MessagePort, MessagePort) {
    let ((ours, near), (theirs, far)) = sides(options);
    run(near);
    run(far);
    (ours, theirs)
}

/// Runs a test in a context. One that waits for what never comes fails, and does not hang.
pub(crate) fn block_on<T>(test: impl Future<Output = T>) -> T {
    const LONG: usize = 2_000;
    context::block_on(async {
        let late = async {
            for _ in 0..LONG {
                settle().await;
            }
        };
        match select(pin!(test), pin!(late)).await {
            Either::Left((result, _)) => result,
            Either::Right(_) => panic!("the test waits for something that never comes"),
        }
    })
}

/// Lets a side run in this context, however it ends.
pub(crate) fn run(side: Side) {
    context::spawn_local(async {
        let _ended = side.await;
    });
}

/// Serves at the far end of a connection.
pub(crate) fn connect<C, F, Fut>(main: F) -> C
where
    C: From<MessagePort>,
    F: FnOnce(MessagePort) -> Fut,
    Fut: Future<Output = ()> + 'static,
{
    let (ours, theirs) = ports(ConnectionOptions::default());
    context::spawn_local(main(theirs));
    ours.into()
}
