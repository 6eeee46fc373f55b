//! The committed table, and what it says of new counts.

use std::fmt;

use crate::measure::Cost;

/// How many more instructions than in the table a path may run. Of allocations and their bytes it may have none more.
const TOLERANCE: f64 = 1.03;

/// What each path costs, as it was counted once.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// What counts depend on beside the code: the compiler and the machine.
    pub made_with: String,
    /// A row for each path.
    pub rows: Vec<(String, Cost)>,
}

/// What the table says of new counts. A line each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// What may not be.
    pub failures: Vec<String>,
    /// What whoever looks may want to know.
    pub remarks: Vec<String>,
}

impl Table {
    /// Reads what [`Display`](fmt::Display) has written.
    ///
    /// # Errors
    /// A sentence that names the line.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut table = Self::default();
        for line in text.lines() {
            if let Some(made_with) = line.strip_prefix(MADE_WITH) {
                table.made_with = made_with.trim_end_matches('.').to_owned();
            }
            let Some(cells) = line.strip_prefix("| ").and_then(|line| line.strip_suffix(" |")) else { continue };
            let cells: Vec<_> = cells.split(" | ").collect();
            match cells[..] {
                ["path", ..] => {}
                [name, allocations, bytes, instructions] => {
                    let cost = read_cost(allocations, bytes, instructions);
                    let cost = cost.ok_or_else(|| format!("this row of the table has no three counts: {line}"))?;
                    table.rows.push((name.to_owned(), cost));
                }
                _ => return Err(format!("this row of the table has no four cells: {line}")),
            }
        }
        Ok(table)
    }

    /// Compares new counts with these. Where instructions could not be counted, or are those of another compiler, allocations alone are
    /// compared.
    pub fn compare(&self, new: &Self) -> Verdict {
        let mut verdict = Verdict::default();
        for (name, cost) in &new.rows {
            match self.cost(name) {
                None => verdict.failures.push(format!("{name}: it is not in the table")),
                Some(committed) => {
                    compare_allocations(name, committed, cost, &mut verdict);
                    if self.made_with == new.made_with {
                        compare_instructions(name, committed, cost, &mut verdict);
                    }
                }
            }
        }
        let gone = self.rows.iter().filter(|(name, _)| new.cost(name).is_none());
        verdict.failures.extend(gone.map(|(name, _)| format!("{name}: there is no such path any more")));
        if self.made_with != new.made_with {
            let remark = format!("the table was made with {}, and this is {}", self.made_with, new.made_with);
            verdict.remarks.push(remark + ": instructions were not compared");
        }
        verdict
    }

    fn cost(&self, name: &str) -> Option<&Cost> {
        self.rows.iter().find(|(own, _)| own == name).map(|(_, cost)| cost)
    }
}

/// As they are written in the table.
fn compare_allocations(name: &str, committed: &Cost, new: &Cost, verdict: &mut Verdict) {
    let counts = [("allocations", committed.allocations, new.allocations), ("bytes", committed.bytes, new.bytes)];
    for (what, committed, new) in counts {
        if number(committed) != number(new) {
            verdict.note(name, what, committed, new, new > committed);
        }
    }
}

fn compare_instructions(name: &str, committed: &Cost, new: &Cost, verdict: &mut Verdict) {
    let Some((committed, new)) = committed.instructions.zip(new.instructions) else { return };
    if new > committed * TOLERANCE || committed > new * TOLERANCE {
        verdict.note(name, "instructions", committed, new, new > committed);
    }
}

impl Verdict {
    fn note(&mut self, name: &str, what: &str, committed: f64, new: f64, is_failure: bool) {
        let change = format!("{name}: {} {what} instead of {}", number(new), number(committed));
        if is_failure {
            self.failures.push(change);
        } else {
            self.remarks.push(change + "; --bless keeps it so");
        }
    }
}

const MADE_WITH: &str = "Counted with ";

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "# What the main paths cost, counted\n")?;
        writeln!(
            f,
            "`cargo xtask cost` counts again and fails where a path allocates more, or runs over 3 % more instructions;\n\
             `--bless` writes this file."
        )?;
        writeln!(
            f,
            "`benches/cost/src/paths.rs` says what each path is. Instructions depend on the compiler and the C\n\
             library, and are compared only where those are the same.\n"
        )?;
        writeln!(f, "{MADE_WITH}{}.\n", self.made_with)?;
        writeln!(f, "| path | allocations | bytes | instructions |\n|---|--:|--:|--:|")?;
        for (name, Cost { allocations, bytes, instructions }) in &self.rows {
            let instructions = instructions.map_or("-".to_owned(), number);
            writeln!(f, "| {name} | {} | {} | {instructions} |", number(*allocations), number(*bytes))?;
        }
        Ok(())
    }
}

/// With digits behind the point where it is small, so that one allocation in a thousand times is seen.
fn number(number: f64) -> String {
    match number {
        0.0 => "0".to_owned(),
        _ if number < 1.0 => format!("{number:.3}"),
        _ if number < 100.0 => format!("{number:.2}"),
        _ => format!("{number:.0}"),
    }
}

