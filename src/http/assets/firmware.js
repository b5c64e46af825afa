// Firmware: renewed when phones change; the buttons brake the waves.

import { call } from "/core.js";
import { renewing } from "/renew.js";

const renew = renewing(["phone"], 30);

async function put(wanted) {
  try {
    await call("PUT", "/api/v1/firmware/waves", wanted);
    await renew();
  } catch (error) {
    const fault = document.getElementById("fault");
    fault.textContent = error.message;
    fault.hidden = false;
  }
}

// The table is drawn anew, so its buttons are listened to from above.
document.addEventListener("click", (event) => {
  const { brake, next } = event.target.dataset ?? {};
  if (brake) put({ paused: brake === "pause" });
  if (next) put({ next });
});
