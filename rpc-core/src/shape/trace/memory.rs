//! What is known of a type so far.

use std::collections::HashMap;

use super::plan::{EnumMemory, StructMemory};

/// How many places there may be, and how many requests in all.
const PLACES: usize = 8192;
const STEPS: usize = 300_000;

/// How many items of one tuple are told apart. Only arrays are longer.
const ITEMS: usize = 64;

/// Where in a type something is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place(pub(super) usize);

impl Place {
    pub(super) const ROOT: Self = Self(0);
}

/// Whether to look for something new, or to hand out any value that will do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    Explore,
    Minimal,
}

/// What is asked for at a place.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Asked {
    /// Nothing yet.
    Nothing,
    /// One thing and another: or something that only a self-describing format can answer.
    Unknowable,
    Leaf(Leaf),
    Option(Place),
    List(Place),
    Map(Place, Place),
    Tuple {
        items: Vec<Place>,
        len: usize,
        is_array: bool,
    },
    Struct(StructMemory),
    Enum(EnumMemory),
    /// A type with a name: an index into the types.
    Type(usize),
}

/// What has no parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leaf {
    Unit,
    Bool,
    I8,
    I16,
    I32,
    I64,
    I128,
    U8,
    U16,
    U32,
    U64,
    U128,
    F32,
    F64,
    Char,
    String,
    Bytes,
    Port,
    Buffer,
    Foreign,
}

/// One place.
#[derive(Debug)]
struct Entry {
    asked: Asked,
    /// Which made-up value is in turn; how many were refused; which was the first that the place itself took.
    candidate: usize,
    refused: usize,
    taken: Option<usize>,
    /// No value for it could be made up.
    is_stuck: bool,
    /// Whether something below is still to be explored, as of the beginning of the pass.
    has_needs: bool,
}

/// A type with a name.
#[derive(Debug)]
pub(super) struct Type {
    pub(super) name: &'static str,
    pub(super) body: Place,
    /// How often it is being deserialised just now, inside itself.
    open: usize,
}

/// What a named type is told apart by: where it is met again, it is the same.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) visitor: &'static str,
    pub(super) value: &'static str,
    pub(super) name: &'static str,
    pub(super) parts: &'static [&'static str],
}

/// What is known.
#[derive(Debug)]
pub(super) struct Memory {
    entries: Vec<Entry>,
    types: Vec<Type>,
    by_key: HashMap<Key, usize>,
    /// Counts what was learned.
    progress: usize,
    steps: usize,
    /// Counts the choices that could have been made otherwise, and names the last.
    choices: usize,
    last_choice: Option<Place>,
    /// Whether it is known why this pass fails.
    is_explained: bool,
}

impl Memory {
    pub(super) fn new() -> Self {
        let mut memory = Self {
            entries: Vec::new(),
            types: Vec::new(),
            by_key: HashMap::new(),
            progress: 0,
            steps: 0,
            choices: 0,
            last_choice: None,
            is_explained: false,
        };
        memory.new_place();
        memory
    }

    /// Begins to deserialise the type once more. Hands out how much was learned before.
    pub(super) fn begin_pass(&mut self) -> usize {
        self.is_explained = false;
        self.last_choice = None;
        for it in &mut self.types {
            it.open = 0;
        }
        self.find_needs();
        self.progress
    }

    pub(super) fn progress(&self) -> usize {
        self.progress
    }

    pub(super) fn is_spent(&self) -> bool {
        self.steps >= STEPS || self.entries.len() >= PLACES
    }

    /// Whether anything was to be explored when the pass began.
    pub(super) fn has_needs(&self) -> bool {
        self.needs(Place::ROOT)
    }

    pub(super) fn learned(&mut self) {
        self.progress += 1;
    }

    /// Counts a request. False if there were too many.
    pub(super) fn step(&mut self) -> bool {
        self.steps += 1;
        if self.is_spent() {
            self.is_explained = true;
        }
        !self.is_spent()
    }

    pub(super) fn new_place(&mut self) -> Place {
        self.entries.push(Entry {
            asked: Asked::Nothing,
            candidate: 0,
            refused: 0,
            taken: None,
            is_stuck: false,
            has_needs: true,
        });
        Place(self.entries.len() - 1)
    }

    pub(super) fn new_places(&mut self, count: usize) -> Vec<Place> {
        (0..count.min(PLACES)).map(|_| self.new_place()).collect()
    }

    /// The places of the items of a tuple.
    pub(super) fn new_items(&mut self, len: usize) -> Vec<Place> {
        self.new_places(len.min(ITEMS))
    }

    pub(super) fn asked(&self, place: Place) -> &Asked {
        &self.entries[place.0].asked
    }

    /// Notes what is asked for at a place, and hands out where to keep what is inside it. `make` says it for a place that was
    /// not asked before; `is_same` whether a place that was is asked the same. If not, nothing is known of the place any more,
    /// and what is inside is kept elsewhere for this once.
    pub(super) fn ask(
        &mut self,
        place: Place,
        is_same: impl Fn(&Asked) -> bool,
        make: impl FnOnce(&mut Self) -> Asked,
    ) -> Place {
        match self.asked(place) {
            Asked::Nothing => {
                let asked = make(self);
                self.entries[place.0].asked = asked;
                self.learned();
                place
            }
            known if is_same(known) => place,
            known => {
                if *known != Asked::Unknowable {
                    self.give_up(place);
                }
                let scratch = self.new_place();
                let asked = make(self);
                self.entries[scratch.0].asked = asked;
                scratch
            }
        }
    }

    /// Nothing can be known of the place.
    pub(super) fn give_up(&mut self, place: Place) {
        self.entries[place.0].asked = Asked::Unknowable;
        self.learned();
    }

