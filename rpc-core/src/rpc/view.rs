//! Clients that have fewer methods than others of the same service.

use super::ServiceClient;

/// A client with some of the methods of the client `Of`, of the same service: what a right on those is called by.
///
/// The client of a super-service is one of the service's, and so is that of a `#[service(view_of = Contacts)]`. Which methods they have is
/// checked as they are compiled.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no view of what `{Of}` calls",
    label = "has other methods, as far as anybody has said",
    note = "it is one if its trait is a supertrait of the other, or a `#[service(view_of = …)]`"
)]
pub trait View<Of>: ServiceClient {}
