//! The worker of the contacts.

use std::cell::RefCell;

use handover::{Callback, wasm_worker};
use wasm_bindgen::prelude::*;

use crate::{
    provider::Provider,
    report::{Place, Reporter, StageClient},
    services::{Keeper, KeeperServer, Line, Moved},
};

/// Waits for a provider to go on with.
#[wasm_bindgen]
pub fn contacts_worker() {
    wasm_worker::run(|port| KeeperServer::new(Cellar::default()).serve(port));
}

#[derive(Default)]
struct Cellar(RefCell<Option<(Provider, Reporter)>>);

impl Keeper for Cellar {
    async fn take_over(&self, moved: Moved, stage: StageClient, shown: Callback<Vec<String>, ()>) {
        let reporter = Reporter::new(Place::Worker, stage);
        let provider = Provider::start(moved, reporter.clone(), shown);
        self.0.replace(Some((provider, reporter.clone())));
        reporter.told().await;
    }

    async fn revoke(&self, line: Line) {
        let reporter = self.0.borrow().as_ref().map(|(provider, reporter)| {
            provider.revoke(line);
            reporter.clone()
        });
        if let Some(reporter) = reporter {
            reporter.told().await;
        }
    }
}
