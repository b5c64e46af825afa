// Shows the part of a long list that is in sight: the rest is two pads of the right height. Every line of the list is
// equally high (the style sheet's --tall), so what is in sight is known without looking at what is not.

import { clocks, make } from "/core.js";

const SPARE = 6; // Lines beyond the edges of the screen, so that a turn of the wheel shows no gap.

export class Window {
  items = [];
  known = new Map(); // MAC → { phone, element, more }
  start = 0;

  // `box` holds both pads and the list; `fill` makes a phone's element say what it is, and what `also` knows of it.
  constructor(box, list, pads, name, fill, also = () => undefined) {
    Object.assign(this, { box, list, pads, name, fill, also });
    this.pending = false;
    addEventListener("scroll", () => this.soon(), { passive: true });
    addEventListener("resize", () => { this.measured = null; this.soon(); });
  }

  soon() {
    if (this.pending || this.box.hidden) return;
    this.pending = true;
    // A page in the background gets no frames, and needs none.
    requestAnimationFrame(() => { this.pending = false; this.paint(); });
  }

  show(items) {
    this.items = items;
    if (!this.box.hidden) return this.paint();
    this.list.replaceChildren();
    this.known = new Map();
  }

  measure() {
    const style = getComputedStyle(this.list);
    const pixels = (name, otherwise) => parseFloat(style.getPropertyValue(name)) || otherwise;
    const least = pixels("--least", 0);
    const width = this.list.clientWidth || this.box.clientWidth;
    const columns = least > 0 ? Math.max(1, Math.floor(width / least)) : 1;
    this.measured = { line: pixels("--tall", 72), columns };
    if (least > 0) this.list.style.gridTemplateColumns = `repeat(${columns}, minmax(0, 1fr))`;
  }

  paint() {
    if (!this.measured) this.measure();
    const { line, columns } = this.measured;
    const lines = Math.ceil(this.items.length / columns);
    const top = -this.pads[0].getBoundingClientRect().top;
    const from = Math.max(0, Math.min(lines, Math.floor(top / line) - SPARE));
    const to = Math.min(lines, Math.max(from, Math.ceil((top + innerHeight) / line) + SPARE));
    this.start = from * columns;
    this.fillIn(this.items.slice(this.start, to * columns));
    this.pad(this.pads[0], from * line);
    this.pad(this.pads[1], (lines - to) * line);
  }

  pad(pad, height) {
    const inner = pad.querySelector("tr") ?? pad;
    inner.style.height = `${height}px`;
    pad.hidden = height === 0 && pad !== this.pads[0];
  }

  fillIn(items) {
    const focused = this.list.contains(document.activeElement) ? document.activeElement : null;
    const kept = new Map();
    items.forEach((phone, at) => {
      const entry = this.element(phone);
      this.place(entry.element, this.start + at + 1);
      kept.set(phone.mac, entry);
      // What stays where it is is not touched, so that a selection or a pressed link survives.
      if (this.list.children[at] !== entry.element) this.list.insertBefore(entry.element, this.list.children[at] ?? null);
    });
    while (this.list.children.length > items.length) this.list.lastElementChild.remove();
    this.known = kept;
    // Moving an element takes the focus from it.
    if (focused?.isConnected && document.activeElement !== focused) focused.focus({ preventScroll: true });
  }

  // Whoever has the page read out hears where in the whole list it is.
  place(element, number) {
    const [name, value] = this.name === "tr" ? ["aria-rowindex", number + 1] : ["aria-posinset", number];
    element.setAttribute(name, value);
    if (this.name === "li") element.setAttribute("aria-setsize", this.items.length);
  }

  element(phone) {
    const known = this.known.get(phone.mac);
    const more = this.also(phone);
    if (known?.phone === phone && known.more === more) return known;
    const element = known?.element ?? make(this.name);
    element.dataset.mac = phone.mac;
    this.fill(phone, element, more);
    clocks(element);
    element.classList.remove("changed");
    if (known) requestAnimationFrame(() => element.classList.add("changed"));
    return { phone, element, more };
  }

  // Moves the focus by so many phones from the one that has it.
  step(by) {
    const holder = document.activeElement?.closest("[data-mac]");
    const at = holder && this.list.contains(holder) ? Array.prototype.indexOf.call(this.list.children, holder) : -1;
    const next = this.list.children[at < 0 ? 0 : at + by];
    if (!next) return;
    next.querySelector("a").focus({ preventScroll: true });
    next.scrollIntoView({ block: "nearest" });
  }
}
