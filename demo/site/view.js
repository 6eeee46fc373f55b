// What draws: contexts are boxes, ports are lines, calls are dots. It draws what the pages report, in that order, and nothing else.

const SVG = "http://www.w3.org/2000/svg";
const RIGHTS = new Set(["add one contact", "add contacts"]);

// The calls that have a port in them, and those that are answered with one.
const BRINGS_A_PORT = new Set(["take"]);
const RETURNS_A_PORT = new Set(["let_add"]);

const PARAMETERS = new URLSearchParams(location.search);

// How long a dot takes along its line, in milliseconds: `?pace=2000` shows it slowly.
const PACE = Number(PARAMETERS.get("pace") ?? 520);

// How long reports may be on their way, in milliseconds.
const ON_THEIR_WAY = 60;

// How long the end of a page may go unnoticed, in milliseconds.
const NOTICED = 5000;

const still = matchMedia("(prefers-reduced-motion: reduce)");
const element = (name, attributes = {}) => {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
};

export class View {
  #stage = document.querySelector(".stage");
  #wires = document.getElementById("wires");
  #log = document.getElementById("log");
  #lines = new Map();
  #arrived = new Map();
  #gone = new Map();
  #reports = [];
  #shown = Promise.resolve();

  constructor() {
    new ResizeObserver(() => this.#draw()).observe(this.#stage);
  }

  // What is asked for by the script.

  // Shows a page, and waits until its program has reported for duty.
  embed(place, origin) {
    const card = document.getElementById(place);
    card.querySelector(".origin").textContent = origin;
    const frame = document.createElement("iframe");
    frame.name = place;
    frame.title = `${card.querySelector("h3").textContent}, at ${origin}`;
    frame.src = `${origin}/${place}.html`;
    const entered = new Promise((resolve) => this.#arrived.set(place, resolve));
    card.append(frame);
    return entered;
  }

  // Removes a page, and waits until everybody who was connected to it has noticed.
  async remove(place) {
    const card = document.getElementById(place);
    const ends = [...this.#lines].filter(([, { holder }]) => holder === place).map(([line]) => this.#end(line));
    card.querySelector("iframe").remove();
    card.classList.add("gone");
    this.#say(`${place} is removed`, "event");
    await Promise.all(ends);
  }

  // Waits until everything that was reported has been shown.
  async settled() {
    for (let shown; shown !== this.#shown; ) await (shown = this.#shown);
  }

  // What is reported by the pages.

  entered(place) {
    this.#arrived.get(place)?.();
  }

  serves(place, at, line) {
    this.#happened(place, at, () => {
      if (place === "worker") document.getElementById("worker").hidden = false;
      this.#change(line, { server: place, closed: false });
    });
  }

  holds(place, at, line) {
    this.#happened(place, at, () => {
      this.#say(`${place} holds “${line}”`, "event");
      this.#change(line, { holder: place });
    });
  }

