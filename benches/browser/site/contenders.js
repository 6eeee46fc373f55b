// The contenders that are written in JavaScript, each as its documentation shows it. They have the same methods as those in Rust.

import * as comlink from "./node_modules/comlink/dist/esm/comlink.min.mjs";
import { newMessagePortRpcSession } from "./node_modules/capnweb/dist/index.js";

import { bytes, lengthOf, quiet, short } from "./packets.js";

const ECHO = 4096;
const MOVED = 1 << 20;

// The work, by calls that somebody makes: `nothing(number)`, `echo(bytes)`, `moved(buffer)`.
class Work {
  constructor(calls) {
    this.calls = calls;
  }

  async one(calls) {
    for (let call = 0; call < calls; call++) {
      expect((await this.calls.nothing(7)) === 7);
    }
  }

  async many(calls, outstanding) {
    await Promise.all(Array.from({ length: outstanding }, () => this.one(calls / outstanding)));
  }

  async echo(calls) {
    const bytes = new Uint8Array(ECHO).fill(7);
    for (let call = 0; call < calls; call++) {
      expect((await this.calls.echo(bytes)).length === ECHO);
    }
  }

  async moved(calls) {
    let buffer = new ArrayBuffer(MOVED);
    for (let call = 0; call < calls; call++) {
      buffer = await this.calls.moved(buffer);
    }
    expect(buffer.byteLength === MOVED);
  }
}

// Nothing but the port: the answers come in the order of the calls.
export class RawMessages extends Work {
  constructor(port) {
    const waiting = [];
    port.onmessage = ({ data }) => waiting.shift()(data);
    const call = (value, transfer) =>
      new Promise((resolve) => {
        waiting.push(resolve);
        port.postMessage(value, transfer);
      });
    super({ nothing: call, echo: call, moved: (buffer) => call(buffer, [buffer]) });
  }
}

// The messages that handover posts for the same work, and nothing else: whatever posts those is no faster.
export class Packets {
  constructor(port) {
    const waiting = [];
    port.onmessage = ({ data }) => waiting.shift()(data);
    this.call = async (make, transfer) => {
      await quiet();
      return new Promise((resolve) => {
        waiting.push(resolve);
        port.postMessage(make(), transfer);
      });
    };
  }

  async one(calls) {
    for (let call = 0; call < calls; call++) {
      expect((await this.call(short)).length === short().length);
    }
  }

  async many(calls, outstanding) {
    for (let call = 0; call < calls; call += outstanding) {
      await this.#packet(lengthOf(outstanding));
    }
  }

  async echo(calls) {
    for (let call = 0; call < calls; call++) {
      await this.#packet(lengthOf(1) + ECHO);
    }
  }

  async moved(calls) {
    let buffer = new ArrayBuffer(MOVED);
    for (let call = 0; call < calls; call++) {
      buffer = (await this.call(() => [short(), buffer], [buffer]))[1];
    }
    expect(buffer.byteLength === MOVED);
  }

  async #packet(length) {
    expect((await this.call(() => bytes(length))).length === bytes(length).length);
  }
}

export class Comlink extends Work {
  constructor(port) {
    const remote = comlink.wrap(port);
    super({
      nothing: (number) => remote.nothing(number),
      echo: (bytes) => remote.echo(bytes),
      moved: (buffer) => remote.moved(comlink.transfer(buffer, [buffer])),
    });
  }
}

// It moves no buffers: it copies them.
export class CapnWeb extends Work {
  constructor(port) {
    const remote = newMessagePortRpcSession(port);
    super({
      nothing: (number) => remote.nothing(number),
      echo: (bytes) => remote.echo(bytes),
      moved: async (buffer) => (await remote.echo(new Uint8Array(buffer))).buffer,
    });
  }
}

function expect(claim) {
  if (!claim) throw new Error("an answer is wrong");
}
