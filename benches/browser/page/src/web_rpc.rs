//! web-rpc.

// Its macro writes no documentation.
#![allow(missing_docs, missing_debug_implementations)]

use js_sys::ArrayBuffer;
use wasm_bindgen::prelude::*;
use web_rpc::{Builder, Interface, wrap::Transfer};
use web_sys::MessagePort;

use crate::{ECHO, MOVED, at_once, in_turn};

#[web_rpc::service]
trait Work {
    fn nothing(&self, number: u32) -> u32;
    fn echo(&self, bytes: &[u8]) -> Vec<u8>;
    fn moved(&self, buffer: Transfer<ArrayBuffer>) -> Transfer<ArrayBuffer>;
}

struct Worker;

impl Work for Worker {
    fn nothing(&self, number: u32) -> u32 {
        number
    }

    fn echo(&self, bytes: &[u8]) -> Vec<u8> {
        bytes.to_vec()
    }

    fn moved(&self, buffer: Transfer<ArrayBuffer>) -> Transfer<ArrayBuffer> {
        buffer
    }
}

/// What the worker runs.
#[wasm_bindgen]
pub async fn web_rpc_worker(port: MessagePort) {
    Builder::new(Interface::new(port).await).with_service::<WorkService<_>>(Worker).build().await;
}

/// The page's end.
#[wasm_bindgen]
pub struct WebRpc(WorkClient);

#[wasm_bindgen]
impl WebRpc {
    /// Waits for a worker that runs [`web_rpc_worker`].
    pub async fn connect(port: MessagePort) -> Self {
        port.start();
        Self(Builder::new(Interface::new(port).await).with_client().build())
    }

    /// One call at a time.
    pub async fn one(&self, calls: u32) {
        in_turn(calls, async || assert_eq!(self.0.nothing(7).await, 7)).await;
    }

    /// Many calls at a time.
    pub async fn many(&self, calls: u32, outstanding: u32) {
        at_once(calls, outstanding, async || assert_eq!(self.0.nothing(7).await, 7)).await;
    }

    /// Bytes there and back.
    pub async fn echo(&self, calls: u32) {
        let bytes = vec![7; ECHO];
        in_turn(calls, async || assert_eq!(self.0.echo(&bytes).await.len(), ECHO)).await;
    }

    /// A buffer of JavaScript's, moved there and back.
    pub async fn moved(&self, calls: u32) {
        let mut buffer = Transfer(ArrayBuffer::new(MOVED));
        for _ in 0..calls {
            buffer = self.0.moved(buffer).await;
        }
        assert_eq!(buffer.0.byte_length(), MOVED);
    }
}
