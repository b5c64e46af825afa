// Renews the part of a page that the appliance draws, as often as something that it tells of changes.

import { clocks, listen, soon, status } from "/core.js";

const PART = "renewed"; // The id of that part.

async function renew() {
  const before = document.getElementById(PART);
  const answer = await fetch(location.pathname + location.search);
  if (!answer.ok) throw new Error(String(answer.status));
  // Scripts in a parsed document never run, and what phones said was escaped by the appliance.
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById(PART);
  if (!before || !fresh || fresh.innerHTML === before.dataset.drawn) return;
  const open = new Set(Array.from(before.querySelectorAll("details[open][id]"), (one) => one.id));
  const focus = before.contains(document.activeElement) ? document.activeElement : null;
  const way = focus?.id ? `#${CSS.escape(focus.id)}` : focus?.href ? `a[href="${CSS.escape(focus.getAttribute("href"))}"]` : null;
  before.dataset.drawn = fresh.innerHTML;
  before.replaceChildren(...document.importNode(fresh, true).childNodes);
  for (const one of before.querySelectorAll("details[id]")) one.open = open.has(one.id) || one.open;
  if (way) before.querySelector(way)?.focus();
  clocks(before);
}

// Renews at events of these names, and every `seconds`: some things change by time alone. `also` is done at such events.
export function renewing(names, seconds, also = () => {}) {
  const again = soon(() => { renew().catch(() => {}); also(); }, 500);
  const handlers = Object.fromEntries(names.map((name) => [name, again]));
  let first = true;
  clocks(document);
  setInterval(() => clocks(document), 5000);
  setInterval(again, seconds * 1000);
  listen(handlers, () => { if (!first) again(); first = false; });
  return () => renew().catch(() => status("lost", "connection lost, trying again"));
}
