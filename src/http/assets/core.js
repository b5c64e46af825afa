// What all pages share: follows the appliance's events. What phones and lists say enters a page as text only.

const SILENCE = 40000; // Milliseconds: the appliance says something every 15 s at least.
const CLIP = 160; // Characters of a text that a phone or a list controls.

const live = document.getElementById("live");

// On a narrow screen the links scroll: the one of this page is to be seen.
const pages = document.querySelector(".pages");
const current = pages?.querySelector("[aria-current]");
if (current) pages.scrollLeft = current.offsetLeft - pages.offsetLeft - 40;

export function status(is, text) {
  live.dataset.is = is;
  live.textContent = text;
}

export function clip(text) {
  const all = Array.from(String(text ?? ""));
  return all.length > CLIP ? all.slice(0, CLIP).join("") + "…" : all.join("");
}

export function make(name, className, text) {
  const element = document.createElement(name);
  if (className) element.className = className;
  if (text !== undefined) element.append(...prose(clip(text)));
  return element;
}

// A text with what stands between backticks as code; a backtick without another one is part of what a phone said.
function prose(text) {
  return text.split(/`([^`]*)`/).map((part, place) => {
    if (place % 2 === 0) return document.createTextNode(part);
    const code = document.createElement("code");
    code.textContent = part;
    return code;
  });
}

// The same without its marks, for a title.
export const bare = (text) => clip(text).replace(/`([^`]*)`/g, "$1");

// Time in words, as long as it is near.
export function ago(at) {
  const seconds = Math.round((Date.now() - at) / 1000);
  if (seconds < -5) return soonIn(-seconds);
  if (seconds < 5) return "now";
  if (seconds < 90) return `${seconds} s ago`;
  if (seconds < 90 * 60) return `${Math.round(seconds / 60)} min ago`;
  if (seconds < 36 * 3600) return `${Math.round(seconds / 3600)} h ago`;
  return at.toLocaleDateString(undefined, { year: "numeric", month: "short", day: "numeric" });
}

// A time to come, such as when a rollout will be done.
function soonIn(seconds) {
  if (seconds < 90) return `in ${seconds} s`;
  if (seconds < 90 * 60) return `in ${Math.round(seconds / 60)} min`;
  return `in ${Math.round(seconds / 3600)} h`;
}

export function clocks(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const at = new Date(time.dateTime);
    const text = time.closest(".timeline")
      ? at.toLocaleString(undefined, { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit" })
      : ago(at);
    if (time.textContent !== text) time.textContent = text;
    time.title = at.toLocaleString();
  }
}

// Listens to the appliance; the browser resumes at the last event by itself, and we begin anew where it gives up.
export function listen(handlers, opened, path = "/api/v1/events") {
  let source;
  let heard = Date.now();
  const lost = () => { status("lost", "connection lost, trying again"); tell(); };
  const begin = () => {
    source = new EventSource(path);
    source.onopen = () => { heard = Date.now(); status("live", "live"); opened(); };
    source.onerror = () => {
      lost();
      if (source.readyState !== EventSource.CLOSED) return;
      // It gives up on a refusal: the session may be over, which this call notices.
      call("GET", "/api/v1/phones?limit=1").catch(() => {});
      setTimeout(begin, 3000);
    };
    for (const [name, handle] of Object.entries({ alive() {}, ...handlers })) {
      source.addEventListener(name, (event) => { heard = Date.now(); handle(JSON.parse(event.data)); });
    }
  };
  // By the style sheet: whoever has the page read out is not told every second.
  const tell = () => { live.dataset.heard = `last heard ${ago(new Date(heard))}`; };
  // A cable that is pulled and a laptop that slept end no connection: only the silence tells.
  const watch = () => {
    tell();
    if (live.dataset.is !== "live" || Date.now() - heard < SILENCE) return;
    source.close();
    lost();
    begin();
  };
  setInterval(watch, 1000);
  begin();
  addEventListener("pagehide", () => source.close());
}

let leaving = false; // On the way to the login page: once is enough.

// The value of a cookie that scripts may read.
function cookie(name) {
  return document.cookie.split("; ").find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1);
}

// Calls the API. `body` is sent as JSON, or as it is if it is a text or a blob. Throws what the API says is wrong; where
// the session has ended, the password is asked for again.
export async function call(method, path, body, type) {
  const headers = {};
  const token = cookie("ringup-token");
  if (token) headers["x-ringup-token"] = token;
  const plain = body === undefined || typeof body === "string" || body instanceof Blob;
  if (body !== undefined) headers["content-type"] = type ?? (plain ? "text/plain" : "application/json");
  const answer = await fetch(path, { method, headers, body: plain ? body : JSON.stringify(body) });
  if (answer.status === 401 && !leaving) {
    leaving = true;
    location.assign(`/login?next=${encodeURIComponent(location.pathname + location.search)}`);
  }
  const text = await answer.text();
  const json = answer.headers.get("content-type")?.includes("json") ? JSON.parse(text) : undefined;
  if (!answer.ok) throw Object.assign(new Error(json?.detail ?? `${answer.status} ${answer.statusText}`), { status: answer.status });
  return json ?? text;
}

// Runs `work` soon, and once for many calls.
export function soon(work, delay) {
  let timer = null;
  return () => { timer ??= setTimeout(() => { timer = null; work(); }, delay); };
}

const logout = document.getElementById("logout");
if (logout && cookie("ringup-token")) {
  logout.hidden = false;
  logout.addEventListener("click", async () => {
    leaving = true;
    await call("POST", "/logout").catch(() => {});
    location.assign("/login");
  });
}
