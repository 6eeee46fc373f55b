//! One object, served at many ports.
//!
//! The first port of a service is read directly by whoever serves it. Every further one has an [`Entrance`](hub::Entrance) as its
//! target, which puts what comes into a *lane* of the service's [`Hub`]: no task and no future for a port, so a hundred thousand are
//! only memory.

mod handle;
mod hosting;
mod hub;
mod lanes;
mod reception;
mod slots;

pub use handle::{Export, Host, Idle};
pub use hosting::{Hosting, host};

pub(super) use hub::Hub;
pub(super) use lanes::{SeatKey, Thing};
pub(super) use reception::{Reception, Seats, Standing, WaitingRoom, Whence, seat_of};
pub(super) use slots::{Key, Slots};
