//! A service with whatever can be in a call, and ways to die.

use std::cell::RefCell;

use futures::{StreamExt, future::join_all, stream};
use handover::{Buffer, in_process, prelude::*, stream::Stream};
use serde::{Deserialize, Serialize};
use wasm_bindgen::prelude::wasm_bindgen;

thread_local! {
    static TOLD: RefCell<Vec<u32>> = RefCell::default();
}

#[wasm_bindgen]
extern "C" {
    /// That of a worker.
    fn close();
}

/// Whatever can be in a call.
#[service]
pub(crate) trait Desk {
    async fn add(&self, one: u32, other: u32) -> Result<u32, String>;
    async fn reverse(&self, bytes: Buffer) -> Buffer;
    fn count_to(&self, end: u32) -> impl Stream<Item = u32>;
    async fn sum(&self, numbers: impl Stream<Item = u32>) -> u32;
    async fn another(&self) -> DeskClient;
    async fn ask(&self, desks: Vec<Named>) -> u32;
    async fn wait_for_ever(&self);
    #[rpc(oneway)]
    async fn tell(&self, number: u32);
    /// What was told in its context, in order.
    async fn told(&self) -> Vec<u32>;

    async fn panic(&self, text: String);
    /// Throws through the frames of the instance, which is none the wiser.
    async fn throw(&self);
    /// Closes the context, without a word.
    async fn close_context(&self);
    /// Keeps something for as long as the context lives.
    async fn keep(&self, port: MessagePort);

    async fn hold(&self, desk: DeskClient);
    /// Hands what it holds to another desk, and lets it go.
    async fn hand_on(&self, to: DeskClient) -> DeskClient;
    /// Asks the desk that it holds for a sum.
    async fn ask_held(&self, one: u32, other: u32) -> Result<u32, String>;
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Named {
    pub(crate) name: String,
    pub(crate) desk: DeskClient,
}

#[derive(Default)]
pub(crate) struct Clerk {
    held: RefCell<Vec<DeskClient>>,
}

impl Desk for Clerk {
    async fn add(&self, one: u32, other: u32) -> Result<u32, String> {
        one.checked_add(other).ok_or_else(|| "too much".to_owned())
    }

    async fn reverse(&self, bytes: Buffer) -> Buffer {
        let mut bytes = bytes.into_vec();
        bytes.reverse();
        bytes.into()
    }

    fn count_to(&self, end: u32) -> impl Stream<Item = u32> {
        stream::iter(1..=end)
    }

    async fn sum(&self, numbers: impl Stream<Item = u32>) -> u32 {
        numbers.fold(0, async |sum, number| sum + number).await
    }

    async fn another(&self) -> DeskClient {
        in_process::spawn(serve)
    }

    async fn ask(&self, desks: Vec<Named>) -> u32 {
        let answers = desks.iter().map(|named| named.desk.add(named.name.len() as u32, 0));
        join_all(answers).await.into_iter().map(Result::unwrap).sum()
    }

    async fn wait_for_ever(&self) {
        std::future::pending().await
    }

    async fn tell(&self, number: u32) {
        TOLD.with_borrow_mut(|told| told.push(number));
    }

    async fn told(&self) -> Vec<u32> {
        TOLD.with_borrow(Clone::clone)
    }

    async fn panic(&self, text: String) {
        panic!("{text}");
    }

    async fn throw(&self) {
        wasm_bindgen::throw_str("thrown");
    }

    async fn close_context(&self) {
        close();
    }

    async fn keep(&self, port: MessagePort) {
        std::mem::forget(port);
    }

    async fn hold(&self, desk: DeskClient) {
        self.held.borrow_mut().push(desk);
    }

    async fn hand_on(&self, to: DeskClient) -> DeskClient {
        let held = self.held.borrow_mut().pop().expect("it holds one");
        to.hold(held).await.unwrap();
        to
    }

    async fn ask_held(&self, one: u32, other: u32) -> Result<u32, String> {
        let held = self.held.borrow_mut().pop().expect("it holds one");
        let answer = held.add(one, other).await.map_err(|error| format!("{error:?}"));
        self.held.borrow_mut().push(held);
        answer
    }
}

pub(crate) async fn serve(port: MessagePort) {
    DeskServer::new(Clerk::default()).serve(port).await;
}
