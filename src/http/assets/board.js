// The board: all phones, the troubled first.

import { call, clip, clocks, listen, make, soon, status } from "/core.js";

const SHOWN = 500; // Rows in the table; whoever has more narrows the filter.

const phones = new Map();
const rows = new Map();
const body = document.querySelector("#phones tbody");
const filter = document.getElementById("filter");
const chips = Array.from(document.querySelectorAll(".stages button"));
let stage = "";
let loaded = false;

const troubled = (phone) => phone.findings.length > 0 || phone.stuck || phone.looping;

// The troubled first, then who is on the way, then who never came, then who is done.
function rank(phone) {
  if (troubled(phone)) return 0;
  if (phone.stage === "silent") return 3;
  if (phone.diagnosis) return 1;
  return phone.ready ? 4 : 2;
}

function label(phone) {
  const entry = phone.entry;
  return entry && (entry.number || entry.name) ? [entry.number, entry.name].filter(Boolean).join(" ") : phone.mac;
}

function words(phone) {
  const entry = phone.entry ?? {};
  return [phone.mac, phone.mac.replaceAll(":", ""), label(phone), entry.model, entry.site, entry.location, entry.note,
    phone.identity.vendor, phone.identity.model, phone.identity.family, phone.address, phone.stage,
    ...phone.findings.flatMap((finding) => [finding.kind, finding.text])].join("\n").toLowerCase();
}

function fits(phone, wanted) {
  if (stage === "trouble" ? !troubled(phone) : stage && phone.stage !== stage) return false;
  return wanted.every((word) => phone.words.includes(word));
}

function take(phone) {
  if (phone.forgotten) return phones.delete(phone.mac);
  const before = phones.get(phone.mac);
  if (before && before.changed > phone.changed) return;
  const text = JSON.stringify(phone);
  if (before && before.text === text) return;
  phone.text = text;
  phone.words = words(phone);
  phone.rank = rank(phone);
  phone.label = label(phone);
  phones.set(phone.mac, phone);
}

function cells(phone) {
  const first = make("td");
  const badge = make("span", "stage", phone.stage);
  badge.dataset.stage = phone.stage;
  first.append(badge);
  if (phone.upgrade && phone.upgrade.length > 0) {
    const bar = make("progress");
    bar.max = phone.upgrade.length;
    bar.value = phone.upgrade.bytes;
    bar.title = `${phone.upgrade.bytes} of ${phone.upgrade.length} bytes of ${clip(phone.upgrade.name)}`;
    first.append(bar);
  }
  for (const flag of ["stuck", "looping", "away"]) {
    if (!phone[flag]) continue;
    const mark = make("span", "flag", flag);
    mark.dataset.flag = flag;
    first.append(" ", mark);
  }
  return [first, who(phone), model(phone), make("td", "address", phone.address ?? ""), last(phone), findings(phone)];
}

function who(phone) {
  const cell = make("td");
  const link = make("a", "main", phone.label);
  link.href = `/phones/${phone.mac}`;
  cell.append(link, make("span", "sub mac", phone.label === phone.mac ? (phone.entry ? "" : "not listed") : phone.mac));
  return cell;
}

function model(phone) {
  const cell = make("td");
  const listed = phone.entry?.model || "";
  const seen = phone.identity.model || "";
  const wrong = phone.findings.some((finding) => finding.kind === "wrong-model" || finding.kind === "wrong-family");
  cell.append(make("span", wrong ? "differs" : "", seen || listed || phone.identity.vendor || ""));
  if (listed && seen && wrong) cell.append(make("span", "sub", `listed as ${listed}`));
  else if (listed && !seen) cell.append(make("span", "sub", "as listed"));
  else if (phone.identity.firmware) cell.append(make("span", "sub", phone.identity.firmware));
  return cell;
}

function last(phone) {
  const cell = make("td");
  if (!phone.last) return cell;
  cell.append(make("span", "", phone.last.text));
  const time = make("time", "sub");
  time.dateTime = phone.last.at;
  cell.append(time);
  return cell;
}

