// A view names its methods itself.
use handover::prelude::*;

#[service]
trait Named {
    async fn name(&self) -> String;
}

#[service]
trait Contacts: Named {
    async fn count(&self) -> u32;
}

#[service(view_of = Contacts)]
trait ContactsReader: Named {
    async fn count(&self) -> u32;
}

fn read(host: &handover::Host<ContactsClient>) -> ContactsReaderClient {
    host.grant().view().client()
}

fn main() {}
