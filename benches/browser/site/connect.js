// The two ends of a connection to a worker, which is ready when it says so, and then gets a port.

export async function connect(script) {
  const worker = new Worker(new URL(script, import.meta.url), { type: "module" });
  await new Promise((resolve, reject) => {
    worker.onmessage = resolve;
    worker.onerror = (event) => reject(new Error(`${script}: ${event.message}`));
  });
  const { port1, port2 } = new MessageChannel();
  worker.postMessage(null, [port2]);
  return port1;
}

// In the worker: serves at the port that comes.
export function serveWith(serve) {
  addEventListener("message", ({ ports: [port] }) => serve(port), { once: true });
  postMessage("ready");
}
