//! `benches/RESULTS.md`.

use std::fmt::{self, Write};

use super::{Runs, tables};

/// Under which circumstances was measured.
#[derive(Clone, Debug)]
pub struct Circumstances {
    /// The day, as `2026-08-07`.
    pub date: String,
    /// The processor, how many cores of it, and the system.
    pub machine: String,
    /// The compiler.
    pub compiler: String,
    /// The systems and their versions.
    pub versions: Vec<(String, String)>,
    /// What else whoever reads it should know.
    pub remark: Option<String>,
}

/// The page, whole.
pub fn page(runs: &Runs, circumstances: &Circumstances) -> String {
    let mut page = String::new();
    match write_page(&mut page, runs, circumstances) {
        Ok(()) | Err(fmt::Error) => page,
    }
}

fn write_page(to: &mut String, runs: &Runs, circumstances: &Circumstances) -> fmt::Result {
    let Circumstances { date, machine, compiler, versions, remark } = circumstances;
    let versions: Vec<_> = versions.iter().map(|(name, version)| format!("{name} {version}")).collect();
    writeln!(to, "# What a call costs, beside others\n")?;
    writeln!(to, "Written by `cargo xtask bench`. {}\n", remark.as_deref().unwrap_or_default())?;
    let count = runs.runs.len();
    let plural = if count == 1 { "" } else { "s" };
    writeln!(to, "- {date}, {count} run{plural}, on {machine}")?;
    writeln!(to, "- {compiler}, release profile")?;
    writeln!(to, "- {}\n", versions.join(", "))?;
    writeln!(to, "{EXPLANATION}")?;
    writeln!(to, "![What a call costs](chart.svg)\n")?;
    writeln!(to, "## Goals\n")?;
    tables::goals(to, runs)?;
    writeln!(to, "\n## Rows\n")?;
    tables::rows(to, runs)?;
    writeln!(to, "## Growth\n")?;
    tables::growth(to, runs)?;
    writeln!(to, "\n## Compiling\n")?;
    tables::compiling(to, runs)
}

const EXPLANATION: &str = "\
In each row all contenders take turns, round after round, so what disturbs one disturbs all. Times of two runs cannot be compared, \
ratios can: a goal's figure is the middle one of the quotients of all rounds. Five processes, one after the other, run a part of the rounds \
each: where the stack and the heap lie is drawn anew for each, and moves a contender by up to a tenth. p99 is of pieces that were timed by themselves; with 64 \
outstanding it holds the waiting for the others. Allocations and their bytes are counted in a program of its own, and so are \
instructions, by callgrind, in one thread.

All run on tokio's executor of one thread, but for those called *context*. *Encoded* is handover with a service of another type than its \
client takes it for, so that everything goes as bytes and nothing as values. *Duplex* is a byte stream in memory of 64 KiB each way. \
With two threads, each has a core, and sleeps when it has nothing to do; *park and unpark* is what two such threads need at least. \
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_without_results_says_so_everywhere() {
        let circumstances = Circumstances {
            date: "2026-08-07".to_owned(),
            machine: "a machine".to_owned(),
            compiler: "rustc".to_owned(),
            versions: vec![("irpc".to_owned(), "0.17.0".to_owned())],
            remark: None,
        };

        let page = page(&Runs::default(), &circumstances);

        assert!(page.contains("2026-08-07, 0 runs, on a machine"), "{page}");
        assert!(page.contains("irpc 0.17.0"), "{page}");
        assert!(!page.contains("| holds |"), "{page}");
        assert!(page.contains("Not measured."), "{page}");
    }
}
