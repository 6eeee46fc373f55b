//! `cargo xtask bench`: the same work through handover and its peers, in one run, and the page that is made of it.

use std::fs;
use std::path::{Path, absolute};

use crate::command_line::CommandLine;
use crate::{browser, run, target_folder};

/// What `cargo xtask bench` takes.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    place: Option<Place>,
    /// Only rows whose name contains this, printed and not written
    #[arg(long = "row", value_name = "TEXT")]
    rows: Vec<String>,
    /// Only contenders whose name contains this, printed and not written
    #[arg(long = "contender", value_name = "TEXT")]
    contenders: Vec<String>,
    /// Fewer rounds: to see that all is well, not to compare
    #[arg(long)]
    quick: bool,
    /// How often everything is measured
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..))]
    runs: u8,
    /// Only what services cost to compile, for the page of what was measured before: a quarter of an hour, at most twenty minutes
    #[arg(long, conflicts_with_all = ["rows", "contenders", "quick", "report_only"])]
    compile_time: bool,
    /// Makes the page and the chart anew of what was measured before
    #[arg(long)]
    report_only: bool,
    /// What whoever reads the page should know
    #[arg(long, value_name = "SENTENCE")]
    remark: Option<String>,
}

/// Where else there is something to measure.
#[derive(Debug, clap::Subcommand)]
enum Place {
    /// Calls from a page to its worker beside JavaScript's and Rust's, and the size of the smallest page
    Browser(browser::BenchArgs),
}

/// Measures, and writes `benches/RESULTS.md` and `benches/chart.svg`.
pub(crate) fn bench(args: &Args) -> Result<(), String> {
    if let Some(Place::Browser(args)) = &args.place {
        return browser::bench(args);
    }
    let folder =
        absolute(target_folder().join("bench")).map_err(|error| format!("there is no target folder: {error}"))?;
    if args.is_whole() {
        // What is left of other runs would be taken for part of this one.
        let _none = fs::remove_dir_all(&folder);
    }
    fs::create_dir_all(&folder).map_err(|error| format!("could not create {}: {error}", folder.display()))?;
    steps(args, &folder).iter().try_for_each(run::stream)
}

impl Args {
    /// Whether only a part of the table is wanted, which makes no page.
    fn is_partial(&self) -> bool {
        !self.rows.is_empty() || !self.contenders.is_empty()
    }

    /// Whether everything is measured anew.
    fn is_whole(&self) -> bool {
        !self.report_only && !self.compile_time && !self.is_partial()
    }

    fn selection(&self) -> Vec<String> {
        let rows = self.rows.iter().flat_map(|row| ["--row".to_owned(), row.clone()]);
        let contenders = self.contenders.iter().flat_map(|contender| ["--contender".to_owned(), contender.clone()]);
        rows.chain(contenders).chain(self.quick.then(|| "--quick".to_owned())).collect()
    }
}

fn steps(args: &Args, folder: &Path) -> Vec<CommandLine> {
    let selection = args.selection();
    let file = |name: &str| folder.join(name).to_string_lossy().into_owned();
    if args.is_partial() {
        return vec![benchmark("comparison").args(&selection), program("count").args(&selection)];
    }
    let mut steps = Vec::new();
    let counts = file("counts.tsv");
    if args.compile_time {
        steps.push(CommandLine::new("python3", "benches/compile-time.py --minutes 20 --out").arg(&counts));
    }
    if args.is_whole() {
        for number in 1..=args.runs {
            let out = ["--out".to_owned(), file(&format!("run-{number}.tsv"))];
            steps.extend(["comparison", "scaling"].map(|name| benchmark(name).args(&selection).args(&out)));
        }
        steps.push(program("count").arg("--out").arg(&counts));
        steps.push(program("count").arg("--instructions").arg("--out").arg(&counts));
    }
    let report = program("report").arg("--from").arg(&folder.to_string_lossy()).arg("--to").arg("benches");
    steps.push(match &args.remark {
        Some(remark) => report.arg("--remark").arg(remark),
        None => report,
    });
    steps
}

fn benchmark(name: &str) -> CommandLine {
    CommandLine::cargo("bench --locked -p handover-bench-peers --bench").arg(name).arg("--")
}

fn program(name: &str) -> CommandLine {
    CommandLine::cargo("run --quiet --release --locked -p handover-bench-peers --bin").arg(name).arg("--")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commands(args: Args) -> Vec<String> {
        steps(&args, Path::new("/target/bench")).iter().map(ToString::to_string).collect()
    }

    fn plain() -> Args {
        Args {
            place: None,
            rows: Vec::new(),
            contenders: Vec::new(),
            quick: false,
            runs: 1,
            compile_time: false,
            report_only: false,
            remark: None,
        }
    }

    #[test]
    fn each_run_has_a_file_of_its_own_and_counting_is_done_once() {
        let commands = commands(Args { runs: 3, quick: true, ..plain() });

        assert_eq!(
            commands.iter().filter(|command| command.contains("--bench comparison -- --quick --out")).count(),
            3
        );
        assert!(commands[2].ends_with("--out /target/bench/run-2.tsv"), "{commands:?}");
        assert_eq!(commands.iter().filter(|command| command.contains("--bin count")).count(), 2);
        assert!(
            commands.last().unwrap().ends_with("--bin report -- --from /target/bench --to benches"),
            "{commands:?}"
        );
    }

    #[test]
    fn a_part_of_the_table_is_printed_and_makes_no_page() {
        let commands = commands(Args { rows: vec!["null call".to_owned()], ..plain() });

        assert!(commands[0].ends_with("--bench comparison -- --row 'null call'"), "{commands:?}");
        assert!(
            !commands.iter().any(|command| command.contains("--out") || command.contains("--bin report")),
            "{commands:?}"
        );
    }

    #[test]
    fn what_services_cost_to_compile_is_added_to_what_was_measured_before() {
        let commands = commands(Args { compile_time: true, ..plain() });

        assert_eq!(commands.len(), 2, "{commands:?}");
        assert_eq!(commands[0], "python3 benches/compile-time.py --minutes 20 --out /target/bench/counts.tsv");
        assert!(commands[1].contains("--bin report"), "{commands:?}");
    }

    #[test]
    fn a_report_alone_measures_nothing() {
        let commands = commands(Args { report_only: true, remark: Some("On a train.".to_owned()), ..plain() });

        assert_eq!(commands.len(), 1);
        assert!(commands[0].ends_with("--remark 'On a train.'"), "{commands:?}");
    }
}
