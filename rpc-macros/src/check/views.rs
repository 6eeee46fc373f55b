//! What a view of another service may have. That its methods are that service's is seen where its client calls them.

use crate::{ast::Service, errors::Errors};

pub(super) fn check(service: &Service, errors: &mut Errors) {
    let Some(viewed) = &service.viewed else { return };
    if let Some(first) = service.supers.first() {
        errors.at(&first.path, "a view has the methods that it names, and no others: leave out the super-service");
    }
    if !service.params.is_empty() {
        errors.at(&viewed.path, "a view has no parameters: write which types those of the service are");
    }
    if let Some(place) = service.client_trait {
        errors.here(place, "the calls of a view are those of another service: say `client_trait` there");
    }
}
