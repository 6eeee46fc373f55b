//! Shapes and guided decoding on whatever comes: values and bytes that nobody thought of.

use std::collections::BTreeMap;

use handover_core::{
    message::Decoder,
    shape::{Agreement, Description, MethodDescription, MethodKind, Shape, compare},
};
use proptest::{collection::vec, prelude::*};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// A type of each kind, in each other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Everything {
    small: (bool, u8, i8, char),
    unsigned: (u16, u32, u64, u128),
    signed: (i16, i32, i64, i128),
    text: String,
    bytes: Vec<u8>,
    unit: (),
    array: [u16; 3],
    maybe: Option<Box<Everything>>,
    many: Vec<Choice>,
    map: BTreeMap<String, Option<Pair>>,
    result: Result<Id, String>,
    #[serde(default)]
    last: Vec<()>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Choice {
    Nothing,
    One(Id),
    Two(u8, Option<Pair>),
    Fields { pair: Pair, deeper: Vec<Choice> },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Pair(i32, String);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Id(u64);

/// The same, later: names in another order, some gone, some new, numbers wider.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Later {
    result: Result<Id, String>,
    many: Vec<LaterChoice>,
    new: Option<u8>,
    unsigned: (u64, u64, u128),
    maybe: Option<Box<Later>>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum LaterChoice {
    Fields {
        deeper: Vec<LaterChoice>,
        #[serde(default)]
        new: u8,
    },
    New,
    One(Id),
    Two(u64, ()),
    Nothing,
}

impl From<Everything> for Later {
    fn from(it: Everything) -> Self {
        Self {
            result: it.result,
            many: it.many.into_iter().map(LaterChoice::from).collect(),
            new: None,
            unsigned: (it.unsigned.0.into(), it.unsigned.1.into(), it.unsigned.2.into()),
            maybe: it.maybe.map(|it| Box::new(Self::from(*it))),
        }
    }
}

impl From<Choice> for LaterChoice {
    fn from(it: Choice) -> Self {
        match it {
            Choice::Nothing => Self::Nothing,
            Choice::One(id) => Self::One(id),
            Choice::Two(number, _) => Self::Two(number.into(), ()),
            Choice::Fields { deeper, .. } => {
                Self::Fields { deeper: deeper.into_iter().map(Self::from).collect(), new: 0 }
            }
        }
    }
}

fn pair() -> impl Strategy<Value = Pair> {
    (any::<i32>(), ".{0,4}").prop_map(|(number, text)| Pair(number, text))
}

fn choice() -> impl Strategy<Value = Choice> {
    let leaf = prop_oneof![
        Just(Choice::Nothing),
        any::<u64>().prop_map(|id| Choice::One(Id(id))),
        (any::<u8>(), proptest::option::of(pair())).prop_map(|(number, pair)| Choice::Two(number, pair)),
    ];
    leaf.prop_recursive(3, 8, 3, |inner| {
        (pair(), vec(inner, 0..3)).prop_map(|(pair, deeper)| Choice::Fields { pair, deeper })
    })
}

fn everything() -> impl Strategy<Value = Everything> {
    let numbers = (any::<(bool, u8, i8, char)>(), any::<(u16, u32, u64, u128)>(), any::<(i16, i32, i64, i128)>());
    let lists = (".{0,4}", vec(any::<u8>(), 0..4), any::<[u16; 3]>(), vec(choice(), 0..3));
    let map = proptest::collection::btree_map(".{0,3}", proptest::option::of(pair()), 0..3);
    let result = prop_oneof![any::<u64>().prop_map(|id| Ok(Id(id))), ".{0,3}".prop_map(Err)];
    let flat = (numbers, lists, map, result, vec(Just(()), 0..3));
    let flat = flat.prop_map(|((small, unsigned, signed), (text, bytes, array, many), map, result, last)| Everything {
        small,
        unsigned,
        signed,
        text,
        bytes,
        unit: (),
        array,
        maybe: None,
        many,
        map,
        result,
        last,
    });
    flat.prop_recursive(2, 3, 1, |inner| {
        (inner.clone(), inner).prop_map(|(outer, inner)| Everything { maybe: Some(Box::new(inner)), ..outer })
    })
}

fn guided<T: DeserializeOwned>(bytes: &[u8], writer: &Shape) -> Option<T> {
    Decoder::new(bytes).take_as(writer).ok()
}

/// The shape, or the description, that some bytes are.
fn read<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    postcard::from_bytes(&postcard::to_allocvec(bytes).unwrap()).ok()
}

