//! The clock of the system that the program runs on: a timer thread natively, `setTimeout` in a browser.

use std::{sync::OnceLock, time::Duration};

use futures_timer::Delay;
use web_time::Instant;

use super::{Clock, LONGEST, Sleep};
use crate::sync::Arc;

struct SystemClock {
    started: Instant,
}

pub(super) fn clock() -> Option<&'static Arc<dyn Clock>> {
    static CLOCK: OnceLock<Arc<dyn Clock>> = OnceLock::new();
    Some(CLOCK.get_or_init(|| Arc::new(SystemClock { started: Instant::now() })))
}

impl Clock for SystemClock {
    fn now(&self) -> Duration {
        self.started.elapsed()
    }

    fn sleep_until(&self, at: Duration) -> Sleep {
        let left = at.saturating_sub(self.now());
        Box::pin(Delay::new(left.min(LONGEST)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sleep_that_would_be_too_long_to_reckon_with_is_only_long() {
        let clock = clock().unwrap();

        let mut sleep = clock.sleep_until(Duration::MAX);

        assert!(futures::FutureExt::now_or_never(&mut sleep).is_none());
    }

    #[test]
    fn a_sleep_ends_when_the_clock_is_that_late() {
        let clock = clock().unwrap();
        let at = clock.now() + Duration::from_millis(1);

        futures::executor::block_on(clock.sleep_until(at));

        assert!(clock.now() >= at);
    }
}
