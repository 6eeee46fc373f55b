//! What was aimed at, and whether it holds.

use crate::{Column, Results, results::median};

use super::Runs;

/// Something aimed at: a figure that may not be over its limit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Goal {
    pub(super) name: &'static str,
    figure: Figure,
    limit: f64,
}

/// What is compared.
#[derive(Clone, Copy, Debug)]
enum Figure {
    /// One contender's time by another's, in the same row.
    Ratio { row: &'static str, ours: &'static str, theirs: &'static str },
    /// One row's time by another's, of the same contender.
    Rows { ours: &'static str, row: &'static str, by: &'static str },
    /// What an idle connection keeps, by what another contender's keeps.
    Kept { ours: &'static str, theirs: &'static str },
    /// How often a call asks for memory.
    Allocations { row: &'static str, ours: &'static str },
    /// How many times dearer a call is than in the first size.
    Growth { row: &'static str, size: &'static str },
}

/// Whether a goal holds.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Standing {
    /// In each run that knows.
    pub(super) figures: Vec<f64>,
    /// What none may be over.
    pub(super) limit: f64,
}

const ONE: &str = "null call, one thread, 1 outstanding";
const MANY: &str = "null call, one thread, 64 outstanding";
const TWO: &str = "null call, two threads, 1 outstanding";
const TWO_MANY: &str = "null call, two threads, 64 outstanding";
const LENT: &str = "client passed, called once, dropped";

/// Every goal.
pub(super) const GOALS: [Goal; 34] = [
    ratio("null call, one thread, by irpc", ONE, "handover", "irpc", 0.7),
    ratio("null call in a context, by irpc", ONE, "handover, context", "irpc", 0.7),
    ratio("null call, one thread, by tarpc", ONE, "handover", "tarpc", 0.1),
    ratio("null call in a context, by tarpc", ONE, "handover, context", "tarpc", 0.1),
    allocations("null call, allocations", ONE, "handover", 1.0),
    ratio("null call encoded, one thread, by irpc", ONE, "handover encoded", "irpc", 0.9),
    ratio("null call encoded, one thread, by tarpc over a duplex", ONE, "handover encoded", "tarpc, duplex", 0.1),
    allocations("null call encoded, allocations", ONE, "handover encoded", 0.0),
    ratio("64 outstanding, one thread, by irpc", MANY, "handover", "irpc", 0.65),
    ratio("64 outstanding in a context, by irpc", MANY, "handover, context", "irpc", 0.65),
    ratio("two threads, 1 outstanding, by park and unpark", TWO, "handover", "park and unpark", 1.05),
    ratio("two contexts, 1 outstanding, while calls flow, by irpc", TWO, "handover, context", "irpc", 0.05),
    ratio("two threads, 64 outstanding, by irpc", TWO_MANY, "handover", "irpc", 0.6),
    rows("echo of 1 MiB moved, by a null call", "handover", "echo of 1 MiB, moved", ONE, 1.2),
    rows("echo of 1 000 structs, by a null call", "handover", "echo of 1 000 structs", ONE, 1.2),
    ratio(
        "echo of 1 MiB encoded, by capnp-rpc over a duplex",
        "echo of 1 MiB, Vec<u8>",
        "handover encoded",
        "capnp-rpc, duplex",
        0.5,
    ),
    ratio(
        "echo of 64 KiB encoded, by capnp-rpc over a duplex",
        "echo of 64 KiB, Vec<u8>",
        "handover encoded",
        "capnp-rpc, duplex",
        0.5,
    ),
    ratio(
        "stream from the service, one thread, by tonic",
        "item of a stream from the service, one thread",
        "handover",
        "tonic, duplex",
        0.5,
    ),
    ratio(
        "stream to the service, one thread, by tonic",
        "item of a stream to the service, one thread",
        "handover",
        "tonic, duplex",
        0.5,
    ),
    ratio(
        "stream from the service, two threads, by tonic",
        "item of a stream from the service, two threads",
        "handover",
        "tonic, duplex",
        0.5,
    ),
    ratio(
        "stream to the service, two threads, by tonic",
        "item of a stream to the service, two threads",
        "handover",
        "tonic, duplex",
        0.5,
    ),
    ratio("call by a right with a count and a rate, by a null call", ONE, "handover, by a right", "handover", 1.2),
    ratio(
        "call by a right with a count and a rate, by a null call, in a context",
        ONE,
        "handover, by a right, context",
        "handover, context",
        1.2,
    ),
    ratio("client passed, by capnp-rpc", LENT, "handover", "capnp-rpc", 0.3),
    ratio("client passed in a context, by capnp-rpc", LENT, "handover, context", "capnp-rpc, context", 0.3),
    ratio("client passed, by remoc over a duplex", LENT, "handover", "remoc, duplex", 0.05),
    Goal {
        name: "bytes of an idle connection, by irpc",
        figure: Figure::Kept { ours: "handover", theirs: "irpc" },
        limit: 0.5,
    },
    growth("10 000 outstanding, by 1", "calls that wait in the queue: handover", " 10000"),
    growth("10 000 outstanding encoded, by 1", "calls that wait in the queue: handover encoded", " 10000"),
    growth("10 000 in handlers, by 1", "calls that wait in handlers: handover", " 10000"),
    growth("10 000 in handlers encoded, by 1", "calls that wait in handlers: handover encoded", " 10000"),
    growth("100 000 ports, by 1", "ports in a context: handover", "100000"),
    growth("100 000 ports encoded, by 1", "ports in a context: handover encoded", "100000"),
    growth("50 methods, by 1", "methods of the service: handover", "    50"),
];

const fn ratio(name: &'static str, row: &'static str, ours: &'static str, theirs: &'static str, limit: f64) -> Goal {
    Goal { name, figure: Figure::Ratio { row, ours, theirs }, limit }
}

const fn rows(name: &'static str, ours: &'static str, row: &'static str, by: &'static str, limit: f64) -> Goal {
    Goal { name, figure: Figure::Rows { ours, row, by }, limit }
}

const fn allocations(name: &'static str, row: &'static str, ours: &'static str, limit: f64) -> Goal {
    Goal { name, figure: Figure::Allocations { row, ours }, limit }
}

const fn growth(name: &'static str, row: &'static str, size: &'static str) -> Goal {
    Goal { name, figure: Figure::Growth { row, size }, limit: 1.2 }
}

impl Goal {
    /// How it stands in these runs.
    pub(super) fn standing(&self, runs: &Runs) -> Standing {
        let figures = match self.figure {
            // Counted once: the same in every run.
            Figure::Kept { .. } | Figure::Allocations { .. } => self.figure.in_run(&runs.counts).into_iter().collect(),
            Figure::Ratio { .. } | Figure::Rows { .. } | Figure::Growth { .. } => {
                runs.runs.iter().filter_map(|run| self.figure.in_run(run)).collect()
            }
        };
        Standing { figures, limit: self.limit }
    }
}

impl Figure {
    fn in_run(self, run: &Results) -> Option<f64> {
        match self {
            Self::Ratio { row, ours, theirs } => ratio_in(run, (row, ours), (row, theirs)),
            Self::Rows { ours, row, by } => {
                Some(run.median(Column::Time, row, ours)? / run.median(Column::Time, by, ours)?)
            }
            Self::Kept { ours, theirs } => {
                let kept = |name| run.median(Column::Bytes, "connection idle", name);
                Some(kept(ours)? / kept(theirs)?)
            }
            // Rare ones, as when a queue grows, are no allocation of the call.
            Self::Allocations { row, ours } => {
                Some((run.median(Column::Allocations, row, ours)? * 20.0).round() / 20.0)
            }
            Self::Growth { row, size } => run.median(Column::Growth, row, size),
        }
    }
}

/// The middle one of the quotients of all rounds.
pub(super) fn ratio_in(run: &Results, ours: (&str, &str), theirs: (&str, &str)) -> Option<f64> {
    let (ours, theirs) = (run.get(Column::Time, ours.0, ours.1)?, run.get(Column::Time, theirs.0, theirs.1)?);
    median(&ours.iter().zip(theirs).map(|(ours, theirs)| ours / theirs).collect::<Vec<_>>())
}

impl Standing {
    /// In how many runs it holds.
    pub(super) fn held(&self) -> usize {
        self.figures.iter().filter(|figure| **figure <= self.limit).count()
    }

