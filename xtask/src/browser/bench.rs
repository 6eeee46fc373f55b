//! `cargo xtask bench browser`: calls from a page to its worker beside others, and the size of the smallest page.
//!
//! What is measured is in `benches/browser`; here it is built and put where a page finds it, and a browser is found for it.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::engine::Engine;
use super::room::Room;
use super::tools::{self, Tools};
use super::{LIMIT, engines, set_up};
use crate::command_line::CommandLine;
use crate::run::{self, say};
use crate::tally::Tally;
use crate::target_folder;

/// Where the scripts of the page are, and what they need of npm.
const SOURCES: &str = "benches/browser";

/// The pages whose size is measured: the name of each, and its package.
const HELLOS: [(&str, &str); 3] = [
    ("handover", "handover-bench-browser-hello"),
    ("handover's ports, no calls", "handover-bench-browser-hello-ports"),
    ("web-rpc", "handover-bench-browser-hello-web-rpc"),
];

/// The package of the page that measures.
const PAGE: &str = "handover-bench-browser-page";

/// What `cargo xtask bench browser` takes.
#[derive(Debug, clap::Args)]
pub(crate) struct BenchArgs {
    /// Measures in this engine only, and writes no page; may be given more than once
    #[arg(long, value_enum)]
    engine: Vec<Engine>,
    /// Only rows whose name contains this, printed and not written
    #[arg(long, value_name = "TEXT")]
    row: Option<String>,
    /// Fewer and shorter rounds: to see that all is well, not to compare
    #[arg(long)]
    quick: bool,
    /// Only sizes, printed and not written: no browser is needed
    #[arg(long, conflicts_with_all = ["engine", "row", "quick"])]
    size: bool,
}

/// Measures, and writes `benches/BROWSER.md`.
pub(crate) fn bench(args: &BenchArgs) -> Result<(), String> {
    let engines = if args.size { Vec::new() } else { engines(&args.engine) };
    let tools = set_up(&engines)?;
    let site = Site::new()?;
    site.install()?;
    HELLOS.iter().try_for_each(|(_, package)| site.bind(&tools, package, "page", package))?;
    fs::write(site.folder.join("sizes.tsv"), site.sizes()?).map_err(|error| format!("sizes.tsv: {error}"))?;
    if !args.size {
        site.bind(&tools, PAGE, "release", "built")?;
        run::stream(&driver("build"))?;
        engines.iter().try_for_each(|&engine| site.measure(engine, args))?;
    }
    let is_whole = args.engine.is_empty() && args.row.is_none() && !args.quick && !args.size;
    let report = driver("run").args(&words("-- report --from")).arg(&site.folder.to_string_lossy());
    run::stream(&if is_whole { report.args(&words("--to benches/BROWSER.md")) } else { report })
}

/// What lints the pages.
pub(crate) fn lint() -> CommandLine {
    let packages: String = HELLOS.iter().map(|(_, package)| format!(" -p {package}")).collect();
    CommandLine::cargo(&format!("clippy --target wasm32-unknown-unknown -p {PAGE}{packages} --locked -- -D warnings"))
}

/// A folder that a browser is shown as a site: scripts, what was built, and what npm installs.
struct Site {
    folder: PathBuf,
}

impl Site {
    /// The scripts, in a folder of what is built. What was measured there before is gone.
    fn new() -> Result<Self, String> {
        let folder = target_folder().join("bench-browser");
        let folder = std::path::absolute(&folder).unwrap_or(folder);
        let site = Self { folder };
        site.copy("package.json")?;
        site.copy("package-lock.json")?;
        site.copy("size.mjs")?;
        let scripts = fs::read_dir(Path::new(SOURCES).join("site")).map_err(|error| format!("no scripts: {error}"))?;
        for script in scripts.flatten() {
            site.copy(&format!("site/{}", script.file_name().to_string_lossy()))?;
        }
        for engine in Engine::ALL {
            let _none = fs::remove_file(site.measured(engine));
        }
        Ok(site)
    }

