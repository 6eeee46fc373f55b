//! What to do next with a struct or an enum.

use super::memory::Place;

/// What is known of a struct, or of the fields of a variant.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct StructMemory {
    pub(super) fields: Vec<FieldMemory>,
    /// How many values it takes in a row; fewer than names if fields have aliases. Unknown until a value was made.
    pub(super) taken: Option<usize>,
    /// How often it could not be made of a row of values, and whether that is enough.
    pub(super) failed_rows: usize,
    pub(super) takes_no_row: bool,
    /// Whether it ignores a field that it does not know.
    pub(super) is_exact: Option<bool>,
    /// Whether it is known which fields may be missing, if that can be known.
    pub(super) is_missing_known: bool,
    /// Which names are to be tried as aliases of the one before.
    pub(super) next_alias: usize,
    /// How often something in it failed while that was to be found out.
    pub(super) failed_probes: usize,
    /// How often it was explored.
    pub(super) turns: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct FieldMemory {
    pub(super) name: &'static str,
    pub(super) place: Place,
    /// Whether it names the same field as the one before.
    pub(super) is_alias: bool,
    pub(super) may_be_missing: bool,
    /// Whether a value cannot be read without it.
    pub(super) is_required: bool,
    /// How often it was the only one.
    pub(super) visits: usize,
}

/// How many rows of values are tried, and how many values of required fields: each failure turns to another made-up value.
const TRIES: usize = 40;

/// How to deserialise a struct this time.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum StructPlan {
    /// All values in a row, as from bytes.
    Row,
    /// The fields of these numbers, by name.
    These(Vec<usize>),
    /// One field by name, to see what it holds; there may be no value.
    Only(usize),
    /// A field of a name that it does not know.
    Unknown,
    /// Two names in a row: whether the second is an alias of the first.
    Alias(usize),
    /// The fields that are known to be required, to see whether the others may be missing.
    Required,
}

impl StructMemory {
    pub(super) fn new(names: &'static [&'static str], places: Vec<Place>) -> Self {
        let fields = names.iter().zip(places).map(|(name, place)| FieldMemory {
            name,
            place,
            is_alias: false,
            may_be_missing: false,
            is_required: false,
            visits: 0,
        });
        Self {
            fields: fields.collect(),
            taken: None,
            failed_rows: 0,
            takes_no_row: false,
            failed_probes: 0,
            is_exact: None,
            is_missing_known: false,
            next_alias: 1,
            turns: 0,
        }
    }

    /// Whether something of its own is still to be found out.
    pub(super) fn has_needs(&self) -> bool {
        self.own_plan().is_some() || self.taken.is_none() && !self.takes_no_row
    }

    /// What it is to be asked next about itself.
    pub(super) fn own_plan(&self) -> Option<StructPlan> {
        if self.taken.is_some_and(|taken| taken < self.fields.len()) && self.next_alias < self.fields.len() {
            return Some(StructPlan::Alias(self.next_alias));
        }
        if self.is_exact.is_none() {
            return Some(StructPlan::Unknown);
        }
        (!self.is_missing_known).then_some(StructPlan::Required)
    }

    /// What to do when it is explored.
    pub(super) fn exploring_plan(
        &mut self,
        needs: impl Fn(Place) -> bool,
        is_stuck: impl Fn(Place) -> bool,
    ) -> StructPlan {
        self.turns += 1;
        let values = self.values();
        let needing = values.iter().copied().filter(|number| needs(self.fields[*number].place));
        let least = needing.min_by_key(|number| self.fields[*number].visits);
        let goes_in_a_row = !self.takes_no_row && !values.iter().any(|number| is_stuck(self.fields[*number].place));
        if goes_in_a_row && self.taken.is_none() {
            return StructPlan::Row;
        }
        // By turns: what is inside may need this very struct, and would never be done.
        match (self.own_plan(), least) {
            (Some(own), None) => own,
            (Some(own), Some(_)) if self.turns.is_multiple_of(2) => own,
            (_, Some(number)) if !goes_in_a_row => StructPlan::Only(number),
            _ => StructPlan::Row,
        }
    }

    /// What to do when any value will do.
    pub(super) fn making_plan(&self, is_stuck: impl Fn(Place) -> bool) -> StructPlan {
        let mut values = self.values();
        let count = values.len();
        values.retain(|number| !is_stuck(self.fields[*number].place));
        if values.len() == count && !self.takes_no_row { StructPlan::Row } else { StructPlan::These(values) }
    }

    /// A row of values failed.
    pub(super) fn row_failed(&mut self, is_stuck: bool) {
        self.failed_rows += 1;
        self.takes_no_row |= is_stuck || self.failed_rows > TRIES;
    }

    /// Something in a field failed that is required.
    pub(super) fn probe_failed(&mut self, is_stuck: bool) {
        self.failed_probes += 1;
        self.is_missing_known |= is_stuck || self.failed_probes > TRIES;
    }

    /// The number of the field that an alias is a name of.
    pub(super) fn head(&self, number: usize) -> usize {
        (0..=number).rev().find(|number| !self.fields[*number].is_alias).unwrap_or(number)
    }

    /// The numbers of the fields that hold a value, in the order of their values: aliases have none.
    pub(super) fn values(&self) -> Vec<usize> {
        (0..self.fields.len()).filter(|number| !self.fields[*number].is_alias).collect()
    }

    pub(super) fn required(&self) -> Vec<usize> {
        (0..self.fields.len()).filter(|number| self.fields[*number].is_required).collect()
    }

    /// A value could not be read without this field. Whether that is news.
    pub(super) fn require(&mut self, name: &str) -> bool {
        let field = self.fields.iter_mut().find(|field| field.name == name);
        field.is_some_and(|field| !std::mem::replace(&mut field.is_required, true))
    }

    /// A value was read with those that are required, and no others.
    pub(super) fn found_required(&mut self) {
        self.is_missing_known = true;
        for field in &mut self.fields {
            field.may_be_missing = !field.is_required;
        }
    }
}