    /// The type of this key.
    pub(super) fn type_of(&mut self, key: Key) -> usize {
        if let Some(known) = self.by_key.get(&key) {
            return *known;
        }
        let body = self.new_place();
        self.types.push(Type { name: key.name, body, open: 0 });
        self.by_key.insert(key, self.types.len() - 1);
        self.types.len() - 1
    }

    pub(super) fn ty(&self, number: usize) -> &Type {
        &self.types[number]
    }

    /// Goes into a type. Inside itself it is not explored.
    pub(super) fn enter(&mut self, number: usize, mode: Mode) -> Mode {
        let ty = &mut self.types[number];
        ty.open += 1;
        if ty.open > 1 { Mode::Minimal } else { mode }
    }

    pub(super) fn leave(&mut self, number: usize) {
        let ty = &mut self.types[number];
        ty.open = ty.open.saturating_sub(1);
    }

    pub(super) fn structure(&mut self, place: Place) -> Option<&mut StructMemory> {
        match &mut self.entries[place.0].asked {
            Asked::Struct(it) => Some(it),
            _ => None,
        }
    }

    pub(super) fn enumeration(&mut self, place: Place) -> Option<&mut EnumMemory> {
        match &mut self.entries[place.0].asked {
            Asked::Enum(it) => Some(it),
            _ => None,
        }
    }

    pub(super) fn needs(&self, place: Place) -> bool {
        self.entries[place.0].has_needs
    }

    pub(super) fn is_stuck(&self, place: Place) -> bool {
        self.entries[place.0].is_stuck
    }

    /// Which made-up value is in turn at a place, of so many.
    pub(super) fn choose(&mut self, place: Place) -> usize {
        self.choices += 1;
        self.last_choice = Some(place);
        self.entries[place.0].candidate
    }

    /// The place itself took the value in turn.
    pub(super) fn took(&mut self, place: Place) {
        let entry = &mut self.entries[place.0];
        entry.taken.get_or_insert(entry.candidate);
    }

    /// Where failures below are looked for from.
    pub(super) fn mark(&self) -> usize {
        self.choices
    }

    /// The pass fails, and that is as it should be.
    pub(super) fn explain(&mut self) {
        self.is_explained = true;
    }

    /// What is at the place failed. The last value that was chosen since the mark is blamed, and another will be tried; if
    /// there is none, no value for this place can be made.
    pub(super) fn failed(&mut self, place: Place, mark: usize) {
        if std::mem::replace(&mut self.is_explained, true) {
            return;
        }
        if let Some(blamed) = self.last_choice.filter(|_| self.choices > mark)
            && self.try_next(blamed)
        {
            return;
        }
        let entry = &mut self.entries[place.0];
        if !std::mem::replace(&mut entry.is_stuck, true) {
            self.learned();
        }
    }

    /// Turns to the next made-up value, if there is one that was not refused.
    fn try_next(&mut self, place: Place) -> bool {
        let count = candidates(self.asked(place));
        let entry = &mut self.entries[place.0];
        entry.refused += 1;
        if entry.refused < count {
            entry.candidate += 1;
            self.progress += 1;
            return true;
        }
        entry.candidate = entry.taken.unwrap_or(0);
        false
    }

    /// Finds from where something can be reached that is still to be explored.
    fn find_needs(&mut self) {
        let mut above = vec![Vec::new(); self.entries.len()];
        let mut left = Vec::new();
        for number in 0..self.entries.len() {
            for part in self.parts(Place(number)) {
                above[part.0].push(Place(number));
            }
            let has_needs = match &self.entries[number].asked {
                Asked::Nothing => true,
                Asked::Struct(it) => it.has_needs(),
                Asked::Enum(it) => it.has_needs(),
                _ => false,
            };
            self.entries[number].has_needs = has_needs;
            if has_needs {
                left.push(Place(number));
            }
        }
        while let Some(place) = left.pop() {
            for upper in &above[place.0] {
                if !std::mem::replace(&mut self.entries[upper.0].has_needs, true) {
                    left.push(*upper);
                }
            }
        }
    }

    /// The parts of a place that can be reached.
    fn parts(&self, place: Place) -> Vec<Place> {
        match self.asked(place) {
            Asked::Nothing | Asked::Unknowable | Asked::Leaf(_) => Vec::new(),
            Asked::Option(inner) | Asked::List(inner) => vec![*inner],
            Asked::Map(key, _) if self.is_stuck(*key) => vec![*key],
            Asked::Map(key, value) => vec![*key, *value],
            Asked::Tuple { items, .. } => {
                let reached = items.iter().position(|item| self.is_stuck(*item)).map_or(items.len(), |stuck| stuck + 1);
                items[..reached].to_vec()
            }
            Asked::Struct(it) => it.fields.iter().map(|field| field.place).collect(),
            Asked::Enum(it) => it.variants.iter().map(|variant| variant.content).collect(),
            Asked::Type(number) => vec![self.ty(*number).body],
        }
    }
}

/// How many made-up values there are.
fn candidates(asked: &Asked) -> usize {
    use super::candidates::{CHARACTERS, LENGTHS, NUMBERS, TEXTS};
    match asked {
        Asked::Leaf(leaf) => match leaf {
            Leaf::Unit | Leaf::Port | Leaf::Buffer | Leaf::Foreign => 1,
            Leaf::Bool => 2,
            Leaf::Char => CHARACTERS.len(),
            Leaf::String => TEXTS.len(),
            Leaf::Bytes => LENGTHS.len(),
            Leaf::F32 | Leaf::F64 => 2,
            _ => NUMBERS,
        },
        // Without and with something in it.
        Asked::Option(_) | Asked::List(_) | Asked::Map(..) => 2,
        _ => 0,
    }
}
