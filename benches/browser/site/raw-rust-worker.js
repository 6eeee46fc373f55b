import init, { raw_rust_worker } from "./built/page.js";
import { serveWith } from "./connect.js";

await init();
serveWith((port) => {
  port.start();
  raw_rust_worker(port);
});
