//! Messages between windows: contexts that know whom they talk to.
//!
//! A message at a port says nothing of its sender (EVT-04). A message at a [`Window`] tells the sender's origin and how to
//! answer, and the sender tells which origin the receiver must have. So windows are where strangers meet: they check each
//! other's origin, and go on by a port that one of them passes (WIN-12).

mod proxy;
mod target;

pub use proxy::WindowProxy;
pub use target::Window;
