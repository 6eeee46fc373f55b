//! What tests need: clients whose service is in the test, links on which things go wrong, recordings, and checks that nothing is left.
//!
//! Nothing here waits in real time, and whatever is random follows from a seed. Most of it runs in the [context](crate::context) of
//! the test.
//!
//! - [`connect`], [`connect_over`]: a client and its service, typed, or as bytes over a link;
//! - [`Link`], [`LinkOptions`]: a middle between two ports that delays, reorders, cuts, duplicates, drops, corrupts;
//! - [`check_seeds`]: a test over many seeds, which names the fewest faults that make it fail;
//! - [`ManualClock`], [`advance`], [`settle`], [`settled`]: time that is moved by hand;
//! - [`Recorder`]: what went over a link or through a port, in a form that people read;
//! - [`LeakCheck`]: whether ports, channels, calls and handlers are left alive.
//!
//! # Examples
//! ```
//! use std::{sync::Arc, time::Duration};
//! use handover_core::{MessagePort, clock};
//! use handover_transports::{
//!     context,
//!     testing::{LeakCheck, LinkOptions, ManualClock, Recorder, advance, connect_over},
//! };
//!
//! let leaks = LeakCheck::begin();
//! let clock = Arc::new(ManualClock::default());
//! let _entered = clock::enter(clock.clone());
//! let recorder = Recorder::default();
//! let options = LinkOptions::seeded(7).delay(Duration::from_millis(20)..=Duration::from_millis(20)).record(&recorder);
//!
//! context::block_on(async {
//!     let (echo, link): (MessagePort, _) = connect_over(options, |port| async move {
//!         port.start();
//!         while let Ok(message) = port.recv().await {
//!             port.post_message(message).unwrap();
//!         }
//!     });
//!     echo.start();
//!     echo.post_message("hello").unwrap();
//!     advance(&clock, Duration::from_millis(40)).await;
//!     assert_eq!(echo.recv().await.unwrap().data(), b"hello");
//!
//!     link.cut();
//!     assert!(echo.recv().await.is_err());
//! });
//!
//! recorder.expect(
//!     "1 -> no frame, 5 bytes: 68 65 6c 6c 6f
//!      1 <- no frame, 5 bytes: 68 65 6c 6c 6f
//!      the link is cut",
//! );
//! leaks.end();
//! ```

mod connect;
mod dice;
mod flow;
mod joint;
mod link;
mod options;
mod recorder;
mod seeds;
mod show;
mod time;

pub use connect::{connect, connect_over};
pub use handover_core::{clock::ManualClock, live::LeakCheck};
pub use link::{Link, LinkTask};
pub use options::{Direction, LinkOptions};
pub use recorder::{Fate, Recorded, Recorder};
pub use seeds::check_seeds;
pub use time::{advance, settle, settled, turn};
