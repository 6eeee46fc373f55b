//! Closures as services: callables without a trait.

use std::{fmt, marker::PhantomData};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{
    Answer, Argument, Call, CallError, Client, ClientOptions, ClientStub, Incoming, Method, MethodId, MethodTable,
    Never, OnceCall, Opened, Responder, ResultCodec, ServeOptions, ServedBy, Service, ServiceClient, Wire,
    put_argument, result_codec, serve, take_argument,
};
use crate::{
    MessageChannel, MessagePort,
    message::{DecodeError, Decoder, EncodeError, Encoder},
    shape::{MethodKind, StaticDescription, StaticMethod},
};

/// Calls a closure that somebody else has exported, from wherever this value is. It is a client like those that `#[service]` writes: it
/// may be an argument or a result, anywhere inside one, and dropping it closes the port.
///
/// `A` is what the closure takes, a tuple if it is more than one thing, and `R` is what it returns.
///
/// # Examples
/// ```
/// use handover_core::rpc::Callback;
///
/// # futures::executor::block_on(async {
/// let (double, serving) = Callback::new(async |number: u32| number * 2);
/// let called = async {
///     assert_eq!(double.call(4).await, Ok(8));
///     drop(double);
/// };
/// futures::join!(called, serving);
/// # });
/// ```
pub struct Callback<A, R> {
    stub: ClientStub,
    types: PhantomData<fn(A) -> R>,
}

/// Calls a closure that somebody else has exported, once: the right is used up by the call, whoever makes it.
///
/// As a method that takes `self`, the closure is begun at most once; a second call is refused as
/// [`Refusal::Spent`](super::Refusal::Spent). Dropped unused, it drops the closure.
pub struct OnceCallback<A, R> {
    stub: ClientStub,
    types: PhantomData<fn(A) -> R>,
}

impl<A: Wire + Send + 'static, R: Wire + Send + 'static> Callback<A, R> {
    /// Exports a closure: hands out what calls it, and the future that runs it, which ends when no more calls can come.
    /// [`CallbackServer`] serves one at a port that is there already.
    pub fn new<F: AsyncFn(A) -> R>(function: F) -> (Self, impl Future<Output = ()>) {
        let (ours, theirs) = MessageChannel::new().into_ports();
        (Self::from(ours), CallbackServer::new(function).serve(theirs))
    }

    /// Calls it.
    pub fn call(&self, args: A) -> Call<'_, R, CallError> {
        self.stub.call::<Called<A, R>, _>(args)
    }
}

impl<A: Wire + Send + 'static, R: Wire + Send + 'static> OnceCallback<A, R> {
    /// Exports a closure that is called once: hands out what calls it, and the future that runs it, which ends with the call, or when
    /// there will be none. [`OnceCallbackServer`] serves one at a port that is there already.
    pub fn new<F: AsyncFnOnce(A) -> R>(function: F) -> (Self, impl Future<Output = ()>) {
        let (ours, theirs) = MessageChannel::new().into_ports();
        (Self::from(ours), OnceCallbackServer::new(function).serve(theirs))
    }

    /// Calls it.
    pub fn call(self, args: A) -> OnceCall<Self, Call<'static, R, CallError>> {
        OnceCall::new(self.stub, |stub| stub.call_once::<Called<A, R>, _>(args))
    }
}

/// Serves a closure to whoever has the other end of a port, as a [`Callback`].
pub struct CallbackServer<F, A, R> {
    function: F,
    options: ServeOptions,
    types: PhantomData<fn(A) -> R>,
}

/// Serves a closure to the first who calls it at the other end of a port, as a [`OnceCallback`].
pub struct OnceCallbackServer<F, A, R> {
    function: F,
    options: ServeOptions,
    types: PhantomData<fn(A) -> R>,
}

/// What is the same for both, but for how the closure is called.
macro_rules! callable {
    ($client:ident, $server:ident, $function:ident) => {
        impl<A: Wire + Send + 'static, R: Wire + Send + 'static, F: $function(A) -> R> $server<F, A, R> {
            /// Makes a server of a closure.
            pub fn new(function: F) -> Self {
                Self { function, options: ServeOptions::default(), types: PhantomData }
            }

            /// Says how it is to be served, in place of what was said before.
            #[must_use]
            pub fn with(self, options: ServeOptions) -> Self {
                Self { options, ..self }
            }

            /// Serves a port until the other end has closed it and every call has ended. Dropping the future ends all calls.
            pub fn serve(self, port: MessagePort) -> impl Future<Output = ()> {
                serve::<Self>(self.function, port, self.options)
            }
        }

        impl<F, A, R> fmt::Debug for $server<F, A, R> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(stringify!($server))
            }
        }

        impl<A, R> From<MessagePort> for $client<A, R> {
            fn from(port: MessagePort) -> Self {
                Self { stub: ClientStub::new(port), types: PhantomData }
            }
        }

        impl<A, R> Client for $client<A, R> {
            fn port(&self) -> &MessagePort {
                self.stub.port()
            }

            fn into_port(self) -> MessagePort {
                self.stub.into_port()
            }

            fn stub(&self) -> &ClientStub {
                &self.stub
            }

            fn with_options(self, options: ClientOptions) -> Self {
                Self { stub: self.stub.with(options), types: PhantomData }
            }
        }

        impl<A, R> ServiceClient for $client<A, R> {
            type Method = MethodId;

            const METHODS: MethodTable = MethodTable {
                service: concat!("handover::", stringify!($client)),
                own: &[(CALL, "call")],
                supers: &[],
            };

            fn from_stub(stub: ClientStub) -> Self {
                Self { stub, types: PhantomData }
            }
        }

        impl<A: Wire + Send + 'static, R: Wire + Send + 'static, F: $function(A) -> R> ServedBy<F> for $client<A, R> {
            type Server = $server<F, A, R>;
        }

        impl<A, R> Serialize for $client<A, R> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                self.stub.serialize(serializer)
            }
        }

        impl<'de, A, R> Deserialize<'de> for $client<A, R> {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                ClientStub::deserialize(deserializer).map(Self::from_stub)
            }
        }

        impl<A, R> fmt::Debug for $client<A, R> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_tuple(stringify!($client)).field(&self.stub).finish()
            }
        }
    };
}

