#!/usr/bin/env python3
"""What a service costs to compile, beside tarpc and remoc.

For each system, in a crate of its own: first the dependencies are built, from nothing. Then, for each number of methods, a binary with
one such service, a client that calls each method over a byte stream or a port, and nothing else, in a debug build: once with methods that
all take and return the same, once with methods each of which is unlike the others. The seconds to build it when the dependencies are
there, and again after the body of one method was touched (medians of three, linking included); and the lines that its macros expand to,
where there is a nightly rustc. Last, in a release build, the bytes that a first and a tenth service of
five methods add to a stripped binary. Seconds of two machines, or of two runs, cannot be compared.
"""

import argparse, os, pathlib, statistics, subprocess, sys, tempfile, time

ROOT = pathlib.Path(__file__).resolve().parent.parent
TIMES = 3
# What methods take and return: those of a service are all alike, or each is another.
ALIKE = ("u32", "String", "u32")
TYPES = ["u32", "u64", "bool", "String", "Vec<u8>"]
UNLIKE = [(a, b, ok) for ok in ["u32", "String", "Vec<u8>"] for a in TYPES for b in TYPES]

HANDOVER = {
    "dependencies": f'handover = {{ path = "{ROOT}" }}',
    "imports": "use handover::{MessageChannel, context, service};",
    "method": lambda name, a, b, ok: f"async fn {name}(&self, a: {a}, b: {b}) -> Result<{ok}, String>",
    "trait": "#[service]\ntrait Adder",
    "object": "struct Sum;",
    "call": lambda name: f"let _ = adder.{name}(Default::default(), Default::default()).await;",
    "connect": """
        let (ours, theirs) = MessageChannel::new().into_ports();
        context::spawn_local(AdderServer::new(Sum).serve(theirs));
        let adder = AdderClient::from(ours);""",
    "run": lambda body: f"fn main() {{ handover::context::block_on(async {{ {body} }}) }}",
}
TARPC = {
    "dependencies": """
tarpc = { version = "0.38.0", features = ["serde-transport-bincode"] }
tokio = { version = "1.54.1", features = ["rt", "time", "io-util"] }
tokio-util = { version = "0.7.20", features = ["codec"] }
futures = "0.3.34"
serde = { version = "1.0.229", features = ["derive"] }""",
    "imports": "use tarpc::{client, context, serde_transport, server::{BaseChannel, Channel}, tokio_serde::formats::Bincode};\n"
               "use {futures::StreamExt, tokio_util::codec::{Framed, LengthDelimitedCodec}};",
    "method": lambda name, a, b, ok: f"async fn {name}(a: {a}, b: {b}) -> Result<{ok}, String>",
    "implemented": lambda name, a, b, ok:
        f"async fn {name}(self, _: context::Context, a: {a}, b: {b}) -> Result<{ok}, String>",
    "trait": "#[tarpc::service]\ntrait Adder",
    "object": "#[derive(Clone)] struct Sum;",
    "call": lambda name: f"let _ = adder.{name}(context::current(), Default::default(), Default::default()).await;",
    "connect": """
        let (near, far) = tokio::io::duplex(1 << 16);
        let (near, far) = (Framed::new(near, LengthDelimitedCodec::new()), Framed::new(far, LengthDelimitedCodec::new()));
        let calls = BaseChannel::with_defaults(serde_transport::new(far, Bincode::default())).execute(Sum.serve());
        tokio::spawn(calls.for_each(async |call| { tokio::spawn(call); }));
        let adder = AdderClient::new(client::Config::default(), serde_transport::new(near, Bincode::default())).spawn();""",
}
REMOC = {
    "dependencies": """
remoc = { version = "0.20.5", default-features = false, features = ["rtc"] }
tokio = { version = "1.54.1", features = ["rt", "time", "io-util"] }
serde = { version = "1.0.229", features = ["derive"] }""",
    "imports": "use remoc::{Cfg, Connect, ConnectExt, rtc::{CallError, ServerShared, remote}};",
    # An error of the service's own has to hold remoc's.
    "method": lambda name, a, b, ok: f"async fn {name}(&self, a: {a}, b: {b}) -> Result<{ok}, Failure>",
    "trait": "#[derive(Debug, serde::Serialize, serde::Deserialize)]\npub enum Failure { Call(CallError) }\n"
             "impl From<CallError> for Failure { fn from(error: CallError) -> Self { Self::Call(error) } }\n"
             "#[remote]\npub trait Adder",
    "object": "struct Sum;",
    "call": lambda name: f"let _ = adder.{name}(Default::default(), Default::default()).await;",
    "connect": """
        let (near, far) = tokio::io::duplex(1 << 16);
        tokio::spawn(async {
            let (server, client) = AdderServerShared::<_, remoc::codec::Default>::new(std::sync::Arc::new(Sum));
            let (input, output) = tokio::io::split(far);
            Connect::io(Cfg::default(), input, output).provide(client).await.unwrap();
            let _ = server.serve().await;
        });
        let (input, output) = tokio::io::split(near);
        let adder: AdderClient = Connect::io(Cfg::default(), input, output).consume().await.unwrap();""",
}
for system in [TARPC, REMOC]:
    system["run"] = lambda body: (
        "fn main() { let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();"
        f"runtime.block_on(async {{ {body} }}) }}")
SYSTEMS = {"handover": HANDOVER, "tarpc": TARPC, "remoc": REMOC}


