import { expose, transfer } from "./node_modules/comlink/dist/esm/comlink.min.mjs";
import { serveWith } from "./connect.js";

const work = {
  nothing: (number) => number,
  echo: (bytes) => bytes,
  moved: (buffer) => transfer(buffer, [buffer]),
};

serveWith((port) => expose(work, port));
