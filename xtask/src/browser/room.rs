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
    let mark = mark_of(folder);
    for _ in 0..MOST_LOOKS {
        // In one look at each: between two it could become one of ours, and be in neither.
        let (ours, not_yet) = processes_in(&mark);
        if !ours.is_empty() {
            // Those that ended meanwhile are no failure.
            let _ = Command::new("kill").arg("-KILL").args(&ours).stderr(Stdio::null()).status();
        } else if not_yet == 0 {
            return;
        }
        thread::sleep(LOOK_EVERY);
    }
}

/// What a process has in its environment, if it was started in a room with this folder.
fn mark_of(folder: &Path) -> String {
    format!("TMPDIR={}", folder.display())
}

/// The ids of the processes with this mark, and how many have yet to get one.
fn processes_in(mark: &str) -> (Vec<String>, usize) {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let names = processes.filter_map(|process| process.file_name().into_string().ok());
    let mut ours = Vec::new();
    let mut not_yet = 0;
    for name in names {
        match name.parse().map(|process| Mark::of(process, mark)) {
            Ok(Mark::Ours) => ours.push(name),
            Ok(Mark::NotYet) => not_yet += 1,
            // What is not named by a number is no process.
            Ok(Mark::Others) | Err(_) => {}
        }
    }
    (ours, not_yet)
}

/// What the environment of a process says of where it was started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mark {
    Ours,
    Others,
    /// It is becoming another program, and has our environment or none in the meantime.
    NotYet,
}

impl Mark {
    fn of(process: u32, mark: &str) -> Self {
        // One that is of others may not be looked at; one that has ended is nobody's.
        let environment = || fs::read(format!("/proc/{process}/environ")).unwrap_or_default();
        let is_ours = || environment().split(|byte| *byte == 0).any(|variable| variable == mark.as_bytes());
        if is_ours() {
            return Self::Ours;
        }
        if is_becoming(process) {
            return Self::NotYet;
        }
        // It may have become what it is between the two looks.
        if is_ours() { Self::Ours } else { Self::Others }
    }
}

/// Whether a process has yet to get its own environment. One that we start has our memory at first. Then it has its program, and
/// does not know yet where that lies; where its arguments lie it knows earlier than its environment, so they do not tell.
fn is_becoming(process: u32) -> bool {
    let Ok(program) = fs::read_link(format!("/proc/{process}/exe")) else { return false };
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // The fourth field and the 27th, counted behind the second, which may be anything in parentheses.
    let mut fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let parent = fields.nth(1);
    let program_ends_at = fields.nth(22);
    let has_our_memory =
        || parent == Some(&std::process::id().to_string()) && std::env::current_exe().is_ok_and(|ours| ours == program);
    program_ends_at == Some("0") || has_our_memory()
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;
    use std::time::Instant;

    use super::*;
    use crate::run;
    use crate::tally::Tally;

    /// Waits for so many processes to say that they were started in there: one does so a moment after it was started.
    fn wait_for(processes: usize, folder: &Path) {
        let mark = mark_of(folder);
        while processes_in(&mark).0.len() < processes {
            thread::yield_now();
        }
    }

    fn sleep_in(folder: &Path) -> Child {
        Command::new("sleep").arg("600").env("TMPDIR", folder).spawn().unwrap()
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn what_was_started_in_a_room_ends_with_it_and_nothing_else_does() {
        let folder = Path::new("/no/such/folder/of/a/test");
        let below = folder.join("below");
        let mut elsewhere = sleep_in(&below);
        wait_for(1, &below);
        // It may not have its environment yet.
        let mut inside = sleep_in(folder);

        end_processes_in(folder);

        // What was ended already stays ended so, and what was not is not waited for.
        let _ = Command::new("kill").arg("-TERM").arg(inside.id().to_string()).stderr(Stdio::null()).status();
        assert_eq!(inside.wait().unwrap().signal(), Some(9), "it was not ended");
        assert!(elsewhere.try_wait().unwrap().is_none(), "something else was ended");
        elsewhere.kill().unwrap();
        elsewhere.wait().unwrap();
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_process_without_an_environment_is_not_waited_for() {
        let mut bare = Command::new("sleep").arg("600").env_clear().spawn().unwrap();
        // Until it has become what it is.
        while fs::read(format!("/proc/{}/cmdline", bare.id())).unwrap().is_empty() {
            thread::yield_now();
        }

        let mark = Mark::of(bare.id(), &mark_of(Path::new("/no/such/folder/of/any/test")));

        bare.kill().unwrap();
        bare.wait().unwrap();
        assert_eq!(mark, Mark::Others);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_command_that_takes_too_long_ends_with_all_that_it_has_started() {
        let folder = Path::new("/no/such/folder/of/another/test");
        let command =
            CommandLine::new("sh", "-c").arg("sleep 600 & sleep 600").with_env("TMPDIR", &folder.to_string_lossy());

        // It would be read to its end otherwise, which the second sleep keeps from coming.
        let ended = run::stream_tests_until(&command, Instant::now(), &mut Tally::default(), || {
            wait_for(2, folder);
            end_processes_in(folder);
        });

        assert!(ended.unwrap_err().starts_with("it took too long"));
        let mark = mark_of(folder);
        assert_eq!(processes_in(&mark).0, [""; 0]);
    }
}
