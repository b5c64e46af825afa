// Leases with a filter; the pools above are drawn by the appliance.

import { call, clocks, make, soon } from "/core.js";
import { renewing } from "/renew.js";

const AT_ONCE = 200; // Leases that are asked for at once.

const body = document.querySelector("#leases tbody");
const filter = document.getElementById("filter");
const which = document.getElementById("which");
const more = document.getElementById("more");
const shown = document.getElementById("shown");
let next = null;
let turn = 0;
let count = AT_ONCE;

function moment(name, at) {
  const cell = make("td");
  const time = make("time", "", at);
  time.dateTime = at;
  cell.append(make("span", "quiet", `${name} `), time);
  return cell;
}

function one(lease) {
  const row = make("tr");
  row.dataset.address = lease.address;
  const who = make("td");
  const link = make("a", "main", lease.label || lease.mac);
  link.href = `/phones/${lease.mac}`;
  who.append(link);
  if (lease.label) who.append(make("span", "sub mac", lease.mac));
  const state = make("td");
  const mark = make("span", "verdict", lease.active ? "active" : "ended");
  mark.dataset.is = lease.active ? "active" : "ended";
  state.append(mark);
  row.append(make("td", "address", lease.address), state, who, make("td", "", lease.model), moment("since", lease.since), until(lease));
  return row;
}

// A time to come is told as it is: `ago` knows the past only.
function until(lease) {
  const cell = make("td");
  const at = new Date(lease.until);
  cell.append(make("span", "quiet", lease.active ? "until " : "ended "));
  const day = { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" };
  cell.append(make("span", "", at.getFullYear() > 9000 ? "for ever" : at.toLocaleString(undefined, day)));
  return cell;
}

async function look() {
  const mine = ++turn;
  const query = new URLSearchParams({ q: filter.value, limit: String(Math.min(count, 1000)) });
  if (which.value) query.set("active", which.value);
  const page = await call("GET", `/api/v1/leases?${query}`);
  if (mine !== turn) return;
  next = page.next;
  body.replaceChildren(...page.items.map(one));
  clocks(body);
  more.hidden = !next || count >= 1000;
  const all = `${page.items.length}${next ? " or more" : ""} lease${page.items.length === 1 && !next ? "" : "s"}`;
  shown.textContent = page.items.length ? all : "";
  document.getElementById("none").hidden = page.items.length > 0;
  document.getElementById("none").textContent = filter.value || which.value
    ? "No lease is like that."
    : "No lease was given or overheard yet. The first phone that gets an address shows up here.";
  document.getElementById("leases").hidden = page.items.length === 0;
  const address = new URL(location.href);
  address.search = filter.value ? `?q=${encodeURIComponent(filter.value)}` : "";
  history.replaceState(null, "", address);
}
const again = soon(() => look().catch(() => { shown.textContent = "the list can't be read just now"; }), 200);

filter.value = new URLSearchParams(location.search).get("q") ?? "";
for (const kind of ["input", "change"]) filter.addEventListener(kind, again);
which.addEventListener("change", again);
more.addEventListener("click", () => { count += AT_ONCE * 2; again(); });
again();
const busy = soon(again, 1000);
renewing(["lease"], 30, busy);
setInterval(again, 30000);