  closed(place, at, line) {
    this.#gone.get(line)?.();
    this.#happened(place, at, () => {
      if (this.#lines.get(line)?.closed) return;
      this.#say(`${place}: “${line}” is closed`, "event");
      this.#change(line, { closed: true });
      this.#spend(line, "taken back");
    });
  }

  calls(place, at, line, method) {
    this.#happened(place, at, () => {
      this.#say(`${place} → ${this.#lines.get(line)?.server}: ${method}`, "call");
      return this.#travel(line, false, BRINGS_A_PORT.has(method) ? "call port" : "call");
    });
  }

  ended(place, at, line, method, outcome, hasReturned) {
    this.#happened(place, at, () => {
      const { server } = this.#lines.get(line) ?? {};
      this.#say(`${server} → ${place}: ${method} ${outcome}`, hasReturned ? "call" : "refusal");
      if (!hasReturned) this.#spend(line, "used up");
      const reply = RETURNS_A_PORT.has(method) ? "reply port" : "reply";
      return this.#travel(line, true, hasReturned ? reply : "refusal");
    });
  }

  audit(place, at, text, isRefusal) {
    this.#happened(place, at, () => this.#say(`${place}: ${text}`, isRefusal ? "refusal" : "event"));
  }

  // How it is shown.

  // Reports come by a port for each page, and no order holds across ports: so they are put in order by their time, once those that are
  // on their way have come.
  #happened(place, at, show) {
    this.#reports.push({ place, at, show });
    if (this.#reports.length > 1) return;
    this.#then(async () => {
      await new Promise((resolve) => setTimeout(resolve, ON_THEIR_WAY));
      const reports = this.#reports.splice(0);
      // Those of one page are in order already, and stay so.
      for (const report of reports.sort((one, other) => one.at - other.at)) await report.show();
    });
  }

  #then(show) {
    this.#shown = this.#shown.then(show);
  }

  #say(text, kind) {
    const entry = document.createElement("p");
    entry.className = kind;
    entry.textContent = text;
    this.#log.append(entry);
    this.#log.scrollTop = this.#log.scrollHeight;
  }

  #change(name, change) {
    const line = this.#lines.get(name) ?? this.#made(name);
    Object.assign(line, change);
    this.#draw();
  }

  #made(name) {
    const group = element("g", { class: RIGHTS.has(name) ? "right" : "connection" });
    const [path, from, to] = [element("path"), element("circle", { r: 4 }), element("circle", { r: 4 })];
    const [label, plate] = [element("text"), element("rect", { rx: 6 })];
    label.append(element("tspan"), element("tspan"));
    label.firstChild.textContent = name;
    group.append(path, from, to, plate, label);
    this.#wires.append(group);
    const line = { group, path, ends: [from, to], label, plate, closed: false };
    this.#lines.set(name, line);
    return line;
  }

  // A right that its holder can do nothing with any more, and why; it may be the second reason.
  #spend(name, why) {
    const { group, label } = this.#lines.get(name);
    if (!group.classList.contains("spent")) label.lastChild.textContent = ` (${why})`;
    group.classList.add("spent");
    this.#draw();
  }

  #end(line) {
    return new Promise((resolve, reject) => {
      this.#gone.set(line, resolve);
      setTimeout(() => reject(new Error(`nobody noticed the end of “${line}”`)), NOTICED);
    });
  }

  // Draws every line where its ends are now.
  #draw() {
    // The lines have no `viewBox`, so a unit of theirs is a pixel.
    const { width, left, top } = this.#stage.getBoundingClientRect();
    const boxOf = (place) => {
      const box = document.getElementById(place).getBoundingClientRect();
      return { left: box.left - left, right: box.right - left, top: box.top - top, bottom: box.bottom - top };
    };
    const isNarrow = getComputedStyle(this.#stage).getPropertyValue("--narrow").trim() === "1";
    const beside = new Map();
    let lane = 0;
    for (const [name, line] of this.#lines) {
      const { holder, server, closed, group } = line;
      // A right that was taken back is still held by somebody, and leads nowhere.
      const isHeld = !closed || (RIGHTS.has(name) && this.#isShown(holder));
      const isThere = Boolean(holder && server && isHeld);
      group.classList.toggle("there", isThere);
      if (!isThere) continue;
      const pair = [holder, server].join();
      const nth = beside.get(pair) ?? 0;
      beside.set(pair, nth + 1);
      const [from, to] = [boxOf(holder), boxOf(server)];
      const way = isNarrow ? alongTheEdge(from, to, width, lane++) : across(from, to, width, nth);
      this.#place(line, way);
    }
  }

  #isShown(place) {
    return !document.getElementById(place).classList.contains("gone");
  }

  #place({ path, ends, label, plate }, { d, label: at, turned }) {
    path.setAttribute("d", d);
    const length = path.getTotalLength();
    ends.forEach((end, index) => {
      const { x, y } = path.getPointAtLength(index * length);
      end.setAttribute("cx", x);
      end.setAttribute("cy", y);
    });
    label.setAttribute("x", at.x);
    label.setAttribute("y", at.y);
    const { x, y, width, height } = label.getBBox();
    const box = { x: x - 7, y: y - 1, width: width + 14, height: height + 2 };
    for (const [key, value] of Object.entries(box)) plate.setAttribute(key, value);
    for (const part of [label, plate]) part.setAttribute("transform", turned ? `rotate(-90 ${at.x} ${at.y})` : "");
  }

  // Moves a dot along a line, from its holder or back to it.
  async #travel(name, isBack, kind) {
    const line = this.#lines.get(name);
    if (still.matches || !(PACE > 0) || !line?.group.classList.contains("there") || line.closed) return;
    const dot = element("g", { class: `dot ${kind}` });
    dot.append(kind === "refusal" ? element("path", { d: "M-5,-5 5,5 M-5,5 5,-5" }) : element("circle", { r: 6 }));
    this.#wires.append(dot);
    line.group.classList.add("busy");
    const began = performance.now();
    for (let part = 0; part < 1; ) {
      const now = await new Promise(requestAnimationFrame);
      part = Math.min(1, Math.max(0, (now - began) / PACE));
      const eased = part * part * (3 - 2 * part);
      const length = line.path.getTotalLength();
      const { x, y } = line.path.getPointAtLength(length * (isBack ? 1 - eased : eased));
      dot.setAttribute("transform", `translate(${x} ${y})`);
    }
    line.group.classList.remove("busy");
    dot.remove();
  }
}

