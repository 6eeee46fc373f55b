//! Structs: their fields in a row, as from bytes, and by name, to see what they hold and what they can do without.

use std::cell::Cell;

use serde::de::{DeserializeSeed, MapAccess, SeqAccess, Visitor};

use super::{
    memory::{Asked, Mode, Place},
    plan::{StructMemory, StructPlan},
    tracer::{NOBODYS_NAME, TraceError, Tracer, name},
};

/// Deserialises the struct that is at the tracer's place.
pub(super) fn visit<'de, V: Visitor<'de>>(tracer: Tracer<'_>, visitor: V) -> Result<V::Value, TraceError> {
    match plan(tracer) {
        StructPlan::Row => row(tracer, visitor),
        StructPlan::These(numbers) => by_name(tracer, visitor, &numbers, Mode::Minimal).result,
        StructPlan::Only(number) => only(tracer, visitor, number),
        StructPlan::Unknown => unknown(tracer, visitor),
        StructPlan::Alias(number) => alias(tracer, visitor, number),
        StructPlan::Required => required(tracer, visitor),
    }
}

fn plan(tracer: Tracer<'_>) -> StructPlan {
    let mut memory = tracer.memory.borrow_mut();
    let Asked::Struct(mut it) = memory.asked(tracer.place).clone() else { return StructPlan::Row };
    if tracer.mode == Mode::Minimal || !memory.needs(tracer.place) {
        return it.making_plan(|place| memory.is_stuck(place));
    }
    let plan = it.exploring_plan(|place| memory.needs(place), |place| memory.is_stuck(place));
    if let Some(kept) = memory.structure(tracer.place) {
        kept.turns = it.turns;
    }
    plan
}

/// Changes what is known of the struct.
fn learn(tracer: Tracer<'_>, change: impl FnOnce(&mut StructMemory)) {
    let mut memory = tracer.memory.borrow_mut();
    if let Some(it) = memory.structure(tracer.place) {
        change(it);
        memory.learned();
    }
}

fn fields(tracer: Tracer<'_>) -> StructMemory {
    match tracer.memory.borrow().asked(tracer.place) {
        Asked::Struct(it) => it.clone(),
        _ => StructMemory::new(&[], Vec::new()),
    }
}

fn is_stuck(tracer: Tracer<'_>, numbers: &[usize]) -> bool {
    let it = fields(tracer);
    let memory = tracer.memory.borrow();
    numbers.iter().any(|number| it.fields.get(*number).is_some_and(|field| memory.is_stuck(field.place)))
}

/// All values in a row.
fn row<'de, V: Visitor<'de>>(tracer: Tracer<'_>, visitor: V) -> Result<V::Value, TraceError> {
    let it = fields(tracer);
    let values = it.values();
    let places: Vec<_> = values.iter().map(|number| it.fields[*number].place).collect();
    let taken = Cell::new(0);
    let result = visitor.visit_seq(Row { tracer, places: &places, taken: &taken });
    match (&result, it.taken) {
        (Ok(_), None) => row_taken(tracer, &it, taken.get()),
        (Err(_), None) => {
            let is_stuck = is_stuck(tracer, &values);
            learn(tracer, |it| it.row_failed(is_stuck));
        }
        (_, Some(_)) => {}
    }
    result
}

/// It is known how many values there are. If there are fewer than names, the values were taken for those of other fields.
fn row_taken(tracer: Tracer<'_>, it: &StructMemory, taken: usize) {
    let places = if taken < it.fields.len() {
        tracer.memory.borrow_mut().new_places(it.fields.len())
    } else {
        it.fields.iter().map(|field| field.place).collect()
    };
    learn(tracer, |it| {
        it.taken = Some(taken);
        for (field, place) in it.fields.iter_mut().zip(places) {
            field.place = place;
        }
    });
}

/// One field, whatever the others are.
fn only<'de, V: Visitor<'de>>(tracer: Tracer<'_>, visitor: V, number: usize) -> Result<V::Value, TraceError> {
    let result = by_name(tracer, visitor, &[number], Mode::Explore).result;
    let mut memory = tracer.memory.borrow_mut();
    let Some(field) = memory.structure(tracer.place).and_then(|it| it.fields.get_mut(number)) else { return result };
    field.visits += 1;
    let place = field.place;
    if *memory.asked(place) == Asked::Nothing {
        memory.give_up(place);
    }
    // It may well be that the others are missing.
    memory.explain();
    result
}

