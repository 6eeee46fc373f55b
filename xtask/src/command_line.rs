//! A command as a person would type it, so that a failure can say what to repeat.

use std::borrow::Cow;
use std::ffi::OsString;
use std::fmt;
use std::path::Path;
use std::process::Command;

/// How many jobs a build runs at once, at most: the rest of the machine belongs to others.
const MOST_JOBS: usize = 2;

/// A command, to be run at the workspace's root.
#[derive(Clone, Debug)]
pub(crate) struct CommandLine {
    env: Vec<(&'static str, Option<String>)>,
    program: Cow<'static, str>,
    args: Vec<String>,
}

impl CommandLine {
    /// The command `program` with `words`, which are separated by blanks.
    pub(crate) fn new(program: &'static str, words: &str) -> Self {
        Self::named(program.into(), words)
    }

    /// The program in this file with `words`, which are separated by blanks.
    pub(crate) fn program(file: &Path, words: &str) -> Self {
        Self::named(file.to_string_lossy().into_owned().into(), words)
    }

    fn named(program: Cow<'static, str>, words: &str) -> Self {
        Self { env: Vec::new(), program, args: words.split_whitespace().map(str::to_owned).collect() }
    }

    /// The command `cargo` with `words`, which are separated by blanks.
    pub(crate) fn cargo(words: &str) -> Self {
        Self::new("cargo", words)
    }

    /// Adds one argument, which may hold blanks.
    pub(crate) fn arg(mut self, arg: &str) -> Self {
        self.args.push(arg.to_owned());
        self
    }

    /// Adds arguments, which may hold blanks.
    pub(crate) fn args(mut self, args: &[String]) -> Self {
        self.args.extend_from_slice(args);
        self
    }

    /// Sets an environment variable for this command.
    pub(crate) fn with_env(mut self, name: &'static str, value: &str) -> Self {
        self.env.push((name, Some(value.to_owned())));
        self
    }

    /// Keeps an environment variable of ours from this command.
    pub(crate) fn without_env(mut self, name: &'static str) -> Self {
        self.env.push((name, None));
        self
    }

    /// The sentence for a failure: `what` happened, and the command that makes it happen again.
    pub(crate) fn failed(&self, what: impl fmt::Display) -> String {
        format!("{what}; repeat it with: {self}")
    }

    /// The command for the standard library to run.
    pub(crate) fn to_command(&self) -> Command {
        let mut command = Command::new(self.resolve_program());
        // An environment variable, unlike `-j`, also reaches the builds that a compile-fail test starts.
        command.args(&self.args).env("CARGO_BUILD_JOBS", jobs().to_string());
        for (name, value) in &self.env {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command
    }

    /// Cargo and rustc may be named by the environment; `cargo run` names the cargo that runs us.
    fn resolve_program(&self) -> OsString {
        let named = match &*self.program {
            "cargo" => std::env::var_os("CARGO"),
            "rustc" => std::env::var_os("RUSTC"),
            _ => None,
        };
        named.unwrap_or_else(|| OsString::from(&*self.program))
    }
}

impl fmt::Display for CommandLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, value) in self.env.iter().filter_map(|(name, value)| Some((name, value.as_ref()?))) {
            write!(f, "{name}={} ", quoted(value))?;
        }
        f.write_str(&quoted(&self.program))?;
        self.args.iter().try_for_each(|arg| write!(f, " {}", quoted(arg)))
    }
}

/// The jobs that whoever started us allows, but no more than [`MOST_JOBS`].
fn jobs() -> usize {
    let allowed = std::env::var("CARGO_BUILD_JOBS").ok().and_then(|jobs| jobs.parse().ok());
    allowed.unwrap_or(MOST_JOBS).clamp(1, MOST_JOBS)
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./:=,@+".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_shown_as_it_would_be_typed() {
        let command = CommandLine::cargo("doc  --no-deps").with_env("RUSTDOCFLAGS", "-D warnings").arg("it's here");

        assert_eq!(command.to_string(), r"RUSTDOCFLAGS='-D warnings' cargo doc --no-deps 'it'\''s here'");
    }

    #[test]
    fn a_failure_names_the_command_that_repeats_it() {
        let command = CommandLine::cargo("fmt --all --check");

        assert_eq!(command.failed("it broke"), "it broke; repeat it with: cargo fmt --all --check");
    }
}
