import init, { check } from "./pkg/app.js";
import worker from "./sums-worker.js?worker&url";

const report = (line) => document.getElementById("report").append(line + "\n");
addEventListener("error", (event) => report("error: " + event.message));
addEventListener("unhandledrejection", (event) => report("error: " + event.reason));

await init();
report(await check(worker));
