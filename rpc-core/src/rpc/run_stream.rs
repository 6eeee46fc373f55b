//! Running a handler that returns a stream: its reply is the consumer's end of a port, and then it feeds the other.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures::Stream;
use pin_project::pin_project;

use super::{Answer, Failure, IsResult, Method, Outcome, Responder, Wire, answer::Stop, cell::CallCell};
use crate::{
    panicking::words_of,
    stream::{self, Feed, IntoItem, Streaming, frame::Fault},
    sync::Arc,
};

/// What a handler returns when all is well.
type Source<F> = <<F as Future>::Output as IsResult>::Ok;

/// A handler whose method returns a stream.
///
/// The type of that is no parameter beside the handler's: of a stream that borrows, the compiler would not see in a future that
/// is to be `Send` that the two borrow the same.
#[pin_project]
pub(super) struct RunStream<M: Method, F: Future<Output: IsResult>, T, E: Failure> {
    #[pin]
    handler: Option<F>,
    #[pin]
    feed: Option<Feed<Source<F>, T, E::Service>>,
    responder: Responder<M>,
    /// The call that was answered: as long as there is a trace of it, whoever counts calls knows that the service has something to do.
    answered: Option<Arc<CallCell<M>>>,
}

impl<M: Method, F: Future<Output: IsResult>, T, E: Failure> RunStream<M, F, T, E> {
    pub(super) fn new(handler: F, responder: Responder<M>) -> Self {
        Self { handler: Some(handler), feed: None, responder, answered: None }
    }
}

impl<M, F, T, E> Future for RunStream<M, F, T, E>
where
    M: Method<Ok = Streaming<T, E>>,
    F: Future<Output: IsResult<Ok: Stream<Item: IntoItem<T, E::Service>>, Err = M::Err>>,
    T: Wire + Send + 'static,
    E: Failure<Service: Wire + Send + 'static>,
{
    type Output = Answer;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Answer> {
        let mut this = self.project();
        if this.feed.is_none()
            && let Poll::Ready(stop) = this.responder.poll_skip(cx)
        {
            return Poll::Ready(this.responder.stopped(stop));
        }
        let _inside = this.responder.enter();
        // As in `Run`: after a panic nothing of it is polled again.
        let ran = catch_unwind(AssertUnwindSafe(|| {
            ready!(this.responder.poll_let_on(cx))?;
            if let Some(handler) = this.handler.as_mut().as_pin_mut() {
                let returned = ready!(handler.poll(cx));
                this.handler.set(None);
                match returned.into_result() {
                    Err(error) => {
                        return Poll::Ready(Ok((this.responder.reply(Err(error)), Outcome::ServiceError)));
                    }
                    Ok(source) => {
                        let (sender, streaming) = stream::channel::<T, E>();
                        this.feed.set(Some(Feed::new(source, sender.with_overflow(M::OVERFLOW))));
                        *this.answered = this.responder.cell();
                        this.responder.reply_early(Ok(streaming));
                    }
                }
            }
            let Some(feed) = this.feed.as_mut().as_pin_mut() else {
                return Poll::Ready(Ok((Answer::DONE, Outcome::Returned)));
            };
            feed.poll(cx).map(|()| Ok((Answer::DONE, Outcome::Returned)))
        }));
        match ran {
            Ok(Poll::Ready(Ok((answer, outcome)))) => {
                this.responder.settle(|| outcome);
                Poll::Ready(answer)
            }
            Ok(Poll::Ready(Err(ended))) => Poll::Ready(this.responder.ended_by_layers(ended)),
            Ok(Poll::Pending) => this.responder.poll_stop(cx).map(|stop| {
                if let (Some(feed), Stop::Interrupted(why)) = (this.feed.as_mut().as_pin_mut(), &stop) {
                    feed.fail(Fault::Interrupted(why.clone()));
                }
                this.responder.stopped(stop)
            }),
            Err(panic) => Poll::Ready(this.responder.panicked(words_of(&*panic))),
        }
    }
}