    /// In a word.
    pub(super) fn word(&self) -> &'static str {
        match (self.held(), self.figures.len()) {
            (_, 0) => "not measured",
            (held, all) if held == all => "holds",
            (0, _) => "does not hold",
            _ => "holds in some runs",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CONTENDERS, ROWS};

    fn run(ours: &[f64], theirs: &[f64]) -> Results {
        let mut run = Results::default();
        run.set(Column::Time, ONE, "handover", ours.to_vec());
        run.set(Column::Time, ONE, "irpc", theirs.to_vec());
        run
    }

    #[test]
    fn a_ratio_is_taken_within_rounds_and_not_of_medians() {
        let run = run(&[100.0, 200.0, 900.0], &[100.0, 400.0, 300.0]);

        assert_eq!(ratio_in(&run, (ONE, "handover"), (ONE, "irpc")), Some(1.0));
    }

    #[test]
    fn a_goal_holds_if_it_holds_in_every_run() {
        let goal = ratio("", ONE, "handover", "irpc", 0.7);
        let (fast, slow) = (run(&[60.0], &[100.0]), run(&[80.0], &[100.0]));
        let word = |runs| goal.standing(&Runs { runs, counts: Results::default() }).word();

        assert_eq!(word(vec![fast.clone(), fast.clone()]), "holds");
        assert_eq!(word(vec![fast, slow.clone()]), "holds in some runs");
        assert_eq!(word(vec![slow]), "does not hold");
        assert_eq!(word(vec![]), "not measured");
    }

    #[test]
    fn every_goal_speaks_of_rows_and_contenders_that_there_are() {
        let takes_part = |row: &str, name: &str| {
            let contenders = CONTENDERS.iter().filter(|contender| contender.name == name);
            let mut rows = ROWS.iter().filter(|own| own.to_string() == row);
            rows.any(|row| contenders.clone().any(|contender| contender.run(row).is_some()))
        };
        for Goal { name, figure, .. } in GOALS {
            let is_there = match figure {
                Figure::Ratio { row, ours, theirs } => takes_part(row, ours) && takes_part(row, theirs),
                Figure::Rows { ours, row, by } => takes_part(row, ours) && takes_part(by, ours),
                Figure::Kept { ours, theirs } => {
                    ["connection idle"].iter().all(|row| takes_part(row, ours) && takes_part(row, theirs))
                }
                Figure::Allocations { row, ours } => takes_part(row, ours),
                // Its rows are those of another program.
                Figure::Growth { .. } => true,
            };
            assert!(is_there, "{name}");
        }
    }
}
