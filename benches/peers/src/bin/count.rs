//! Counts what a piece of work allocates through each system, and with `--instructions` its instructions, by callgrind. Counting
//! takes time, so this is not the program that times.

use std::{env, ffi::OsString};

use clap::Parser;
use handover_bench_cost::{
    allocations::{self, COUNTING, Counting},
    instructions,
};
use handover_bench_peers::{Column, Contender, Gauge, Heat, Measure, Results, Row, Selection, Threads, What, Work};

#[global_allocator]
static ALLOCATOR: Counting = COUNTING;

#[derive(Parser)]
struct Args {
    #[command(flatten)]
    selection: Selection,
    /// Counts instructions and not allocations
    #[arg(long)]
    instructions: bool,
    /// Does the work between marks, for callgrind
    #[arg(long, hide = true)]
    marked: bool,
}

fn main() -> Result<(), String> {
    let args = Args::parse();
    let heats = args.selection.heats();
    if args.marked {
        cells(&heats).filter(|(row, _)| is_deterministic(row)).for_each(|(row, contender)| {
            count(row, contender, instructions::mark);
        });
        return Ok(());
    }
    let results = if args.instructions { count_instructions(&heats)? } else { count_allocations(&heats) };
    match &args.selection.out {
        Some(path) => results.append(path).map_err(|error| format!("{}: {error}", path.display())),
        None => {
            print!("{results}");
            Ok(())
        }
    }
}

fn cells(heats: &[Heat]) -> impl Iterator<Item = (&Row, &Contender)> {
    heats.iter().flat_map(|heat| heat.contenders.iter().map(|contender| (&heat.row, contender)))
}

/// What is counted in two threads depends on who is faster.
fn is_deterministic(row: &Row) -> bool {
    row.threads == Threads::One && !matches!(row.work, Work::Idle | Work::Disconnect)
}

fn count_allocations(heats: &[Heat]) -> Results {
    let mut results = Results::default();
    for (row, contender) in cells(heats) {
        match row.work {
            Work::Disconnect => {}
            Work::Idle => {
                results.set(Column::Bytes, row, contender, vec![count(row, contender, allocations::live_bytes)])
            }
            _ => {
                results.set(Column::Allocations, row, contender, vec![count(row, contender, allocations::count)]);
                results.set(Column::Bytes, row, contender, vec![count(row, contender, allocations::bytes)]);
            }
        }
    }
    results
}

fn count_instructions(heats: &[Heat]) -> Result<Results, String> {
    if !instructions::can_be_counted() {
        eprintln!("valgrind is not installed, so instructions are not counted");
        return Ok(Results::default());
    }
    let program = env::current_exe().map_err(|error| format!("this program cannot be found: {error}"))?;
    let args = env::args_os().skip(1).chain([OsString::from("--marked")]);
    let stretches = instructions::between_marks(&program, args)?;
    // Between the cells there is what makes the next one ready, and what goes when the last one is dropped.
    let counts: Vec<_> = stretches.into_iter().step_by(2).collect();
    let cells: Vec<_> = cells(heats).filter(|(row, _)| is_deterministic(row)).collect();
    if counts.len() != cells.len() {
        return Err(format!("callgrind has seen {} cells instead of {}", counts.len(), cells.len()));
    }
    let mut results = Results::default();
    for ((row, contender), count) in cells.into_iter().zip(counts) {
        results.set(Column::Instructions, row, contender, vec![count as f64 / f64::from(times(row))]);
    }
    Ok(results)
}

/// By how much a gauge rises for a piece of work.
fn count(row: &Row, contender: &Contender, gauge: Gauge) -> f64 {
    let run = contender.run(row).expect("only those who take part are in a heat");
    let whole: f64 = run(row, Measure { times: times(row), what: What::Whole(gauge) }).iter().sum();
    whole / f64::from(times(row))
}

/// Enough that what a queue allocates for many messages together shows as the fraction that it is.
fn times(row: &Row) -> u32 {
    match row.work {
        Work::Add => row.round_up(1_024),
        Work::Lend => 256,
        Work::Echo(bytes) | Work::EchoMoved(bytes) => {
            if bytes > 10_000 {
                4
            } else {
                256
            }
        }
        Work::EchoPeople => 4,
        Work::Down | Work::Up => 20_000,
        Work::Connect | Work::Disconnect | Work::Idle => 200,
    }
}
