// Makes wasm files as small as they get, and prints what is left of each page: bytes of wasm, of JavaScript, and of both compressed.
// Usage: node size.mjs <folder of node_modules> <name> <folder that wasm-bindgen wrote> [<name> <folder> …]

import { execFileSync } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync } from "node:zlib";

const [modules, ...pages] = process.argv.slice(2);
const wasmOpt = join(modules, "binaryen/bin/wasm-opt");

for (let at = 0; at < pages.length; at += 2) {
  const [name, folder] = pages.slice(at, at + 2);
  const files = readdirSync(folder);
  const read = (ending) => readFileSync(join(folder, files.find((file) => file.endsWith(ending))));
  const wasm = join(folder, files.find((file) => file.endsWith(".wasm")));
  const small = join(folder, "small.wasm.tmp");
  execFileSync(process.execPath, [wasmOpt, "-Oz", "--strip-debug", "--strip-producers", "--all-features", wasm, "-o", small]);
  const [optimised, script] = [readFileSync(small), read(".js")];
  const compressed = [optimised, script].map((bytes) => brotliCompressSync(bytes).length);
  console.log([name, optimised.length, script.length, ...compressed].join("\t"));
}
