//! Where a sealed value's port leads.

use std::{any::Any, sync::Weak};

use super::{question, sealer::Brand};
use crate::{
    MessagePort,
    port::{Gone, MessageTarget, Parcel},
    rpc::host::Key,
    sync::Arc,
};

/// The target of the sealer's end of a sealed value: which value it is, and whose.
pub(super) struct Lead<T> {
    brand: Weak<Brand<T>>,
    key: Key,
}

impl<T: Send + Sync + 'static> Lead<T> {
    pub(super) fn new(brand: &Arc<Brand<T>>, key: Key) -> Self {
        Self { brand: Arc::downgrade(brand), key }
    }

    /// Where a port leads, if it is that of a value of this type that was sealed here.
    pub(super) fn at(port: &MessagePort) -> Option<Arc<Self>> {
        let target: Arc<dyn Any + Send + Sync> = port.mark()?.destination().target?;
        target.downcast().ok()
    }

    /// The key of the value, if it is that sealer's.
    pub(super) fn key_of(&self, brand: &Arc<Brand<T>>) -> Option<Key> {
        std::ptr::eq(self.brand.as_ptr(), Arc::as_ptr(brand)).then_some(self.key)
    }
}

impl<T: Send + Sync + 'static> MessageTarget for Lead<T> {
    fn deliver(&self, parcel: Parcel) {
        let Some(brand) = self.brand.upgrade() else { return };
        let Some(port) = brand.port(self.key) else { return };
        let message = match parcel {
            Parcel::Message(message) => Some(message),
            Parcel::Value(call) => call.encode(&port),
        };
        let answer = message.and_then(|message| question::answer(&message, |asked| brand.was_asked(self.key, asked)));
        if let Some(answer) = answer {
            let _closed = port.post(Parcel::Message(answer));
        }
    }

    fn closed(&self, _: Gone) {
        if let Some(brand) = self.brand.upgrade() {
            brand.forget(self.key);
        }
    }
}
