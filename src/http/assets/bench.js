// The bench: a field that a scanner types into, and what became of each scan. All of it works without a mouse.

import { call, clip, listen, make, soon, status } from "/core.js";
import { purpose } from "/purpose.js";

const id = document.getElementById("bench").dataset.batch;
const here = `/api/v1/batches/${id}`;
const byId = (name) => document.getElementById(name);
const field = byId("scan");
const panel = byId("light");

let batch = null;
let last = null; // The MAC of the phone that was scanned last.
let unknown = null; // A scanned MAC that has no entry.
let model = ""; // The model of the cartons that follow.
let slot = null; // The slot of the next phone, where the operator chose it.
let replacing = null; // The phone whose place the next one takes.
let layout = null; // The keyboard that the scanner was found to type on.
let doubted = ""; // The number that is taken if it is scanned once more.
let stubborn = ""; // The step that was refused when it was to be taken back.
let quiet = false;

// What can be taken back: [what it was, the calls that do it, the slot to go on with]. This tab keeps it, so that a
// reload loses none of it; another store may have a batch of the same number, and not of the same moment.
const KEPT = `ringup-undo-${id}-${document.getElementById("bench").dataset.start}`;
const MOST = 200; // Steps; the oldest goes.
const done = JSON.parse(sessionStorage.getItem(KEPT) ?? "[]");

function keep() {
  done.splice(0, done.length - MOST);
  sessionStorage.setItem(KEPT, JSON.stringify(done));
}

function did(what, ...calls) {
  done.push([what, calls]);
  keep();
}

// Sound ---------------------------------------------------------------------------------------------------------------

let audio = null;
const TONES = { green: [[880, 0], [1320, 0.09]], amber: [[620, 0]], red: [[190, 0], [150, 0.16]] };

function sound(colour) {
  if (quiet || !window.AudioContext) return;
  audio ??= new AudioContext();
  for (const [pitch, after] of TONES[colour] ?? []) {
    const [tone, volume] = [audio.createOscillator(), audio.createGain()];
    const from = audio.currentTime + after;
    tone.type = colour === "red" ? "square" : "sine";
    tone.frequency.value = pitch;
    volume.gain.setValueAtTime(0.12, from);
    volume.gain.exponentialRampToValueAtTime(0.001, from + 0.15);
    tone.connect(volume).connect(audio.destination);
    tone.start(from);
    tone.stop(from + 0.16);
  }
}

// What is shown -------------------------------------------------------------------------------------------------------

function light(colour, title, text) {
  panel.dataset.light = colour;
  byId("title").textContent = clip(title);
  byId("says").textContent = clip(text);
  sound(colour);
}

// The slot that the next phone gets: nobody is moved out of one by counting on.
function nextSlot() {
  const taken = new Set(batch.phones.map((one) => one.slot));
  let free = slot ?? batch["next-slot"];
  while (taken.has(free)) free += 1;
  return free;
}

const numberOf = (one) => one.phone?.entry?.number || "";

function tile(one, number) {
  const element = make("li", "tile");
  element.append(make("span", "slot", number === null ? "no slot" : String(number)));
  if (!one) return element;
  element.dataset.light = one.light;
  element.dataset.mac = one.mac;
  if (one.sealed) element.dataset.sealed = one.sealed;
  if (one.mac === last) element.setAttribute("aria-current", "true");
  // The number is what is read from afar; the name is for who stands in front of it.
  const [listed, name] = [numberOf(one), one.phone?.entry?.name];
  const link = make("a", "main", listed || name || "not listed");
  if (listed && name) link.append(" ", make("span", "whose", name));
  link.href = `/phones/${one.mac}`;
  element.append(link, make("span", "mac", one.mac), make("span", "sub", one.says));
  if (one.port) element.append(make("span", "sub", one.port));
  return element;
}

