//! A place for the browsers of one run, which nothing in it outlives.

use std::fs;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use super::engine::Engine;
use super::tools;
use crate::command_line::CommandLine;

/// How often to look whether all processes have ended.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// How many times to look, at most.
const MOST_LOOKS: usize = 40;

/// A folder for temporary files, and a display where one is needed. Dropping it ends every process that was started in it, with
/// its children: a driver that was stopped leaves its browser running.
#[derive(Debug)]
pub(crate) struct Room {
    engine: Engine,
    folder: PathBuf,
    driver: PathBuf,
    display: Option<Display>,
}

impl Room {
    /// A room with what the engine needs.
    pub(crate) fn new(engine: Engine) -> Result<Self, String> {
        let driver = tools::driver(engine).ok_or_else(|| format!("{} is missing", engine.driver()))?;
        // Short, and not among what is built: a browser has sockets in there, whose paths may not be long.
        let folder = std::env::temp_dir().join(format!("handover-{}-{engine}", std::process::id()));
        fs::create_dir_all(&folder).map_err(|error| format!("could not make {}: {error}", folder.display()))?;
        let mut room = Self { engine, folder, driver, display: None };
        room.write_capabilities()?;
        if engine.needs_a_display() {
            room.display = Some(Display::new(&room.folder)?);
        }
        Ok(room)
    }

    /// The command, to be run in this room.
    pub(crate) fn furnish(&self, command: CommandLine) -> CommandLine {
        let others = Engine::ALL.into_iter().filter(|engine| *engine != self.engine);
        let command = others.fold(command, |command, other| command.without_env(other.driver_variable()));
        let command = command
            .with_env("TMPDIR", &self.folder.to_string_lossy())
            .with_env("HANDOVER_DRIVER", &self.driver.to_string_lossy())
            .with_env("HANDOVER_CAPABILITIES", &self.capabilities().to_string_lossy())
            .with_env(self.engine.driver_variable(), &self.driver.to_string_lossy())
            .with_env("WASM_BINDGEN_TEST_WEBDRIVER_JSON", &self.capabilities().to_string_lossy())
            .with_env("WASM_BINDGEN_TEST_TIMEOUT", "60");
        match &self.display {
            Some(display) => command.with_env("DISPLAY", &display.name),
            None => command,
        }
    }

    /// Ends whatever runs in here.
    pub(crate) fn end_all(&self) {
        end_processes_in(&self.folder);
    }

    fn capabilities(&self) -> PathBuf {
        self.folder.join("webdriver.json")
    }

    fn write_capabilities(&self) -> Result<(), String> {
        let browser = tools::browser(self.engine);
        let capabilities = self.engine.capabilities(browser.as_deref().and_then(Path::to_str));
        let path = self.capabilities();
        fs::write(&path, capabilities.to_string())
            .map_err(|error| format!("could not write {}: {error}", path.display()))
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.end_all();
        // Something may still be writing as it ends; what is left then is the system's to tidy up.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// A display that nobody sees.
#[derive(Debug)]
struct Display {
    server: Child,
    name: String,
}

impl Display {
    fn new(folder: &Path) -> Result<Self, String> {
        let mut server = Command::new("Xvfb")
            .args("-displayfd 1 -screen 0 1280x1024x24 -nolisten tcp".split(' '))
            .env("TMPDIR", folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("Xvfb could not be started: {error}"))?;
        let number = first_line(&mut server);
        let display = Self { server, name: format!(":{}", number.as_deref().unwrap_or_default()) };
        match number {
            Ok(number) if !number.is_empty() => Ok(display),
            _ => Err("Xvfb did not say which display it serves; start it by hand to see why".to_owned()),
        }
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        // If it ended by itself, killing fails, and waiting succeeds all the same.
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

fn first_line(server: &mut Child) -> io::Result<String> {
    let stdout = server.stdout.take().ok_or(io::ErrorKind::NotFound)?;
    let mut line = String::new();
    BufReader::new(stdout).read_line(&mut line)?;
    Ok(line.trim().to_owned())
}

/// Ends the processes whose folder for temporary files is this one, where the system tells, and waits a moment for their end.
fn end_processes_in(folder: &Path) {
    let mark = format!("TMPDIR={}", folder.display());
    for _ in 0..MOST_LOOKS {
        let ours = processes_with(&mark);
        if ours.is_empty() {
            return;
        }
        // Those that ended meanwhile are no failure.
        let _ = Command::new("kill").arg("-KILL").args(&ours).stderr(Stdio::null()).status();
        thread::sleep(LOOK_EVERY);
    }
}

/// The ids of the processes with this variable in their environment.
fn processes_with(mark: &str) -> Vec<String> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let names = processes.filter_map(|process| process.file_name().into_string().ok());
    names.filter(|name| name.parse::<u32>().is_ok_and(|process| has_mark(process, mark))).collect()
}

fn has_mark(process: u32, mark: &str) -> bool {
    let environment = fs::read(format!("/proc/{process}/environ")).unwrap_or_default();
    environment.split(|byte| *byte == 0).any(|variable| variable == mark.as_bytes())
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::run;
    use crate::tally::Tally;

    #[cfg(target_os = "linux")]
    #[test]
    fn what_was_started_in_a_room_ends_with_it_and_nothing_else_does() {
        let folder = Path::new("/no/such/folder/of/a/test");
        let sleep_in = |folder: &Path| Command::new("sleep").arg("600").env("TMPDIR", folder).spawn().unwrap();
        let mut inside = sleep_in(folder);
        let mut elsewhere = sleep_in(&folder.join("below"));

        end_processes_in(folder);

        assert!(!inside.wait().unwrap().success());
        assert!(elsewhere.try_wait().unwrap().is_none(), "something else was ended");
        elsewhere.kill().unwrap();
        elsewhere.wait().unwrap();
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_command_that_takes_too_long_ends_with_all_that_it_has_started() {
        let folder = Path::new("/no/such/folder/of/another/test");
        let command =
            CommandLine::new("sh", "-c").arg("sleep 600 & sleep 600").with_env("TMPDIR", &folder.to_string_lossy());
        let in_a_moment = Instant::now() + Duration::from_millis(200);

        // It would be read to its end otherwise, which the second sleep keeps from coming.
        let ended = run::stream_tests_until(&command, in_a_moment, &mut Tally::default(), || end_processes_in(folder));

        assert!(ended.unwrap_err().starts_with("it took too long"));
        assert_eq!(processes_with(&format!("TMPDIR={}", folder.display())), [""; 0]);
    }
}
