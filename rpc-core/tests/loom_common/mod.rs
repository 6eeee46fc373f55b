//! What the tests share that run in every order.
#![allow(dead_code, reason = "each test binary uses its part")]

use std::sync::{Arc, atomic};

use handover_core::{
    message::{DecodeError, Decoder, EncodeError, Encoder},
    rpc::{Argument, Method, MethodId, Never, ResultCodec, put_argument, result_codec, take_argument},
    shape::{MethodKind, Shape, StaticMethod},
};
use loom::model::Builder;

/// Runs a test in every order that interrupts a thread at most three times where it could go on.
pub(crate) fn explore(test: impl Fn() + Send + Sync + 'static) {
    explore_within(3, test);
}

/// Runs a test in every order that interrupts a thread at most so many times where it could go on.
pub(crate) fn explore_within(interruptions: usize, test: impl Fn() + Send + Sync + 'static) {
    let orders = Arc::new(atomic::AtomicUsize::new(0));
    let counted = orders.clone();
    let mut builder = Builder::new();
    builder.preemption_bound.get_or_insert(interruptions);

    builder.check(move || {
        counted.fetch_add(1, atomic::Ordering::Relaxed);
        test();
    });

    let name = std::thread::current().name().unwrap_or("a test").to_owned();
    println!("{name}: {} orders", orders.load(atomic::Ordering::Relaxed));
}

/// A method, as `#[service]` would write it.
pub(crate) struct Double;

impl Method for Double {
    const ID: MethodId = MethodId::of_name(Self::NAME);
    const NAME: &'static str = "double";
    type Args = u32;
    type Ok = u32;
    type Err = Never;
    type Return = u32;
    const DESCRIPTION: StaticMethod = StaticMethod {
        id: Self::ID.0,
        name: Self::NAME,
        docs: "",
        kind: MethodKind::Call,
        args: &[("number", Argument::<u32>::of().shape())],
        ok: Shape::of::<u32>,
        err: None,
    };
    const RESULT: ResultCodec<u32, Never> = result_codec();

    fn encode_args(args: &u32, to: &mut Encoder) -> Result<(), EncodeError> {
        put_argument(&Argument::of(), args, to)
    }

    fn decode_args(from: &mut Decoder<'_>) -> Result<u32, DecodeError> {
        take_argument(&Argument::of(), from)
    }

    fn into_result(returned: u32) -> Result<u32, Never> {
        Ok(returned)
    }
}
