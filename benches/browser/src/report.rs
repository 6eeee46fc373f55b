//! `benches/BROWSER.md`.

use std::error::Error;
use std::fmt::{self, Write};
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::results::Engine;

const RAW: &str = "raw postMessage";
const OURS: &str = "handover";
const RAW_RUST: &str = "raw, from Rust";
const MESSAGES: &str = "handover's messages, raw";
const PORTS: &str = "handover's ports, no calls";

/// What handover is to reach: in this row, so many times as many calls as this one makes.
const GOALS: [(&str, &str, f64); 4] = [
    ("null call", RAW, 0.9),
    ("64 outstanding", RAW, 3.0),
    ("64 outstanding", "Comlink", 5.0),
    ("1 MiB moved", RAW, 0.9),
];

/// How large the smallest page may be, in bytes, as it travels.
const MOST_BYTES: u64 = 60_000;

/// How large a page is, in bytes.
struct Size {
    name: String,
    wasm: u64,
    script: u64,
    wasm_compressed: u64,
    script_compressed: u64,
}

/// Prints what was measured, and writes it as a page.
pub(crate) fn report(from: &Path, to: Option<&Path>) -> Result<(), Box<dyn Error>> {
    let sizes =
        read_sizes(&fs::read_to_string(from.join("sizes.tsv"))?).ok_or("sizes.tsv is not what size.mjs prints")?;
    let mut engines = Vec::new();
    for name in ["chromium", "firefox", "webkit"] {
        if let Ok(text) = fs::read_to_string(from.join(name).with_extension("json")) {
            engines.push((name, serde_json::from_str(&text)?));
        }
    }
    let mut page = String::new();
    write_page(&mut page, &sizes, &engines, &versions(from)?)?;
    print!("{page}");
    if let Some(to) = to {
        fs::write(to, page)?;
    }
    Ok(())
}

fn read_sizes(text: &str) -> Option<Vec<Size>> {
    let read = |line: &str| {
        let mut fields = line.split('\t');
        let name = fields.next()?.to_owned();
        let mut number = || fields.next()?.parse().ok();
        let (wasm, script, wasm_compressed, script_compressed) = (number()?, number()?, number()?, number()?);
        Some(Size { name, wasm, script, wasm_compressed, script_compressed })
    };
    text.lines().map(read).collect()
}

/// Everything that was measured with, by the locks of cargo and npm.
fn versions(from: &Path) -> Result<String, Box<dyn Error>> {
    let modules = from.join("node_modules");
    let of_npm = |name: &str| -> Result<String, Box<dyn Error>> {
        let package: serde_json::Value =
            serde_json::from_str(&fs::read_to_string(modules.join(name).join("package.json"))?)?;
        Ok(format!("{name} {}", package["version"].as_str().unwrap_or_default()))
    };
    let lock = fs::read_to_string("Cargo.lock")?;
    let of_cargo = |name: &str| {
        let mut lines = lock.lines().skip_while(|line| *line != format!("name = \"{name}\""));
        let version = lines.nth(1).and_then(|line| line.split('"').nth(1)).unwrap_or_default();
        format!("{name} {version}")
    };
    let of_npm: Vec<_> =
        ["comlink", "capnweb", "binaryen"].iter().map(|name| of_npm(name)).collect::<Result<_, _>>()?;
    let of_cargo = ["web-rpc", "wasm-bindgen", "handover"].map(of_cargo);
    Ok([of_npm, of_cargo.to_vec()].concat().join(", "))
}

fn write_page(to: &mut String, sizes: &[Size], engines: &[(&str, Engine)], versions: &str) -> fmt::Result {
    writeln!(to, "# From a page to its worker, beside others\n")?;
    writeln!(to, "Written by `cargo xtask bench browser`.\n")?;
    writeln!(to, "- {}, on {}", today(), machine())?;
    writeln!(to, "- {versions}")?;
    let engines_in_words: Vec<_> =
        engines.iter().map(|(name, engine)| format!("{name} ({})", engine.version)).collect();
    writeln!(to, "- {}\n", engines_in_words.join(", "))?;
    writeln!(to, "{EXPLANATION}")?;
    writeln!(to, "## Goals\n")?;
    write_goals(to, sizes, engines)?;
    for (name, engine) in engines {
        writeln!(to, "\n## {name}\n")?;
        write_engine(to, engine)?;
    }
    writeln!(to, "\n## Size of `hello`\n")?;
    write_sizes(to, sizes)
}

