import { defineConfig } from "vite";

export default defineConfig({
  // Workers of handover's are module workers.
  worker: { format: "es" },
});
