// Not back: who was ready before a moment and is missing now, by site and switch.

import { call, make } from "/core.js";

const panel = document.getElementById("outage");
const said = document.getElementById("back");
const since = document.getElementById("since");
const groups = document.getElementById("groups");

export const outage = { on: false, items: new Map(), at: 0 };

const clock = (at) => at.toLocaleString(undefined, { weekday: "short", hour: "2-digit", minute: "2-digit", second: "2-digit" });

// A moment as the field wants it: local, without its zone.
function local(at) {
  return new Date(at - at.getTimezoneOffset() * 60000).toISOString().slice(0, 19);
}

// Asks who is not back, since the filter's moment or the last mass reboot.
export async function ask(filter) {
  outage.at = performance.now();
  const moment = filter.since ? `&since=${encodeURIComponent(filter.since)}` : "";
  const items = new Map();
  let answer;
  for (let after = ""; after !== null; after = answer.next) {
    answer = await call("GET", `/api/v1/outage?after=${after}${moment}`);
    for (const phone of answer.items) items.set(phone.mac, phone.return);
  }
  outage.items = items;
  show(answer, filter);
}

function show(answer, filter) {
  if (!answer.since) {
    said.textContent = "No mass reboot is on record: choose the moment before which they were ready.";
    groups.replaceChildren();
    return;
  }
  const at = new Date(answer.since);
  if (document.activeElement !== since) since.value = local(at);
  const others = [[answer.missing, "missing"], [answer.on_their_way, "on their way"],
    [answer.unheard, "not heard since, and nothing says that they are gone"]];
  const rest = others.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`).join(", ");
  said.replaceChildren(make("strong", "", `${answer.back} of ${answer.expected} back`),
    ` since ${clock(at)}${rest ? `: ${rest}.` : "."}`);
  const named = answer.groups.filter((group) => group.expected > group.back);
  groups.replaceChildren(...named.map((group) => {
    const item = make("li");
    const button = make("button");
    button.type = "button";
    button.dataset.site = group.site;
    button.dataset.switch = group.switch ?? "";
    button.setAttribute("aria-pressed", String(filter.site === group.site && filter.switch === (group.switch ?? "")));
    const left = group.missing > 0 ? `${group.missing} missing` : group.on_their_way > 0 ? `${group.on_their_way} on their way` : `${group.unheard} not heard`;
    button.append(make("span", "where", [group.site, group.switch].filter(Boolean).join(" ")),
      make("span", group.missing > 0 ? "left bad" : "left", left),
      make("span", "sub", `${group.back} of ${group.expected} back`));
    item.append(button);
    return item;
  }));
}

// Shows or hides the panel, and tells what is chosen in it.
export function panelFor(filter, chosen) {
  outage.on = filter.away;
  panel.hidden = !filter.away;
  if (chosen) {
    since.addEventListener("change", () => chosen({ since: since.value ? new Date(since.value).toISOString() : "" }));
    document.getElementById("last").addEventListener("click", () => chosen({ since: "" }));
    groups.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (!button) return;
      const off = button.getAttribute("aria-pressed") === "true";
      chosen(off ? { site: "", switch: null } : { site: button.dataset.site, switch: button.dataset.switch });
    });
  }
}
