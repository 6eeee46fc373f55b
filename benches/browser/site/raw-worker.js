import { serveWith } from "./connect.js";

serveWith((port) => {
  port.onmessage = ({ data }) => port.postMessage(data, data instanceof ArrayBuffer ? [data] : undefined);
});