// Puts tiles in place of those that differ: who goes from one to the next by keys stays where they are.
function putTiles(slots, tiles) {
  const at = document.activeElement.closest("#slots [data-mac]")?.dataset.mac;
  tiles.forEach((tile, place) => {
    const before = slots.children[place];
    if (!before) slots.append(tile);
    else if (!before.isEqualNode(tile)) before.replaceWith(tile);
  });
  while (slots.children.length > tiles.length) slots.lastElementChild.remove();
  if (at && !slots.contains(document.activeElement)) slots.querySelector(`[data-mac="${at}"] a`)?.focus();
}

function draw() {
  if (!batch) return;
  const [scanned, planned] = [batch.scanned, batch.planned];
  const left = Math.max(planned - scanned, 0);
  byId("count").textContent = planned ? `MAC ${scanned} of ${planned}, ${left} to go` : `${scanned} scanned`;
  byId("ready").textContent = `${batch.ready} configured, ${batch.sealed} sealed${batch.failed ? `, ${batch.failed} put aside` : ""}`;
  byId("name").textContent = clip(batch.name);
  byId("who").textContent = clip([batch.operator, batch.site].filter(Boolean).join(" · "));
  const standing = byId("standing");
  standing.textContent = batch.standing.replace("-", " ");
  standing.dataset.standing = batch.standing;
  byId("model").textContent = model ? `Cartons are ${clip(model)}` : "";
  const next = batch["by-plugging"] && slot === null ? "slots as plugged in" : `next slot ${nextSlot()}`;
  byId("next").textContent = replacing ? `replaces ${replacing}` : next;
  byId("next").hidden = batch.standing !== "open";
  byId("hand-over").hidden = batch.standing !== "open";
  byId("take-back").hidden = batch.standing !== "handed-over";
  byId("close").hidden = batch.standing === "closed";
  byId("restart").hidden = batch.standing !== "handed-over" || batch.sealed + batch.failed >= scanned;
  byId("unlisted").hidden = !unknown;
  byId("mend").hidden = batch.standing !== "open" || !staged(last)?.repair;
  byId("forget").hidden = !model;
  for (const name of ["undo", "next-slot", "replace", "fail"]) byId(name).hidden = batch.standing === "closed";
  field.disabled = batch.standing === "closed";
  const bySlot = new Map(batch.phones.filter((one) => one.slot).map((one) => [one.slot, one]));
  const most = Math.min(Math.max(planned, ...bySlot.keys(), 0), 600);
  const tiles = Array.from({ length: most }, (_, at) => tile(bySlot.get(at + 1), at + 1));
  // Who was given a number beyond the grid is shown behind it, and who has none after that.
  tiles.push(...batch.phones.filter((one) => one.slot > most).map((one) => tile(one, one.slot)));
  tiles.push(...batch.phones.filter((one) => !one.slot).map((one) => tile(one, null)));
  putTiles(byId("slots"), tiles);
  byId("none").hidden = tiles.length > 0;
}

async function load() {
  const before = new Map((batch?.phones ?? []).map((one) => [one.mac, one]));
  batch = await call("GET", here);
  draw();
  // News of the phone on the panel is news for the panel.
  const one = batch.phones.find((other) => other.mac === last);
  const known = before.get(last);
  if (one && known && (known.light !== one.light || known.says !== one.says)) show(one);
}

function show(one) {
  light(one.light, [one.slot && `Slot ${one.slot}`, numberOf(one), one.mac].filter(Boolean).join(" · "), one.says);
}

// Scans ---------------------------------------------------------------------------------------------------------------

const staged = (mac) => batch.phones.find((one) => one.mac === mac);
const plain = (text) => text.toUpperCase().replace(/^CP-/, "").replace(/[^A-Z0-9]/g, "");

