//! Sizes that take turns, and what comes of it.

use std::{
    fmt::Display,
    time::{Duration, Instant},
};

use handover_bench_peers::{Column, Results, Selection};

/// How often the sizes of a line take turns.
const ROUNDS: usize = 20;

/// A line takes no longer, after so many rounds.
const LONGEST: Duration = Duration::from_secs(5);
const LEAST_ROUNDS: usize = 5;

/// What takes turns: makes calls, and tells the nanoseconds of one.
pub(crate) type Turn = Box<dyn Fn() -> f64>;

/// Prints what was measured, and notes it.
pub(crate) struct Report(Selection);

impl Report {
    pub(crate) fn new(selection: Selection) -> Self {
        println!("Medians of rounds; ratios are to the first size of the same round.");
        Self(selection)
    }

    /// What grows, its sizes, and who is measured.
    pub(crate) fn section<const N: usize>(
        &self,
        name: &str,
        sizes: [u32; N],
        lines: &[(&str, [Turn; N])],
    ) -> Result<(), String> {
        if !self.0.has_row(name) {
            return Ok(());
        }
        println!("\n{name:56}{:>12}{}", format!("{}, ns", sizes[0]), cells(&sizes));
        for (contender, turns) in lines {
            let (first, growth) = take_turns(turns, if self.0.quick { 3 } else { ROUNDS });
            println!("{contender:56}{first:>12.0}{}", cells(&growth.map(|growth| format!("{growth:.2}"))));
            let mut results = Results::default();
            for (size, growth) in sizes.iter().zip(growth) {
                results.set(Column::Growth, format!("{name}: {contender}"), format!("{size:6}"), vec![growth]);
            }
            if let Some(path) = &self.0.out {
                results.append(path).map_err(|error| format!("{}: {error}", path.display()))?;
            }
        }
        Ok(())
    }
}

fn cells(cells: &[impl Display]) -> String {
    cells.iter().map(|cell| format!("{cell:>10}")).collect()
}

/// The nanoseconds of a call in the first size, and how many times that it is in each.
fn take_turns<const N: usize>(turns: &[Turn; N], rounds: usize) -> (f64, [f64; N]) {
    let mut times = [const { Vec::new() }; N];
    let begun = Instant::now();
    for round in 0..rounds {
        if round >= LEAST_ROUNDS && begun.elapsed() > LONGEST {
            break;
        }
        for place in 0..N {
            // Back and forth, so that nobody always has the same neighbour before it.
            let index = if round % 2 == 0 { place } else { N - 1 - place };
            times[index].push(turns[index]());
        }
    }
    let growth =
        times.each_ref().map(|own| median(own.iter().zip(&times[0]).map(|(own, first)| own / first).collect()));
    (median(times[0].clone()), growth)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