    /// Copies a file to the top of the site.
    fn copy(&self, file: &str) -> Result<(), String> {
        let name = Path::new(file).file_name().ok_or("a file has a name")?;
        fs::create_dir_all(&self.folder)
            .and_then(|()| fs::copy(Path::new(SOURCES).join(file), self.folder.join(name)))
            .map_err(|error| format!("could not copy {file} to {}: {error}", self.folder.display()))?;
        Ok(())
    }

    /// What others have published, at the versions of the lock.
    fn install(&self) -> Result<(), String> {
        if tools::on_the_path("npm").is_none() {
            return Err(
                "npm is missing, for Comlink, Cap'n Web and wasm-opt; on Debian: apt-get install npm".to_owned()
            );
        }
        let lock = |folder: &Path| fs::read(folder).ok();
        let installed = self.folder.join("node_modules/of.lock");
        let wanted = lock(&self.folder.join("package-lock.json"));
        if wanted == lock(&installed) {
            return Ok(());
        }
        run::stream(
            &CommandLine::new("npm", "ci --silent --ignore-scripts --no-audit --no-fund --prefix")
                .arg(&self.folder.to_string_lossy()),
        )?;
        fs::write(&installed, wanted.unwrap_or_default()).map_err(|error| format!("{}: {error}", installed.display()))
    }

    /// Builds a package, and makes of the wasm file what a page can load, in a folder of that name.
    fn bind(&self, tools: &Tools, package: &str, profile: &str, name: &str) -> Result<(), String> {
        let build = format!("build --target wasm32-unknown-unknown --profile {profile} -p {package} --locked");
        run::stream(&CommandLine::cargo(&build))?;
        let wasm = target_folder().join(format!("wasm32-unknown-unknown/{profile}/{}.wasm", package.replace('-', "_")));
        let bind = CommandLine::program(&tools.bindgen, "--target web --no-typescript --out-name page --out-dir");
        run::stream(&bind.arg(&self.folder.join(name).to_string_lossy()).arg(&wasm.to_string_lossy()))
    }

    /// A line for each page: its name, and how large it is.
    fn sizes(&self) -> Result<String, String> {
        let measure = CommandLine::new("node", "").args(&[self.path("size.mjs"), self.path("node_modules")]);
        let measure =
            HELLOS.iter().fold(measure, |measure, (name, package)| measure.arg(name).arg(&self.path(package)));
        let measured = run::capture(&measure)?;
        if measured.code == Some(0) { Ok(measured.stdout) } else { Err(measure.failed("it ended with an error")) }
    }

    fn measure(&self, engine: Engine, args: &BenchArgs) -> Result<(), String> {
        say(&format!("measuring in {engine} ..."));
        let room = Room::new(engine)?;
        let settings =
            if args.quick { "-- measure --pages 1 --warm-up 30 --rounds 3 --milliseconds 30" } else { SETTINGS };
        let measure = driver("run").args(&words(settings)).arg("--out").arg(&self.measured(engine).to_string_lossy());
        let measure = match &args.row {
            Some(row) => measure.arg("--row").arg(row),
            None => measure,
        };
        let measure = room.furnish(measure.with_env("HANDOVER_PAGES", &self.folder.to_string_lossy()));
        run::stream_tests_until(&measure, Instant::now() + LIMIT, &mut Tally::default(), || room.end_all())
    }

    fn measured(&self, engine: Engine) -> PathBuf {
        self.folder.join(engine.to_string()).with_extension("json")
    }

    fn path(&self, name: &str) -> String {
        self.folder.join(name).to_string_lossy().into_owned()
    }
}

/// An odd number of rounds on all pages together, so that one is in the middle; each as long as the clocks of browsers, which tell milliseconds, need for a
/// hundredth.
const SETTINGS: &str = "-- measure --pages 3 --warm-up 8000 --rounds 9 --milliseconds 100";

/// The program that drives the browser, and makes the page.
fn driver(what: &str) -> CommandLine {
    CommandLine::cargo(&format!("{what} --quiet -p handover-bench-browser --locked"))
}

fn words(words: &str) -> Vec<String> {
    words.split(' ').map(str::to_owned).collect()
}
