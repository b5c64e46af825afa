// All batches: opens another one, and follows those that are open.

import { call, clip, clocks, listen, soon, status } from "/core.js";
import { purpose } from "/purpose.js";

const form = document.getElementById("opening");

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  try {
    const batch = await call("POST", "/api/v1/batches", purpose(form));
    location.assign(`/bench/${batch.id}`);
  } catch (error) {
    document.getElementById("wrong").textContent = clip(error.message);
  }
});

async function draw() {
  const page = new DOMParser().parseFromString(await call("GET", "/bench"), "text/html");
  document.getElementById("batches").replaceWith(document.adoptNode(page.getElementById("batches")));
  clocks(document);
}

let first = true;
const again = soon(() => draw().catch(() => {}), 300);
clocks(document);
listen({ batch: again }, () => {
  if (!first) draw().catch(() => status("lost", "connection lost, trying again"));
  first = false;
});
