import { serveWith } from "./connect.js";
import { bytes, short } from "./packets.js";

// What is answered at once is posted at once.
serveWith((port) => {
  port.onmessage = ({ data }) => {
    if (Array.isArray(data)) {
      port.postMessage([short(), data[1]], [data[1]]);
    } else {
      port.postMessage(typeof data === "string" ? short() : bytes(data.length));
    }
  };
});