/// What is known of an enum.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct EnumMemory {
    pub(super) variants: Vec<VariantMemory>,
    /// Whether it takes a name that it does not know for one that it knows.
    pub(super) is_open: Option<bool>,
    /// Counts the variants of which a value was made.
    pub(super) made: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct VariantMemory {
    pub(super) name: &'static str,
    pub(super) content: Place,
    pub(super) visits: usize,
    /// There is no variant of this number: one before has several names.
    pub(super) is_refused: bool,
    /// When the first value was made of it. Those that were made before need no later one inside them.
    pub(super) made: Option<usize>,
}

/// Which variant to deserialise this time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum EnumPlan {
    Variant(usize),
    /// One that there is not.
    Unknown,
}

impl EnumMemory {
    pub(super) fn new(names: &'static [&'static str], places: Vec<Place>) -> Self {
        let variants = names.iter().zip(places).map(|(name, content)| VariantMemory {
            name,
            content,
            visits: 0,
            is_refused: false,
            made: None,
        });
        Self { variants: variants.collect(), is_open: None, made: 0 }
    }

    pub(super) fn has_needs(&self) -> bool {
        self.is_open.is_none() || self.variants.iter().any(|variant| variant.visits == 0)
    }

    /// What to explore: a variant that was never visited, then whether there may be others, then the variant that was visited
    /// least of those that have something left to explore.
    pub(super) fn exploring_plan(&self, needs: impl Fn(Place) -> bool) -> Option<EnumPlan> {
        let known = self.variants.iter().enumerate().filter(|(_, variant)| !variant.is_refused);
        let needing = known.filter(|(_, variant)| variant.visits == 0 || needs(variant.content));
        match needing.min_by_key(|(_, variant)| variant.visits) {
            Some((number, variant)) if variant.visits == 0 || self.is_open.is_some() => Some(EnumPlan::Variant(number)),
            _ => self.is_open.is_none().then_some(EnumPlan::Unknown),
        }
    }

    /// A variant that any value can be made of: the first that one was made of, or else the one that was visited least.
    pub(super) fn making_plan(&self, is_stuck: impl Fn(Place) -> bool) -> EnumPlan {
        let known = self.variants.iter().enumerate().filter(|(_, variant)| !variant.is_refused);
        let best = known.min_by_key(|(_, variant)| {
            (variant.made.is_none(), variant.made, is_stuck(variant.content), variant.visits)
        });
        best.map_or(EnumPlan::Unknown, |(number, _)| EnumPlan::Variant(number))
    }
}
