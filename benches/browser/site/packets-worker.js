import { serveWith } from "./connect.js";
import { bytes, quiet, short } from "./packets.js";

serveWith((port) => {
  port.onmessage = async ({ data }) => {
    await quiet();
    if (Array.isArray(data)) {
      port.postMessage([short(), data[1]], [data[1]]);
    } else {
      port.postMessage(typeof data === "string" ? short() : bytes(data.length));
    }
  };
});
