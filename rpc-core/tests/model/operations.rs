//! What may be done to ports, at random. Every operation can always be tried, so a sequence stays one when a part is left out.

use proptest::{collection::vec, prelude::*};

/// How many contexts there are.
pub(crate) const CONTEXTS: usize = 3;

/// Somebody who holds ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Context(pub(crate) usize);

/// One of the ports that a context holds: that one in its list, which begins again after its end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pick {
    pub(crate) context: Context,
    pub(crate) nth: usize,
}

/// How something is posted.
#[derive(Clone, Copy, Debug)]
pub(crate) enum How {
    /// With `post_message`: the message owns its ports.
    Always,
    /// With `try_post_message`.
    IfThereIsRoom,
    /// With `post_value`: the context keeps the old handles.
    AsValue,
}

/// Something to do.
#[derive(Clone, Debug)]
pub(crate) enum Operation {
    /// Makes a channel between two contexts.
    MakeChannel(Context, Context),
    /// Posts the next number, with some ports of the same context.
    Post {
        on: Pick,
        with: Vec<usize>,
        how: How,
    },
    Start(Pick),
    Close(Pick),
    /// Looks for a message; its ports are the context's from then on.
    Receive(Pick),
    Drop(Pick),
    /// Moves a port to another context.
    Give(Pick, Context),
    /// Sets how many messages and bytes may wait.
    Bound(Pick, u8, u8),
    /// Puts a port into the queue of another, that one into the queue of a third, and so on.
    Nest(Pick, u8),
    /// Starts a port, takes the first port out of the first message there, and goes on with that one.
    Dig(Pick, u8),
    /// Drops all ports of a context.
    End(Context),
}

/// Sequences of random operations.
pub(crate) fn sequences(most: usize) -> impl Strategy<Value = Vec<Operation>> {
    vec(operation(), 1..=most)
}

fn operation() -> impl Strategy<Value = Operation> {
    let attached = prop_oneof![4 => vec(nth(), 0..=1), 1 => vec(nth(), 2..=3)];
    let how = prop_oneof![6 => Just(How::Always), 1 => Just(How::IfThereIsRoom), 2 => Just(How::AsValue)];
    prop_oneof![
        30 => (context(), context()).prop_map(|(one, other)| Operation::MakeChannel(one, other)),
        90 => (pick(), attached, how).prop_map(|(on, with, how)| Operation::Post { on, with, how }),
        30 => pick().prop_map(Operation::Start),
        12 => pick().prop_map(Operation::Close),
        60 => pick().prop_map(Operation::Receive),
        15 => pick().prop_map(Operation::Drop),
        25 => (pick(), context()).prop_map(|(port, to)| Operation::Give(port, to)),
        8 => (pick(), 0..4_u8, any::<u8>()).prop_map(|(port, messages, bytes)| Operation::Bound(port, messages, bytes)),
        4 => (pick(), 1..12_u8).prop_map(|(port, depth)| Operation::Nest(port, depth)),
        8 => (pick(), 1..8_u8).prop_map(|(port, depth)| Operation::Dig(port, depth)),
        1 => context().prop_map(Operation::End),
    ]
}

fn context() -> impl Strategy<Value = Context> {
    (0..CONTEXTS).prop_map(Context)
}

fn pick() -> impl Strategy<Value = Pick> {
    (context(), nth()).prop_map(|(context, nth)| Pick { context, nth })
}

fn nth() -> impl Strategy<Value = usize> {
    0..64_usize
}