fn read_cost(allocations: &str, bytes: &str, instructions: &str) -> Option<Cost> {
    let count = |cell: &str| cell.parse().ok().filter(|count: &f64| count.is_finite() && *count >= 0.0);
    let instructions = match instructions {
        "-" => None,
        cell => Some(count(cell)?),
    };
    Some(Cost { allocations: count(allocations)?, bytes: count(bytes)?, instructions })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(rows: &[(&str, f64, f64, Option<f64>)]) -> Table {
        let row = |&(name, allocations, bytes, instructions): &(&str, _, _, _)| {
            (name.to_owned(), Cost { allocations, bytes, instructions })
        };
        Table { made_with: "rustc 1.95.0 on x86_64".to_owned(), rows: rows.iter().map(row).collect() }
    }

    fn failures(committed: (f64, f64, Option<f64>), new: (f64, f64, Option<f64>)) -> Vec<String> {
        let of = |(allocations, bytes, instructions)| table(&[("null call", allocations, bytes, instructions)]);
        of(committed).compare(&of(new)).failures
    }

    #[test]
    fn a_table_is_read_as_it_is_written() {
        let table = table(&[("null call", 1.0, 176.0, Some(1234.0)), ("item, encoded", 0.02, 3.25, None)]);

        assert_eq!(Table::parse(&table.to_string()), Ok(table));
    }

    #[test]
    fn a_path_that_costs_as_much_as_in_the_table_passes() {
        assert_eq!(failures((1.0, 176.0, Some(1234.0)), (1.0, 176.0, Some(1234.0))), [""; 0]);
    }

    #[test]
    fn instructions_that_grow_within_three_in_a_hundred_pass() {
        assert_eq!(failures((1.0, 176.0, Some(1000.0)), (1.0, 176.0, Some(1029.0))), [""; 0]);
    }

    #[test]
    fn allocations_may_not_grow_at_all_but_for_what_the_table_does_not_show() {
        assert_eq!(failures((12.01, 4108.0, None), (12.02, 4108.0, None)).len(), 1);
        assert_eq!(failures((12.01, 4108.0, None), (12.01, 4109.0, None)).len(), 1);
        assert_eq!(failures((12.01, 4108.0, None), (12.012, 4108.2, None)), [""; 0]);
    }

    #[test]
    fn a_path_that_runs_more_instructions_fails() {
        let failures = failures((1.0, 176.0, Some(1000.0)), (1.0, 176.0, Some(1031.0)));

        assert_eq!(failures, ["null call: 1031 instructions instead of 1000"]);
    }

    #[test]
    fn a_path_that_allocates_where_none_did_fails() {
        let failures = failures((0.0, 0.0, Some(1000.0)), (0.1, 4.0, Some(1000.0)));

        assert_eq!(failures, ["null call: 0.100 allocations instead of 0", "null call: 4.00 bytes instead of 0"]);
    }

    #[test]
    fn larger_allocations_fail_too() {
        assert_eq!(failures((1.0, 176.0, None), (1.0, 192.0, None)), ["null call: 192 bytes instead of 176"]);
    }

    #[test]
    fn where_instructions_cannot_be_counted_allocations_are_compared_all_the_same() {
        assert_eq!(failures((1.0, 176.0, Some(1000.0)), (1.0, 176.0, None)), [""; 0]);
        assert_eq!(failures((1.0, 176.0, Some(1000.0)), (2.0, 176.0, None)).len(), 1);
    }

    #[test]
    fn a_path_that_has_become_cheaper_is_worth_a_remark() {
        let committed = table(&[("null call", 1.0, 176.0, Some(1000.0))]);
        let new = table(&[("null call", 1.0, 176.0, Some(900.0))]);

        let verdict = committed.compare(&new);

        assert_eq!(verdict.failures, [""; 0]);
        assert_eq!(verdict.remarks, ["null call: 900 instructions instead of 1000; --bless keeps it so"]);
    }

    #[test]
    fn a_path_without_a_row_and_a_row_without_a_path_fail() {
        let committed = table(&[("old", 1.0, 1.0, None)]);
        let new = table(&[("new", 1.0, 1.0, None)]);

        let failures = committed.compare(&new).failures;

        assert_eq!(failures, ["new: it is not in the table", "old: there is no such path any more"]);
    }

    #[test]
    fn of_another_compiler_allocations_alone_are_compared_and_that_is_said() {
        let committed = table(&[("null call", 1.0, 176.0, Some(1000.0))]);
        let mut new = table(&[("null call", 2.0, 176.0, Some(2000.0))]);
        new.made_with = "rustc 1.96.0 on x86_64".to_owned();

        let verdict = committed.compare(&new);

        assert_eq!(verdict.failures, ["null call: 2.00 allocations instead of 1.00"]);
        assert!(verdict.remarks[0].contains("rustc 1.96.0"), "{verdict:?}");
    }

    #[test]
    fn a_spoilt_table_is_an_error_and_not_an_empty_one() {
        assert!(Table::parse("| null call | 1 | many | 3 |\n").is_err());
        assert!(Table::parse("| null call | 1 | 2 |\n").is_err());
        assert!(Table::parse("| null call | 1 | 2 | -3 |\n").is_err());
    }
}
