//! `cargo xtask cost`: counts what the main paths cost, and holds it to the table.

use std::{env, ffi::OsString, fs, path::PathBuf, process::Command, process::ExitCode};

use clap::Parser;
use handover_bench_cost::{
    allocations::{COUNTING, Counting},
    instructions,
    measure::{Cost, Measure},
    paths::PATHS,
    table::Table,
};

#[global_allocator]
static ALLOCATOR: Counting = COUNTING;

/// Counts what the main paths cost, and fails where one allocates more than in the table, or runs over 3 % more instructions.
#[derive(Debug, Parser)]
struct Args {
    /// The committed table
    #[arg(long, default_value = "benches/COST.md")]
    table: PathBuf,
    /// Writes the table anew
    #[arg(long)]
    bless: bool,
    /// Goes the paths between marks, for callgrind
    #[arg(long, hide = true)]
    marked: bool,
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(sentence) => {
            println!("{sentence}");
            ExitCode::SUCCESS
        }
        Err(sentence) => {
            eprintln!("{sentence}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<String, String> {
    if args.marked {
        go_between_marks();
        return Ok(String::new());
    }
    let (new, note) = count()?;
    if args.bless {
        return bless(args, &new);
    }
    let text =
        fs::read_to_string(&args.table).map_err(|error| format!("there is no table: {error}; --bless makes one"))?;
    let verdict = Table::parse(&text)?.compare(&new);
    verdict.remarks.iter().for_each(|remark| println!("{remark}"));
    match &verdict.failures[..] {
        [] => Ok(format!("cost: {} paths, none costs more than in {}{note}", PATHS.len(), args.table.display())),
        failures => Err(format!(
            "{}\ncost: these are over the table; if they have to be, --bless writes it anew",
            failures.join("\n")
        )),
    }
}

fn bless(args: &Args, new: &Table) -> Result<String, String> {
    if new.rows.iter().any(|(_, cost)| cost.instructions.is_none()) {
        return Err("valgrind is not installed, so the table would lose its instructions".to_owned());
    }
    fs::write(&args.table, new.to_string()).map_err(|error| format!("the table could not be written: {error}"))?;
    Ok(format!("cost: {} paths written to {}", PATHS.len(), args.table.display()))
}

/// Counts everything that can be counted here, and says what cannot.
fn count() -> Result<(Table, &'static str), String> {
    let mut costs = PATHS.map(|path| Cost::of_allocations(path.go, path.times));
    let mut note = "; valgrind is not installed, so instructions were not counted";
    if instructions::can_be_counted() {
        note = "";
        for ((path, cost), instructions) in PATHS.iter().zip(&mut costs).zip(count_instructions()?) {
            cost.instructions = Some(instructions as f64 / f64::from(path.times));
        }
    }
    let rows = PATHS.iter().zip(costs).map(|(path, cost)| (path.name.to_owned(), cost)).collect();
    Ok((Table { made_with: made_with(), rows }, note))
}

fn count_instructions() -> Result<Vec<u64>, String> {
    let program = env::current_exe().map_err(|error| format!("this program cannot be found: {error}"))?;
    let stretches = instructions::between_marks(&program, ["--marked"])?;
    // Between the paths there is what makes the next one ready, and what goes when the last one is dropped.
    let of_paths: Vec<_> = stretches.into_iter().step_by(2).collect();
    match of_paths.len() {
        count if count == PATHS.len() => Ok(of_paths),
        count => Err(format!("callgrind has seen {count} paths instead of {}", PATHS.len())),
    }
}

fn go_between_marks() {
    for path in PATHS {
        (path.go)(Measure { times: path.times, gauge: instructions::mark });
    }
}

/// What instructions depend on.
fn made_with() -> String {
    let compiler = first_words(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()), "--version");
    let library = first_words("getconf".into(), "GNU_LIBC_VERSION");
    format!("{compiler} and {library} on {} {}", env::consts::ARCH, env::consts::OS)
}

/// A name and a version, as a program tells them; nothing where there is no such program.
fn first_words(program: OsString, arg: &str) -> String {
    let output = Command::new(program).arg(arg).output();
    let text = output.map_or_else(|_| String::new(), |output| String::from_utf8_lossy(&output.stdout).into_owned());
    text.split_whitespace().take(2).collect::<Vec<_>>().join(" ")
}
