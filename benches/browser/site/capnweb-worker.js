import { RpcTarget, newMessagePortRpcSession } from "./node_modules/capnweb/dist/index.js";
import { serveWith } from "./connect.js";

class Work extends RpcTarget {
  nothing(number) {
    return number;
  }

  echo(bytes) {
    return bytes;
  }
}

serveWith((port) => newMessagePortRpcSession(port, new Work()));
