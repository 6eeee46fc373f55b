//! What a transport promises, over every one that there is: the suite, for each of the ways of `tests/common`.
//!
//! The service is a crate of its own, `tests/sample-service`, and knows nothing of transports. A browser's transports have the same
//! suite in `transports/tests/browser_suite.rs`.

#[path = "../common/mod.rs"]
mod common;
mod suite;

use common::{Way, for_every_way};
use handover_sample_service as sample;

/// The suite, for each way.
macro_rules! test_each {
    ($($way:ident)*) => {
        $(
            #[allow(non_snake_case, reason = "it is named as the way is")]
            mod $way {
                use super::*;

                suite::promises!(Way::$way.spawn(sample::serve));
            }
        )*
    };
}

for_every_way!(test_each);
