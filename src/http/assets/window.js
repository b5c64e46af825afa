// The auto-registration window: opened for a while, watched, closed.

import { call } from "/core.js";
import { renewing } from "/renew.js";

const renew = renewing(["phone"], 15);
const fault = document.getElementById("fault");

async function put(wanted) {
  fault.hidden = true;
  try {
    await call("PUT", "/api/v1/auto-registration", wanted);
    await renew();
    tick();
  } catch (error) {
    fault.textContent = error.message;
    fault.hidden = false;
  }
}

document.getElementById("open").addEventListener("submit", (event) => {
  event.preventDefault();
  put({ enabled: true, minutes: Number(document.getElementById("minutes").value) });
});
// It is drawn anew with what it closes, so it is listened to from above.
document.addEventListener("click", (event) => { if (event.target.id === "close") put({ enabled: false }); });
for (const button of document.querySelectorAll("[data-minutes]")) {
  button.addEventListener("click", () => {
    document.getElementById("minutes").value = button.dataset.minutes;
    put({ enabled: true, minutes: Number(button.dataset.minutes) });
  });
}

// Counts down by the second; who reads it aloud hears the minutes only.
function tick() {
  const until = document.querySelector("#renewed [data-until]");
  if (!until) return;
  const left = Math.round((new Date(until.dataset.until) - Date.now()) / 1000);
  if (left < 0) return renew();
  const [hours, minutes, seconds] = [Math.floor(left / 3600), Math.floor(left / 60) % 60, left % 60];
  const two = (number) => String(number).padStart(2, "0");
  until.textContent = hours ? `${hours}:${two(minutes)}:${two(seconds)}` : `${minutes}:${two(seconds)}`;
}
tick();
setInterval(tick, 1000);
