// A phone's own page, which renews itself when that phone changes.

import { clocks, listen, soon } from "/core.js";

const mac = document.body.dataset.mac;

async function renew() {
  const answer = await fetch(location.pathname);
  // Scripts in a parsed document never run, and what phones said was escaped by the appliance.
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("main");
  if (!fresh) return;
  document.querySelector("main").replaceChildren(...document.importNode(fresh, true).childNodes);
  clocks(document);
}
const again = soon(() => renew().catch(() => {}), 300);
clocks(document);
setInterval(() => clocks(document), 5000);
// Being stuck or away comes with time alone, without an event: ask again now and then.
setInterval(again, 30000);
let first = true;
listen({ phone: (phone) => { if (phone.mac === mac) again(); } }, () => { if (!first) again(); first = false; });