def service(system, methods, number, signatures=(ALIKE,)):
    """A module with a service of so many methods, and a function that calls each; the body of the first method has a number in it."""
    methods = [(f"add_{index}", *signatures[index % len(signatures)]) for index in range(methods)]
    implemented = system.get("implemented", system["method"])
    bodies = [f"{implemented(*method)} {{ let _ = (a, b, {number if index == 0 else index}); Ok(Default::default()) }}"
              for index, method in enumerate(methods)]
    return "\n".join([
        system["imports"], system["trait"] + " {", *(system["method"](*method) + ";" for method in methods), "}",
        system["object"], "impl Adder for Sum {", *bodies, "}",
        "pub async fn call() {" + system["connect"], *(system["call"](name) for name, *_ in methods), "}", ""])


def program(system, methods, number, signatures=(ALIKE,)):
    """One service, or nothing."""
    if methods == 0:
        return f"fn main() {{ println!(\"{{}}\", {number}); }}\n"
    return service(system, methods, number, signatures) + system["run"]("call().await;") + "\n"


def services(system, count):
    """So many services, each of five methods, in modules of their own."""
    modules = [f"mod service_{index} {{ {service(system, 5, index)} }}" for index in range(count)]
    calls = [f"service_{index}::call().await;" for index in range(count)]
    return "\n".join([*modules, system["run"]("".join(calls)) if count else "fn main() {}", ""])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("methods", nargs="*", type=int, default=[1, 10, 50], help="how many methods the service has")
    parser.add_argument("--system", choices=SYSTEMS, action="append", help="only this one; may be given more than once")
    parser.add_argument("--only", choices=["time", "size"], help="only seconds and lines, or only bytes")
    parser.add_argument("--out", type=pathlib.Path, help="adds what was measured to this file, for the report")
    parser.add_argument("--minutes", type=float, default=60, help="ends after so long, with what was measured by then")
    parser.add_argument("--folder", type=pathlib.Path, help="keeps what is built, so that the next run needs not build it again")
    args = parser.parse_args()
    Crate.end = time.monotonic() + 60 * args.minutes
    for name in args.system or SYSTEMS:
        with tempfile.TemporaryDirectory() as folder:
            crate = Crate(SYSTEMS[name], (args.folder or pathlib.Path(folder)) / name)
            rows = []
            try:
                if args.only != "size":
                    rows.extend(times(name, crate, args.methods))
                if args.only != "time":
                    rows.extend(sizes(crate))
            except subprocess.TimeoutExpired:
                print(f"{name}: the time is up; what follows was measured by then", flush=True)
        for column, row, value in rows:
            print(f"{name:12}{row:50}{value:12.2f}")
        if args.out:
            with args.out.open("a") as out:
                out.writelines(f"{column}\t{row}\t{name}\t{value}\n" for column, row, value in rows)


def times(name, crate, methods):
    crate.write(program(crate.system, 0, 0))
    print(f"{name}: dependencies, from nothing unless they are kept: {crate.build():.1f} s", flush=True)
    for count in methods:
        yield from seconds(crate, count, [ALIKE], "")
        if count > 1:
            yield from seconds(crate, count, UNLIKE, ", each unlike the others")
        lines = crate.expanded_lines()
        if lines and count:
            written = len(program(crate.system, count, 0).splitlines())
            yield "size", f"lines generated a method, of {count:2}", (lines - written) / count


def seconds(crate, count, signatures, which):
    clean, touched = [], []
    for turn in range(TIMES):
        crate.write(program(crate.system, count, 2 * turn, signatures))
        crate.cargo("clean", "--package", "measured")
        clean.append(crate.build())
        crate.write(program(crate.system, count, 2 * turn + 1, signatures))
        touched.append(crate.build())
    yield "seconds", f"seconds from clean, {count:2} methods{which}", statistics.median(clean)
    yield "seconds", f"seconds after a touch, {count:2} methods{which}", statistics.median(touched)


def sizes(crate):
    bytes_of = []
    for count in [0, 1, 9, 10]:
        crate.write(services(crate.system, count))
        crate.cargo("build", "--release")
        bytes_of.append((crate.folder / "target/release/measured").stat().st_size)
    yield "size", "bytes added by the first service", bytes_of[1] - bytes_of[0]
    yield "size", "bytes added by the tenth service", bytes_of[3] - bytes_of[2]


class Crate:
    def __init__(self, system, folder):
        self.system, self.folder = system, folder
        self.environment = os.environ | {"CARGO_TARGET_DIR": str(folder / "target")}
        (folder / "src").mkdir(parents=True, exist_ok=True)
        (folder / "Cargo.toml").write_text(
            '[package]\nname = "measured"\nedition = "2024"\n[workspace]\n[profile.release]\nstrip = true\n'
            f'[dependencies]\n{system["dependencies"]}\n')
        # The versions that the workspace is tested with.
        (folder / "Cargo.lock").write_text((ROOT / "Cargo.lock").read_text())

    def write(self, text):
        (self.folder / "src/main.rs").write_text(text)

    def build(self):
        start = time.monotonic()
        self.cargo("build")
        return time.monotonic() - start

    def cargo(self, *arguments):
        left = max(0, self.end - time.monotonic())
        subprocess.run(["cargo", *arguments, "--quiet"], cwd=self.folder, env=self.environment, check=True, timeout=left)

    def expanded_lines(self):
        """How many lines the compiler sees; none where there is no nightly one that tells."""
        command = ["cargo", "+nightly", "rustc", "--quiet", "--target-dir", "target/nightly", "--", "-Zunpretty=expanded"]
        done = subprocess.run(command, cwd=self.folder, env=self.environment, capture_output=True, text=True)
        return len(done.stdout.splitlines()) if done.returncode == 0 else 0


if __name__ == "__main__":
    main()
