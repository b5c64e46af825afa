// The board: how the rollout goes and all phones, the troubled first; what is asked for is in the address bar.

import { call, clip, clocks, listen, make, soon } from "/core.js";
import { outage, ask, panelFor } from "/board-outage.js";
import { row, tile } from "/board-rows.js";
import { Store, modelOf, switchOf, troubled } from "/board-store.js";
import { Window } from "/board-window.js";

const PAGE = 250; // Phones read at a time: more would hold the browser up for too long.
const PACE = 100; // Milliseconds in which what comes is taken together.
const KEPT = "ringup-board"; // Rows or tiles, remembered by this browser.

const at = (id) => document.getElementById(id);
const store = new Store();
const chips = Array.from(document.querySelectorAll(".stages button"));
const table = at("phones");
const tiles = at("tiles");
const gone = (phone) => (outage.on ? outage.items.get(phone.mac) : undefined);
const rows = new Window(table, at("rows"), Array.from(table.querySelectorAll(".pad")), "tr", row, gone);
const cards = new Window(tiles, tiles.querySelector("ul"), Array.from(tiles.querySelectorAll(".pad")), "li", tile, gone);
let loaded = false;
let tiled = false;
let news = true; // Something changed since the figures were asked for.

// --- What is asked for, and the address bar that holds it.

const LONGEST = 200; // Characters of one part of the filter.
const NAMES = ["stage", "finding", "site", "model", "q", "since"];
let filter;

function read() {
  const query = new URLSearchParams(location.search);
  // A link may carry anything: a search of a thousand words would be looked for in every phone.
  filter = Object.fromEntries(NAMES.map((name) => [name, (query.get(name) ?? "").slice(0, LONGEST)]));
  filter.away = query.get("away") === "1";
  filter.switch = query.get("switch"); // Empty stands for phones of which no switch told; null for all.
}

function write() {
  const query = new URLSearchParams();
  for (const name of NAMES) if (filter[name]) query.set(name, filter[name]);
  if (filter.away) query.set("away", "1");
  if (filter.switch !== null) query.set("switch", filter.switch);
  const text = query.toString();
  history.replaceState(null, "", text ? `?${text}` : location.pathname);
}

function fits() {
  const wanted = filter.q.toLowerCase().split(/\s+/).filter(Boolean);
  const { stage, finding, site, model, away } = filter;
  return (phone) =>
    (!stage || (stage === "trouble" ? troubled(phone) : phone.stage === stage))
    && (!finding || phone.findings.some((one) => one.kind === finding))
    && (!site || phone.site === site)
    && (!model || modelOf(phone) === model)
    && (filter.switch === null || switchOf(phone) === filter.switch)
    && (!away || outage.items.has(phone.mac))
    && wanted.every((word) => phone.words.includes(word));
}

// Puts the filter into the fields; what the reader types in stays as it is.
function reflect() {
  for (const chip of chips) chip.setAttribute("aria-pressed", String(chip.dataset.stage === filter.stage));
  if (document.activeElement !== at("filter")) at("filter").value = filter.q;
  for (const name of ["finding", "site", "model"]) choose(at(name), filter[name]);
  at("away").setAttribute("aria-pressed", String(filter.away));
  panelFor(filter);
}

function choose(field, value) {
  // A link may name what is not here (any more): it is shown all the same, or the list would be empty for no reason.
  if (value && !Array.from(field.options).some((option) => option.value === value)) field.add(option(value, value));
  field.value = value;
}

function option(value, text) {
  const option = make("option", "", text);
  option.value = value;
  return option;
}

function change(part) {
  const before = filter;
  filter = { ...filter, ...part };
  write();
  reflect();
  refit();
  if (filter.away && (!before.away || before.since !== filter.since || before.switch !== filter.switch)) notBack();
}

function refit() {
  store.refit(fits());
  draw();
}

function notBack() {
  ask(filter).then(refit, (error) => { at("back").textContent = error.message; });
}

// --- What is shown.

function counts() {
  for (const chip of chips) {
    const number = store.stages.of(chip.dataset.stage);
    const count = chip.querySelector(".count");
    if (count.textContent !== String(number)) count.textContent = String(number);
    chip.classList.toggle("none", number === 0);
  }
  const all = Math.max(1, store.phones.size);
  let from = 0;
  for (const share of at("bar").children) {
    const width = (1000 * store.stages.of(share.dataset.stage)) / all;
    share.setAttribute("x", from);
    share.setAttribute("width", width);
    from += width;
  }
  for (const [field, tally] of [[at("site"), store.sites], [at("model"), store.models]]) names(field, tally);
}

function names(field, tally) {
  if (field.names === tally.names || document.activeElement === field) return;
  field.names = tally.names;
  const known = Array.from(tally.counts.keys()).filter(Boolean).sort();
  field.replaceChildren(field.options[0], ...known.map((name) => option(name, name)));
  choose(field, filter[field.id]);
}

function draw() {
  if (!loaded) return;
  counts();
  const { shown, phones } = store;
  table.setAttribute("aria-rowcount", shown.length + 1);
  table.hidden = tiled || shown.length === 0;
  tiles.hidden = !tiled || shown.length === 0;
  (tiled ? cards : rows).show(shown);
  at("empty").hidden = phones.size > 0;
  at("none").hidden = phones.size === 0 || shown.length > 0;
  const back = filter.away && outage.items.size === 0;
  at("why").textContent = back ? "Nobody is missing." : "No phone is like that.";
  const all = shown.length === phones.size ? `${shown.length}` : `${shown.length} of ${phones.size}`;
  const text = phones.size ? `${all} phone${phones.size === 1 ? "" : "s"}` : "";
  if (at("shown").textContent !== text) at("shown").textContent = text;
}

