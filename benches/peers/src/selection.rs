//! Which parts of the table are asked for, and how carefully they are measured.

use std::path::PathBuf;

use clap::Parser;

use crate::{CONTENDERS, Contender, ROWS, Row};

/// What the programs that fill the table take.
#[derive(Clone, Debug, Default, Parser)]
pub struct Selection {
    /// Only rows whose name contains this; may be given more than once
    #[arg(long = "row", value_name = "TEXT")]
    rows: Vec<String>,
    /// Only contenders whose name contains this; may be given more than once
    #[arg(long = "contender", value_name = "TEXT")]
    contenders: Vec<String>,
    /// Fewer rounds: to see that all is well, not to compare
    #[arg(long)]
    pub quick: bool,
    /// Adds what was measured to this file, for the report
    #[arg(long, value_name = "FILE", overrides_with = "out")]
    pub out: Option<PathBuf>,
    /// Measures a part of the rounds: how a process measures that was started for that
    #[arg(long, hide = true)]
    pub is_part: bool,
    /// Cargo says so to every benchmark
    #[arg(long, hide = true)]
    bench: bool,
}

/// A row and who takes part in it.
#[derive(Debug)]
pub struct Heat {
    /// What is done.
    pub row: Row,
    /// Who does it; never nobody.
    pub contenders: Vec<Contender>,
}

impl Selection {
    /// What is selected, in the table's order.
    pub fn heats(&self) -> Vec<Heat> {
        let rows = ROWS.into_iter().filter(|row| admits(&self.rows, &row.to_string()));
        let heats = rows.map(|row| Heat { row, contenders: self.contenders(&row) });
        heats.filter(|heat| !heat.contenders.is_empty()).collect()
    }

    /// Whether a row of this name is selected.
    pub fn has_row(&self, name: &str) -> bool {
        admits(&self.rows, name)
    }

    fn contenders(&self, row: &Row) -> Vec<Contender> {
        let takes_part =
            |contender: &Contender| contender.run(row).is_some() && admits(&self.contenders, contender.name);
        CONTENDERS.into_iter().filter(takes_part).collect()
    }
}

fn admits(parts: &[String], name: &str) -> bool {
    parts.is_empty() || parts.iter().any(|part| name.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heats(args: &[&str]) -> Vec<Heat> {
        Selection::parse_from([&["comparison", "--bench"], args].concat()).heats()
    }

    #[test]
    fn of_two_files_for_the_results_the_last_holds() {
        let selection = Selection::parse_from(["comparison", "--out", "whole", "--is-part", "--out", "part"]);

        assert_eq!(selection.out, Some("part".into()));
    }

    #[test]
    fn nothing_said_selects_everything() {
        let heats = heats(&[]);

        assert_eq!(heats.len(), ROWS.len());
        assert!(heats.iter().all(|heat| heat.contenders.len() > 4), "{heats:?}");
    }

    #[test]
    fn part_of_a_rows_name_selects_everyone_in_it() {
        let heats = heats(&["--row", "two threads, 1"]);

        let names: Vec<_> = heats.iter().map(|heat| heat.row.to_string()).collect();
        assert_eq!(names, ["null call, two threads, 1 outstanding"]);
        assert!(heats[0].contenders.iter().any(|contender| contender.name == "park and unpark"));
        assert!(heats[0].contenders.iter().all(|contender| contender.name != "direct call"));
    }

    #[test]
    fn part_of_a_contenders_name_selects_it_where_it_takes_part() {
        let heats = heats(&["--contender", "park", "--contender", "irpc"]);

        let both = heats.iter().filter(|heat| heat.contenders.len() == 2).count();
        assert_eq!(both, 1);
        assert!(heats.iter().all(|heat| heat.row.work != crate::Work::Lend), "irpc passes no clients");
    }

    #[test]
    fn a_name_that_nobody_has_selects_nothing() {
        assert!(heats(&["--row", "pigeons"]).is_empty());
    }

    #[test]
    fn no_two_contenders_and_no_two_rows_have_one_name() {
        let mut names: Vec<_> =
            CONTENDERS.iter().map(ToString::to_string).chain(ROWS.iter().map(ToString::to_string)).collect();
        names.sort();
        let all = names.len();
        names.dedup();

        assert_eq!(names.len(), all);
    }
}