callable!(Callback, CallbackServer, AsyncFn);
callable!(OnceCallback, OnceCallbackServer, AsyncFnOnce);

/// A call that was read, of the closure that takes `A` and returns `R`.
pub struct CallbackCall<A: Wire + Send + 'static, R: Wire + Send + 'static>(A, Responder<Called<A, R>>);

impl<A: Wire + Send + 'static, R: Wire + Send + 'static> CallbackCall<A, R> {
    fn open(incoming: Incoming<'_>) -> Result<Self, Answer> {
        if incoming.method() != CALL {
            return Err(incoming.unknown_method());
        }
        incoming.open_to_run::<Called<A, R>>().map(|(args, responder)| Self(args, responder))
    }
}

impl<A: Wire + Send + 'static, R: Wire + Send + 'static> fmt::Debug for CallbackCall<A, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CallbackCall")
    }
}

impl<A: Wire + Send + 'static, R: Wire + Send + 'static, F: AsyncFn(A) -> R> Service for CallbackServer<F, A, R> {
    type Object = F;
    type SharedCall = CallbackCall<A, R>;
    type OnceCall = Never;

    const DESCRIPTION: StaticDescription = StaticDescription {
        name: "Callback",
        docs: "A closure.",
        methods: &[Called::<A, R>::DESCRIPTION],
        supers: &[],
    };
    const RUNS_AT_ONCE: bool = true;

    fn serves(method: MethodId) -> bool {
        method == CALL
    }

    fn open(incoming: Incoming<'_>) -> Result<Opened<Self>, Answer> {
        CallbackCall::open(incoming).map(Opened::shared::<Called<A, R>>)
    }

    async fn run(function: &F, CallbackCall(args, responder): CallbackCall<A, R>) -> Answer {
        responder.run(async { function(args).await }).await
    }

    async fn run_once(_: F, call: Never) -> Answer {
        match call {}
    }
}

impl<A: Wire + Send + 'static, R: Wire + Send + 'static, F: AsyncFnOnce(A) -> R> Service
    for OnceCallbackServer<F, A, R>
{
    type Object = F;
    type SharedCall = Never;
    type OnceCall = CallbackCall<A, R>;

    const DESCRIPTION: StaticDescription = StaticDescription {
        name: "OnceCallback",
        docs: "A closure that is called once.",
        methods: &[Called::<A, R>::DESCRIPTION],
        supers: &[],
    };

    fn serves(method: MethodId) -> bool {
        method == CALL
    }

    fn open(incoming: Incoming<'_>) -> Result<Opened<Self>, Answer> {
        CallbackCall::open(incoming).map(Opened::Once)
    }

    async fn run(_: &F, call: Never) -> Answer {
        match call {}
    }

    async fn run_once(function: F, CallbackCall(args, responder): CallbackCall<A, R>) -> Answer {
        responder.run(async { function(args).await }).await
    }
}

/// The method of a closure.
struct Called<A, R>(PhantomData<fn(A) -> R>);

const CALL: MethodId = MethodId::of_name("call");

impl<A: Wire + Send + 'static, R: Wire + Send + 'static> Called<A, R> {
    /// How what it takes is written and read.
    const ARGS: Argument<A> = Argument::of();
}

impl<A: Wire + Send + 'static, R: Wire + Send + 'static> Method for Called<A, R> {
    const ID: MethodId = CALL;
    const NAME: &'static str = "call";
    const SERVICE: &'static str = "Callback";
    type Args = A;
    type Ok = R;
    type Err = Never;
    type Return = R;
    const DESCRIPTION: StaticMethod = StaticMethod {
        id: CALL.0,
        name: Self::NAME,
        docs: "Calls the closure.",
        kind: MethodKind::Call,
        args: &[("args", Self::ARGS.shape())],
        ok: Self::RESULT.ok_shape(),
        err: None,
    };
    const RESULT: ResultCodec<R, Never> = result_codec();

    fn encode_args(args: &A, to: &mut Encoder) -> Result<(), EncodeError> {
        put_argument(&Self::ARGS, args, to)
    }

    fn decode_args(from: &mut Decoder<'_>) -> Result<A, DecodeError> {
        take_argument(&Self::ARGS, from)
    }

    fn into_result(returned: R) -> Result<R, Never> {
        Ok(returned)
    }
}
