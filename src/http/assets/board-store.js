// The board's phones: in the appliance's order, counted, and changed a few at a time. Nothing here touches the page.

import { clip } from "/core.js";

export const troubled = (phone) => phone.rank === 0;
export const modelOf = (phone) => phone.identity.model || phone.entry?.model || "";
export const switchOf = (phone) => phone.plug?.switch ?? "";

// The order of the API: rank, label, MAC.
function compare(a, b) {
  if (a.rank !== b.rank) return a.rank - b.rank;
  if (a.label !== b.label) return a.label < b.label ? -1 : 1;
  return a.mac < b.mac ? -1 : a.mac > b.mac ? 1 : 0;
}

// What a phone is found by, in lower case.
function words(phone) {
  const entry = phone.entry ?? {};
  return [phone.mac, phone.mac.replaceAll(":", ""), phone.label, entry.model, phone.site, entry.location, entry.note,
    phone.identity.vendor, phone.identity.model, phone.identity.family, phone.identity.firmware, phone.address,
    phone.plug?.switch, phone.plug?.port, phone.stage, phone.headline?.text,
    ...phone.findings.flatMap((finding) => [finding.kind, finding.text])].map((text) => clip(text)).join("\n").toLowerCase();
}

// What the clock alone may change: a phone with the same commit and the same of these is the same.
const flags = (phone) => [phone.rank, phone.stage, phone.stuck, phone.looping, phone.away, phone.ready, phone.percent,
  phone.headline?.text, phone.findings.length].join("|");

// Counts by some value, told apart by how often they changed.
class Tally {
  counts = new Map();
  names = 0; // Rises when a value appears or goes.
  add(value, by) {
    const before = this.counts.get(value) ?? 0;
    const now = before + by;
    if (now > 0) this.counts.set(value, now); else this.counts.delete(value);
    if (before === 0 || now === 0) this.names += 1;
  }
  of(value) { return this.counts.get(value) ?? 0; }
}

export class Store {
  phones = new Map();
  order = []; // All phones in order.
  shown = []; // Those of them that fit.
  stages = new Tally();
  sites = new Tally();
  models = new Tally();
  changes = new Map(); // What came since the last flush: MAC → phone, or null for one that is gone.
  fits = () => true;

  // Takes in a phone as the API tells it; false if it is no news.
  take(phone) {
    if (phone.forgotten) {
      this.changes.set(phone.mac, null);
      return true;
    }
    const before = this.changes.get(phone.mac) ?? this.phones.get(phone.mac);
    phone.flags = flags(phone);
    if (before && (before.changed > phone.changed || before.changed === phone.changed && before.flags === phone.flags)) return false;
    this.changes.set(phone.mac, phone);
    return true;
  }

  count(phone, by) {
    this.stages.add("", by);
    this.stages.add(phone.stage, by);
    if (troubled(phone)) this.stages.add("trouble", by);
    this.sites.add(phone.site, by);
    this.models.add(modelOf(phone), by);
  }

  // Puts what came in its place: one pass over the order, and a sort of those that changed only. Tells which did.
  flush() {
    const changes = this.changes;
    if (changes.size === 0) return changes;
    this.changes = new Map();
    const fresh = [];
    for (const [mac, phone] of changes) {
      const before = this.phones.get(mac);
      if (before) {
        before.gone = true;
        this.count(before, -1);
      }
      if (phone) {
        phone.words = words(phone);
        phone.fits = this.fits(phone);
        this.phones.set(mac, phone);
        this.count(phone, 1);
        fresh.push(phone);
      } else {
        this.phones.delete(mac);
      }
    }
    fresh.sort(compare);
    this.order = merge(this.order, fresh);
    this.shown = this.order.filter((phone) => phone.fits);
    return changes;
  }

  // Looks at every phone again, with another filter.
  refit(fits) {
    this.fits = fits;
    this.shown = this.order.filter((phone) => (phone.fits = fits(phone)));
  }
}

// Two lists in order make one, without those that are gone.
function merge(old, fresh) {
  const all = new Array(old.length + fresh.length);
  let size = 0;
  let next = 0;
  for (const phone of old) {
    if (phone.gone) continue;
    while (next < fresh.length && compare(fresh[next], phone) < 0) all[size++] = fresh[next++];
    all[size++] = phone;
  }
  while (next < fresh.length) all[size++] = fresh[next++];
  all.length = size;
  return all;
}
