//! A future that is one of several, of types of their own.

use std::{
    fmt,
    future::Pending,
    pin::Pin,
    task::{Context, Poll},
};

use pin_project::pin_project;

use super::Answer;

/// The future of one of eight methods at the most; `#[service]` makes one of several of these of more.
#[pin_project(project = Pinned)]
pub enum OneOf<A, B, C, D, E, F, G, H> {
    #[doc(hidden)]
    A(#[pin] A),
    #[doc(hidden)]
    B(#[pin] B),
    #[doc(hidden)]
    C(#[pin] C),
    #[doc(hidden)]
    D(#[pin] D),
    #[doc(hidden)]
    E(#[pin] E),
    #[doc(hidden)]
    F(#[pin] F),
    #[doc(hidden)]
    G(#[pin] G),
    #[doc(hidden)]
    H(#[pin] H),
}

/// What a [`OneOf`] of fewer than eight never is.
pub type Unused = Pending<Answer>;

impl<A, B, C, D, E, F, G, H> Future for OneOf<A, B, C, D, E, F, G, H>
where
    A: Future<Output = Answer>,
    B: Future<Output = Answer>,
    C: Future<Output = Answer>,
    D: Future<Output = Answer>,
    E: Future<Output = Answer>,
    F: Future<Output = Answer>,
    G: Future<Output = Answer>,
    H: Future<Output = Answer>,
{
    type Output = Answer;

    #[inline(never)]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Answer> {
        match self.project() {
            Pinned::A(future) => future.poll(cx),
            Pinned::B(future) => future.poll(cx),
            Pinned::C(future) => future.poll(cx),
            Pinned::D(future) => future.poll(cx),
            Pinned::E(future) => future.poll(cx),
            Pinned::F(future) => future.poll(cx),
            Pinned::G(future) => future.poll(cx),
            Pinned::H(future) => future.poll(cx),
        }
    }
}

impl<A, B, C, D, E, F, G, H> fmt::Debug for OneOf<A, B, C, D, E, F, G, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OneOf")
    }
}
