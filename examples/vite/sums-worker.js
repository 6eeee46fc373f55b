import init, { sums_worker } from "./pkg/app.js";

await init();
sums_worker();
