//! No clock but the one that a context entered: the feature `system-clock` is off.

use super::Clock;
use crate::sync::Arc;

pub(super) fn clock() -> Option<&'static Arc<dyn Clock>> {
    None
}