/// A field that it does not know: the value of one that it ignores is asked for.
fn unknown<'de, V: Visitor<'de>>(tracer: Tracer<'_>, visitor: V) -> Result<V::Value, TraceError> {
    let place = tracer.memory.borrow_mut().new_place();
    let read = read(tracer, visitor, vec![(NOBODYS_NAME, place)], Mode::Minimal);
    learn(tracer, |it| it.is_exact = Some(read.values == 0));
    tracer.memory.borrow_mut().explain();
    read.result
}

/// Two names: if they are of one field, it is refused before its second value is asked for.
fn alias<'de, V: Visitor<'de>>(tracer: Tracer<'_>, visitor: V, number: usize) -> Result<V::Value, TraceError> {
    let read = by_name(tracer, visitor, &[number.saturating_sub(1), number], Mode::Minimal);
    learn(tracer, |it| {
        it.next_alias += 1;
        if let Some(field) = it.fields.get_mut(number) {
            field.is_alias = read.keys == 2 && read.values == 1;
        }
    });
    tracer.memory.borrow_mut().explain();
    read.result
}

/// Those that are required, as far as it is known: if another one is, the error says which.
fn required<'de, V: Visitor<'de>>(tracer: Tracer<'_>, visitor: V) -> Result<V::Value, TraceError> {
    let numbers = fields(tracer).required();
    let read = by_name(tracer, visitor, &numbers, Mode::Minimal);
    let is_stuck = is_stuck(tracer, &numbers);
    learn(tracer, |it| match &read.result {
        Ok(_) => it.found_required(),
        Err(TraceError { missing: Some(name) }) if it.require(name) => {}
        Err(_) => it.probe_failed(is_stuck || read.values == numbers.len()),
    });
    tracer.memory.borrow_mut().explain();
    read.result
}

/// What became of fields that were given by name.
struct Read<T> {
    result: Result<T, TraceError>,
    /// How many names were asked for, and how many values.
    keys: usize,
    values: usize,
}

fn by_name<'de, V: Visitor<'de>>(tracer: Tracer<'_>, visitor: V, numbers: &[usize], mode: Mode) -> Read<V::Value> {
    let it = fields(tracer);
    let field = |number: &usize| {
        let (field, head) = (it.fields.get(*number)?, it.fields.get(it.head(*number))?);
        Some((field.name, head.place))
    };
    read(tracer, visitor, numbers.iter().filter_map(field).collect(), mode)
}

fn read<'de, V: Visitor<'de>>(
    tracer: Tracer<'_>,
    visitor: V,
    fields: Vec<(&'static str, Place)>,
    mode: Mode,
) -> Read<V::Value> {
    let (keys, values) = (Cell::new(0), Cell::new(0));
    let result = visitor.visit_map(ByName { tracer, fields: &fields, keys: &keys, values: &values, mode });
    Read { result, keys: keys.get(), values: values.get() }
}

struct Row<'m, 'p> {
    tracer: Tracer<'m>,
    places: &'p [Place],
    taken: &'p Cell<usize>,
}

impl<'de> SeqAccess<'de> for Row<'_, '_> {
    type Error = TraceError;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, TraceError> {
        let Some(place) = self.places.get(self.taken.get()) else { return Ok(None) };
        self.taken.set(self.taken.get() + 1);
        self.tracer.part(*place, self.tracer.mode, seed).map(Some)
    }
}

struct ByName<'m, 'p> {
    tracer: Tracer<'m>,
    fields: &'p [(&'static str, Place)],
    keys: &'p Cell<usize>,
    values: &'p Cell<usize>,
    mode: Mode,
}

impl<'de> MapAccess<'de> for ByName<'_, '_> {
    type Error = TraceError;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, TraceError> {
        let Some((field, _)) = self.fields.get(self.keys.get()) else { return Ok(None) };
        self.keys.set(self.keys.get() + 1);
        seed.deserialize(name(field)).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, TraceError> {
        let number = self.keys.get().checked_sub(1).ok_or(TraceError::ANY)?;
        let (_, place) = self.fields.get(number).ok_or(TraceError::ANY)?;
        self.values.set(self.values.get() + 1);
        self.tracer.part(*place, self.mode, seed)
    }
}
