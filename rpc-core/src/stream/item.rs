//! What can be sent as an item.

use crate::rpc::Never;

/// Something that can be sent as an item of a stream: a `T`, where items have no error of their own; a `Result<T, X>` anywhere.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no item of a stream of `{T}`",
    label = "needs to be a `{T}`, or a `Result<{T}, {X}>`"
)]
pub trait IntoItem<T, X> {
    /// The item as it travels.
    ///
    /// # Errors
    /// The item's own.
    fn into_item(self) -> Result<T, X>;
}

impl<T> IntoItem<T, Never> for T {
    fn into_item(self) -> Result<T, Never> {
        Ok(self)
    }
}

impl<T, X> IntoItem<T, X> for Result<T, X> {
    fn into_item(self) -> Self {
        self
    }
}
