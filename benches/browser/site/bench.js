// Page to worker: the same work by everyone, in interleaved rounds on one page. Each measurement is a line of JSON in the page,
// which whoever drives the browser reads; the last line is `done`.

import { CapnWeb, Comlink, Packets, RawMessages } from "./contenders.js";
import init, { Handover, RawRust, WebRpc } from "./built/page.js";

const OUTSTANDING = 64;

// Each row makes so many calls, a multiple of `step`.
const ROWS = [
  { name: "null call", step: 1, method: "one" },
  { name: "64 outstanding", step: OUTSTANDING, method: "many" },
  { name: "echo of 4 KiB", step: 1, method: "echo" },
  { name: "1 MiB moved", step: 1, method: "moved" },
];

const report = (line) => document.getElementById("report").append(`${line}\n`);

async function contenders() {
  await init();
  const handover = new Handover("worker.js");
  // Then the worker is there for the others as well.
  await handover.one(1);
  const worker = handover.the_worker();
  const connect = (name, make) => {
    const { port1, port2 } = new MessageChannel();
    worker.postMessage(name, [port2]);
    return [name, make(port1)];
  };
  const all = [
    connect("raw postMessage", (port) => new RawMessages(port)),
    connect("raw, from Rust", (port) => new RawRust(port)),
    connect("handover's messages, raw", (port) => new Packets(port)),
    connect("Comlink", (port) => new Comlink(port)),
    connect("Cap'n Web", (port) => new CapnWeb(port)),
    connect("web-rpc", (port) => WebRpc.connect(port)),
    ["handover", handover],
    ["handover, wasm memory", { moved: (calls) => handover.moved_memory(calls) }],
  ];
  return Promise.all(all.map(async ([name, contender]) => ({ name, contender: await contender })));
}

// Milliseconds that so many calls take.
async function time(row, { contender }, calls) {
  const started = performance.now();
  await contender[row.method](calls, OUTSTANDING);
  return performance.now() - started;
}

// How many calls take about so many milliseconds.
async function calibrate(row, contender, milliseconds) {
  let calls = row.step;
  for (;;) {
    const took = await time(row, contender, calls);
    if (took >= milliseconds / 2) {
      return Math.max(1, Math.round((calls * milliseconds) / took / row.step)) * row.step;
    }
    calls *= 2;
  }
}

// Works until the engine's compilers have nothing more to do: they take processors of their own, and a module of wasm is much to compile. In WebKit that
// takes seconds, in which calls are slower by a fifth.
async function warmUp(row, contender, milliseconds) {
  const until = performance.now() + milliseconds;
  while (performance.now() < until) {
    await time(row, contender, row.step);
  }
}

// The same in any order.
function shuffled(list) {
  const left = [...list];
  return list.map(() => left.splice(Math.floor(Math.random() * left.length), 1)[0]);
}

async function measure(all, row, { warmUpTime, rounds, milliseconds }) {
  const able = all.filter(({ contender }) => row.method in contender);
  await Promise.all(able.map((contender) => warmUp(row, contender, warmUpTime)));
  const lanes = [];
  for (const contender of able) {
    lanes.push({ contender, calls: await calibrate(row, contender, milliseconds), samples: [] });
  }
  for (let round = 0; round < rounds; round++) {
    // Everybody pays for what the one before has left behind, in caches and for the collector: so nobody always comes after the same.
    for (const lane of shuffled(lanes)) {
      const took = await time(row, lane.contender, lane.calls);
      lane.samples.push((lane.calls / took) * 1000);
    }
  }
  for (const { contender, samples } of lanes) {
    report(JSON.stringify({ row: row.name, contender: contender.name, per_second: samples }));
  }
}

addEventListener("error", (event) => report(`error: ${event.message}`));
addEventListener("unhandledrejection", (event) => report(`error: ${event.reason}`));

const parameters = new URLSearchParams(location.search);
const number = (name) => Number(parameters.get(name));
const settings = { warmUpTime: number("warm-up"), rounds: number("rounds"), milliseconds: number("milliseconds") };
const asked = (name) => !parameters.has("row") || name.includes(parameters.get("row"));
const all = await contenders();
for (const row of ROWS.filter((row) => asked(row.name))) {
  await measure(all, row, settings);
}
report("done");
