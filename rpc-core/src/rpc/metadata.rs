//! What a caller says beside the arguments.

use std::fmt;

use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// A kind of metadata: a value that a caller may send with any call, and that a service may ask for. Its name is how the other
/// end knows it.
///
/// # Examples
/// ```
/// use handover_core::rpc::{Metadata, Metadatum};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Debug, PartialEq, Serialize, Deserialize)]
/// struct Locale(String);
///
/// impl Metadatum for Locale {
///     const NAME: &'static str = "locale";
/// }
///
/// let mut metadata = Metadata::default();
/// metadata.insert(&Locale("de".into()))?;
/// assert_eq!(metadata.get::<Locale>()?, Some(Locale("de".into())));
/// # Ok::<(), handover_core::rpc::MetadataError>(())
/// ```
pub trait Metadatum: Serialize + DeserializeOwned {
    /// How it is named on the wire.
    const NAME: &'static str;
}

/// What is sent beside the arguments of a call: at most 32 values, and 16 KiB of them.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metadata {
    entries: Vec<(String, Vec<u8>)>,
}

/// Why metadata could not be written or read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MetadataError {
    /// There is more of it than 32 values, or than 16 KiB.
    TooMuch,
    /// The value with this name could not be encoded.
    Unencodable(&'static str),
    /// The value with this name is of another type.
    Unreadable(&'static str),
}

impl Metadata {
    /// How many values there may be.
    pub const MOST_VALUES: usize = 32;
    /// How many bytes there may be, names included.
    pub const MOST_BYTES: usize = 16 * 1024;

    /// Adds a value, or replaces the one of the same name. Ports cannot be in it.
    ///
    /// # Errors
    /// [`MetadataError`]; then nothing has changed.
    pub fn insert<M: Metadatum>(&mut self, value: &M) -> Result<(), MetadataError> {
        let bytes = postcard::to_allocvec(value).map_err(|_| MetadataError::Unencodable(M::NAME))?;
        let mut entries = self.entries.clone();
        entries.retain(|(name, _)| name != M::NAME);
        entries.push((M::NAME.to_owned(), bytes));
        let changed = Self { entries };
        if changed.is_too_much() {
            return Err(MetadataError::TooMuch);
        }
        *self = changed;
        Ok(())
    }

    /// Reads a value. `None` if the caller sent none.
    ///
    /// # Errors
    /// [`MetadataError::Unreadable`] if what was sent under its name is no such value.
    pub fn get<M: Metadatum>(&self) -> Result<Option<M>, MetadataError> {
        let Some((_, bytes)) = self.entries.iter().find(|(name, _)| name == M::NAME) else { return Ok(None) };
        postcard::from_bytes(bytes).map(Some).map_err(|_| MetadataError::Unreadable(M::NAME))
    }

    /// Takes a value out. Whether there was one.
    pub fn remove<M: Metadatum>(&mut self) -> bool {
        let before = self.entries.len();
        self.entries.retain(|(name, _)| name != M::NAME);
        self.entries.len() != before
    }

    /// The names of what is in it.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|(name, _)| name.as_str())
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(super) fn is_too_much(&self) -> bool {
        let bytes =
            self.entries.iter().fold(0_usize, |sum, (name, value)| sum.saturating_add(name.len() + value.len()));
        self.entries.len() > Self::MOST_VALUES || bytes > Self::MOST_BYTES
    }
}

/// Says the names, and not the values, which may be secret.
impl fmt::Debug for Metadata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.names()).finish()
    }
}

impl fmt::Display for MetadataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooMuch => f.write_str("a call carries at most 32 values of metadata, and 16 KiB of them"),
            Self::Unencodable(name) => write!(f, "the metadata `{name}` could not be encoded"),
            Self::Unreadable(name) => write!(f, "the metadata `{name}` is of another type"),
        }
    }
}

impl std::error::Error for MetadataError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Number(u32);

    impl Metadatum for Number {
        const NAME: &'static str = "number";
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Text(String);

    impl Metadatum for Text {
        const NAME: &'static str = "number";
    }

    #[test]
    fn a_second_value_of_one_name_replaces_the_first() {
        let mut metadata = Metadata::default();

        metadata.insert(&Number(1)).unwrap();
        metadata.insert(&Number(2)).unwrap();

        assert_eq!(metadata.get(), Ok(Some(Number(2))));
        assert_eq!(metadata.names().count(), 1);
    }

    #[test]
    fn a_value_that_would_be_too_much_changes_nothing() {
        let mut metadata = Metadata::default();
        metadata.insert(&Text("short".into())).unwrap();

        let refused = metadata.insert(&Text("x".repeat(Metadata::MOST_BYTES)));

        assert_eq!(refused, Err(MetadataError::TooMuch));
        assert_eq!(metadata.get(), Ok(Some(Text("short".into()))));
    }

    #[test]
    fn a_value_of_another_type_is_an_error_and_not_nothing() {
        let mut metadata = Metadata::default();
        metadata.insert(&Text("seven".into())).unwrap();
        metadata.entries[0].1 = vec![0xff; 12];

        assert_eq!(metadata.get::<Number>(), Err(MetadataError::Unreadable("number")));
        assert!(metadata.remove::<Number>());
        assert_eq!(metadata.get::<Number>(), Ok(None));
    }
}
