//! The tests that run ports between threads in every order.

use crate::command_line::CommandLine;
use crate::run;
use crate::tally::Tally;
use crate::target_folder;

/// Runs them, and fails if there are none.
pub(crate) fn test(tally: &mut Tally) -> Result<(), String> {
    let command = command();
    run::stream_tests(&command, tally)?;
    match tally.ran() {
        0 => Err(command.failed("it ran no tests")),
        _ => Ok(()),
    }
}

/// In a folder of their own: what is built with other flags would be thrown away, and built again by the next step.
fn command() -> CommandLine {
    let tests = "--lib --test loom --test loom_streams --test loom_calls --test loom_router --test loom_control --test loom_rights";
    CommandLine::cargo(&format!("test --release -p handover-core {tests} --locked --target-dir"))
        .arg(&target_folder().join("loom").to_string_lossy())
        .with_env("RUSTFLAGS", "--cfg loom")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_built_for_loom_does_not_replace_what_is_built_otherwise() {
        let command = command().to_string();

        let folder = command.rsplit(' ').next().expect("it has words");
        assert_ne!(folder, target_folder().to_string_lossy());
        assert!(command.starts_with("RUSTFLAGS='--cfg loom' cargo test "), "{command}");
    }
}
