// C20: the duty to answer is used up by answering.
use handover::rpc::{Method, Responder};

async fn answer<M: Method>(responder: Responder<M>, one: M::Return, other: M::Return) {
    let _ = responder.run(async { one }).await;
    let _ = responder.run(async { other }).await;
}

fn main() {}
