//! What a grant lets its holder do, beside what is counted. It does not change.

use std::{collections::BinaryHeap, fmt};

use crate::{
    rpc::{CallInfo, MethodId},
    sync::Arc,
};

/// What a grant lets its holder do, with all that the grants let that it was made from.
#[derive(Default)]
pub(in crate::rpc) struct Terms {
    label: Option<Arc<str>>,
    /// Sorted. `None`: all that the service has.
    methods: Option<Arc<[MethodId]>>,
    /// Those of all grants on the way, the one of the root first.
    checks: Vec<Check>,
}

/// Decides about one call.
pub(in crate::rpc) type Check = Arc<dyn Fn(&CallInfo) -> Result<(), String> + Send + Sync>;

/// How terms differ from those they are made from, beside the methods.
#[derive(Default)]
pub(in crate::rpc) struct Narrower {
    pub(in crate::rpc) label: Option<Arc<str>>,
    pub(in crate::rpc) checks: Vec<Check>,
}

impl Terms {
    /// Those that somebody has; who has none has those of the service itself, which let everything be called.
    pub(in crate::rpc) fn of(held: Option<&Arc<Self>>) -> &Self {
        static ALL: Terms = Terms { label: None, methods: None, checks: Vec::new() };
        held.map_or(&ALL, |terms| terms)
    }

    /// The same terms, or less (C14): only those methods, where some are named.
    pub(in crate::rpc) fn narrowed(self: &Arc<Self>, methods: Option<&[MethodId]>, by: Narrower) -> Arc<Self> {
        let Narrower { label, checks } = by;
        if label.is_none() && methods.is_none() && checks.is_empty() {
            return self.clone();
        }
        let methods = methods.map(|named| {
            // Sorted by a heap, which is less code than `sort`: whoever grants nothing has it in the program, too.
            let allowed: BinaryHeap<_> = named.iter().copied().filter(|method| self.allows(*method)).collect();
            let mut methods = allowed.into_sorted_vec();
            methods.dedup();
            methods.into()
        });
        Arc::new(Self {
            label: label.or_else(|| self.label.clone()),
            methods: methods.or_else(|| self.methods.clone()),
            checks: self.checks.iter().cloned().chain(checks).collect(),
        })
    }

    /// Whether there is such a method for the holder, if the service has it.
    #[inline]
    pub(in crate::rpc) fn allows(&self, method: MethodId) -> bool {
        self.methods.as_ref().is_none_or(|methods| methods.binary_search(&method).is_ok())
    }

    /// The methods that there are for the holder; `None`: all that the service has.
    pub(in crate::rpc) fn methods(&self) -> Option<&Arc<[MethodId]>> {
        self.methods.as_ref()
    }

    /// Whether nobody decides about each call.
    pub(in crate::rpc) fn is_unchecked(&self) -> bool {
        self.checks.is_empty()
    }

    /// Asks those who decide about each call.
    ///
    /// # Errors
    /// Why it is not to be run.
    pub(in crate::rpc) fn check(&self, call: &CallInfo) -> Result<(), String> {
        self.checks.iter().try_for_each(|check| check(call))
    }

    /// What the grant is called in what is written for people.
    pub(in crate::rpc) fn label(&self) -> &str {
        self.label.as_deref().unwrap_or("")
    }
}

impl fmt::Debug for Terms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Terms").field("label", &self.label()).field("methods", &self.methods).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn narrowed(terms: &Arc<Terms>, methods: &[u32]) -> Arc<Terms> {
        let methods: Vec<_> = methods.iter().copied().map(MethodId).collect();
        terms.narrowed(Some(&methods), Narrower::default())
    }

    /// C14
    #[test]
    fn whoever_names_methods_gets_those_of_them_that_the_giver_had() {
        let all = Arc::new(Terms::default());

        let some = narrowed(&all, &[7, 3, 5, 3]);
        let fewer = narrowed(&some, &[9, 5, 7]);

        let allowed = |terms: &Terms| (0..10).filter(|id| terms.allows(MethodId(*id))).collect::<Vec<_>>();
        assert_eq!(allowed(&all), (0..10).collect::<Vec<_>>());
        assert_eq!(allowed(&some), [3, 5, 7]);
        assert_eq!(allowed(&fewer), [5, 7]);
        assert_eq!(allowed(&fewer.narrowed(None, Narrower::default())), [5, 7]);
    }
}
