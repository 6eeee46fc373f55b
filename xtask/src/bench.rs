//! `cargo xtask bench`: the same work through handover and its peers, in one run.

use crate::command_line::CommandLine;
use crate::run;

/// What `cargo xtask bench` takes.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Passed on to the benchmarks: a filter, or an option of their harness
    #[arg(last = true, value_name = "FILTER")]
    passed_on: Vec<String>,
}

/// Runs the benchmarks.
pub(crate) fn bench(args: &Args) -> Result<(), String> {
    run::stream(&command(&args.passed_on))
}

fn command(passed_on: &[String]) -> CommandLine {
    // Bench targets only: the package's library has a test harness, which refuses a benchmark's options.
    let command = CommandLine::cargo("bench -p handover-bench-peers --locked --bench *");
    match passed_on {
        [] => command,
        args => command.arg("--").args(args),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_is_passed_on_to_the_benchmarks() {
        let command = command(&["round trip".to_owned()]);

        assert_eq!(command.to_string(), "cargo bench -p handover-bench-peers --locked --bench '*' -- 'round trip'");
    }
}
