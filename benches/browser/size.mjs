// Makes wasm files as small as they get, and prints what is left of each page: bytes of wasm, of JavaScript, and of both compressed.
// Usage: node size.mjs <folder of node_modules> <name> <folder that wasm-bindgen wrote> [<name> <folder> …]

import { execFileSync } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync } from "node:zlib";

const [modules, ...pages] = process.argv.slice(2);
const wasmOpt = join(modules, "binaryen/bin/wasm-opt");

// Nothing is asked for that browsers do not have: with `--all-features` the imports are written in a form that Chromium does not read. What is
// compressed is smaller where likes lie beside each other, and where a function that is long is not put into another. The lowest kilobyte of
// memory is the last of the stack, which no pointer of Rust's leads to.
const flags = "--flatten --rereloop -Oz -Oz --one-caller-inline-max-function-size=50 --low-memory-unused --reorder-functions-by-name";
const stripped = "--strip-debug --strip-producers";

for (let at = 0; at < pages.length; at += 2) {
  const [name, folder] = pages.slice(at, at + 2);
  const files = readdirSync(folder);
  const read = (ending) => readFileSync(join(folder, files.find((file) => file.endsWith(ending))));
  const wasm = join(folder, files.find((file) => file.endsWith(".wasm")));
  const small = join(folder, "small.wasm.tmp");
  execFileSync(process.execPath, [wasmOpt, ...`${flags} ${stripped}`.split(" "), wasm, "-o", small]);
  const [optimised, script] = [readFileSync(small), read(".js")];
  const compressed = [optimised, script].map((bytes) => brotliCompressSync(bytes).length);
  console.log([name, optimised.length, script.length, ...compressed].join("\t"));
}
