//! Makes `benches/RESULTS.md` and `benches/chart.svg` of what was measured.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use clap::Parser;
use handover_bench_peers::{
    Results,
    report::{Circumstances, Runs, chart, page},
};

#[derive(Parser)]
struct Args {
    /// Where `run-1.tsv`, `run-2.tsv` and so on are, and `counts.tsv`
    #[arg(long)]
    from: PathBuf,
    /// Where the page and the chart go
    #[arg(long)]
    to: PathBuf,
    /// What whoever reads the page should know
    #[arg(long)]
    remark: Option<String>,
}

fn main() -> Result<(), String> {
    let args = Args::parse();
    let runs = (1..).map(|number| args.from.join(format!("run-{number}.tsv"))).take_while(|path| path.exists());
    let runs = runs.map(|path| read(&path)).collect::<Result<_, _>>()?;
    let counts = args.from.join("counts.tsv");
    let counts = if counts.exists() { read(&counts)? } else { Results::default() };
    let runs = Runs { runs, counts };
    let circumstances = Circumstances {
        date: output("date", &["+%F"]),
        machine: machine(),
        compiler: output("rustc", &["--version"]),
        versions: versions(&fs::read_to_string("Cargo.lock").unwrap_or_default()),
        remark: args.remark,
    };
    write(&args.to.join("RESULTS.md"), &page(&runs, &circumstances))?;
    write(&args.to.join("chart.svg"), &chart(&runs)?)
}

fn read(path: &Path) -> Result<Results, String> {
    let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    Results::parse(&text)
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))?;
    println!("{}", path.display());
    Ok(())
}

/// What a program says of this machine; nothing where there is no such program.
fn output(program: &str, args: &[&str]) -> String {
    let output = Command::new(program).args(args).output();
    output.map_or_else(|_| String::new(), |output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn machine() -> String {
    let processors = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = processors.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let model = model.map_or(env::consts::ARCH, |(_, model)| model);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{model}, {cores} cores, {} {}", env::consts::OS, env::consts::ARCH)
}

/// The systems that take part, as `Cargo.lock` has them.
fn versions(lock: &str) -> Vec<(String, String)> {
    const SYSTEMS: [&str; 8] = ["handover", "async-channel", "tokio", "irpc", "tarpc", "remoc", "capnp-rpc", "tonic"];
    let version = |system: &str| {
        let package =
            lock.split("[[package]]").find(|package| package.contains(&format!("\nname = \"{system}\"\n")))?;
        let version = package.lines().find_map(|line| line.strip_prefix("version = "))?;
        Some((system.to_owned(), version.trim_matches('"').to_owned()))
    };
    SYSTEMS.into_iter().filter_map(version).collect()
}
