//! Handover.

use handover::{
    Buffer,
    browser::Transfer,
    prelude::*,
    wasm_worker::{self, Script, Worker},
};
use js_sys::ArrayBuffer;
use wasm_bindgen::prelude::*;

use crate::{ECHO, MOVED, at_once, in_turn};

/// What every contender serves.
#[service]
trait Work {
    /// Comes back.
    async fn nothing(&self, number: u32) -> u32;
    /// Gives back a copy.
    async fn echo(&self, bytes: Vec<u8>) -> Vec<u8>;
    /// Gives back the same bytes, of JavaScript's memory.
    async fn moved(&self, buffer: Transfer<ArrayBuffer>) -> Transfer<ArrayBuffer>;
    /// Gives back the same bytes, of this module's memory.
    async fn moved_memory(&self, bytes: Buffer) -> Buffer;
}

struct Server;

impl Work for Server {
    async fn nothing(&self, number: u32) -> u32 {
        number
    }

    async fn echo(&self, bytes: Vec<u8>) -> Vec<u8> {
        bytes
    }

    async fn moved(&self, buffer: Transfer<ArrayBuffer>) -> Transfer<ArrayBuffer> {
        buffer
    }

    async fn moved_memory(&self, bytes: Buffer) -> Buffer {
        bytes
    }
}

/// What the worker runs.
#[wasm_bindgen]
pub fn handover_worker() {
    wasm_worker::run(|port| WorkServer::new(Server).serve(port));
}

/// The page's end.
#[derive(Debug)]
#[wasm_bindgen]
pub struct Handover(Worker<WorkClient>);

#[wasm_bindgen]
impl Handover {
    /// Starts the worker that everybody is served in.
    #[wasm_bindgen(constructor)]
    pub fn new(script: &str) -> Result<Self, JsError> {
        Ok(Self(Worker::spawn("everybody's", &Script::file(script))?))
    }

    /// The worker that everybody is served in. (`worker` would be the same symbol as [`handover_worker`].)
    pub fn the_worker(&self) -> web_sys::Worker {
        self.0.as_js().clone()
    }

    /// One call at a time.
    pub async fn one(&self, calls: u32) {
        in_turn(calls, async || assert_eq!(self.0.nothing(7).await, Ok(7))).await;
    }

    /// Many calls at a time.
    pub async fn many(&self, calls: u32, outstanding: u32) {
        at_once(calls, outstanding, async || assert_eq!(self.0.nothing(7).await, Ok(7))).await;
    }

    /// Bytes there and back.
    pub async fn echo(&self, calls: u32) {
        let bytes = vec![7; ECHO];
        in_turn(calls, async || assert_eq!(self.0.echo(bytes.clone()).await.map(|bytes| bytes.len()), Ok(ECHO))).await;
    }

    /// A buffer of JavaScript's, moved there and back.
    pub async fn moved(&self, calls: u32) {
        let mut buffer = Transfer::new(ArrayBuffer::new(MOVED));
        for _ in 0..calls {
            buffer = self.0.moved(buffer).await.expect("the worker is there");
        }
        assert_eq!(buffer.into_inner().byte_length(), MOVED);
    }

    /// A buffer of this module's memory, moved there and back.
    pub async fn moved_memory(&self, calls: u32) {
        let mut buffer = Buffer::from(vec![7; MOVED as usize]);
        for _ in 0..calls {
            buffer = self.0.moved_memory(buffer).await.expect("the worker is there");
        }
        assert_eq!(buffer.len(), MOVED as usize);
    }
}
