//! The future that is a connection.

use std::{
    fmt, io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures::io::{AsyncRead, AsyncWrite};
use handover_core::{MessageChannel, MessagePort};

use super::{
    ConnectionError, ConnectionOptions, channels::Channels, frame::Frame, inbox::Inbox, outbox::Outbox,
    preamble::Limits,
};

/// How often a connection reads before it writes, and how often it does both before the executor gets a turn.
const READS: usize = 4;
const ROUNDS: usize = 4;

/// How often it reads when it can write no more, at most.
const LAST_ROUNDS: usize = 64;

/// Joins the two ends of a stream: hands back a port, which is entangled with the one that the other side gets, and the future that
/// is the connection.
///
/// Nothing passes unless the future is polled, by any executor. It says who it is when it is first polled, and sends nothing more until
/// the other side has. Both sides are alike.
///
/// # Examples
/// ```
/// use futures::{FutureExt, future::try_join, io::AsyncReadExt};
/// use handover_transports::byte_stream::{ConnectionOptions, connect};
/// # fn sockets() -> (impl AsyncReadExt + futures::io::AsyncWrite, impl AsyncReadExt + futures::io::AsyncWrite) {
/// #     use tokio_util::compat::TokioAsyncReadCompatExt;
/// #     let (one, other) = tokio::io::duplex(1024);
/// #     (one.compat(), other.compat())
/// # }
///
/// # futures::executor::block_on(async {
/// let (here, there) = sockets();
/// let ((reader, writer), (their_reader, their_writer)) = (here.split(), there.split());
/// let (ours, connection) = connect(reader, writer, ConnectionOptions::default());
/// let (theirs, other) = connect(their_reader, their_writer, ConnectionOptions::default());
///
/// let greet = async {
///     theirs.post_message("hello").unwrap();
///     drop(theirs);
///     ours.start();
///     assert_eq!(ours.recv().await.unwrap().data(), b"hello");
///     assert!(ours.recv().await.is_err(), "the end comes behind it");
///     drop(ours);
///     Ok(())
/// };
/// futures::try_join!(connection, other, greet)?;
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
pub fn connect<R, W>(reader: R, writer: W, options: ConnectionOptions) -> (MessagePort, Connection<R, W>)
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let (ours, near) = MessageChannel::new().into_ports();
    let ConnectionOptions { limits, batches } = options;
    let mut preamble = Vec::new();
    limits.write(&mut preamble);
    let connection = Connection {
        reader,
        writer,
        inbox: Inbox::default(),
        outbox: Outbox::new(preamble, batches),
        channels: Channels::new(near, limits),
        most: longest_frame(&limits),
        stage: Stage::Greeting,
    };
    (ours, connection)
}

/// The length of the longest frame that may come.
fn longest_frame(limits: &Limits) -> u64 {
    const NUMBER: u64 = 10;
    let heads = limits.buffers.saturating_add(4).saturating_mul(NUMBER);
    limits.message.saturating_add(heads)
}

/// One side of a connection: a future that ends when every port that it joins was closed, at both ends. Made by [`connect`].
///
/// Dropped before, it ends all of them: those at this side at once, and those at the other side when the stream has ended there.
///
/// # Errors
/// [`ConnectionError`] if the stream failed or ended before that, or if the other side has broken the protocol.
///
/// # Cancel safety
/// It may be moved between polls, but not be replaced by another: what was read and not delivered is in it.
#[must_use = "nothing passes unless this is polled"]
pub struct Connection<R, W> {
    reader: R,
    writer: W,
    inbox: Inbox,
    outbox: Outbox,
    channels: Channels,
    /// The length of the longest frame that is taken.
    most: u64,
    stage: Stage,
}

/// Where a connection is in its life.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Stage {
    /// The other side has not said how much it takes.
    Greeting,
    /// Frames go both ways.
    Open,
    /// Nothing more comes; what is left is written.
    Closing,
    /// It has ended.
    Ended(Result<(), ConnectionError>),
}

impl<R, W> Future for Connection<R, W>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    type Output = Result<(), ConnectionError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        if let Stage::Ended(result) = &this.stage {
            return Poll::Ready(result.clone());
        }
        let result = ready!(this.poll_passing(cx));
        this.end(result.clone());
        Poll::Ready(result)
    }
}

impl<R, W> Connection<R, W>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    fn poll_passing(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), ConnectionError>> {
        self.channels.register(cx.waker());
        for _ in 0..ROUNDS {
            let may_read_more = self.poll_deliver(cx)?.is_ready();
            if self.stage != Stage::Greeting {
                self.channels.collect(&mut self.outbox);
            }
            let has_written = match self.outbox.poll_write(&mut self.writer, cx) {
                Poll::Ready(Err(error)) => return Poll::Ready(self.cannot_write(error, cx)),
                polled => polled.is_ready(),
            };
            if has_written && self.is_over() {
                // The other side has heard everything; whether it still listens does not matter.
                let _closed = ready!(Pin::new(&mut self.writer).poll_close(cx));
                return Poll::Ready(Ok(()));
            }
            let may_write_more = has_written && self.stage != Stage::Greeting && self.channels.are_due();
            if !may_read_more && !may_write_more {
                return Poll::Pending;
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Delivers what comes. Ready if there may be more.
    fn poll_deliver(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), ConnectionError>> {
        for _ in 0..READS {
            if self.stage == Stage::Closing {
                return Poll::Pending;
            }
            match ready!(self.inbox.poll_read(&mut self.reader, cx))? {
                0 => self.stream_ended()?,
                _ => self.deliver()?,
            }
        }
        Poll::Ready(Ok(()))
    }

    fn deliver(&mut self) -> Result<(), ConnectionError> {
        if self.stage == Stage::Greeting {
            let Some(theirs) = self.inbox.preamble()? else { return Ok(()) };
            self.channels.greeted(theirs);
            self.stage = Stage::Open;
        }
        while let Some(body) = self.inbox.frame(self.most)? {
            self.channels.deliver(Frame::parse_body(body)?)?;
        }
        Ok(())
    }

    fn stream_ended(&mut self) -> Result<(), ConnectionError> {
        if !self.inbox.is_empty() {
            return Err(ConnectionError::CutShort);
        }
        if !self.channels.are_over() {
            return Err(ConnectionError::Ended);
        }
        self.stage = Stage::Closing;
        Ok(())
    }

    /// The other side takes nothing any more. What it said before it went is still delivered.
    fn cannot_write(&mut self, error: io::Error, cx: &mut Context<'_>) -> Result<(), ConnectionError> {
        for _ in 0..LAST_ROUNDS {
            match self.poll_deliver(cx) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(ended)) => return Err(ended),
                Poll::Pending => break,
            }
        }
        if self.is_over() { Ok(()) } else { Err(error.into()) }
    }

    fn is_over(&self) -> bool {
        self.stage != Stage::Greeting && self.channels.are_over()
    }
}

impl<R, W> Connection<R, W> {
    fn end(&mut self, result: Result<(), ConnectionError>) {
        if let Err(error) = &result {
            self.channels.disconnect(&error.to_string());
        }
        self.stage = Stage::Ended(result);
    }
}

/// Ends every port that it joins, at once.
impl<R, W> Drop for Connection<R, W> {
    fn drop(&mut self) {
        self.channels.disconnect("the connection was dropped");
    }
}

impl<R, W> fmt::Debug for Connection<R, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let open = self.channels.len();
        f.debug_struct("Connection").field("stage", &self.stage).field("open", &open).finish_non_exhaustive()
    }
}
