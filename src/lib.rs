#![doc = include_str!("../README.md")]

#[cfg(feature = "blocking")]
pub use handover_transports::blocking;
#[cfg(feature = "browser")]
pub use handover_transports::browser;
#[cfg(feature = "byte-stream")]
pub use handover_transports::byte_stream;
#[cfg(feature = "testing")]
pub use handover_transports::testing;
#[cfg(feature = "wasm-window")]
pub use handover_transports::wasm_window;
#[cfg(all(feature = "wasm-worker", target_family = "wasm", target_os = "unknown"))]
pub use handover_transports::wasm_worker;
#[cfg(feature = "in-process")]
pub use handover_transports::{context, context::block_on, in_process, stall};
#[cfg(feature = "worker-thread")]
pub use handover_transports::{shared_worker, worker_pool, worker_thread};

pub use handover_core::rpc::{
    CallContext, CallInfo, CallSide, Callback, ClientOptions, Directory, DirectoryClient, Granting, Host, Hosting,
    Inspector, Interceptor, Metadata, Metadatum, Narrowing, OnceCallback, OrReport, Outcome, Report, Revoker,
    RevokerGroup, Sealed, Sealer, ServeOptions, Snapshot, same_service,
};
pub use handover_core::{
    Bound, Buffer, Call, CallError, Client, Closed, ClosedBy, DataCloneError, Interruption, Message, MessageChannel,
    MessagePort, NotSent, Refusal, RpcError, StreamSender, Streaming, clock, event_loop, message, port, rpc, shape,
    stream, wire,
};
#[cfg(feature = "windows")]
pub use handover_core::{
    BroadcastChannel, BroadcastError, BroadcastGroup, Origin, SyntaxError, TargetOrigin, Window, WindowProxy,
    broadcast, origin, window,
};
pub use handover_macros::service;

/// What nearly every program that uses `handover` names.
pub mod prelude {
    pub use crate::{CallContext, CallError, Client, MessageChannel, MessagePort, RpcError, service};
}

/// For the code that `#[service]` writes. Nothing here is for users, and anything here may change.
#[doc(hidden)]
pub mod __private {
    pub use handover_core::{
        Call, CallError, Client, MessagePort, RpcError,
        message::{DecodeError, Decoder, EncodeError, Encoder},
        rpc::{
            Answer, Argument, CallContext, ClientOptions, ClientStub, DuplexCall, FeedingCall, HoldsCallError, Host,
            Hosting, InStream, Incoming, IsResult, Method, MethodId, MethodTable, Never, OnceCall, Opened, Responder,
            ResultCodec, ServeOptions, ServedBy, Service, ServiceClient, Streamed, Tell, View, Wire, assert_distinct,
            assert_distinct_super, assert_viewed, feed, host, into_service_result, into_service_stream, own, own_all,
            put_argument, result_codec, serve, service_error, stream_argument, stream_codec, take_argument, travels,
        },
        serde,
        shape::{MethodKind, StaticDescription, StaticMethod},
        stream::{Both, Feed, Overflow, Stream, Streaming},
    };
    pub use std::{borrow::ToOwned, vec::Vec};
}