/// A shape of any kind, also of kinds that no type has.
fn shape() -> impl Strategy<Value = Shape> {
    vec(any::<u8>(), 0..60).prop_filter_map("no shape", |mut bytes| {
        // Heads of kinds that exist, as many as there are bytes: more of them are shapes then.
        for byte in &mut bytes {
            *byte %= 29;
        }
        let parts_and_ends = (1..bytes.len()).flat_map(|parts| (parts..=bytes.len()).map(move |end| (parts, end)));
        parts_and_ends
            .into_iter()
            .find_map(|(parts, end)| read(&[&[u8::try_from(parts).ok()?], &bytes[..end]].concat()))
    })
}

proptest! {
    #[test]
    fn with_the_same_shape_guided_decoding_is_plain_decoding(value in everything()) {
        let bytes = postcard::to_allocvec(&value).unwrap();

        prop_assert_eq!(guided::<Everything>(&bytes, &Shape::of::<Everything>()), Some(value));
    }

    #[test]
    fn with_the_same_shape_guided_decoding_refuses_what_plain_decoding_refuses(
        value in everything(), at in any::<prop::sample::Index>(), byte in any::<u8>(),
    ) {
        let mut bytes = postcard::to_allocvec(&value).unwrap();
        let at = at.index(bytes.len());
        bytes[at] = byte;

        let guided = guided::<Everything>(&bytes, &Shape::of::<Everything>());

        prop_assert_eq!(guided, Decoder::new(&bytes).take::<Everything>().ok());
    }

    #[test]
    fn in_an_opaque_shape_guided_decoding_is_plain_decoding(
        value in everything(), at in any::<prop::sample::Index>(), byte in any::<u8>(),
    ) {
        let mut bytes = postcard::to_allocvec(&value).unwrap();

        prop_assert_eq!(guided::<Everything>(&bytes, &Shape::Opaque), Some(value));
        let at = at.index(bytes.len());
        bytes[at] = byte;
        prop_assert_eq!(guided::<Everything>(&bytes, &Shape::Opaque), Decoder::new(&bytes).take::<Everything>().ok());
    }

    #[test]
    fn lists_of_nothing_are_as_long_as_in_plain_decoding(len in 3900_usize..4700) {
        let bytes = postcard::to_allocvec(&(vec![(); len], Some(vec![(); len / 100]))).unwrap();
        type Lists = (Vec<()>, Option<Vec<()>>);

        prop_assert_eq!(guided::<Lists>(&bytes, &Shape::of::<Lists>()), Decoder::new(&bytes).take::<Lists>().ok());
    }

    #[test]
    fn a_later_version_reads_what_it_knows(value in everything()) {
        let bytes = postcard::to_allocvec(&value).unwrap();

        prop_assert_eq!(guided::<Later>(&bytes, &Shape::of::<Everything>()), Some(Later::from(value)));
    }

    #[test]
    fn any_bytes_in_any_shape_are_a_value_or_an_error(writer in shape(), bytes in vec(any::<u8>(), 0..40)) {
        guided::<Everything>(&bytes, &writer);
        guided::<Later>(&bytes, &writer);
        guided::<()>(&bytes, &writer);
        guided::<Vec<()>>(&bytes, &writer);
        guided::<(Option<u8>, Choice)>(&bytes, &writer);
    }

    #[test]
    fn any_bytes_in_a_shape_of_ours_are_a_value_or_an_error(bytes in vec(any::<u8>(), 0..200)) {
        guided::<Later>(&bytes, &Shape::of::<Everything>());
        guided::<Everything>(&bytes, &Shape::of::<Later>());
        guided::<()>(&bytes, &Shape::of::<Everything>());
    }

    #[test]
    fn any_bytes_are_a_shape_or_an_error(bytes in vec(any::<u8>(), 0..200)) {
        let _read = read::<Shape>(&bytes);
        let _read = read::<Description>(&bytes);
    }

    #[test]
    fn any_shape_prints_compares_and_comes_back(one in shape(), other in shape()) {
        prop_assert_eq!(compare(&one, &one), Agreement::Same);
        compare(&one, &other);
        compare(&one, &Shape::of::<Everything>());
        prop_assert!(!one.to_string().is_empty());
        let bytes = postcard::to_allocvec(&one).unwrap();
        prop_assert_eq!(postcard::from_bytes::<Shape>(&bytes), Ok(one));
    }

    #[test]
    fn any_text_is_a_shape_or_an_error(text in "[a-zA-Z0-9_<>(){}\\[\\];,:.?|@\" ]{0,40}") {
        let _parsed = text.parse::<Shape>();
    }
}

