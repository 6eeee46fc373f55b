import init, { web_rpc_worker } from "./built/page.js";
import { serveWith } from "./connect.js";

await init();
serveWith((port) => {
  port.start();
  web_rpc_worker(port);
});