function findings(phone) {
  const cell = make("td");
  const add = (text, remedy, bad) => {
    const finding = make("span", "finding");
    finding.append(make("span", bad ? "bad" : "", text), make("span", "remedy", remedy));
    cell.append(finding);
  };
  for (const finding of phone.findings) add(finding.text, finding.remedy, true);
  // Who was never seen is told so by the stage; what to look at is in the phone's own record.
  const told = phone.diagnosis && phone.stage !== "silent" && phone.findings.length === 0;
  if (told) add(phone.diagnosis.text, phone.diagnosis.remedy, phone.stuck);
  if (phone.progress) cell.append(make("span", "quiet", phone.progress));
  if (phone.elsewhere) cell.append(make("span", "quiet", `provisioned elsewhere: by ${phone.elsewhere.join(", ")}`));
  if (phone.ready && phone.findings.length === 0) cell.append(make("span", "good", "ready"));
  return cell;
}

function row(phone) {
  const known = rows.get(phone.mac);
  if (known && known.phone === phone) return known.element;
  const element = known?.element ?? make("tr");
  element.dataset.mac = phone.mac;
  element.replaceChildren(...cells(phone));
  clocks(element);
  element.classList.remove("changed");
  if (known) requestAnimationFrame(() => element.classList.add("changed"));
  rows.set(phone.mac, { phone, element });
  return element;
}

function count() {
  const counts = new Map([["", phones.size], ["trouble", 0]]);
  for (const phone of phones.values()) {
    counts.set(phone.stage, (counts.get(phone.stage) ?? 0) + 1);
    if (troubled(phone)) counts.set("trouble", counts.get("trouble") + 1);
  }
  for (const chip of chips) {
    const number = counts.get(chip.dataset.stage) ?? 0;
    chip.querySelector(".count").textContent = String(number);
    chip.classList.toggle("none", number === 0);
  }
}

function draw() {
  if (!loaded) return;
  count();
  const wanted = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
  const found = Array.from(phones.values()).filter((phone) => fits(phone, wanted));
  found.sort((a, b) => a.rank - b.rank || (a.label < b.label ? -1 : a.label > b.label ? 1 : 0));
  const shown = found.slice(0, SHOWN);
  const elements = shown.map(row);
  // Rows that stay where they are are not touched, so that a selection or a pressed link survives.
  elements.forEach((element, at) => {
    if (body.children[at] !== element) body.insertBefore(element, body.children[at] ?? null);
  });
  while (body.children.length > elements.length) body.lastElementChild.remove();
  const kept = new Set(shown.map((phone) => phone.mac));
  for (const mac of rows.keys()) if (!kept.has(mac)) rows.delete(mac);
  document.getElementById("empty").hidden = phones.size > 0;
  document.getElementById("phones").hidden = phones.size === 0;
  const all = found.length === phones.size ? `${found.length}` : `${found.length} of ${phones.size}`;
  const note = found.length > SHOWN ? `, the first ${SHOWN} shown` : "";
  document.getElementById("shown").textContent = phones.size ? `${all} phone${phones.size === 1 ? "" : "s"}${note}` : "";
}
const redraw = soon(draw, 100);

// Reads the whole list, page by page, and drops what is no longer in it.
async function load() {
  const before = new Set(phones.keys());
  for (let after = ""; after !== null;) {
    const page = await call("GET", `/api/v1/phones?limit=1000&after=${after}`);
    for (const phone of page.items) {
      before.delete(phone.mac);
      take(phone);
    }
    after = page.next;
    loaded = true;
    draw();
  }
  for (const mac of before) phones.delete(mac);
  draw();
}

for (const chip of chips) {
  chip.addEventListener("click", () => {
    stage = chip.dataset.stage === stage ? "" : chip.dataset.stage;
    for (const other of chips) other.setAttribute("aria-pressed", String(other.dataset.stage === stage));
    draw();
  });
}
for (const kind of ["input", "change"]) filter.addEventListener(kind, redraw);
setInterval(() => clocks(body), 5000);
// Being stuck or away comes with time alone, without an event: ask again now and then.
setInterval(() => load().catch(() => {}), 30000);
listen({ phone: (phone) => { take(phone); redraw(); } }, () => load().catch(() => status("lost", "connection lost, trying again")));