#[test]
fn the_shape_of_everything_comes_back_from_its_text() {
    let shape = Shape::of::<Everything>();

    assert_eq!(shape.to_string().parse(), Ok(Shape::clone(&shape)));
    assert_eq!(compare(&shape, &Shape::of::<Later>()), Agreement::Evolved);
}

#[test]
fn a_list_of_nothing_that_says_it_is_long_takes_no_time() {
    let endless = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
    for text in
        ["Vec<()>", "Vec<Vec<()>>", "Map<(), ()>", "[(); 18446744073709551615]", "Vec<[[(); 4294967295]; 4294967295]>"]
    {
        let writer: Shape = text.parse().unwrap();
        assert!(guided::<()>(&endless, &writer).is_none(), "{text}");
        assert!(guided::<Vec<()>>(&endless, &writer).is_none(), "{text}");
    }
    assert!(guided::<Vec<()>>(&endless, &Shape::Opaque).is_none());
    assert!(Decoder::new(&endless).take::<Vec<()>>().is_err());
}

#[test]
fn a_shape_that_doubles_at_each_step_is_read_in_no_time() {
    let mut text = "A0(())".to_owned();
    for number in 1..60 {
        text = format!("A{number}({text}, A{})", number - 1);
    }
    let writer: Shape = text.parse().unwrap();

    assert!(guided::<()>(&[], &writer).is_none());
    assert_eq!(compare(&writer, &writer), Agreement::Same);
}

#[test]
fn a_shape_that_holds_itself_without_end_is_an_error_and_not_the_end_of_the_stack() {
    let writer: Shape = "A(A, u8)".parse().unwrap();

    assert!(guided::<()>(&[1; 100], &writer).is_none());
    assert!(guided::<Everything>(&[1; 100], &writer).is_none());
}

#[test]
fn a_shape_or_a_description_that_says_it_is_long_sets_nothing_aside() {
    let bytes_of = |whole: Vec<u8>| postcard::from_bytes::<Vec<u8>>(&whole).unwrap();
    let shape = bytes_of(postcard::to_allocvec(&*Shape::of::<Everything>()).unwrap());
    let method = MethodDescription {
        id: 7,
        name: "name".to_owned(),
        docs: "docs".to_owned(),
        kind: MethodKind::Call,
        args: vec![("arg".to_owned(), Shape::U8)],
        ok: Shape::U8,
        err: None,
    };
    let description = Description { name: "name".to_owned(), docs: "docs".to_owned(), methods: vec![method] };
    let description = bytes_of(postcard::to_allocvec(&description).unwrap());
    for whole in [shape, description] {
        for at in 0..whole.len() {
            let long = [&whole[..at], &[0xff, 0xff, 0xff, 0xff, 0x0f], &whole[at + 1..]].concat();
            let allocated = allocation_counter::measure(|| {
                let _read = read::<Shape>(&long);
                let _read = read::<Description>(&long);
            });
            assert!(allocated.bytes_max < 1 << 16, "{} bytes at {at}", allocated.bytes_max);
        }
    }
}
