//! What the same work costs through each system: `cargo bench -p handover-bench-peers --bench comparison -- --row 'null call'`.
//!
//! Machines are noisy, so in each row all contenders take turns, round after round, and each is compared with the others of the
//! same round. The times of two runs cannot be compared; their ratios can.

use std::time::{Duration, Instant};

use clap::Parser;
use handover_bench_peers::{Column, Contender, Heat, Measure, Results, Row, Selection, What, Work, nanoseconds};

fn main() -> Result<(), String> {
    let selection = Selection::parse();
    println!(
        "Medians of rounds in which all take turns, and their quartiles. 99 of 100 pieces by themselves took no longer than p99."
    );
    for heat in selection.heats().iter().filter(|heat| heat.row.work != Work::Idle) {
        let plan = Plan::of(&heat.row, selection.quick);
        let turns = take_turns(heat, &plan);
        print(heat, &turns);
        if let Some(path) = &selection.out {
            let results = results(heat, turns);
            results.append(path).map_err(|error| format!("{}: {error}", path.display()))?;
        }
    }
    Ok(())
}

/// A row takes no longer, after so many rounds.
const LONGEST: Duration = Duration::from_secs(9);
const LEAST_ROUNDS: usize = 5;

/// How much is done in a row.
struct Plan {
    /// How often the contenders take turns.
    rounds: usize,
    /// How long a turn takes, about, in nanoseconds.
    turn: f64,
    /// At least so often, and at most so often, the work is done in a turn.
    times: (u32, u32),
    /// So often it is timed by itself in a turn.
    singly: u32,
}

impl Plan {
    fn of(row: &Row, quick: bool) -> Self {
        let (rounds, turn, times, singly) = match row.work {
            Work::Add | Work::Lend => (40, 5e6, (64, 100_000), 256),
            Work::Echo(_) | Work::EchoMoved(_) | Work::EchoPeople => (20, 5e6, (4, 20_000), 32),
            Work::Down | Work::Up => (10, 0.0, (100_000, 100_000), 20_000),
            Work::Connect | Work::Disconnect | Work::Idle => (5, 50e6, (100, 10_000), 0),
        };
        let quick_rounds = if quick { 3 } else { rounds };
        Self { rounds: quick_rounds, turn: if quick { turn / 5.0 } else { turn }, times, singly }
    }
}

/// What a contender has taken.
#[derive(Clone, Default)]
struct Turns {
    /// The nanoseconds of a piece of work, round by round.
    rounds: Vec<f64>,
    /// Those of pieces that were timed by themselves.
    singly: Vec<f64>,
}

fn take_turns(Heat { row, contenders }: &Heat, plan: &Plan) -> Vec<Turns> {
    let times: Vec<_> = contenders.iter().map(|contender| times_a_turn(row, contender, plan)).collect();
    let mut turns = vec![Turns::default(); contenders.len()];
    let begun = Instant::now();
    for round in 0..plan.rounds {
        // Slow contenders do not make the whole endless.
        if round >= LEAST_ROUNDS && begun.elapsed() > LONGEST {
            break;
        }
        for place in 0..contenders.len() {
            // Back and forth, so that nobody always has the same neighbour before it.
            let index = if round % 2 == 0 { place } else { contenders.len() - 1 - place };
            let (contender, turns) = (&contenders[index], &mut turns[index]);
            turns.rounds.push(time(row, contender, times[index]));
            let singly = row.round_up(plan.singly.min(times[index]));
            turns.singly.extend(run(row, contender, Measure { times: singly, what: What::Each }));
        }
    }
    turns
}

/// So often that the turn takes as long as it should.
fn times_a_turn(row: &Row, contender: &Contender, plan: &Plan) -> u32 {
    let (least, most) = plan.times;
    if least == most {
        return row.round_up(most);
    }
    let mut trial = row.round_up(least.min(16));
    loop {
        let each = time(row, contender, trial);
        if each * f64::from(trial) > plan.turn / 10.0 || trial >= most {
            // `as` saturates, which is as good as any other number here.
            return row.round_up(((plan.turn / each) as u32).clamp(least, most));
        }
        trial *= 4;
    }
}

fn time(row: &Row, contender: &Contender, times: u32) -> f64 {
    let whole: f64 = run(row, contender, Measure { times, what: What::Whole(nanoseconds) }).iter().sum();
    whole / f64::from(times)
}

fn run(row: &Row, contender: &Contender, measure: Measure) -> Vec<f64> {
    contender.run(row).expect("only those who take part are in a heat")(row, measure)
}

fn results(heat: &Heat, turns: Vec<Turns>) -> Results {
    let mut results = Results::default();
    for (contender, turns) in heat.contenders.iter().zip(turns) {
        if let Some(p99) = p99(&turns.singly) {
            results.set(Column::P99, heat.row, contender, vec![p99]);
        }
        results.set(Column::Time, heat.row, contender, turns.rounds);
    }
    results
}

fn print(heat: &Heat, turns: &[Turns]) {
    println!("\n{:44}{:>30}{:>12}{:>12}", heat.row.to_string(), "ns", "p99", "x fastest");
    let medians: Vec<_> = turns.iter().map(|turns| quartiles(&turns.rounds)[1]).collect();
    let peers = heat.contenders.iter().zip(&medians).filter(|(contender, _)| !contender.is_floor);
    let fastest = peers.map(|(_, median)| *median).fold(f64::INFINITY, f64::min);
    for (contender, (turns, median)) in heat.contenders.iter().zip(turns.iter().zip(&medians)) {
        let [lower, middle, upper] = quartiles(&turns.rounds);
        let p99 = p99(&turns.singly).map_or("-".to_owned(), |p99| format!("{p99:.0}"));
        println!(
            "{:44}{:>30}{p99:>12}{:>12.2}",
            contender.to_string(),
            format!("{middle:.1} ({lower:.1} to {upper:.1})"),
            median / fastest
        );
    }
}

fn quartiles(numbers: &[f64]) -> [f64; 3] {
    let mut sorted = numbers.to_vec();
    sorted.sort_by(f64::total_cmp);
    [1, 2, 3].map(|part| sorted[sorted.len() * part / 4])
}

fn p99(numbers: &[f64]) -> Option<f64> {
    let mut sorted = numbers.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() * 99 / 100).copied()
}
