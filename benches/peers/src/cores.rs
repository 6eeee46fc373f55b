//! Which processor a thread runs on.

use std::sync::LazyLock;

use core_affinity::CoreId;

/// The side of a call, or of a port, that a thread is for. Each has a core of its own.
///
/// Left alone, the two threads of a pair share one core or not, by chance, and the cost of waking differs tenfold.
#[derive(Clone, Copy, Debug)]
pub enum Core {
    /// Whoever calls, or posts.
    Caller,
    /// Whoever serves, or receives.
    Service,
}

impl Core {
    /// Keeps this thread on the core, if there are enough and the system lets it.
    pub fn pin(self) {
        // Asked once: a thread that is pinned is told of no core but its own.
        static CORES: LazyLock<Vec<CoreId>> = LazyLock::new(|| core_affinity::get_core_ids().unwrap_or_default());
        if let Some(core) = CORES.get(self as usize) {
            core_affinity::set_for_current(*core);
        }
    }
}
