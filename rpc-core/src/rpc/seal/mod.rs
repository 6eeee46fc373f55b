//! Values that others carry and cannot look into.
//!
//! A [`Sealed`] is a port that leads to its [`Sealer`], and nothing else. The sealer knows it by its channel ([`lead`]), and where a link lies
//! between asks by it ([`question`]): so there are no bytes that could be made up, altered or sent again.

mod lead;
mod question;
mod sealed;
mod sealer;

pub use sealed::Sealed;
pub use sealer::Sealer;
