//! The tables of the page: what each row took, how calls grow, what compiling costs.

use std::fmt::{self, Write};

use super::{Runs, goals::GOALS};
use crate::{CONTENDERS, Column, Contender, ROWS, Row, Work, results::median};

/// How the goals stand.
pub(super) fn goals(to: &mut String, runs: &Runs) -> fmt::Result {
    writeln!(to, "| goal | limit | figure in each run | |\n|---|--:|---|---|")?;
    for goal in GOALS {
        let standing = goal.standing(runs);
        let figures: Vec<_> = standing.figures.iter().map(|figure| format!("{figure:.2}")).collect();
        writeln!(to, "| {} | {} | {} | {} |", goal.name, standing.limit, figures.join(", "), standing.word())?;
    }
    Ok(())
}

/// A table for each row that anybody was measured in.
pub(super) fn rows(to: &mut String, runs: &Runs) -> fmt::Result {
    for row in ROWS {
        let contenders: Vec<_> =
            CONTENDERS.iter().filter(|contender| Cells::of(&row, contender, runs).is_some()).collect();
        if contenders.is_empty() {
            continue;
        }
        let unit = match row.work {
            Work::Down | Work::Up => "an item",
            Work::Connect | Work::Disconnect | Work::Idle => "a connection",
            _ => "a call",
        };
        writeln!(to, "### {}\n", row.to_string().replace("Vec<u8>", "`Vec<u8>`"))?;
        if row.work == Work::Idle {
            writeln!(to, "| | bytes that it keeps |\n|---|--:|")?;
        } else {
            writeln!(to, "| | median, ns {unit} | p99, ns | × fastest | allocations | bytes | instructions |")?;
            writeln!(to, "|---|--:|--:|--:|--:|--:|--:|")?;
        }
        let peers = contenders.iter().filter(|contender| !contender.is_floor);
        let fastest = peers.filter_map(|contender| time(&row, contender, runs)).fold(f64::INFINITY, f64::min);
        for contender in contenders {
            let Some(cells) = Cells::of(&row, contender, runs) else { continue };
            writeln!(to, "{}", cells.line(&row, contender, fastest))?;
        }
        writeln!(to)?;
    }
    Ok(())
}

/// The middle one of the medians of all runs.
pub(super) fn time(row: &Row, contender: &Contender, runs: &Runs) -> Option<f64> {
    let medians: Vec<_> =
        runs.runs.iter().filter_map(|run| run.median(Column::Time, &row.to_string(), contender.name)).collect();
    median(&medians)
}

struct Cells {
    time: Option<f64>,
    p99: Option<f64>,
    allocations: Option<f64>,
    bytes: Option<f64>,
    instructions: Option<f64>,
}

impl Cells {
    /// `None` if nothing is known.
    fn of(row: &Row, contender: &Contender, runs: &Runs) -> Option<Self> {
        let name = row.to_string();
        let counted = |column| runs.counts.median(column, &name, contender.name);
        let p99: Vec<_> = runs.runs.iter().filter_map(|run| run.median(Column::P99, &name, contender.name)).collect();
        let cells = Self {
            time: time(row, contender, runs),
            p99: median(&p99),
            allocations: counted(Column::Allocations),
            bytes: counted(Column::Bytes),
            instructions: counted(Column::Instructions),
        };
        (cells.time.is_some() || cells.bytes.is_some()).then_some(cells)
    }

    fn line(&self, row: &Row, contender: &Contender, fastest: f64) -> String {
        if row.work == Work::Idle {
            return format!("| {} | {} |", contender.name, number(self.bytes));
        }
        let ratio = self.time.filter(|_| !contender.is_floor).map(|time| time / fastest);
        let cells = [self.time, self.p99, ratio, self.allocations, self.bytes, self.instructions].map(number);
        format!("| {} | {} |", contender.name, cells.join(" | "))
    }
}

/// How the cost of a call grows.
pub(super) fn growth(to: &mut String, runs: &Runs) -> fmt::Result {
    let Some(first) = runs.runs.iter().find(|run| run.cells(Column::Growth).next().is_some()) else {
        return writeln!(to, "Not measured.");
    };
    writeln!(to, "| what grows: who | times as much as with the first size |\n|---|---|")?;
    let mut lines: Vec<(&str, Vec<String>)> = Vec::new();
    for (row, size) in first.cells(Column::Growth) {
        let figures: Vec<_> = runs.runs.iter().filter_map(|run| run.median(Column::Growth, row, size)).collect();
        let cell = format!("{}: {}", size.trim(), number(median(&figures)));
        match lines.last_mut().filter(|(last, _)| *last == row) {
            Some((_, cells)) => cells.push(cell),
            None => lines.push((row, vec![cell])),
        }
    }
    lines.iter().try_for_each(|(row, cells)| writeln!(to, "| {row} | {} |", cells.join(", ")))
}

/// What a service costs to compile, beside others.
pub(super) fn compiling(to: &mut String, runs: &Runs) -> fmt::Result {
    let cells = |column| runs.counts.cells(column).map(|(row, _)| row).collect::<std::collections::BTreeSet<_>>();
    let rows: Vec<_> = cells(Column::Seconds).into_iter().chain(cells(Column::Size)).collect();
    if rows.is_empty() {
        return writeln!(to, "Not measured.");
    }
    const SYSTEMS: [&str; 3] = ["handover", "tarpc", "remoc"];
    writeln!(to, "| | {} |\n|---|--:|--:|--:|", SYSTEMS.join(" | "))?;
    for row in rows {
        let cell = |system| {
            let of = |column| runs.counts.median(column, row, system);
            number(of(Column::Seconds).or_else(|| of(Column::Size)))
        };
        writeln!(to, "| {row} | {} |", SYSTEMS.map(cell).join(" | "))?;
    }
    Ok(())
}

/// Three digits or all before the point.
fn number(number: Option<f64>) -> String {
    match number {
        None => "–".to_owned(),
        Some(0.0) => "0".to_owned(),
        Some(number) if number < 1.0 => format!("{number:.3}"),
        Some(number) if number < 10.0 => format!("{number:.2}"),
        Some(number) if number < 100.0 => format!("{number:.1}"),
        Some(number) => grouped(number.round()),
    }
}

/// With a thin space before every three digits.
fn grouped(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_digits_or_groups_of_three() {
        let numbers = [0.0, 0.0123, 2.5, 12.34, 999.6, 1_234_567.0].map(|value| number(Some(value)));

        assert_eq!(numbers, ["0", "0.012", "2.50", "12.3", "1\u{202f}000", "1\u{202f}234\u{202f}567"]);
        assert_eq!(number(None), "–");
    }

    #[test]
    fn the_fastest_peer_has_the_ratio_one_and_a_floor_has_none() {
        let row = ROWS[0];
        let mut run = crate::Results::default();
        for (name, time) in [("direct call", 2.0), ("tokio mpsc", 100.0), ("irpc", 150.0)] {
            run.set(Column::Time, row, name, vec![time]);
        }
        let mut text = String::new();

        rows(&mut text, &Runs { runs: vec![run], counts: Default::default() }).unwrap();

        let cells = |name: &str| text.lines().find(|line| line.starts_with(&format!("| {name}"))).unwrap().to_owned();
        assert_eq!(cells("direct call"), "| direct call | 2.00 | – | – | – | – | – |");
        assert_eq!(cells("tokio mpsc"), "| tokio mpsc | 100 | – | 1.00 | – | – | – |");
        assert_eq!(cells("irpc"), "| irpc | 150 | – | 1.50 | – | – | – |");
    }
}
