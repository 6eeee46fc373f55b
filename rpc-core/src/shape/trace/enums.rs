//! Enums: one variant after the other, and one that there is not.

use serde::de::{DeserializeSeed, EnumAccess, IntoDeserializer, VariantAccess, Visitor, value::U32Deserializer};

use super::{
    memory::{Asked, Leaf, Mode, Place},
    plan::EnumPlan,
    tracer::{NOBODYS_NAME, TraceError, Tracer, name},
};

/// Deserialises the enum that is at the tracer's place.
pub(super) fn visit<'de, V: Visitor<'de>>(tracer: Tracer<'_>, visitor: V) -> Result<V::Value, TraceError> {
    let plan = plan(tracer);
    let (content, mark) = begin(tracer, plan);
    let result = visitor.visit_enum(Choice { tracer, plan, content });
    let mut memory = tracer.memory.borrow_mut();
    match plan {
        EnumPlan::Unknown => {
            if let Some(it) = memory.enumeration(tracer.place)
                && it.is_open.is_none()
            {
                it.is_open = Some(false);
                memory.learned();
            }
            memory.explain();
        }
        EnumPlan::Variant(_) if result.is_err() => {
            memory.failed(content, mark);
            if *memory.asked(content) == Asked::Nothing {
                memory.give_up(content);
            }
        }
        EnumPlan::Variant(number) => {
            if let Some(it) = memory.enumeration(tracer.place)
                && it.variants[number].made.is_none()
            {
                it.variants[number].made = Some(it.made);
                it.made += 1;
                memory.learned();
            }
        }
    }
    result
}

fn plan(tracer: Tracer<'_>) -> EnumPlan {
    let memory = tracer.memory.borrow();
    let Asked::Enum(it) = memory.asked(tracer.place) else { return EnumPlan::Unknown };
    let explores = tracer.mode == Mode::Explore && memory.needs(tracer.place);
    let exploring = if explores { it.exploring_plan(|place| memory.needs(place)) } else { None };
    exploring.unwrap_or_else(|| it.making_plan(|place| memory.is_stuck(place)))
}

/// Counts the visit. Hands out the place of the content.
fn begin(tracer: Tracer<'_>, plan: EnumPlan) -> (Place, usize) {
    let mut memory = tracer.memory.borrow_mut();
    let mark = memory.mark();
    if let EnumPlan::Variant(number) = plan
        && let Some(it) = memory.enumeration(tracer.place)
    {
        let variant = &mut it.variants[number];
        variant.visits += 1;
        let (content, is_new) = (variant.content, variant.visits == 1);
        if is_new {
            memory.learned();
        }
        return (content, mark);
    }
    (memory.new_place(), mark)
}

struct Choice<'m> {
    tracer: Tracer<'m>,
    plan: EnumPlan,
    content: Place,
}

impl<'de, 'm> EnumAccess<'de> for Choice<'m> {
    type Error = TraceError;
    type Variant = Content<'m>;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Content<'m>), TraceError> {
        let (tracer, plan) = (self.tracer, self.plan);
        let chosen = match plan {
            EnumPlan::Unknown => seed.deserialize(name(NOBODYS_NAME)),
            EnumPlan::Variant(number) => {
                let index: U32Deserializer<TraceError> = u32::try_from(number).unwrap_or(u32::MAX).into_deserializer();
                seed.deserialize(index)
            }
        };
        let mut memory = tracer.memory.borrow_mut();
        match (plan, &chosen) {
            (EnumPlan::Unknown, Ok(_)) => {
                if let Some(it) = memory.enumeration(tracer.place) {
                    it.is_open = Some(true);
                    memory.learned();
                }
            }
            (EnumPlan::Variant(number), Err(_)) => {
                if let Some(it) = memory.enumeration(tracer.place) {
                    it.variants[number].is_refused = true;
                    memory.learned();
                    memory.explain();
                }
            }
            _ => {}
        }
        chosen.map(|chosen| (chosen, Content { tracer, place: self.content }))
    }
}

struct Content<'m> {
    tracer: Tracer<'m>,
    place: Place,
}

impl<'m> Content<'m> {
    fn tracer(self) -> Result<Tracer<'m>, TraceError> {
        Ok(self.tracer.below(self.place, self.tracer.mode)?.0)
    }
}

impl<'de> VariantAccess<'de> for Content<'_> {
    type Error = TraceError;

    fn unit_variant(self) -> Result<(), TraceError> {
        let mut memory = self.tracer.memory.borrow_mut();
        memory.ask(self.place, |asked| *asked == Asked::Leaf(Leaf::Unit), |_| Asked::Leaf(Leaf::Unit));
        Ok(())
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, TraceError> {
        let mode = self.tracer.mode;
        self.tracer.part(self.place, mode, seed)
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, TraceError> {
        self.tracer()?.tuple(len, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, TraceError> {
        self.tracer()?.fields(fields, visitor)
    }
}
