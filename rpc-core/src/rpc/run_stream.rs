//! Running a handler that returns a stream: its reply is the consumer's end of a port, and then it feeds the other.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures::Stream;
use pin_project::pin_project;

use super::{
    Answer, Failure, IsResult, Method, Outcome, Wire, answer::DutyOf, cell::CellOf, codec::Coded, current, duty::Stop,
};
use crate::{
    stream::{self, Feed, IntoItem, Streaming, frame::Fault},
    sync::Arc,
};

/// What a handler returns when all is well.
type Source<F> = <<F as Future>::Output as IsResult>::Ok;

/// What feeds a stream that a handler has returned.
type FeedOf<F, T, E> = Pin<Box<Feed<Source<F>, T, <E as Failure>::Service>>>;

/// A handler whose method returns a stream.
///
/// The type of that is no parameter beside the handler's: of a stream that borrows, the compiler would not see in a future that
/// is to be `Send` that the two borrow the same.
#[pin_project]
pub(super) struct RunStream<M: Method, F: Future<Output: IsResult>, T, E: Failure> {
    #[pin]
    handler: Option<F>,
    /// Boxed, so that it takes no room in a service's memory for handlers as long as nothing is fed.
    feed: Option<FeedOf<F, T, E>>,
    duty: DutyOf<M>,
    /// The call that was answered: as long as there is a trace of it, whoever counts calls knows that the service has something to do.
    answered: Option<Arc<CellOf<M>>>,
}

impl<M: Method, F: Future<Output: IsResult>, T, E: Failure> RunStream<M, F, T, E> {
    pub(super) fn new(handler: F, duty: DutyOf<M>) -> Self {
        Self { handler: Some(handler), feed: None, duty, answered: None }
    }
}

impl<M, F, T, E> Future for RunStream<M, F, T, E>
where
    M: Method<Ok = Streaming<T, E>>,
    F: Future<Output: IsResult<Ok: Stream<Item: IntoItem<T, E::Service>>, Err = M::Err>>,
    T: Wire + Send + 'static,
    E: Failure<Service: Wire + Send + 'static> + 'static,
{
    type Output = Answer;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Answer> {
        let mut this = self.project();
        let facts = &M::CODEC.facts;
        if this.feed.is_none()
            && let Poll::Ready(stop) = this.duty.any().poll_skip(facts, cx)
        {
            return Poll::Ready(this.duty.any().stopped(facts, stop));
        }
        let _inside = this.duty.beside.enter_if_any(current::is_any());
        // As in `Run`: after a panic nothing of it is polled again.
        let ran = catch_unwind(AssertUnwindSafe(|| {
            ready!(this.duty.any().poll_let_on(cx))?;
            if let Some(handler) = this.handler.as_mut().as_pin_mut() {
                let returned = ready!(handler.poll(cx));
                this.handler.set(None);
                match returned.into_result() {
                    Err(error) => {
                        return Poll::Ready(Ok((this.duty.reply(M::CODEC, Err(error)), Outcome::ServiceError)));
                    }
                    Ok(source) => {
                        let (sender, streaming) = stream::channel::<T, E>();
                        *this.feed = Some(Box::pin(Feed::new(source, sender.with_overflow(M::OVERFLOW))));
                        *this.answered = this.duty.cell();
                        this.duty.reply_early(M::CODEC, Ok(streaming));
                    }
                }
            }
            let Some(feed) = this.feed else {
                return Poll::Ready(Ok((Answer::DONE, Outcome::Returned)));
            };
            feed.as_mut().poll(cx).map(|()| Ok((Answer::DONE, Outcome::Returned)))
        }));
        match ran {
            Ok(Poll::Ready(Ok((answer, outcome)))) => {
                this.duty.any().settle(|| outcome);
                Poll::Ready(answer)
            }
            Ok(Poll::Ready(Err(ended))) => Poll::Ready(this.duty.any().ended_by_layers(facts, ended)),
            Ok(Poll::Pending) => this.duty.any().poll_stop(facts, cx).map(|stop| {
                if let (Some(feed), Stop::Interrupted(why)) = (this.feed, &stop) {
                    feed.as_mut().fail(Fault::Interrupted(why.clone()));
                }
                this.duty.any().stopped(facts, stop)
            }),
            Err(panic) => Poll::Ready(this.duty.any().caught(facts, &*panic)),
        }
    }
}
