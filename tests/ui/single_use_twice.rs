// A client of a method that takes `self` is good for one call.
use handover::prelude::*;

#[service]
trait Ticket {
    async fn redeem(self, seat: u32) -> bool;
}

async fn twice(ticket: TicketClient) {
    let _ = ticket.redeem(1).await;
    let _ = ticket.redeem(2).await;
}

fn main() {}
