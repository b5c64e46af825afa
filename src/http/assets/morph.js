// Makes one part of a page like another, touching only what differs: the focus, a selection and an open part stay.

const same = (one, other) =>
  one.nodeType === other.nodeType && one.nodeName === other.nodeName && (one.id ?? "") === (other.id ?? "");

// True for what its user is at work on: a form with something typed into it, or one that has the focus.
const busy = (element) =>
  element.hasAttribute("data-form") && (element.dataset.dirty === "true" || element.contains(document.activeElement));

function attributes(old, fresh) {
  for (const { name } of Array.from(old.attributes)) {
    // Whether a part is open is its reader's business.
    if (!fresh.hasAttribute(name) && !(name === "open" && old.nodeName === "DETAILS")) old.removeAttribute(name);
  }
  for (const { name, value } of Array.from(fresh.attributes)) {
    if (name === "open" && old.nodeName === "DETAILS") continue;
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
}

function node(old, fresh) {
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.data !== fresh.data) old.data = fresh.data;
    return;
  }
  if (old.hasAttribute("data-keep") || busy(old)) return;
  // A moment that is shown in its reader's own words already.
  if (old.nodeName === "TIME" && old.dateTime && old.dateTime === fresh.dateTime) return;
  attributes(old, fresh);
  morph(old, fresh);
  if (old.hasAttribute("data-form")) old.reset();
}

// `fresh` comes from a parsed document, in which no script ever runs.
export function morph(old, fresh) {
  let at = old.firstChild;
  for (const wanted of fresh.childNodes) {
    const known = wanted.id ? Array.from(old.children).find((child) => same(child, wanted)) : null;
    if (known && known !== at) {
      // What lies between is gone, unless it has a name and comes later.
      while (at && at !== known && !at.id) {
        const next = at.nextSibling;
        at.remove();
        at = next;
      }
      if (at !== known) old.insertBefore(known, at);
      at = known;
    }
    if (at && same(at, wanted)) {
      node(at, wanted);
      at = at.nextSibling;
    } else {
      old.insertBefore(document.importNode(wanted, true), at);
    }
  }
  while (at) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
}