function flush() {
  if (store.flush().size === 0 && loaded) return;
  news = true;
  draw();
}
const redraw = soon(flush, PACE);

function view(as) {
  tiled = as === "tiles";
  at("as-rows").setAttribute("aria-pressed", String(!tiled));
  at("as-tiles").setAttribute("aria-pressed", String(tiled));
  draw();
}

const seconds = (value) => (value < 0.1 ? "0.1 s" : value < 10 ? `${Math.round(value * 10) / 10} s` : value < 90 ? `${Math.round(value)} s` : `${Math.round(value / 60)} min`);
const clock = (text) => new Date(text).toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit" });

async function figures() {
  if (document.hidden || !news) return;
  news = false;
  const now = await call("GET", "/api/v1/summary");
  const took = now.time_to_configured;
  const texts = {
    configured: `${now.configured} of ${now.listed}`,
    rate: now.rate === null ? "–" : String(now.rate),
    forecast: now.forecast ? clock(now.forecast) : "–",
    "forecast-all": now.forecast_all ? clock(now.forecast_all) : "–",
    p50: took ? seconds(took.p50) : "–",
    p95: took ? seconds(took.p95) : "–",
  };
  at("with-unseen").hidden = !now.forecast_all;
  for (const [id, text] of Object.entries(texts)) if (at(id).textContent !== text) at(id).textContent = text;
}

// --- Where it comes from.

// Reads phones page by page; `seen` gets the MACs of all.
async function pages(query, seen) {
  for (let after = ""; after !== null;) {
    const page = await call("GET", `/api/v1/phones?brief=true&limit=${PAGE}${query}&after=${after}`);
    for (const phone of page.items) {
      seen?.add(phone.mac);
      store.take(phone);
    }
    after = page.next;
    redraw();
  }
}

let loading = null;

// Reads the whole list, and drops what is no longer in it.
function load() {
  loading ??= (async () => {
    const known = new Set(store.phones.keys());
    const seen = new Set();
    await pages("", seen);
    for (const mac of known) if (!seen.has(mac)) store.take({ mac, forgotten: true });
    loaded = true;
    flush();
    draw(); // Also where there is nothing.
    if (filter.away) notBack();
  })().finally(() => { loading = null; });
  return loading;
}

// Where the connection is lost as well, the list is read when it is back.
const failed = (error) => {
  at("shown").textContent = `The list of phones could not be read, trying again: ${clip(error.message)}`;
  setTimeout(() => { if (at("live").dataset.is === "live") load().catch(failed); }, 3000);
};
// Time alone makes a phone ready, stuck or away: those of which that may be so are asked for now and then.
setInterval(() => { if (loaded && !document.hidden) pages("&unsettled=true").catch(() => {}); }, 15000);
setInterval(() => figures().catch(() => {}), 2000);
setInterval(() => { if (outage.on && !document.hidden && performance.now() - outage.at > 4000) notBack(); }, 5000);
setInterval(() => clocks(document), 5000);
// Rates and forecasts move with the time too.
setInterval(() => { news = true; }, 10000);
addEventListener("visibilitychange", () => { if (!document.hidden && loaded) pages("&unsettled=true").catch(() => {}); });

// --- What the reader does.

for (const chip of chips) {
  chip.addEventListener("click", () => change({ stage: chip.dataset.stage === filter.stage ? "" : chip.dataset.stage }));
}
const typed = soon(() => change({ q: at("filter").value.trim().slice(0, LONGEST) }), 30);
for (const kind of ["input", "change"]) at("filter").addEventListener(kind, typed);
for (const name of ["finding", "site", "model"]) {
  at(name).addEventListener("change", () => change(name === "site" ? { site: at("site").value, switch: null } : { [name]: at(name).value }));
}
at("away").addEventListener("click", () => change(filter.away ? { away: false, since: "", switch: null } : { away: true }));
at("clear").addEventListener("click", () => change({ stage: "", finding: "", site: "", model: "", q: "", away: false, since: "", switch: null }));
for (const as of ["rows", "tiles"]) {
  at(`as-${as}`).addEventListener("click", () => { localStorage.setItem(KEPT, as); view(as); });
}
addEventListener("popstate", () => { read(); reflect(); refit(); });
addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const typing = event.target.closest?.("input, select, textarea");
  if (event.key === "/" && !typing) {
    event.preventDefault();
    at("filter").focus();
  } else if (event.key === "Escape" && event.target === at("filter")) {
    at("filter").value = "";
    change({ q: "" });
  } else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && (!typing || event.target === at("filter"))) {
    const list = tiled ? cards : rows;
    if (!list.list.contains(event.target) && event.target !== at("filter")) return;
    event.preventDefault();
    list.step(event.key === "ArrowDown" ? 1 : -1);
  }
});

read();
panelFor(filter, change);
reflect();
store.refit(fits());
view(localStorage.getItem(KEPT) ?? "rows");
figures().catch(() => {});
listen({ phone: (phone) => { if (store.take(phone)) redraw(); } }, () => load().catch(failed), "/api/v1/events?only=phone&brief=true");
