//! How far it has come: a bar where somebody looks, and lines where nobody does.

use std::{
    io::{self, IsTerminal, Write},
    time::{Duration, Instant},
};

use indicatif::{BinaryBytes, ProgressBar, ProgressStyle};

/// Tells on standard error how much was hashed.
pub(crate) struct Progress {
    files: u64,
    bytes: u64,
    shown: Shown,
}

enum Shown {
    /// On a terminal.
    Bar(ProgressBar),
    /// In a pipe or a file. What is soon over needs none.
    Lines { began: Instant, next: Instant },
}

/// How long it takes from one line to the next.
const BETWEEN_LINES: Duration = Duration::from_secs(1);

/// How long it takes from one picture of the bar to the next.
const BETWEEN_PICTURES: Duration = Duration::from_millis(100);

impl Progress {
    /// Begins now.
    pub(crate) fn new() -> Self {
        let shown = if io::stderr().is_terminal() {
            let bar = ProgressBar::no_length().with_message("0 files");
            bar.set_style(style("{spinner} {msg}, {binary_bytes}, {binary_bytes_per_sec}"));
            bar.enable_steady_tick(BETWEEN_PICTURES);
            Shown::Bar(bar)
        } else {
            let began = Instant::now();
            Shown::Lines { began, next: began + BETWEEN_LINES }
        };
        Self { files: 0, bytes: 0, shown }
    }

    /// What is to be told how many bytes there are, if somebody looks.
    pub(crate) fn wants_total(&self) -> Option<impl FnOnce(u64) + use<>> {
        let Shown::Bar(bar) = &self.shown else { return None };
        let bar = bar.clone();
        Some(move |bytes| {
            bar.set_style(style(
                "{wide_bar} {msg}, {binary_bytes} of {binary_total_bytes}, {binary_bytes_per_sec}, {eta} left",
            ));
            bar.set_length(bytes);
        })
    }

    /// So many bytes more were read.
    pub(crate) fn add_bytes(&mut self, bytes: u64) {
        self.bytes += bytes;
        match &mut self.shown {
            Shown::Bar(bar) => bar.inc(bytes),
            Shown::Lines { next, .. } => {
                let now = Instant::now();
                if now >= *next {
                    *next = now + BETWEEN_LINES;
                    self.print_line();
                }
            }
        }
    }

    /// One file more is done.
    pub(crate) fn add_file(&mut self) {
        self.files += 1;
        if let Shown::Bar(bar) = &self.shown {
            bar.set_message(format!("{} files", self.files));
        }
    }

    /// Says something beside it.
    pub(crate) fn say(&self, line: &str) {
        match &self.shown {
            Shown::Bar(bar) => bar.suspend(|| say(line)),
            Shown::Lines { .. } => say(line),
        }
    }

    /// Leaves what was reached.
    pub(crate) fn finish(&self) {
        match &self.shown {
            Shown::Bar(bar) => bar.abandon(),
            Shown::Lines { began, next } if *next > *began + BETWEEN_LINES => self.print_line(),
            Shown::Lines { .. } => {}
        }
    }

    fn print_line(&self) {
        if let Shown::Lines { began, .. } = &self.shown {
            let per_second = self.bytes as f64 / began.elapsed().as_secs_f64();
            let (bytes, per_second) = (BinaryBytes(self.bytes), BinaryBytes(per_second as u64));
            say(&format!("checksum: {} files, {bytes}, {per_second}/s", self.files));
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("the template is one")
}

/// Prints a line on standard error. If nobody reads there, the status still tells.
pub(crate) fn say(line: &str) {
    let _closed = writeln!(io::stderr(), "{line}");
}
