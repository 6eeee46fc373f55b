//! What a call costs: `cargo bench -p handover-bench-peers --bench calls -- FILTER`.
//!
//! Machines are noisy, so in each row all contenders take turns, round after round, and each is compared with the yardsticks
//! of the same round. The times of two runs cannot be compared; their ratios can.

use std::{
    fmt,
    process::{Command, Stdio},
    sync::LazyLock,
    time::Instant,
};

use handover_bench_peers::{Contender, Filter, Heat, Row};

/// How often the contenders of a row take turns.
const ROUNDS: usize = 60;

/// How long a turn takes, about, in nanoseconds.
const TURN: f64 = 10e6;

/// The systems that everyone is compared with.
const YARDSTICKS: [&str; 2] = ["async-channel", "tarpc"];

fn main() {
    let filter = Filter::from_args();
    let mut allocations = count_allocations(&filter).into_iter();
    println!("Medians of {ROUNDS} rounds, and their quartiles. A yardstick is on the same executor if it can be.");
    for heat in filter.heats() {
        let times = take_turns(&heat);
        print_heading(heat.row);
        for (contender, own) in heat.contenders.iter().zip(&times) {
            let ratios = YARDSTICKS.map(|yardstick| {
                yardstick_for(contender, yardstick, &heat).map(|index| Quartiles::of_ratios(own, &times[index]))
            });
            let allocations = allocations.next().expect("both programs select the same");
            print_line(contender, &Quartiles::of(own), ratios, allocations);
        }
    }
}

/// Runs the program that counts them: here, counting would take time.
fn count_allocations(filter: &Filter) -> Vec<f64> {
    let mut program = Command::new(env!("CARGO_BIN_EXE_count-allocations"));
    let output = program.args(filter.as_arg()).stderr(Stdio::inherit()).output().expect("cargo has built the program");
    assert!(output.status.success(), "allocations could not be counted: {}", output.status);
    let lines = String::from_utf8(output.stdout).expect("the program prints text");
    lines.lines().map(|line| line.parse().expect("each line is a number")).collect()
}

/// Measures the nanoseconds that a call takes: for each contender, round by round.
fn take_turns(heat: &Heat) -> Vec<Vec<f64>> {
    let calls: Vec<_> = heat.contenders.iter().map(|contender| calls_a_turn(heat.row, contender)).collect();
    let mut times = vec![Vec::with_capacity(ROUNDS); calls.len()];
    for round in 0..ROUNDS {
        for place in 0..calls.len() {
            // Back and forth, so that nobody always has the same neighbour before it.
            let index = if round % 2 == 0 { place } else { calls.len() - 1 - place };
            times[index].push(time_a_call(heat.row, &heat.contenders[index], calls[index]));
        }
    }
    times
}

fn calls_a_turn(row: Row, contender: &Contender) -> u32 {
    let trial = row.round_up(1000);
    let calls = TURN / time_a_call(row, contender, trial);
    // `as` saturates, which is as good as any other number here.
    row.round_up((calls as u32).clamp(64, 1_000_000))
}

fn time_a_call(row: Row, contender: &Contender, calls: u32) -> f64 {
    contender.measure(row, calls, nanoseconds) as f64 / f64::from(calls)
}

/// The time since some moment.
fn nanoseconds() -> u64 {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    START.elapsed().as_nanos() as u64
}

/// Where the times of the yardstick are: on the contender's executor, or on any.
fn yardstick_for(contender: &Contender, yardstick: &str, heat: &Heat) -> Option<usize> {
    let find = |wanted: &dyn Fn(&Contender) -> bool| {
        heat.contenders.iter().position(|other| other.system == yardstick && wanted(other))
    };
    find(&|other| other.executor == contender.executor).or_else(|| find(&|_| true))
}

fn print_heading(row: Row) {
    let [first, second] = YARDSTICKS.map(|yardstick| format!("to {yardstick}"));
    println!("\n{:30}{:>26}{first:>24}{second:>24}{:>14}", row.to_string(), "ns a call", "allocations");
}

fn print_line(contender: &Contender, times: &Quartiles, ratios: [Option<Quartiles>; 2], allocations: f64) {
    let [first, second] = ratios.map(|ratio| ratio.map_or("-".to_owned(), |ratio| format!("{ratio:.2}")));
    println!("{:30}{:>26}{first:>24}{second:>24}{allocations:>14.2}", contender.to_string(), format!("{times:.0}"));
}

/// The middle of what was measured, and how far it spreads.
struct Quartiles {
    lower: f64,
    median: f64,
    upper: f64,
}

impl Quartiles {
    fn of(values: &[f64]) -> Self {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let at = |part: usize| sorted[sorted.len() * part / 4];
        Self { lower: at(1), median: at(2), upper: at(3) }
    }

    /// Of the quotients, each within its round.
    fn of_ratios(values: &[f64], to: &[f64]) -> Self {
        let ratios: Vec<_> = values.iter().zip(to).map(|(value, to)| value / to).collect();
        Self::of(&ratios)
    }
}

impl fmt::Display for Quartiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { lower, median, upper } = self;
        let digits = f.precision().unwrap_or(0);
        write!(f, "{median:.digits$} ({lower:.digits$} to {upper:.digits$})")
    }
}
