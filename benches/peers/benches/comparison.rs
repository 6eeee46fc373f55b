//! What the same work costs through each system: `cargo bench -p handover-bench-peers --bench comparison -- --row 'null call'`.
//!
//! Machines are noisy, so in each row all contenders take turns, round after round, and each is compared with the others of the
//! same round. The times of two runs cannot be compared; their ratios can.
//!
//! Where the stack and the heap lie is drawn anew for each process, and moves a contender by up to a tenth: so several processes, one after the
//! other, run a part of the rounds each.

use std::{
    env, fs,
    process::Command,
    time::{Duration, Instant},
};

use clap::Parser;
use handover_bench_peers::{Column, Contender, Heat, Measure, Results, Row, Selection, What, Work, nanoseconds};

/// How many processes share the rounds.
const PROCESSES: usize = 5;

fn main() -> Result<(), String> {
    let selection = Selection::parse();
    let heats = selection.heats().into_iter().filter(|heat| heat.row.work != Work::Idle);
    let results =
        if selection.is_part || selection.quick { measure(heats, selection.quick) } else { measure_in_parts()? };
    if let Some(path) = &selection.out {
        results.append(path).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    if selection.is_part {
        return Ok(());
    }
    println!(
        "Medians of rounds in which all take turns, and their quartiles. 99 of 100 pieces by themselves took no longer than p99."
    );
    for heat in selection.heats().iter().filter(|heat| heat.row.work != Work::Idle) {
        print(heat, &results);
    }
    Ok(())
}

/// Has processes measure, each a part of the rounds, and puts together what they have found.
fn measure_in_parts() -> Result<Results, String> {
    let this = env::current_exe().map_err(|error| format!("this program does not know where it is: {error}"))?;
    let mut results = Results::default();
    for part in 0..PROCESSES {
        let out = env::temp_dir().join(format!("handover-comparison-{}-{part}.tsv", std::process::id()));
        // Of two files the last that is named holds: the part's own.
        let status = Command::new(&this).args(env::args_os().skip(1)).arg("--is-part").arg("--out").arg(&out).status();
        let status = status.map_err(|error| format!("{}: {error}", this.display()))?;
        let text = fs::read_to_string(&out);
        let _may_not_be_there = fs::remove_file(&out);
        if !status.success() {
            return Err(format!("part {part} of the measurement ended with {status}"));
        }
        results.extend(Results::parse(&text.map_err(|error| format!("{}: {error}", out.display()))?)?);
    }
    Ok(results)
}

/// Measures the rows: a part of the rounds, or few.
fn measure(heats: impl Iterator<Item = Heat>, quick: bool) -> Results {
    let mut all = Results::default();
    for heat in heats {
        let plan = Plan::of(&heat.row, quick);
        let turns = take_turns(&heat, &plan);
        all.extend(results(&heat, turns));
    }
    all
}

/// A row takes no longer in one process, after so many rounds.
const LONGEST: Duration = Duration::from_millis(1800);
const LEAST_ROUNDS: usize = 1;

/// How much is done in a row.
struct Plan {
    /// How often the contenders take turns in one process.
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
            Work::Add | Work::Lend => (8, 5e6, (64, 100_000), 256),
            Work::Echo(_) | Work::EchoMoved(_) | Work::EchoPeople => (4, 5e6, (4, 20_000), 32),
            Work::Down | Work::Up => (2, 0.0, (100_000, 100_000), 20_000),
            Work::Connect | Work::Disconnect | Work::Idle => (1, 50e6, (100, 10_000), 0),
        };
        let rounds = if quick { 3 } else { rounds };
        Self { rounds, turn: if quick { turn / 5.0 } else { turn }, times, singly }
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

fn print(heat: &Heat, results: &Results) {
    println!("\n{:44}{:>30}{:>12}{:>12}", heat.row.to_string(), "ns", "p99", "x fastest");
    let row = heat.row.to_string();
    let rounds = |contender: &Contender| results.get(Column::Time, &row, contender.name).unwrap_or_default();
    let peers = heat.contenders.iter().filter(|contender| !contender.is_floor && !rounds(contender).is_empty());
    let fastest = peers.map(|contender| quartiles(rounds(contender))[1]).fold(f64::INFINITY, f64::min);
    for contender in heat.contenders.iter().filter(|contender| !rounds(contender).is_empty()) {
        let [lower, middle, upper] = quartiles(rounds(contender));
        let p99 = results.median(Column::P99, &row, contender.name).map_or("-".to_owned(), |p99| format!("{p99:.0}"));
        println!(
            "{:44}{:>30}{p99:>12}{:>12.2}",
            contender.to_string(),
            format!("{middle:.1} ({lower:.1} to {upper:.1})"),
            middle / fastest
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
