// C30: what an issuer has stays with it: a handle that makes clients, one that takes rights back, and what opens sealed values do not travel.
use handover::{Host, Revoker, Sealer, prelude::*};

#[service]
trait Contacts {
    async fn give(&self, host: Host<MessagePort>);
    async fn take(&self, revoker: Revoker);
    async fn sealer(&self) -> Sealer<u32>;
}

fn main() {}
