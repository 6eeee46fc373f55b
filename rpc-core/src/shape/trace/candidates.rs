//! Made-up values: types that check what they get take one of them, if they are common types.

/// Texts, tried in this order.
pub(super) const TEXTS: [&str; 17] = [
    "",
    "a",
    "1",
    "127.0.0.1",
    "127.0.0.1:1",
    "1.0.0",
    "2000-01-01",
    "00:00:00",
    "2000-01-01T00:00:00",
    "2000-01-01T00:00:00Z",
    "00000000-0000-4000-8000-000000000000",
    "http://a.example/",
    "a@a.example",
    "/",
    "UTC",
    "en",
    "{}",
];

/// Bytes, all zero, of these lengths, tried in this order.
pub(super) const LENGTHS: [usize; 9] = [0, 16, 4, 8, 12, 20, 24, 32, 64];

/// As many zeros as ever needed.
pub(super) static ZEROS: [u8; 64] = [0; 64];

/// Characters, tried in this order.
pub(super) const CHARACTERS: [char; 3] = ['a', '0', 'A'];

/// Numbers, tried in this order: these and the type's greatest.
pub(super) const NUMBERS: usize = 3;