fn write_goals(to: &mut String, sizes: &[Size], engines: &[(&str, Engine)]) -> fmt::Result {
    if !engines.is_empty() {
        write_goals_of_calls(to, engines)?;
    }
    write_goal_of_size(to, sizes)
}

fn write_goal_of_size(to: &mut String, sizes: &[Size]) -> fmt::Result {
    let compressed = |name| {
        let size = sizes.iter().find(|size| size.name == name)?;
        Some(size.wasm_compressed + size.script_compressed)
    };
    let Some(bytes) = compressed(OURS) else { return Ok(()) };
    let verdict = verdict(bytes <= MOST_BYTES);
    write!(to, "`hello` for a browser, compressed: at most {MOST_BYTES} bytes; {bytes}, {verdict}.")?;
    match compressed(PORTS) {
        Some(ports) => writeln!(to, " Its ports alone, without calls: {ports}."),
        None => writeln!(to),
    }
}

fn write_goals_of_calls(to: &mut String, engines: &[(&str, Engine)]) -> fmt::Result {
    let names: Vec<_> = engines.iter().map(|(name, _)| *name).collect();
    writeln!(to, "| goal | {} |", names.join(" | "))?;
    writeln!(to, "|---|{}", "--:|".repeat(names.len()))?;
    for (row, other, least) in GOALS {
        write!(to, "| {row}: at least {least} × {other} |")?;
        for (_, engine) in engines {
            match engine.ratio(row, OURS, other) {
                Some(ratio) => write!(to, " {ratio:.2}, {} |", verdict(ratio >= least))?,
                None => write!(to, " |")?,
            }
        }
        writeln!(to)?;
        for (floor, contender) in [("its messages alone", MESSAGES), ("raw, from Rust", RAW_RUST)] {
            write!(to, "| … {floor} |")?;
            for (_, engine) in engines {
                match engine.ratio(row, contender, other) {
                    Some(ratio) => write!(to, " {ratio:.2} |")?,
                    None => write!(to, " |")?,
                }
            }
            writeln!(to)?;
        }
    }
    writeln!(to)
}

fn verdict(holds: bool) -> &'static str {
    if holds { "held" } else { "**missed**" }
}

fn write_engine(to: &mut String, engine: &Engine) -> fmt::Result {
    let rows = engine.rows();
    writeln!(to, "Calls per second, and × raw `postMessage`.\n")?;
    writeln!(to, "| | {} |", rows.join(" | "))?;
    writeln!(to, "|---|{}", "--:|".repeat(rows.len()))?;
    for contender in engine.contenders() {
        write!(to, "| {contender} |")?;
        for row in &rows {
            match (engine.per_second(row, contender), engine.ratio(row, contender, RAW)) {
                (Some(calls), Some(ratio)) => write!(to, " {} ({ratio:.2}) |", short(calls))?,
                _ => write!(to, " |")?,
            }
        }
        writeln!(to)?;
    }
    Ok(())
}

/// Three digits are all that means anything.
fn short(calls: f64) -> String {
    if calls >= 10.0 { format!("{calls:.0}") } else { format!("{calls:.2}") }
}

fn write_sizes(to: &mut String, sizes: &[Size]) -> fmt::Result {
    writeln!(
        to,
        "A page with one service of one method in a worker; `opt-level = \"z\"`, `lto`, `wasm-opt` with the flags of `size.mjs`, brotli. \
         The second posts a message there and one back by a port, and has no service. In bytes.\n"
    )?;
    writeln!(to, "| | wasm | its script | wasm, compressed | script, compressed |")?;
    writeln!(to, "|---|--:|--:|--:|--:|")?;
    for Size { name, wasm, script, wasm_compressed, script_compressed } in sizes {
        writeln!(to, "| {name} | {wasm} | {script} | {wasm_compressed} | {script_compressed} |")?;
    }
    Ok(())
}

