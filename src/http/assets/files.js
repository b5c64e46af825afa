// The files that a phone would get: the list, one of them as it is or value by value, passwords only when asked twice.

import { call, clip, make, soon } from "/core.js";

const find = (id) => document.getElementById(id);
const LONGEST = 200000; // Characters of a file that are shown; no family's configuration comes near.

// `busy` says when nothing is to be asked.
export function files(api, busy) {
  let open = null; // { name, explain } of the file that is shown.

  const place = (name, query) => `${api}/files/${name.split("/").map(encodeURIComponent).join("/")}${query}`;

  function action(text, name, does) {
    const button = make("button", "", text);
    button.type = "button";
    button.setAttribute("aria-label", `${text} ${clip(name)}`);
    button.addEventListener("click", () => does(button));
    return button;
  }

  function row(file) {
    const element = make("tr");
    const name = make("th", "wire", file.name);
    name.scope = "row";
    const what = make("td", "", [file.role, file.required ? "required" : "", file.note].filter(Boolean).join(", "));
    // What nobody asked for yet is no fault, unless the phone can't do without it.
    const answer = make("td", file.source ? "" : file.required ? "bad" : "quiet", file.source
      ? `${file.source}, ${file.length} bytes`
      : file.missing);
    const looks = make("td", "looks");
    if (file.source && file.role !== "firmware") {
      looks.append(
        action("Show", file.name, (button) => show(file.name, { from: button })),
        " ",
        action("Explain", file.name, (button) => show(file.name, { explain: true, from: button })),
      );
    }
    element.append(name, what, answer, looks);
    return element;
  }

  async function list() {
    const state = find("files-state");
    const table = find("files-list").closest("table");
    if (busy()) return;
    try {
      const { items } = await call("GET", `${api}/files`);
      // Rows that stay the same keep a pressed or focused button.
      const now = JSON.stringify(items);
      if (table.dataset.now !== now) {
        const needless = (file) => !file.source && file.normal;
        find("files-list").replaceChildren(...items.filter((file) => !needless(file)).map(row));
        find("files-needless").replaceChildren(...items.filter(needless).map((file) => make("li", "wire", file.name)));
        find("files-others").hidden = !items.some(needless);
      }
      table.dataset.now = now;
      table.hidden = items.length === 0;
      state.hidden = items.length > 0;
      state.textContent = "Its family is not known yet, so neither is what it will ask for.";
      if (open && !open.reveal) show(open.name, { explain: open.explain });
    } catch (error) {
      state.hidden = false;
      state.textContent = `The list did not come: ${error.message}.`;
    }
  }

  async function show(name, { explain = false, reveal = false, from } = {}) {
    find("file").hidden = false;
    find("file-sure").hidden = true;
    find("file-name").textContent = explain ? `${clip(name)}, value by value` : clip(name);
    find("file-problem").hidden = true;
    open = { name, explain, reveal, from: from ?? open?.from };
    try {
      const query = new URLSearchParams();
      if (explain) query.set("explain", "true");
      if (reveal) query.set("reveal", "true");
      const answer = await call("GET", place(name, query.size ? `?${query}` : ""));
      if (explain) values(answer.values); else text(answer);
      find("file-reveal").hidden = reveal;
    } catch (error) {
      find("file-text").hidden = true;
      find("file-values").hidden = true;
      find("file-problem").textContent = error.message;
      find("file-problem").hidden = false;
    }
    if (from) {
      find("file-name").focus({ preventScroll: true });
      find("file").scrollIntoView({ block: "nearest" });
    }
  }

  function text(bytes) {
    const shown = String(typeof bytes === "string" ? bytes : JSON.stringify(bytes));
    find("file-values").hidden = true;
    find("file-text").hidden = false;
    find("file-text").textContent = shown.length > LONGEST ? `${shown.slice(0, LONGEST)}\n… (cut here)` : shown;
  }

  function values(all) {
    find("file-text").hidden = true;
    find("file-values").hidden = false;
    find("file-values").querySelector("tbody").replaceChildren(...all.map((value) => {
      const element = make("tr");
      const name = make("th", "wire", value.name);
      name.scope = "row";
      const by = [value.level, value.site ? `of ${value.site}` : "", value.at, value.note].filter(Boolean).join(", ");
      element.append(name, make("td", "wire", value.value), make("td", "quiet", by));
      return element;
    }));
  }

  find("file-reveal").addEventListener("click", () => {
    find("file-sure").hidden = false;
    find("file-yes").focus();
  });
  find("file-no").addEventListener("click", () => {
    find("file-sure").hidden = true;
    find("file-reveal").focus();
  });
  find("file-yes").addEventListener("click", () => {
    show(open.name, { explain: open.explain, reveal: true });
    find("file-name").focus();
  });
  find("file-close").addEventListener("click", () => {
    find("file").hidden = true;
    find("file-text").textContent = "";
    find("file-values").querySelector("tbody").replaceChildren();
    open?.from?.focus();
    open = null;
  });
  return soon(list, 200);
}