// Scans a phone in, lists it where `fields` say something, and remembers how that is taken back.
async function put(mac, fields, known) {
  const before = staged(mac);
  const entry = (before?.phone ?? known)?.entry ?? null;
  const place = before || slot === null ? {} : { slot: nextSlot() };
  const one = await call("POST", `${here}/phones`, { mac, ...place, ...fields });
  if (slot !== null && !before) slot = one.slot + 1;
  const lists = Object.keys(fields).length > 0;
  const unlist = entry ? ["PUT", `/api/v1/phones/${mac}`, entry] : ["DELETE", `/api/v1/phones/${mac}/entry`];
  did(`scan of ${mac}`, ...(lists ? [unlist] : []), ...(before ? [] : [["DELETE", `${here}/phones/${mac}`]]));
  last = mac;
  unknown = one.phone?.entry ? null : mac;
  await load();
  return one;
}

async function phone(read) {
  const mac = read.mac;
  if (replacing) return replace(mac);
  const listed = read.phone?.entry?.model ?? "";
  const one = await put(mac, model && !listed ? { model } : {}, read.phone);
  if (model && listed && plain(listed) !== plain(model)) {
    unknown = mac;
    draw();
    return light("red", mac, `the carton says ${model}, and it is listed as ${listed}; LIST takes the carton's word`);
  }
  show(one);
  const notes = read.macs.find((found) => found.mac === mac)?.notes ?? [];
  if (notes.includes("wireless") || notes.includes("second-port")) light("amber", mac, read.text);
}

async function replace(mac) {
  const [old, place, before] = [replacing, staged(replacing)?.slot ?? 0, staged(mac)];
  replacing = null;
  // It comes in first: where the batch does not take it, nothing else has happened.
  if (!before) await call("POST", `${here}/phones`, { mac });
  let swap;
  try {
    swap = await call("POST", `/api/v1/phones/${old}/replace?confirm`, { by: mac });
  } catch (error) {
    if (!before) await call("DELETE", `${here}/phones/${mac}`);
    throw error;
  }
  // From here on there is something to take back, whatever becomes of the rest.
  const back = before ? ["PATCH", `${here}/phones/${mac}`, { slot: before.slot ?? 0 }] : ["DELETE", `${here}/phones/${mac}`];
  did(`replacing ${old}`, ["POST", `/api/v1/undo?commit=${swap.commit}`], back, ["POST", `${here}/phones`, { mac: old, slot: place }]);
  await call("DELETE", `${here}/phones/${old}`);
  const one = await call("PATCH", `${here}/phones/${mac}`, { slot: place });
  [last, unknown] = [mac, null];
  await load();
  show(one);
}

// Does what takes a step back. Where that ends half way, what is left of it can be taken back still: by the next UNDO,
// and not by the one after that, so that a step which nothing takes back does not stand in the way of those before it.
async function takeBack([what, , before], left) {
  for (; left.length > 0; left.shift()) {
    try {
      await call(...left[0]);
    } catch (error) {
      if (error.status === 404) continue; // It is gone already.
      const refused = error.status !== undefined;
      const again = refused && stubborn === what;
      if (!again) done.push(before === undefined ? [what, left] : [what, left, before]);
      keep();
      stubborn = refused && !again ? what : "";
      await load().catch(() => {});
      throw again ? new Error(`given up: ${error.message}`) : error;
    }
  }
  stubborn = "";
}

