// A list taken in: every change of it is looked at anew by the appliance, and nothing is imported before it is asked for.

import { call, clip, listen, make, soon } from "/core.js";

const AT_ONCE = 300; // Rows that are drawn at once; a button shows the next ones.
const LARGEST = 12 * 1024 * 1024; // Octets of a file, so that it fits the API in base64.
const ORDER = ["refused", "changed", "added", "same"];

const by = (id) => document.getElementById(id);
const body = document.querySelector("#verdicts tbody");
const fields = by("columns").dataset.fields.split(",");

let source = null; // { list } or { base64 }, and the file's name.
let result = null;
let turn = 0; // Counts the looks at the list: the answer to an older one is not drawn.
let shown = AT_ONCE;
let only = "";
const meanings = new Map();
const ticked = new Map();

const key = (line, repair) => `${line} ${repair.column}`;
const plural = (count, one, several) => `${count} ${count === 1 ? one : several}`;

function query(dry) {
  const query = new URLSearchParams({ "dry-run": String(dry) });
  const form = by("form").value;
  // A list whose columns the operator names is nobody else's export.
  if (form === "ours") query.append("map", "mac=mac");
  else if (form) query.set("from", form);
  for (const [name, field] of meanings) query.append("map", `${name}=${field}`);
  if (by("partial").checked) query.set("partial", "true");
  return query;
}

function send(dry) {
  const repairs = Array.from(ticked.values(), ({ line, column, value }) => ({ line, column, value }));
  const { list, base64 } = source;
  return call("POST", `/api/v1/phones/import?${query(dry)}`, list === undefined ? { base64, repairs } : { list, repairs });
}

async function look() {
  const mine = ++turn;
  if (!source) return draw(null);
  by("loaded").textContent = `looking at ${clip(source.name)} …`;
  document.body.setAttribute("aria-busy", "true");
  try {
    const answer = await send(true);
    if (mine === turn) draw(answer);
  } catch (error) {
    if (mine !== turn) return;
    draw(null);
    fault(error);
  } finally {
    if (mine === turn) document.body.removeAttribute("aria-busy");
  }
  if (mine === turn && source) by("loaded").textContent = clip(source.name);
}
const again = soon(look, 150);

function fault(error) {
  const block = make("div", "trouble");
  block.append(make("p", "", error.message));
  by("problems").replaceChildren(block);
}

function say(text, ...buttons) {
  by("said").replaceChildren(make("span", "", text), ...buttons);
  by("said").hidden = false;
  by("said").focus();
}

function begin(next) {
  source = next;
  meanings.clear();
  ticked.clear();
  only = "";
  shown = AT_ONCE;
  by("partial").checked = false;
  by("said").hidden = true;
  by("clear").hidden = !next;
  if (!next) by("loaded").textContent = "";
  look();
}

async function take(file) {
  if (/\.(xlsx?|xlsm|ods|numbers)$/i.test(file.name)) {
    fault(new Error("That is a workbook. Save the sheet as CSV, or mark its cells, copy, and paste them here."));
    return;
  }
  if (file.size > LARGEST) {
    fault(new Error("That file is larger than 12 MiB. Import it in parts."));
    return;
  }
  // As it is: the appliance knows more encodings than a browser tells apart.
  const reader = new FileReader();
  reader.onerror = () => fault(new Error("The file can't be read."));
  reader.onload = () => {
    by("text").value = "";
    begin({ base64: reader.result.slice(reader.result.indexOf(",") + 1), name: file.name });
  };
  reader.readAsDataURL(file);
}

function draw(answer) {
  result = answer;
  by("verdict").hidden = !answer || answer.rows.length === 0;
  problems(answer ? answer.problems : []);
  columns(answer ? answer.columns : []);
  if (answer) rows();
}

function problems(list) {
  by("problems").replaceChildren(...list.map((problem) => {
    const block = make("div", problem.severity === "error" ? "trouble" : "notice");
    const where = problem.line ? `line ${problem.line}: ` : "";
    block.append(make("p", "", where + problem.text));
    // What a command would be told is done here with the columns below.
    if (problem.help && !problem.help.includes("--")) block.append(make("p", "quiet", problem.help));
    return block;
  }));
}

