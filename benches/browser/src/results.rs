//! What was measured.

use serde::{Deserialize, Serialize};

/// What was measured in one engine, on one page.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Engine {
    /// Its name and version.
    pub(crate) version: String,
    /// Every row by everyone.
    pub(crate) measured: Vec<Measured>,
}

/// One row by one contender.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Measured {
    pub(crate) row: String,
    pub(crate) contender: String,
    /// Calls per second, in each round.
    pub(crate) per_second: Vec<f64>,
}

impl Engine {
    /// Adds what was measured on one more page.
    pub(crate) fn add(&mut self, measured: Vec<Measured>) {
        for more in measured {
            let is_it = |known: &&mut Measured| known.row == more.row && known.contender == more.contender;
            match self.measured.iter_mut().find(is_it) {
                Some(known) => known.per_second.extend(more.per_second),
                None => self.measured.push(more),
            }
        }
    }

    /// The rows, in the order of the page.
    pub(crate) fn rows(&self) -> Vec<&str> {
        distinct(self.measured.iter().map(|measured| &*measured.row))
    }

    /// The contenders, in the order of the page.
    pub(crate) fn contenders(&self) -> Vec<&str> {
        distinct(self.measured.iter().map(|measured| &*measured.contender))
    }

    /// Calls per second: the median of all rounds.
    pub(crate) fn per_second(&self, row: &str, contender: &str) -> Option<f64> {
        median(self.find(row, contender)?.per_second.clone())
    }

    /// How many times as many calls as another makes: the median of the quotients of each round.
    pub(crate) fn ratio(&self, row: &str, contender: &str, other: &str) -> Option<f64> {
        let ours = &self.find(row, contender)?.per_second;
        let theirs = &self.find(row, other)?.per_second;
        median(ours.iter().zip(theirs).map(|(ours, theirs)| ours / theirs).collect())
    }

    fn find(&self, row: &str, contender: &str) -> Option<&Measured> {
        self.measured.iter().find(|measured| measured.row == row && measured.contender == contender)
    }
}

fn distinct<'n>(names: impl Iterator<Item = &'n str>) -> Vec<&'n str> {
    let mut distinct = Vec::new();
    for name in names {
        if !distinct.contains(&name) {
            distinct.push(name);
        }
    }
    distinct
}

fn median(mut samples: Vec<f64>) -> Option<f64> {
    samples.sort_by(f64::total_cmp);
    samples.get(samples.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_of_several_pages_are_rounds_of_the_same_contender() {
        let measured = |row: &str, per_second: f64| Measured {
            row: row.to_owned(),
            contender: "ours".to_owned(),
            per_second: vec![per_second],
        };
        let mut engine = Engine { version: String::new(), measured: Vec::new() };

        engine.add(vec![measured("null call", 1.0), measured("echo", 5.0)]);
        engine.add(vec![measured("null call", 2.0), measured("echo", 6.0)]);
        engine.add(vec![measured("null call", 9.0), measured("echo", 7.0)]);

        assert_eq!(engine.rows(), ["null call", "echo"]);
        assert_eq!(engine.per_second("null call", "ours"), Some(2.0));
        assert_eq!(engine.per_second("echo", "ours"), Some(6.0));
    }

    #[test]
    fn a_ratio_is_the_middle_one_of_all_rounds_and_not_that_of_the_medians() {
        let measured = |contender: &str, per_second: [f64; 3]| Measured {
            row: "null call".to_owned(),
            contender: contender.to_owned(),
            per_second: per_second.to_vec(),
        };
        let measured = vec![measured("ours", [1.0, 20.0, 30.0]), measured("theirs", [10.0, 40.0, 10.0])];
        let engine = Engine { version: String::new(), measured };

        assert_eq!(engine.per_second("null call", "ours"), Some(20.0));
        assert_eq!(engine.ratio("null call", "ours", "theirs"), Some(0.5));
        assert_eq!(engine.ratio("null call", "ours", "nobody"), None);
    }
}
