//! What was found of types, each once.

use std::any::TypeId;

/// Something of each type, in the order of the types. Little is ever put in, and much is looked for: a list is as good as any map, and less
/// code.
pub(crate) struct ByType<T>(Vec<(TypeId, T)>);

impl<T: Clone> ByType<T> {
    pub(crate) const fn new() -> Self {
        Self(Vec::new())
    }

    /// What was kept of a type.
    pub(crate) fn get(&self, of: TypeId) -> Option<T> {
        let at = self.place(of).ok()?;
        self.0.get(at).map(|(_, kept)| kept.clone())
    }

    /// Keeps something of a type, and hands out what counts: if something was kept before, that.
    pub(crate) fn keep(&mut self, of: TypeId, new: T) -> T {
        match self.place(of) {
            Ok(at) => self.0.get(at).map_or(new, |(_, first)| first.clone()),
            Err(at) => {
                self.0.insert(at, (of, new.clone()));
                new
            }
        }
    }

    fn place(&self, of: TypeId) -> Result<usize, usize> {
        self.0.binary_search_by_key(&of, |(kept, _)| *kept)
    }
}