function columns(list) {
  const unknown = list.some((column) => column.name && !column.field && !meanings.has(column.name));
  by("columns").hidden = !unknown && meanings.size === 0;
  if (by("columns").hidden) return by("headings").replaceChildren();
  by("headings").replaceChildren(...list.filter((column) => column.name).map((column) => {
    const label = make("label", column.field || meanings.has(column.name) ? "" : "unknown");
    const select = make("select");
    const add = (value, text) => {
      const option = make("option", "", text);
      option.value = value;
      select.append(option);
    };
    const near = column.near && fields.includes(column.near) ? column.near : null;
    if (!column.field && !meanings.has(column.name)) add("?", "choose …");
    if (near) add(near, `${near} (probably)`);
    add("", "left out");
    for (const field of fields) if (field !== near) add(field, field);
    if (column.field && !fields.includes(column.field)) add(column.field, column.field);
    select.value = meanings.get(column.name) ?? column.field ?? "?";
    select.addEventListener("change", () => {
      if (select.value === "?") meanings.delete(column.name);
      else meanings.set(column.name, select.value);
      look();
    });
    label.append(make("span", "wire", column.name), select);
    return label;
  }));
}

// What may be ticked in a row: what was ticked before stays, though it is mended by now.
function offers(row) {
  const found = new Map(row.repairs.map((repair) => [key(row.line, repair), { ...repair, line: row.line }]));
  for (const [name, repair] of ticked) if (repair.line === row.line) found.set(name, repair);
  return Array.from(found.values());
}

function rows() {
  const open = result.rows.flatMap((row) => row.repairs.map((repair) => ({ ...repair, line: row.line })))
    .filter((repair) => !ticked.has(key(repair.line, repair)));
  by("offers").hidden = open.length === 0 && ticked.size === 0;
  by("offered").textContent = [
    open.length ? plural(open.length, "repair is proposed", "repairs are proposed") : "",
    ticked.size ? `${ticked.size} ticked` : "",
  ].filter(Boolean).join(", ");
  by("take").hidden = open.length === 0;
  by("untake").hidden = ticked.size === 0;
  by("take").onclick = () => {
    for (const repair of open) ticked.set(key(repair.line, repair), repair);
    look();
  };
  counts();
  const lines = new Set(Array.from(ticked.values(), (repair) => repair.line));
  // A row that is mended stays where it was, under the eyes of who mends it.
  const weight = (row) => (lines.has(row.line) ? 0 : ORDER.indexOf(row.verdict) * 2 + (row.warnings.length ? 0 : 1));
  const wanted = result.rows.filter((row) => !only || row.verdict === only);
  const order = wanted.sort((a, b) => weight(a) - weight(b) || a.line - b.line);
  body.replaceChildren(...order.slice(0, shown).map(one));
  by("more").hidden = order.length <= shown;
  by("more").textContent = `Show more (${order.length - shown} rows)`;
  bar();
}

function counts() {
  by("counts").replaceChildren(...["", ...ORDER].map((verdict) => {
    const chip = make("button");
    const count = verdict ? result[verdict] : result.rows.length;
    chip.type = "button";
    chip.dataset.verdict = verdict;
    chip.className = count ? "" : "none";
    chip.setAttribute("aria-pressed", String(only === verdict));
    chip.append(make("span", "count", count), make("span", "label", verdict || "rows"));
    chip.addEventListener("click", () => {
      only = only === verdict ? "" : verdict;
      shown = AT_ONCE;
      rows();
      document.querySelector(`#counts [data-verdict="${verdict}"]`)?.focus();
    });
    return chip;
  }));
}

function one(row) {
  const element = make("tr");
  element.dataset.line = row.line;
  element.dataset.verdict = row.verdict;
  const verdict = make("td");
  verdict.append(make("span", "verdict", row.verdict));
  const who = make("td");
  who.append(make("span", "", [row.number, row.name].filter(Boolean).join(" ")));
  const nth = make("td", "nth", row.line);
  nth.dataset.th = "line";
  element.append(nth, verdict, make("td", "mac", row.mac), who, make("td", "", row.model), why(row));
  return element;
}

function why(row) {
  const cell = make("td");
  const repairs = offers(row);
  for (const fault of row.faults) {
    const line = make("span", "finding");
    line.append(make("span", "bad", `${fault.column}: ${fault.reason}`));
    const told = repairs.some((repair) => repair.column === fault.column);
    if (fault.repair && !told) line.append(make("span", "remedy", fault.repair));
    cell.append(line);
  }
  for (const warning of row.warnings) {
    if (!repairs.some((repair) => warning.startsWith(repair.why))) cell.append(make("span", "finding warn", warning));
  }
  if (row.fields.length) cell.append(make("span", "quiet", `changes ${row.fields.join(", ")}`));
  for (const repair of repairs) cell.append(tick(row, repair));
  return cell;
}

