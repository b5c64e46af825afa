// A phone's own page: renews itself when that phone changes, and sends what its buttons and forms say to the API.

import { call, clocks, listen, make, soon } from "/core.js";
import { files } from "/files.js";
import { morph } from "/morph.js";

const mac = document.body.dataset.mac;
const api = `/api/v1/phones/${mac}`;
const main = document.querySelector("main");
const find = (id) => document.getElementById(id);

// Shows the page of an address in place of this one, form by form and word by word.
async function show(address) {
  const answer = await fetch(address);
  if (answer.status === 401) return location.reload();
  if (answer.status === 404) return say("This phone is not listed any more, and was never seen. What is below was so before.");
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  const wanted = fresh.querySelector("main");
  if (!answer.ok || !wanted || fresh.body.dataset.mac !== mac) return;
  morph(main, wanted);
  document.title = fresh.title;
  clocks(document);
}
const here = () => location.pathname + location.search;
// What is done here may leave this phone unknown: nothing is asked about it until that is done or another page has come.
let doing = false;
const again = soon(() => doing || show(here()).catch(() => {}), 300);
const look = files(api, () => doing);
async function doAlone(work) {
  doing = true;
  let left = false;
  try {
    left = await work() === LEFT;
  } finally {
    doing = left;
    if (!left) changed();
  }
}
const LEFT = Symbol("on the way to another page");

// Says what came of something; `commit` is what can be taken back, `back` where the phone was before.
function say(text, { commit, back, link, bad, again } = {}) {
  const said = find("said");
  said.replaceChildren(make("span", "", text));
  said.classList.toggle("bad", Boolean(bad));
  said.hidden = false;
  if (link) {
    const to = make("a", "", link);
    to.href = `/phones/${link}`;
    said.append(" ", to);
  }
  if (commit) {
    const undo = make("button", "", "Undo");
    undo.type = "button";
    undo.addEventListener("click", () => takeBack(commit, back, undo));
    said.append(" ", undo);
  }
  // What was changed reaches the phone with its next file only.
  if (again && find("resync")) {
    const come = make("button", "", "Make it come again");
    come.type = "button";
    come.dataset.again = "true";
    said.append(" ", come);
  }
  said.focus();
}

async function takeBack(commit, back, button) {
  button.disabled = true;
  try {
    await doAlone(async () => {
      await call("POST", `/api/v1/undo?commit=${commit}`);
      if (back && back !== mac) return go(back, { text: "Taken back." });
    });
    if (!doing) say("Taken back.");
  } catch (error) {
    say(`Not taken back: ${error.message}.`, { bad: true });
  }
}

// Goes to another phone's page and says there what was done.
function go(to, said) {
  sessionStorage.setItem("ringup-said", JSON.stringify({ ...said, at: to }));
  return leave(`/phones/${to}`);
}
function leave(address) {
  location.assign(address);
  return LEFT;
}

function changed() {
  show(here()).catch(() => {});
  look();
}

// What a finding proposes, at one press.
main.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-accept]");
  if (!button) return;
  button.disabled = true;
  try {
    await doAlone(async () => {
      const phone = await call("POST", `${api}/accept`, { kind: button.dataset.accept });
      const done = { commit: phone.commit, back: mac, again: true };
      if (phone.mac !== mac) return go(phone.mac, { text: `The entry of ${mac} is this phone's now.`, ...done });
      say(`Done: it is listed as ${phone.entry.model || phone.mac} now.`, done);
    });
  } catch (error) {
    button.disabled = false;
    say(`Not done: ${error.message}.`, { bad: true });
  }
});

// Asks it to come again. What it answers comes as an event, and with it a new page; the waiting is said here.
main.addEventListener("click", async (event) => {
  const button = event.target.closest("#resync, [data-again]");
  if (!button) return;
  button.disabled = true;
  try {
    const called = await call("POST", `${api}/resync`);
    const waits = "It has 32 s to answer.";
    if (called.called === "asked") say(`The phone is ${called.text}. ${waits}`);
    else say(`Not asked: ${called.text}.`, { bad: true });
  } catch (error) {
    say(`Not asked: ${error.message}.`, { bad: true });
  }
  button.disabled = false;
});

// The timeline's other parts, without losing what is typed elsewhere.
main.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-part]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
  event.preventDefault();
  history.pushState(null, "", link.href);
  show(here()).then(() => {
    find("timeline").scrollIntoView();
    find("timeline").querySelector("summary")?.focus({ preventScroll: true });
  }).catch(() => location.reload());
});
addEventListener("popstate", () => show(here()).catch(() => {}));

// Copies one paragraph. A page that did not come over TLS has no clipboard, so there are two more ways.
async function copy() {
  const text = await call("GET", `${api}/ticket`);
  const box = find("ticket");
  const area = find("ticket-text");
  box.hidden = true;
  try {
    await navigator.clipboard.writeText(text);
    return say("Copied for the ticket.");
  } catch { /* Not allowed here: the older way. */ }
  area.value = text;
  box.hidden = false;
  area.focus();
  area.select();
  if (!document.execCommand("copy")) return;
  box.hidden = true;
  say("Copied for the ticket.");
}
main.addEventListener("click", (event) => {
  if (event.target.closest("#copy")) copy().catch((error) => say(`Not copied: ${error.message}.`, { bad: true }));
});

