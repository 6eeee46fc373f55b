#!/usr/bin/env python3
"""What a service costs to compile: `benches/compile-time.py [METHODS ...]`; 0, 1, 10 and 50 if none are named.

First the dependencies, from nothing, in the time that cargo takes. Then, for each number of methods, a binary with one such
service, a client that calls each method, and nothing else, in a debug build: the seconds to build it when the dependencies are
there, and again after the body of one method was touched (medians of three, linking included); and the lines that its macros
expand to, where there is a nightly rustc. Seconds of two machines, or of two runs, cannot be compared.
"""

import os, pathlib, statistics, subprocess, sys, tempfile, time

ROOT = pathlib.Path(__file__).resolve().parent.parent
TIMES = 3


def program(methods, number):
    """A service of so many methods; the body of the first has a number in it."""
    if methods == 0:
        return f"fn main() {{ println!(\"{{}}\", {number}); }}\n"
    signature = "async fn add_{}(&self, a: u32, b: String) -> Result<u32, String>"
    declared = [signature.format(index) + ";" for index in range(methods)]
    bodies = [
        signature.format(index) + f" {{ Ok(a + b.len() as u32 + {number if index == 0 else index}) }}"
        for index in range(methods)
    ]
    calls = [f"let _ = adder.add_{index}(1, String::new()).await;" for index in range(methods)]
    return "\n".join([
        "use handover::{MessageChannel, context, service};",
        "#[service]", "trait Adder {", *declared, "}",
        "struct Sum;",
        "impl Adder for Sum {", *bodies, "}",
        "fn main() {",
        "let (ours, theirs) = MessageChannel::new().into_ports();",
        "context::block_on(async {",
        "context::spawn_local(AdderServer::new(Sum).serve(theirs));",
        "let adder = AdderClient::from(ours);", *calls,
        "});", "}", "",
    ])


def main():
    with tempfile.TemporaryDirectory() as folder:
        crate = Crate(pathlib.Path(folder))
        crate.write(program(0, 0))
        print(f"dependencies, from nothing: {crate.build():.1f} s\n")
        print(f"{'methods':>7}{'clean, s':>12}{'touched, s':>12}{'lines':>12}{'of them written':>18}")
        for methods in map(int, sys.argv[1:] or ["0", "1", "10", "50"]):
            clean, touched = [], []
            for time_ in range(TIMES):
                crate.write(program(methods, 2 * time_))
                crate.cargo("clean", "--package", "measured")
                clean.append(crate.build())
                crate.write(program(methods, 2 * time_ + 1))
                touched.append(crate.build())
            written = len(program(methods, 0).splitlines())
            print(f"{methods:>7}{statistics.median(clean):>12.2f}{statistics.median(touched):>12.2f}"
                  f"{crate.expanded_lines():>12}{written:>18}")


class Crate:
    def __init__(self, folder):
        self.folder = folder
        self.environment = os.environ | {"CARGO_TARGET_DIR": str(folder / "target")}
        (folder / "src").mkdir()
        (folder / "Cargo.toml").write_text(
            '[package]\nname = "measured"\nedition = "2024"\n[workspace]\n'
            f'[dependencies]\nhandover = {{ path = "{ROOT}" }}\n')
        # The versions that the workspace is tested with.
        (folder / "Cargo.lock").write_text((ROOT / "Cargo.lock").read_text())

    def write(self, text):
        (self.folder / "src/main.rs").write_text(text)

    def build(self):
        start = time.monotonic()
        self.cargo("build")
        return time.monotonic() - start

    def cargo(self, *arguments):
        subprocess.run(["cargo", *arguments, "--quiet"], cwd=self.folder, env=self.environment, check=True)

    def expanded_lines(self):
        command = ["cargo", "+nightly", "rustc", "--quiet", "--target-dir", "target/nightly", "--", "-Zunpretty=expanded"]
        done = subprocess.run(command, cwd=self.folder, env=self.environment, capture_output=True, text=True)
        return len(done.stdout.splitlines()) if done.returncode == 0 else "-"


if __name__ == "__main__":
    main()