function tick(row, repair) {
  const name = key(row.line, repair);
  const label = make("label", "tick");
  const box = make("input");
  box.type = "checkbox";
  box.checked = ticked.has(name);
  box.dataset.repair = name;
  box.addEventListener("change", async () => {
    if (box.checked) ticked.set(name, repair);
    else ticked.delete(name);
    await look();
    // The row is another one by now; whoever goes by keyboard stays at the tick.
    body.querySelector(`[data-repair="${CSS.escape(name)}"]`)?.focus();
  });
  label.append(box, make("span", "", `take ${repair.value} as ${repair.column}`));
  if (!row.faults.some((fault) => fault.column === repair.column)) label.append(make("span", "sub", repair.why));
  return label;
}

function bar() {
  const partial = by("partial").checked;
  const count = result.added + result.changed + result.removed.length;
  by("partial-label").hidden = result.refused === 0;
  const blocked = result.refused > 0 && !partial;
  by("apply").disabled = count === 0 || blocked;
  by("apply").textContent = count ? `Import ${plural(count, "row", "rows")}` : "Import";
  by("why").textContent = blocked
    ? `${plural(result.refused, "row is", "rows are")} refused: mend ${result.refused === 1 ? "it" : "them"}, or leave ${result.refused === 1 ? "it" : "them"} out`
    : count === 0 ? "everything is listed like that already" : "";
}

async function undo() {
  try {
    const undone = await call("POST", "/api/v1/undo");
    say(undone.changes ? `Taken back: ${plural(undone.changes, "change", "changes")}.` : "There is nothing to take back.");
  } catch (error) { fault(error); }
}

by("apply").addEventListener("click", async () => {
  by("apply").disabled = true;
  try {
    const done = await send(false);
    const left = done.refused ? `, ${done.refused} left out` : "";
    begin(null);
    by("text").value = "";
    const button = make("button", "", "Undo");
    button.type = "button";
    button.addEventListener("click", undo);
    const board = make("a", "", "Board");
    board.href = "/";
    say(`Imported: ${done.added} added, ${done.changed} changed${left}.`, button, board);
  } catch (error) {
    await look();
    fault(error);
  }
});

by("text").addEventListener("input", soon(() => {
  const list = by("text").value;
  const typed = { list, name: "what you pasted" };
  // Who goes on typing keeps the meanings of the columns; the ticks are of lines that may have moved.
  if (source?.list !== undefined && list.trim()) { source = typed; ticked.clear(); look(); }
  else begin(list.trim() ? typed : null);
}, 300));
by("file").addEventListener("change", () => {
  const [file] = by("file").files;
  if (file) take(file);
  by("file").value = "";
});
for (const kind of ["dragenter", "dragover"]) {
  addEventListener(kind, (event) => { event.preventDefault(); by("drop").classList.add("over"); });
}
for (const kind of ["dragleave", "drop"]) addEventListener(kind, () => by("drop").classList.remove("over"));
addEventListener("drop", (event) => {
  event.preventDefault();
  const [file] = event.dataTransfer.files;
  const text = event.dataTransfer.getData("text/plain");
  if (file) take(file);
  else if (text) { by("text").value = text; begin({ list: text, name: "what you dropped" }); }
});
by("form").addEventListener("change", () => { meanings.clear(); ticked.clear(); look(); });
by("clear").addEventListener("click", () => { by("text").value = ""; begin(null); by("text").focus(); });
by("untake").addEventListener("click", () => { ticked.clear(); look(); });
by("more").addEventListener("click", () => { shown += AT_ONCE; rows(); });
by("partial").addEventListener("change", again);

// Export: links that follow the choice of site and passwords.
const links = Array.from(document.querySelectorAll("#export a[data-form]"));
function follow() {
  for (const link of links) {
    const query = new URLSearchParams({ format: link.dataset.form });
    if (by("site").value) query.set("site", by("site").value);
    if (by("secrets").checked) query.set("secrets", "true");
    link.href = `/api/v1/phones/export?${query}`;
    // It lets in whoever claims to be a user without a password, so there is no such file.
    const none = link.dataset.form === "freeswitch" && !by("secrets").checked;
    if (none) { link.removeAttribute("href"); link.setAttribute("aria-disabled", "true"); }
    else link.removeAttribute("aria-disabled");
  }
}
for (const id of ["site", "secrets"]) by(id).addEventListener("change", follow);
follow();
listen({}, () => {});
