//! Values of JavaScript's as arguments and results.

use std::{any::type_name, fmt, marker::PhantomData, sync::Arc};

use handover_core::message::Foreign;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use wasm_bindgen::{JsCast, JsValue};

use super::value::{Value, Way};

/// A value of JavaScript's that is cloned when it goes to another context: objects, lists, `Map`s, `Date`s, `Blob`s, and whatever else is
/// [serializable](https://developer.mozilla.org/en-US/docs/Web/API/Web_Workers_API/Structured_clone_algorithm).
///
/// It may be anywhere inside an argument or a result. Within a context it simply moves: whoever receives it has the very object.
///
/// # Errors
/// A call whose argument the browser cannot clone – a function, a node of a document – ends as
/// [`NotSent::Unencodable`](handover_core::NotSent::Unencodable), and one whose result cannot, as
/// [`Interruption::UnreadableReply`](handover_core::Interruption::UnreadableReply), both with what the browser said. To know that in time,
/// the value is cloned when the call is encoded, and again when it is posted.
///
/// One that is no `T` where it arrives makes the arguments, or the result, unreadable.
///
/// # Examples
/// ```no_run
/// # #[cfg(target_family = "wasm")] mod example {
/// use handover_transports::browser::StructuredClone;
/// use serde::{Deserialize, Serialize};
/// use wasm_bindgen::JsValue;
///
/// #[derive(Serialize, Deserialize)]
/// struct Entry {
///     name: String,
///     since: StructuredClone<js_sys::Date>,
///     whatever: Vec<StructuredClone<JsValue>>,
/// }
/// # }
/// ```
pub struct StructuredClone<T>(Held<T>);

/// A value of JavaScript's that moves to another context: an `ArrayBuffer`, an `ImageBitmap`, an `OffscreenCanvas`, a `ReadableStream`,
/// and whatever else is [transferable](https://developer.mozilla.org/en-US/docs/Web/API/Web_Workers_API/Transferable_objects) in the
/// browser at hand. Nothing is copied.
///
/// It may be anywhere inside an argument or a result. Within a context it simply moves.
///
/// When the call that it is in has been encoded, whatever else in the program refers to the object finds it detached: the value here is the
/// only owner.
///
/// # Errors
/// A call whose argument the browser cannot transfer – since it was transferred before, is in use, is of a kind that this browser does
/// not transfer – ends as [`NotSent::Unencodable`](handover_core::NotSent::Unencodable), and one whose result cannot, as
/// [`Interruption::UnreadableReply`](handover_core::Interruption::UnreadableReply), both with what the browser said.
///
/// One that is no `T` where it arrives makes the arguments, or the result, unreadable.
///
/// # Examples
/// ```no_run
/// # #[cfg(target_family = "wasm")] mod example {
/// use handover_transports::browser::Transfer;
///
/// fn parcel(bytes: &[u8]) -> Transfer<js_sys::ArrayBuffer> {
///     Transfer::new(js_sys::Uint8Array::from(bytes).buffer())
/// }
/// # }
/// ```
pub struct Transfer<T>(Held<T>);

/// What both are.
struct Held<T> {
    value: Arc<Value>,
    type_of: PhantomData<fn() -> T>,
}

impl<T: JsCast> Held<T> {
    fn new(value: T, way: Way) -> Self {
        Self { value: Value::new(value.into(), way), type_of: PhantomData }
    }

    fn into_inner(self) -> T {
        self.value.take().0.unchecked_into()
    }

    fn put<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Foreign::put(|| self.value.make_ours().map(|()| Foreign::new(self.value.clone())), serializer)
    }

    fn take<'de, D: Deserializer<'de>>(deserializer: D, way: Way) -> Result<Self, D::Error> {
        Foreign::take(deserializer, |foreign| Self::read(foreign, way))
    }

    fn read(foreign: Option<Foreign>, way: Way) -> Result<Self, String> {
        let Some(foreign) = foreign else {
            return Ok(Self { value: Value::new(JsValue::UNDEFINED, way), type_of: PhantomData });
        };
        let value = foreign.downcast::<Value>().map_err(|_| "it is no value of JavaScript's")?.read(way);
        if !value.is_a::<T>() {
            return Err(format!("the value is no `{}`", short_name::<T>()));
        }
        Ok(Self { value, type_of: PhantomData })
    }
}

fn short_name<T>() -> &'static str {
    let name = type_name::<T>();
    name.rsplit("::").next().unwrap_or(name)
}

/// What the two have in common.
macro_rules! wrapper {
    ($name:ident, $way:expr, $done:literal) => {
        impl<T: JsCast> $name<T> {
            #[doc = concat!("A value that is to be ", $done, ".")]
            pub fn new(value: T) -> Self {
                Self(Held::new(value, $way))
            }

            /// The value.
            pub fn into_inner(self) -> T {
                self.0.into_inner()
            }
        }

        impl<T: JsCast> From<T> for $name<T> {
            fn from(value: T) -> Self {
                Self::new(value)
            }
        }

        /// Travels inside a message only: any other serialisation fails, and does nothing to the value.
        impl<T: JsCast> Serialize for $name<T> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                self.0.put(serializer)
            }
        }

        /// Arrives inside a message only.
        impl<'de, T: JsCast> Deserialize<'de> for $name<T> {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Held::take(deserializer, $way).map(Self)
            }
        }

        /// Nothing of the value is shown.
        impl<T> fmt::Debug for $name<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).field("of", &short_name::<T>()).finish_non_exhaustive()
            }
        }
    };
}

wrapper!(StructuredClone, Way::Cloned, "cloned");
wrapper!(Transfer, Way::Transferred, "transferred");
