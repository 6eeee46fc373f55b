//! What the pages serve.

use std::cell::RefCell;

use handover::{in_process, prelude::*};

/// A service with a way to see who calls, and ways to go wrong.
#[service]
pub(crate) trait Desk {
    async fn add(&self, one: u32, other: u32) -> u32;
    /// The origin that the service knows its caller by.
    async fn who_calls(&self, context: CallContext) -> String;
    /// A right on another desk of this page.
    async fn another(&self) -> DeskClient;
    /// Has the page hold a desk.
    async fn hold(&self, desk: DeskClient);
    async fn wait_for_ever(&self);
    async fn panic(&self);
}

thread_local! {
    /// What the page was given to hold.
    pub(crate) static HELD: RefCell<Option<DeskClient>> = RefCell::default();
}

pub(crate) struct Clerk;

impl Desk for Clerk {
    async fn add(&self, one: u32, other: u32) -> u32 {
        one + other
    }

    async fn who_calls(&self, context: CallContext) -> String {
        context.origin().map_or_else(|| "nobody knows".to_owned(), ToString::to_string)
    }

    async fn another(&self) -> DeskClient {
        in_process::spawn(|port| DeskServer::new(Self).serve(port))
    }

    async fn hold(&self, desk: DeskClient) {
        HELD.set(Some(desk));
    }

    async fn wait_for_ever(&self) {
        std::future::pending().await
    }

    async fn panic(&self) {
        panic!("out of paper");
    }
}
