//! Arguments that are lent: at the client they become values of their own, which travel, and are lent to the service.

/// A type that may be lent to a call: what is behind the reference becomes a value of its own, which travels.
#[diagnostic::on_unimplemented(
    message = "what is behind this reference cannot travel, for `{Self}` is not `Clone`",
    label = "needs `Clone`, to become a value of its own",
    note = "derive `Clone`, or take the value itself: leave out the `&`"
)]
pub trait Lend: Clone {}

#[diagnostic::do_not_recommend]
impl<T: Clone> Lend for T {}

/// Makes a value of its own of what is lent.
pub fn own<T: Lend>(lent: &T) -> T {
    lent.clone()
}

/// Makes values of their own of what is lent.
pub fn own_all<T: Lend>(lent: &[T]) -> Vec<T> {
    lent.to_vec()
}
