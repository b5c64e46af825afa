// What happens to all phones, the newest on top; pausing keeps it for later.

import { call, clip, clocks, listen, make } from "/core.js";

const KEPT = 500; // Events that are kept at most.
const DRAWN = 200; // And how many of them are drawn.

const list = document.getElementById("tail");
const filter = document.getElementById("filter");
const quiet = document.getElementById("quiet");
const pause = document.getElementById("pause");
const note = document.getElementById("shown");
let events = []; // Newest first.
let waiting = [];
let missed = 0;
let paused = false;
let scheduled = false;

const TIME = { hour: "2-digit", minute: "2-digit", second: "2-digit" };

function fits(event, words) {
  if (quiet.checked && (event.normal || event.kind === "progress" || event.data.granted === "renewed")) return false;
  return words.every((word) => event.words.includes(word));
}

function one(event) {
  const line = make("li", event.normal ? "quiet" : "");
  line.dataset.kind = event.kind;
  const at = new Date(event.at);
  const time = make("time", "", at.toLocaleTimeString(undefined, TIME));
  time.title = at.toLocaleString();
  const who = make("span", "who");
  if (event.mac) {
    const link = make("a", "", event.label || event.mac);
    link.href = `/phones/${event.mac}`;
    who.append(link);
    if (event.label) who.append(make("span", "sub mac", event.mac));
  } else who.append(make("span", "quiet", "appliance"));
  line.append(time, who, make("span", "what", event.text));
  return line;
}

function draw() {
  scheduled = false;
  const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
  const found = events.filter((event) => fits(event, words));
  const lines = found.slice(0, DRAWN).map((event) => (event.line ??= one(event)));
  // What stays is not touched: whoever goes by keyboard keeps the place.
  lines.forEach((line, at) => { if (list.children[at] !== line) list.insertBefore(line, list.children[at] ?? null); });
  while (list.children.length > lines.length) list.lastElementChild.remove();
  document.getElementById("none").hidden = found.length > 0;
  document.getElementById("none").textContent = events.length ? "No event is like that." : "Nothing has happened yet. The first packet of a phone shows up here.";
  const left = missed ? `, ${missed} left out in a storm` : "";
  note.textContent = paused && waiting.length ? `paused, ${waiting.length} new` : paused ? "paused" : events.length ? `${lines.length} of the last ${events.length}${left}` : "";
}

function redraw() {
  if (scheduled) return;
  scheduled = true;
  requestAnimationFrame(draw);
}

function take(items) {
  for (const event of items) {
    event.words = [event.mac ?? "", (event.mac ?? "").replaceAll(":", ""), event.label, event.kind, clip(event.text)].join("\n").toLowerCase();
  }
  const fresh = items.reverse();
  if (paused) waiting = fresh.concat(waiting).slice(0, KEPT);
  else events = fresh.concat(events).slice(0, KEPT);
  redraw();
}

function turn() {
  paused = !paused;
  if (!paused) {
    events = waiting.concat(events).slice(0, KEPT);
    waiting = [];
  }
  pause.textContent = paused ? "Go on" : "Pause";
  pause.setAttribute("aria-pressed", String(paused));
  redraw();
}

// Reads what there is; what came meanwhile by the stream is in it as well.
async function load() {
  const { items } = await call("GET", `/api/v1/events/recent?limit=${KEPT}`);
  if (paused) return;
  events = [];
  take(items);
}

filter.value = new URLSearchParams(location.search).get("q") ?? "";
for (const kind of ["input", "change"]) filter.addEventListener(kind, redraw);
quiet.addEventListener("change", redraw);
pause.addEventListener("click", turn);
addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, textarea, select");
  if (event.key === "p" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) turn();
  if (event.key === "/" && !typing) { event.preventDefault(); filter.focus(); }
});
clocks(document);
const happened = (told) => {
  missed += told.missed;
  take(told.items);
};
listen({ happened }, () => load().catch(() => {}), "/api/v1/events/tail");
