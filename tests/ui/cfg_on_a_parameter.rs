// Both ends have to know of it.
use handover::prelude::*;

#[service]
trait Contacts<#[cfg(test)] K> {
    async fn count(&self) -> u32;
}

fn main() {}
