// Starts the wasm program of a page, and shows what goes wrong on the page itself.

const show = (error) => {
  document.getElementById("error").textContent = `This page could not start: ${error?.message ?? error}`;
};

export const begin = async (run) => {
  addEventListener("error", (event) => show(event.message));
  addEventListener("unhandledrejection", (event) => show(event.reason));
  try {
    const [sites, pages] = await Promise.all([load(), import("/demo.js")]);
    await pages.default({ module_or_path: "/demo_bg.wasm" });
    run(pages, sites);
    return { pages, sites };
  } catch (error) {
    show(error);
    throw error;
  }
};

// The origins of all pages.
const load = async () => {
  const response = await fetch("/sites.json");
  if (!response.ok) throw new Error(`the origins of the pages are not known (${response.status})`);
  return response.json();
};