const commands = {
  async undo() {
    const step = done.pop();
    if (!step) return light("amber", "Undo", "nothing is left to take back");
    keep();
    const [what, calls, before] = step;
    await takeBack(step, [...calls]);
    if (before !== undefined) slot = before;
    unknown = null;
    await load();
    light("amber", "Undone", what);
  },
  async "next-slot"() {
    done.push(["leaving a slot free", [], slot]);
    keep();
    slot = nextSlot() + 1;
    slot = nextSlot();
    draw();
    light("amber", `Slot ${slot}`, "the next phone goes here");
  },
  async replace() {
    if (!last) return light("amber", "Replace", "scan the phone that is to be replaced first");
    replacing = last;
    draw();
    light("amber", "Replace", `the next phone takes the place of ${replacing}`);
  },
  async fail() {
    const mac = last;
    if (!mac || !staged(mac)) return light("amber", "Fail", "scan the phone that failed first");
    const one = await call("PATCH", `${here}/phones/${mac}`, { failed: "failed on the bench" });
    did(`putting ${mac} aside`, ["PATCH", `${here}/phones/${mac}`, { failed: "" }]);
    await load();
    show(one);
  },
  // Lists the phone that is here under its own MAC, in the place of the label that was misread.
  async mend() {
    const misread = staged(last)?.repair;
    if (!misread) return light("amber", "Label", "no label of the last phone is in doubt");
    const fixed = await call("POST", `/api/v1/phones/${misread}/accept`, { kind: "bad-label" });
    const [wrong, mac] = [staged(misread), fixed.mac];
    const present = staged(mac);
    const back = [["POST", `/api/v1/undo?commit=${fixed.commit}`]];
    did(`taking the label of ${mac}`, ...back);
    if (wrong) {
      await call("DELETE", `${here}/phones/${misread}`);
      if (!present) back.push(["DELETE", `${here}/phones/${mac}`]);
      back.push(["POST", `${here}/phones`, { mac: misread, slot: wrong.slot ?? 0 }]);
      done[done.length - 1] = [`taking the label of ${mac}`, back];
      keep();
      if (!present) await call("POST", `${here}/phones`, { mac, slot: wrong.slot ?? 0 });
    }
    [last, unknown] = [mac, null];
    await load();
    show(staged(mac));
  },
  async list() {
    if (!unknown) return light("amber", "List", "scan a phone that is not listed first");
    show(await put(unknown, model ? { model } : { list: true }));
  },
};

async function number(text) {
  if (!last || !staged(last)) return light("amber", text, "a number: scan the phone that gets it first");
  // So long a number is a serial's as well: it is taken when it is scanned once more.
  if (/^[0-9]{9,}$/.test(text) && doubted !== `${last} ${text}`) {
    doubted = `${last} ${text}`;
    return light("amber", `Is ${text} the number?`, `it looks like a serial number; scan it once more to take it for ${last}`);
  }
  const before = numberOf(staged(last) ?? {});
  const one = await put(last, { number: text, ...(model && !staged(last)?.phone?.entry?.model ? { model } : {}) });
  // A carton has other numbers on it too: that one was taken for this phone's has to be seen.
  if (before && before !== text) return light("amber", `${before} is now ${text}`, `number of ${last}; UNDO takes it back`);
  show(one);
}

async function take(text) {
  const read = await call("POST", "/api/v1/scan", { text, ...(layout ? { layout: layout.id } : {}) });
  if (read.layout) {
    layout = read.layout;
    byId("layout").hidden = false;
    byId("layout").textContent = clip(read.layout.text);
  }
  if (read.command) return commands[read.command]();
  if (read.mac) return phone(read);
  if (/^[+*#]?[0-9]{2,10}$/.test(read.read)) return number(read.read);
  if (read.model) {
    model = read.model;
    draw();
    return light("green", model, "the model of the cartons that follow; Escape ends it");
  }
  light("red", clip(text), read.text);
}

// One after the other: a scanner is faster than an answer.
let turn = Promise.resolve();
function queue(work, what) {
  const failed = (error) => {
    // No answer at all is an error of another kind than one that the API tells.
    const text = error instanceof TypeError ? "ringup does not answer: do it again once it is live" : error.message;
    light("red", what ? `Not done: ${what}` : "Not done", text);
  };
  turn = turn.then(work).catch(failed).then(() => { field.dataset.taken = Number(field.dataset.taken ?? 0) + 1; });
  return turn;
}

byId("scanning").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = field.value;
  field.value = "";
  if (text.trim()) queue(() => take(text), text);
});

// Keys and buttons ----------------------------------------------------------------------------------------------------

const KEYS = { F2: "list", F4: "fail", F6: "replace", F7: "mend", F8: "next-slot", F9: "undo" };

function forget() {
  field.value = model = "";
  replacing = slot = null;
  draw();
}

