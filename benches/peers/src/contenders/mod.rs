//! Who takes part: a file for each system.

pub mod async_channel;
mod capnp;
mod direct;
pub mod handover;
mod irpc;
mod parked;
mod remoc;
mod tarpc;
mod tokio_channel;
mod tonic;

use crate::{Contender, Contexts, Entry, Threads, Tokio};

/// The length of a byte stream in memory, in each direction: what a socket has, about.
pub(crate) const DUPLEX: usize = 64 << 10;

/// Every contender, in the order in which they take turns. A new one joins here.
#[rustfmt::skip]
pub const CONTENDERS: [Contender; 22] = [
    Entry::<direct::Direct, Tokio>::new("direct call").as_floor().only_on(&[Threads::One]).one_at_a_time()
        .calls().echoes().moves().streams().lends().enter(),
    Entry::<parked::Parked, Tokio>::new("park and unpark").as_floor().only_on(&[Threads::Two]).one_at_a_time()
        .calls().enter(),
    Entry::<async_channel::AsyncChannel, Tokio>::new("async-channel")
        .calls().echoes().moves().streams().lends().connects().enter(),
    Entry::<async_channel::AsyncChannel, Contexts>::new("async-channel, context")
        .calls().enter(),
    Entry::<tokio_channel::TokioChannel, Tokio>::new("tokio mpsc")
        .calls().echoes().moves().streams().lends().connects().enter(),
    Entry::<tokio_channel::TokioChannel, Contexts>::new("tokio mpsc, context")
        .calls().lends().enter(),
    Entry::<handover::Typed, Tokio>::new("handover")
        .calls().echoes().moves().streams().lends().connects().enter(),
    Entry::<handover::Typed, Contexts>::new("handover, context")
        .calls().streams().lends().connects().enter(),
    Entry::<handover::ByRight, Tokio>::new("handover, by a right").only_on(&[Threads::One])
        .calls().enter(),
    Entry::<handover::ByRight, Contexts>::new("handover, by a right, context").only_on(&[Threads::One])
        .calls().enter(),
    Entry::<handover::Encoded, Tokio>::new("handover encoded")
        .calls().echoes().moves().streams().lends().connects().enter(),
    Entry::<handover::Duplex, Tokio>::new("handover, duplex")
        .calls().echoes().moves().streams().lends().connects().enter(),
    Entry::<irpc::Irpc, Tokio>::new("irpc")
        .calls().echoes().moves().streams().connects().enter(),
    Entry::<tarpc::Tarpc, Tokio>::new("tarpc")
        .calls().echoes().moves().connects().enter(),
    Entry::<tarpc::TarpcInOneTask, Tokio>::new("tarpc, one task")
        .calls().enter(),
    Entry::<tarpc::TarpcEncoded, Tokio>::new("tarpc, duplex")
        .calls().echoes().connects().enter(),
    Entry::<remoc::Remoc, Tokio>::new("remoc")
        .calls().echoes().moves().streams().lends().connects().enter(),
    Entry::<remoc::RemocEncoded, Tokio>::new("remoc, duplex")
        .calls().echoes().streams().lends().connects().enter(),
    Entry::<capnp::Capnp, Tokio>::new("capnp-rpc").only_on(&[Threads::One])
        .calls().echoes().streams().lends().enter(),
    Entry::<capnp::Capnp, Contexts>::new("capnp-rpc, context").only_on(&[Threads::One])
        .calls().lends().enter(),
    Entry::<capnp::CapnpEncoded, Tokio>::new("capnp-rpc, duplex")
        .calls().echoes().streams().lends().connects().enter(),
    Entry::<tonic::Tonic, Tokio>::new("tonic, duplex")
        .calls().echoes().moves().streams().connects().enter(),
];
