// Runs in a new module worker: loads what it is told to, and calls one of its exports.
// The listener is there before anything is awaited, so nothing that is posted meanwhile is missed.
addEventListener("message", async function load({ data }) {
  if (data?.handover !== 1 || data.says !== "load") return;
  removeEventListener("message", load);
  try {
    const module = await import(data.module);
    if (typeof module[data.export] !== "function") {
      throw new Error(`${data.module} exports no function "${data.export}"`);
    }
    await module.default(data.wasm === undefined ? undefined : { module_or_path: data.wasm });
    await module[data.export]();
  } catch (error) {
    // Not as a rejected promise, of which the worker's maker would not hear.
    setTimeout(() => { throw error; });
  }
});
