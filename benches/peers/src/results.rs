//! What was measured, as the programs that measure hand it to the one that reports: a line for each cell of the table.

use std::{
    collections::BTreeMap,
    fmt,
    fs::{File, OpenOptions},
    io::{self, Write},
    path::Path,
};

/// What a number is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Column {
    /// Nanoseconds of a piece of work: a number for each round.
    Time,
    /// Nanoseconds that 99 of 100 pieces, timed by themselves, did not take.
    P99,
    /// How often memory is asked for.
    Allocations,
    /// How many bytes are asked for; of a connection, how many it keeps.
    Bytes,
    /// How many instructions are run.
    Instructions,
    /// How many times more a call costs than in the first size of its row; the contender is the size.
    Growth,
    /// Seconds to build a program, from clean and after a touch; the contender is the system.
    Seconds,
    /// A count of lines or bytes of a program.
    Size,
}

const COLUMNS: [(Column, &str); 8] = [
    (Column::Time, "time"),
    (Column::P99, "p99"),
    (Column::Allocations, "allocations"),
    (Column::Bytes, "bytes"),
    (Column::Instructions, "instructions"),
    (Column::Growth, "growth"),
    (Column::Seconds, "seconds"),
    (Column::Size, "size"),
];

/// Cells by what they are, row and contender.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Results(BTreeMap<(Column, String, String), Vec<f64>>);

impl Results {
    /// Reads what was [written](Self::append).
    ///
    /// # Errors
    /// A sentence that names the line.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut results = Self::default();
        for line in text.lines().filter(|line| !line.is_empty()) {
            let (key, numbers) = parse_line(line).ok_or_else(|| format!("this is no line of results: {line}"))?;
            // The newest: whoever measures a row again means it.
            results.0.insert(key, numbers);
        }
        Ok(results)
    }

    /// Notes a cell.
    pub fn set(&mut self, column: Column, row: impl fmt::Display, contender: impl fmt::Display, numbers: Vec<f64>) {
        self.0.insert((column, row.to_string(), contender.to_string()), numbers);
    }

    /// Adds what another process has measured: its numbers follow on those that are there.
    pub fn extend(&mut self, other: Self) {
        for (key, numbers) in other.0 {
            self.0.entry(key).or_default().extend(numbers);
        }
    }

    /// The numbers of a cell.
    pub fn get(&self, column: Column, row: &str, contender: &str) -> Option<&[f64]> {
        self.0.get(&(column, row.to_owned(), contender.to_owned())).map(Vec::as_slice)
    }

    /// The only number of a cell, or the middle one.
    pub fn median(&self, column: Column, row: &str, contender: &str) -> Option<f64> {
        self.get(column, row, contender).and_then(median)
    }

    /// The rows and contenders that have such a number.
    pub fn cells(&self, wanted: Column) -> impl Iterator<Item = (&str, &str)> {
        let cells = self.0.keys().filter(move |(column, _, _)| *column == wanted);
        cells.map(|(_, row, contender)| (row.as_str(), contender.as_str()))
    }

    /// Adds all cells to a file.
    ///
    /// # Errors
    /// Whatever the file system says.
    pub fn append(&self, path: &Path) -> io::Result<()> {
        let mut file: File = OpenOptions::new().create(true).append(true).open(path)?;
        file.write_all(self.to_string().as_bytes())
    }
}

impl fmt::Display for Results {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for ((column, row, contender), numbers) in &self.0 {
            let name = COLUMNS.iter().find(|(own, _)| own == column).map_or("", |(_, name)| name);
            let numbers: Vec<_> = numbers.iter().map(ToString::to_string).collect();
            writeln!(f, "{name}\t{row}\t{contender}\t{}", numbers.join(" "))?;
        }
        Ok(())
    }
}

fn parse_line(line: &str) -> Option<((Column, String, String), Vec<f64>)> {
    let [column, row, contender, numbers] = line.split('\t').collect::<Vec<_>>()[..] else { return None };
    let (column, _) = COLUMNS.into_iter().find(|(_, name)| *name == column)?;
    let numbers = numbers.split(' ').map(str::parse).collect::<Result<_, _>>().ok()?;
    Some(((column, row.to_owned(), contender.to_owned()), numbers))
}

/// The middle one of some numbers.
pub(crate) fn median(numbers: &[f64]) -> Option<f64> {
    let mut sorted = numbers.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_processes_have_measured_of_one_cell_is_put_together() {
        let of = |numbers: &str| Results::parse(&format!("time\tcalls\tirpc\t{numbers}\n")).unwrap();
        let mut results = of("1 2");

        results.extend(of("3"));

        assert_eq!(results.get(Column::Time, "calls", "irpc"), Some(&[1.0, 2.0, 3.0][..]));
    }

    #[test]
    fn results_are_read_as_they_are_written_and_the_newest_counts() {
        let mut first = Results::default();
        first.set(Column::Time, "null call", "irpc", vec![3.5, 4.0]);
        first.set(Column::Bytes, "null call", "irpc", vec![64.0]);
        let mut second = Results::default();
        second.set(Column::Time, "null call", "irpc", vec![5.0]);

        let read = Results::parse(&format!("{first}{second}")).unwrap();

        assert_eq!(read.get(Column::Time, "null call", "irpc"), Some([5.0].as_slice()));
        assert_eq!(read.median(Column::Bytes, "null call", "irpc"), Some(64.0));
        assert_eq!(read.median(Column::Bytes, "null call", "tarpc"), None);
    }

    #[test]
    fn a_line_that_is_none_is_named() {
        let sentence = Results::parse("time\tnull call\tirpc\tsoon\n").unwrap_err();

        assert!(sentence.ends_with("time\tnull call\tirpc\tsoon"), "{sentence}");
    }
}
