//! Which parts of the table are asked for.

use std::env;

use crate::{CONTENDERS, Contender, ROWS, Row};

/// A row and who takes part in it.
#[derive(Debug)]
pub struct Heat {
    /// The shape of the calls.
    pub row: Row,
    /// Who makes them; never nobody.
    pub contenders: Vec<Contender>,
}

/// What the name of a row or of a contender must contain.
#[derive(Debug)]
pub struct Filter(Option<String>);

impl Filter {
    /// The first argument of this program that is no option. Options, such as cargo's `--bench`, are ignored.
    pub fn from_args() -> Self {
        Self(env::args().skip(1).find(|argument| !argument.starts_with('-')))
    }

    /// As an argument for a program that takes the same.
    pub fn as_arg(&self) -> Option<&str> {
        self.0.as_deref()
    }

    /// What is selected, in the table's order.
    pub fn heats(&self) -> Vec<Heat> {
        let heat = |row| Heat { row, contenders: self.contenders(row) };
        ROWS.into_iter().map(heat).filter(|heat| !heat.contenders.is_empty()).collect()
    }

    fn contenders(&self, row: Row) -> Vec<Contender> {
        let whole_row = self.admits(&row.to_string());
        CONTENDERS.into_iter().filter(|contender| whole_row || self.admits(&contender.to_string())).collect()
    }

    fn admits(&self, name: &str) -> bool {
        self.0.as_ref().is_none_or(|part| name.contains(part))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selected(part: &str) -> Vec<(String, usize)> {
        let heats = Filter(Some(part.to_owned())).heats();
        heats.into_iter().map(|heat| (heat.row.to_string(), heat.contenders.len())).collect()
    }

    #[test]
    fn no_filter_selects_everything() {
        let heats = Filter(None).heats();

        assert_eq!(heats.len(), ROWS.len());
        assert!(heats.iter().all(|heat| heat.contenders.len() == CONTENDERS.len()));
    }

    #[test]
    fn part_of_a_rows_name_selects_everyone_in_it() {
        let everyone = CONTENDERS.len();

        assert_eq!(selected("two threads, 1"), [("two threads, 1 outstanding".to_owned(), everyone)]);
    }

    #[test]
    fn part_of_a_contenders_name_selects_it_in_every_row() {
        let counts: Vec<_> = selected("as bytes").into_iter().map(|(_, count)| count).collect();

        assert_eq!(counts, [1; ROWS.len()]);
    }

    #[test]
    fn a_name_that_nobody_has_selects_nothing() {
        assert!(selected("pigeons").is_empty());
    }
}