addEventListener("keydown", (event) => {
  if (KEYS[event.key] || (event.key === "z" && event.ctrlKey && !field.value)) {
    event.preventDefault();
    const name = KEYS[event.key] ?? "undo";
    queue(commands[name], name);
  } else if (event.key === "Escape") {
    forget();
  } else if (event.key.length === 1 && !event.ctrlKey && !event.altKey && !event.metaKey
    && !["INPUT", "SELECT", "TEXTAREA"].includes(document.activeElement.tagName)) {
    // A scanner types wherever the focus is. The blank and the return key belong to a button that has it.
    if (event.key !== " " || document.activeElement === document.body) field.focus();
  }
});
addEventListener("focus", () => field.focus());
document.addEventListener("pointerup", (event) => {
  if (!event.target.closest("a, input, select, label, summary") && !getSelection().toString()) setTimeout(() => field.focus(), 0);
});

// Which phones a hand-over could not tell to come again, said once: their tiles say it until they come.
function byHand(phones) {
  if (!phones) return;
  const told = batch.phones.filter((one) => !one.failed).length - phones.length;
  const names = phones.map(({ mac }) => staged(mac)).map((one) => (one?.slot ? `slot ${one.slot}` : one?.mac)).filter(Boolean);
  const left = names.length ? `Restart by hand: ${names.slice(0, 12).join(", ")}${names.length > 12 ? " …" : ""}` : "None needs a hand";
  light(names.length ? "amber" : "green", "Handed over", `${told} told to come again. ${left}.`);
}

// What speaks against handing over; nothing where all phones are as they should be.
function unfit() {
  const phones = batch.phones.filter((one) => !one.failed);
  const never = phones.filter((one) => !one.phone?.last);
  const red = phones.filter((one) => one.light === "red");
  const rest = phones.filter((one) => !one.ready && !never.includes(one) && !red.includes(one));
  const parts = [[never, "never seen"], [red, "red"], [rest, "not ready yet"]].filter(([some]) => some.length);
  return parts.length ? `Of ${phones.length} phones: ${parts.map(([some, is]) => `${some.length} ${is}`).join(", ")}.` : "";
}

async function handOver() {
  await load();
  const against = unfit();
  if (against && !confirm(`${against}\n\nHand over all the same?`)) return field.focus();
  await step("hand-over", "Hand over all the same?");
}

async function step(path, question) {
  let done;
  try {
    done = await call("POST", `${here}/${path}`);
  } catch (error) {
    if (!question || !confirm(`${error.message}\n\n${question}`)) throw error;
    done = await call("POST", `${here}/${path}?confirm`);
  }
  await load();
  byHand(done["by-hand"]);
  field.focus();
}

byId("hand-over").addEventListener("click", () => queue(handOver));
byId("take-back").addEventListener("click", () => queue(() => step("take-back")));
byId("close").addEventListener("click", () => queue(() => step("close", "Close all the same?")));
byId("purpose")?.addEventListener("submit", (event) => {
  event.preventDefault();
  const given = purpose(byId("purpose"));
  queue(async () => {
    await call("PATCH", here, given);
    await load();
    byId("purpose").closest("details").open = false;
    field.focus();
  }, "the change");
});
byId("unlisted").addEventListener("click", () => queue(commands.list));
byId("mend").addEventListener("click", () => queue(commands.mend, "the label"));
for (const name of ["undo", "next-slot", "replace", "fail"]) byId(name).addEventListener("click", () => queue(commands[name], name));
byId("forget").addEventListener("click", forget);
byId("mute").addEventListener("click", () => {
  quiet = !quiet;
  byId("mute").textContent = quiet ? "Sound is off" : "Sound is on";
});

const again = soon(() => load().catch(() => {}), 200);
listen({
  phone: (one) => { if (batch?.phones.some((other) => other.mac === one.mac)) again(); },
  batch: (one) => { if (String(one.id) === id) again(); },
}, () => load().catch((error) => { status("lost", "connection lost, trying again"); byId("says").textContent = clip(error.message); }));
setInterval(again, 15000); // Being stuck comes with time alone, without an event.
field.focus();
