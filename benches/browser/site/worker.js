// Everybody's end in the worker. It is one worker for all of them: which processor a thread is on, and how soon it is woken, is a matter of chance
// that lasts as long as the thread does, and makes more of a difference than what is compared.

import { expose, transfer } from "./node_modules/comlink/dist/esm/comlink.min.mjs";
import { RpcTarget, newMessagePortRpcSession } from "./node_modules/capnweb/dist/index.js";

import init, { handover_worker, raw_rust_worker, web_rpc_worker } from "./built/page.js";
import { bytes, short } from "./packets.js";

class Work extends RpcTarget {
  nothing(number) {
    return number;
  }

  echo(bytes) {
    return bytes;
  }
}

// What serves at a port, by the names of the page.
const servers = {
  "raw postMessage": (port) => {
    port.onmessage = ({ data }) => port.postMessage(data, data instanceof ArrayBuffer ? [data] : undefined);
  },
  // What is answered at once is posted at once.
  "handover's messages, raw": (port) => {
    port.onmessage = ({ data }) => {
      if (Array.isArray(data)) {
        port.postMessage([short(), data[1]], [data[1]]);
      } else {
        port.postMessage(typeof data === "string" ? short() : bytes(data.length));
      }
    };
  },
  Comlink: (port) => {
    expose({ nothing: (number) => number, echo: (bytes) => bytes, moved: (buffer) => transfer(buffer, [buffer]) }, port);
  },
  "Cap'n Web": (port) => newMessagePortRpcSession(port, new Work()),
  "raw, from Rust": (port) => {
    port.start();
    raw_rust_worker(port);
  },
  "web-rpc": (port) => {
    port.start();
    web_rpc_worker(port);
  },
};

// Handover's own messages are none of these.
addEventListener("message", ({ data, ports: [port] }) => servers[data]?.(port));

await init();
handover_worker();
