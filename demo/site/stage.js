// The stage: the script of the story, step by step.

import { begin } from "/face.js";
import { View } from "/view.js";

const ONE = "add one contact";
const MANY = "add contacts";
const view = new View();
let pages;

const STEPS = [
  {
    title: "Grant a right",
    text: "Social may manage your contacts. It asks them for less: a right to add one contact, and to see none.",
    act: () => pages.ask(ONE),
  },
  {
    title: "Hand it on",
    text: "Social hands the right to the game. The port itself moves, so nothing of it stays behind.",
    act: () => pages.hand_on(ONE),
  },
  {
    title: "Use it",
    text: "The player meets William Tell. The game adds him, straight to the contacts.",
    act: () => pages.add(ONE, "William Tell"),
  },
  {
    title: "Use it again",
    text: "The right was for one call. The contacts refuse the second, whoever makes it.",
    act: () => pages.add(ONE, "Gessler"),
  },
  {
    title: "Trust it more",
    text: "The game gets another right in the same way: as many contacts as it likes, until it is taken back.",
    act: async () => {
      await pages.ask(MANY);
      return pages.hand_on(MANY);
    },
  },
  {
    title: "Remove social",
    text: "The page in the middle is gone, with all that it had. What it handed on works: it never went through it.",
    act: async () => {
      await view.remove("social");
      return pages.add(MANY, "Bertha");
    },
  },
  {
    title: "Move the contacts",
    text: "They move into a worker, with book, ports and rights, while the game adds three more. It notices nothing.",
    act: async () => {
      const moved = pages.move_provider();
      const added = [];
      for (const name of ["Rösselmann", "Stauffacher", "Attinghausen"]) added.push(await pages.add(MANY, name));
      return `${await moved}; meanwhile the game added ${added.length} contacts.`;
    },
  },
  {
    title: "Revoke the right",
    text: "The contacts take it back. From here on, the game can do nothing.",
    act: async () => {
      await pages.revoke(MANY);
      return pages.add(MANY, "Gessler");
    },
  },
];

const list = document.getElementById("steps");

// One entry for each step, of which one at a time can be taken.
const entries = STEPS.map(({ title, text }, index) => {
  const entry = document.createElement("li");
  entry.innerHTML = "<button type=button disabled></button><p></p><output></output>";
  const [button, explanation, outcome] = entry.children;
  button.textContent = title;
  explanation.textContent = text;
  explanation.id = `step-${index + 1}`;
  button.setAttribute("aria-describedby", explanation.id);
  button.addEventListener("click", () => take(index));
  list.append(entry);
  return { entry, button, outcome };
});

const again = document.createElement("li");
again.className = "again";
again.innerHTML =
  "<button type=button>Start again</button><p>No server was asked, and nobody checked a token: the port is the right, and whoever granted it has the last word.</p>";
again.hidden = true;
again.firstChild.addEventListener("click", () => location.reload());
list.append(again);

// Makes a step the one that can be taken.
const offer = (index, focus) => {
  const next = entries[index]?.entry ?? again;
  for (const { entry } of entries) entry.classList.toggle("now", entry === next);
  again.hidden = next !== again;
  again.classList.toggle("now", next === again);
  const button = next.querySelector("button");
  document.querySelector("[aria-current]")?.removeAttribute("aria-current");
  button.setAttribute("aria-current", "step");
  button.disabled = false;
  if (focus) button.focus({ preventScroll: true });
};

// Takes a step: what it does is done by the pages, and takes as long as they do.
const take = async (index) => {
  const { entry, button, outcome } = entries[index];
  if (entry.classList.contains("busy") || entry.classList.contains("done")) return;
  entry.classList.remove("failed");
  entry.classList.add("busy");
  button.setAttribute("aria-disabled", "true");
  outcome.textContent = "";
  try {
    const came = await STEPS[index].act();
    await view.settled();
    outcome.textContent = came;
    entry.classList.add("done");
    const hadFocus = document.activeElement === button;
    button.disabled = true;
    offer(index + 1, hadFocus);
  } catch (error) {
    entry.classList.add("failed");
    outcome.textContent = `This did not work: ${error?.message ?? error}`;
  } finally {
    entry.classList.remove("busy");
    button.removeAttribute("aria-disabled");
  }
};

const start = await begin((pages, { contacts, social, game }) => pages.stage(view, contacts, social, game));
pages = start.pages;
// Social comes first: the others wait for it, and a page that is not loaded yet is no address.
await view.embed("social", start.sites.social);
await Promise.all([view.embed("contacts", start.sites.contacts), view.embed("game", start.sites.game)]);
await pages.meet();
await view.settled();
offer(0, false);
