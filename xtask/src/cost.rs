//! `cargo xtask cost`: the gate that keeps the main paths from becoming dearer.

use crate::command_line::CommandLine;
use crate::run;

/// What `cargo xtask cost` takes.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Writes the table anew
    #[arg(long)]
    bless: bool,
}

/// Counts allocations, and instructions where there is a callgrind, and compares them with `benches/COST.md`.
pub(crate) fn cost(args: &Args) -> Result<(), String> {
    run::stream(&command(args))
}

/// As [`cost`], which changes nothing.
pub(crate) fn check() -> Result<(), String> {
    cost(&Args { bless: false })
}

fn command(args: &Args) -> CommandLine {
    let command = CommandLine::cargo("run --quiet --release --locked -p handover-bench-cost");
    if args.bless { command.arg("--").arg("--bless") } else { command }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_says_so_writes_the_table_anew() {
        assert_eq!(
            command(&Args { bless: false }).to_string(),
            "cargo run --quiet --release --locked -p handover-bench-cost"
        );
        assert!(command(&Args { bless: true }).to_string().ends_with(" -- --bless"));
    }
}