const middle = ({ left, right, top, bottom }) => ({ x: (left + right) / 2, y: (top + bottom) / 2 });

// On a narrow page, boxes are above each other: out to the edge, along it, and back in.
const alongTheEdge = (from, to, width, lane) => {
  const x = width - 8 - lane * 15;
  const [start, end] = [middle(from).y + lane * 12 - 12, middle(to).y + lane * 12 - 12];
  const d = `M${from.right},${start} H${x} V${end} H${to.right}`;
  return { d, label: { x, y: (start + end) / 2 }, turned: true };
};

// On a wide page: out at the side, straight on or round a corner, and in at the top or at the side.
const across = (from, to, width, nth) => {
  const [a, b] = [middle(from), middle(to)];
  const isRight = a.x < b.x;
  const shift = nth * 34;
  const [out, into] = isRight ? [from.right, to.left] : [from.left, to.right];
  if (from.bottom < to.top && Math.abs(a.x - b.x) < width / 2) {
    const y = a.y - 14 + shift;
    const x = b.x + (isRight ? -1 : 1) * (shift - 14);
    return { d: rounded([[out, y], [x, y], [x, to.top]]), label: { x: (out + x) / 2, y } };
  }
  const y = a.y - 30 + shift;
  if (y > to.top && y < to.bottom) return { d: `M${out},${y} H${into}`, label: { x: (out + into) / 2, y } };
  const turn = (out + into) / 2 - 60 + shift;
  const end = b.y - 10 + nth * 20;
  return { d: rounded([[out, y], [turn, y], [turn, end], [into, end]]), label: { x: (out + turn) / 2, y } };
};

// A way from corner to corner, which are round.
const rounded = (points) => {
  const [first, ...rest] = points;
  const last = rest.pop();
  let d = `M${first}`;
  rest.forEach((corner, index) => {
    const [before, after] = [points[index], points[index + 2]];
    d += ` L${towards(corner, before)} Q${corner} ${towards(corner, after)}`;
  });
  return `${d} L${last}`;
};

const towards = ([x, y], [toX, toY]) => {
  const distance = Math.hypot(toX - x, toY - y);
  const part = distance ? Math.min(14, distance / 2) / distance : 0;
  return [x + (toX - x) * part, y + (toY - y) * part];
};