// Forms: what is typed is marked so that a renewal leaves it alone, Escape and Cancel close.
function problem(form, text) {
  const place = form.querySelector(".problem");
  place.textContent = text;
  place.hidden = !text;
}
function close(form) {
  form.reset();
  delete form.dataset.dirty;
  problem(form, "");
  if (form.id === "replace-form") plan(form, null);
  const act = form.closest("details");
  act.open = false;
  act.querySelector("summary").focus();
}
main.addEventListener("input", (event) => {
  const form = event.target.closest("form[data-form]");
  if (!form) return;
  form.dataset.dirty = "true";
  if (form.id === "replace-form") plan(form, null);
});
main.addEventListener("click", (event) => {
  if (event.target.closest("[data-close]")) close(event.target.closest("form"));
});
main.addEventListener("keydown", (event) => {
  const form = event.target.closest?.("form[data-form]");
  if (event.key === "Escape" && form) close(form);
});
main.addEventListener("toggle", (event) => {
  if (event.target.matches?.(".acts > details") && event.target.open) event.target.querySelector("input, button")?.focus();
}, true);
main.addEventListener("submit", async (event) => {
  const form = event.target.closest("form[data-form]");
  if (!form) return;
  event.preventDefault();
  const button = form.querySelector("[type=submit]");
  if (button.disabled) return;
  button.disabled = true;
  problem(form, "");
  try {
    await doAlone(() => ({ "edit-form": edit, "replace-form": replace, "forget-form": forget })[form.id](form));
  } catch (error) {
    problem(form, error.message);
  }
  button.disabled = false;
});

// Sends the entry as it is now with what was changed here: what somebody else changed meanwhile stays.
async function edit(form) {
  const listed = (await call("GET", api)).entry;
  const entry = listed ?? {};
  for (const field of form.elements) {
    // What a new entry begins with was not typed and counts all the same.
    if (!field.name || field.value === field.defaultValue && (listed || field.value === "")) continue;
    entry[field.name] = field.value.trim();
    // The first of several lines is written in two places.
    if (entry.lines && (field.name === "number" || field.name === "name")) entry.lines[0][field.name] = field.value.trim();
  }
  if (entry.site === "") delete entry.site;
  await call("PUT", api, entry);
  delete form.dataset.dirty;
  for (const field of form.elements) if (field.name) field.defaultValue = field.value;
  close(form);
  say("Saved.", { again: true });
}

// A dead phone's place: looked at first, with every difference said, and done at the second press.
const planned = new WeakMap();
function plan(form, what) {
  const place = form.querySelector("#replace-plan");
  const button = form.querySelector("[type=submit]");
  planned.set(form, what);
  button.textContent = what ? "Replace" : "Look first";
  if (!what) return place.replaceChildren();
  const { new: phone, differences, notes, renewed } = what;
  const entry = phone.entry;
  const lines = entry.lines?.length ?? (entry.number ? 1 : 0);
  const moves = [
    [entry.number, entry.name].filter(Boolean).join(" "),
    lines > 1 ? `${lines} lines` : "",
    entry.address ? `the reserved address ${entry.address}` : "",
    entry.site ? `site ${entry.site}` : "",
    entry.location ? `location ${entry.location}` : "",
    entry.note ? "the note" : "",
    Object.keys(entry.keys ?? {}).length ? "the keys" : "",
  ].filter(Boolean).join(", ");
  const list = make("ul", "");
  const add = (className, text) => list.append(make("li", className, text));
  for (const difference of differences) add("bad", difference);
  add("", `To ${phone.mac} goes: ${moves || "the entry"}.`);
  if (renewed) add("", `SIP passwords made anew: ${renewed}. Tell the registrar: export the accounts afterwards.`);
  for (const note of notes) add("", note);
  place.replaceChildren(list);
}
async function replace(form) {
  const ready = planned.get(form);
  if (!ready) {
    const scan = await call("POST", "/api/v1/scan", { text: form.elements.by.value });
    if (!scan.mac) throw new Error(scan.repair?.mac ? `${scan.text}. Was ${scan.repair.mac} meant?` : scan.text);
    return plan(form, await call("POST", `${api}/replace?dry-run=true`, { by: scan.mac }));
  }
  const done = await call("POST", `${api}/replace?confirm=true`, { by: ready.new.mac });
  const passwords = done.renewed ? ` Its registrar has to learn ${done.renewed} new SIP password${done.renewed > 1 ? "s" : ""}.` : "";
  delete form.dataset.dirty;
  return go(done.new.mac, { text: `This phone took the place of ${mac}.${passwords}`, commit: done.commit, back: mac });
}

async function forget() {
  await call("DELETE", api);
  return leave("/");
}

clocks(document);
look();
setInterval(() => clocks(document), 5000);
// Being stuck or away comes with time alone, without an event: ask again now and then.
setInterval(again, 30000);
const before = JSON.parse(sessionStorage.getItem("ringup-said") ?? "null");
sessionStorage.removeItem("ringup-said");
if (before?.at === mac) say(before.text, before);
let entry;
let first = true;
listen({
  phone: (phone) => {
    if (phone.mac !== mac) return;
    again();
    // What it would get depends on what it is and on what is listed, and on nothing that a boot does.
    const now = JSON.stringify([phone.entry, phone.identity?.model, phone.identity?.family, phone.address]);
    if (entry !== undefined && entry !== now) look();
    entry = now;
  },
}, () => { if (!first) again(); first = false; });