const EXPLANATION: &str = "\
Everybody is served in one worker and called from one page, over a `MessagePort` of their own, and all take turns, round after round, so what disturbs one \
disturbs all; and so on several pages. In workers of their own, ratios of the same code were a third apart: which processor a thread is on, and how soon it is woken, is a matter of chance, and stays \
so as long as there is the thread. Before each row everybody has worked for eight seconds, all at once, so that engines have compiled what matters. Calls per second are medians; a ratio is the middle one of the quotients of all rounds, and means something only within its \
table. *Raw* is `postMessage` of the number or the bytes, answered in order, with a promise for each: nothing is told apart, checked or \
ended. *Raw, from Rust* is the same from wasm: a closure for what comes, `futures`' oneshot for each call, and `wasm_bindgen_futures`; nothing \
that is called from Rust and waited for has less to do. *Handover's messages, raw* are those that handover posts for the same work – a packet of bytes \
for all calls of a turn, on the page three microtasks after the first of them – posted by JavaScript that puts nothing into them and looks at nothing. What is moved is \
an `ArrayBuffer`, back and forth, in handover a `Transfer<ArrayBuffer>`; Cap'n Web cannot move one and copies it. *Wasm memory* is \
handover's `Buffer`, bytes of Rust's at either end, which are copied out of the one memory and into the other.
";

fn today() -> String {
    said_by("date", &["-u", "+%Y-%m-%d"])
}

fn machine() -> String {
    let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let models: Vec<_> = cpus.lines().filter_map(|line| line.strip_prefix("model name")?.split(": ").nth(1)).collect();
    format!("{} ({} cores), {}", models.first().unwrap_or(&"a processor"), models.len(), said_by("uname", &["-sr"]))
}

fn said_by(program: &str, args: &[&str]) -> String {
    let output = Command::new(program).args(args).output();
    output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::Measured;

    fn engine(ours: f64) -> Engine {
        let measured = |contender: &str, per_second| Measured {
            row: "null call".to_owned(),
            contender: contender.to_owned(),
            per_second: vec![per_second],
        };
        Engine { version: "Firefox 153".to_owned(), measured: vec![measured(RAW, 10_000.0), measured(OURS, ours)] }
    }

    fn page(ours: f64, wasm_compressed: u64) -> String {
        let size =
            Size { name: OURS.to_owned(), wasm: 200_000, script: 30_000, wasm_compressed, script_compressed: 5_000 };
        let mut page = String::new();
        write_page(&mut page, &[size], &[("firefox", engine(ours))], "comlink 4").unwrap();
        page
    }

    #[test]
    fn a_goal_that_is_missed_is_said_to_be() {
        assert!(page(9_100.0, 50_000).contains("at least 0.9 × raw postMessage | 0.91, held |"));
        assert!(page(8_900.0, 50_000).contains("at least 0.9 × raw postMessage | 0.89, **missed** |"));
        assert!(page(1.0, 55_000).contains("at most 60000 bytes; 60000, held."));
        assert!(page(1.0, 55_001).contains("at most 60000 bytes; 60001, **missed**."));
    }

    #[test]
    fn beside_each_goal_is_what_its_messages_alone_reach() {
        let mut engine = engine(5_000.0);
        let of = |contender: &str, per_second| Measured {
            row: "null call".to_owned(),
            contender: contender.to_owned(),
            per_second: vec![per_second],
        };
        engine.measured.push(of(MESSAGES, 8_000.0));

        let mut page = String::new();
        write_goals_of_calls(&mut page, &[("firefox", engine)]).unwrap();

        assert!(page.contains("| 0.50, **missed** |\n| … its messages alone | 0.80 |\n"), "{page}");
    }

    #[test]
    fn beside_the_size_is_that_of_ports_without_calls() {
        let size = |name: &str, wasm_compressed| Size {
            name: name.to_owned(),
            wasm: 0,
            script: 0,
            wasm_compressed,
            script_compressed: 5_000,
        };

        let mut page = String::new();
        write_goal_of_size(&mut page, &[size(OURS, 70_000), size(PORTS, 40_000)]).unwrap();

        assert!(page.ends_with("; 75000, **missed**. Its ports alone, without calls: 45000.\n"), "{page}");
    }

    #[test]
    fn what_was_not_measured_is_left_empty() {
        assert!(page(1.0, 1).contains("| 64 outstanding: at least 5 × Comlink | |"));
    }

    #[test]
    fn sizes_are_read_as_they_are_printed() {
        let sizes = read_sizes("handover\t4\t3\t2\t1\nweb-rpc\t8\t7\t6\t5\n").unwrap();

        assert_eq!(sizes.iter().map(|size| size.wasm).collect::<Vec<_>>(), [4, 8]);
        assert!(read_sizes("handover\t4\t3\n").is_none());
    }
}
