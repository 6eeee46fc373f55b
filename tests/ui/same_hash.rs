// Both names have the FNV-1a hash 0x68206cd2.
use handover::prelude::*;

#[service]
trait Contacts {
    async fn fetch_broken_accounts(&self) -> Vec<String>;
    async fn count(&self) -> u32;
    async fn import_missing_label(&self, label: String);
}

fn main() {}
