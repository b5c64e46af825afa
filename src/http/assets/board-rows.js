// A phone as a row and as a tile. What phones and lists say enters as text only (`make`).

import { bare, clip, clocks, make } from "/core.js";

// One line of a cell, cut where the cell ends; the whole of it is told where the pointer rests.
function line(className, text) {
  const element = make("span", `line ${className}`, text);
  if (text) element.title = bare(text);
  return element;
}

function moment(at, className) {
  const time = make("time", className);
  time.dateTime = at;
  return time;
}

function badge(phone) {
  const badge = make("span", "stage", phone.stage);
  badge.dataset.stage = phone.stage;
  return badge;
}

function flags(phone, gone) {
  const marks = ["stuck", "looping", "away"].filter((flag) => phone[flag]);
  if (gone === "missing") marks.push("missing");
  return marks.map((flag) => {
    const mark = make("span", "flag", flag);
    mark.dataset.flag = flag;
    return mark;
  });
}

// How far it is; nothing for who is there, or was never here.
function progress(phone) {
  if (phone.ready || phone.percent === 0 || phone.rank > 4) return [];
  const bar = make("progress", "way");
  bar.max = 100;
  bar.value = phone.percent;
  const upgrade = phone.upgrade;
  bar.title = upgrade?.length > 0 ? `${phone.percent} % of ${clip(upgrade.name)}` : `${phone.percent} % of the way to ready`;
  bar.setAttribute("aria-label", bar.title);
  return [bar];
}

function link(phone) {
  const link = make("a", phone.label === phone.mac ? "main line bare" : "main line", phone.label);
  link.href = `/phones/${phone.mac}`;
  link.title = clip(phone.label);
  return link;
}

// Who is not back was ready before the power went, and nothing newer is known: that is no reason to call it ready.
const GONE = {
  missing: { text: "not back: nothing was heard of it since", tone: "bad", remedy: "see that its switch and its port have power" },
  unheard: { text: "not heard since", tone: "warn", remedy: "nothing says that it is gone" },
  "on-its-way": { text: "on its way", tone: "quiet" },
};

function headline(phone, gone) {
  const told = phone.headline;
  return gone && (!told || told.tone === "good" || told.tone === "quiet") ? GONE[gone] ?? told : told;
}

function stage(phone, gone) {
  const cell = make("td");
  const bar = progress(phone);
  const first = make("span", "line");
  first.append(badge(phone));
  if (bar.length > 0) first.append(" ", make("span", "percent", `${phone.percent} %`));
  const second = make("span", "line");
  const marks = flags(phone, gone);
  second.append(...(marks.length > 0 ? marks.flatMap((mark) => [mark, " "]) : bar));
  cell.append(first);
  if (second.hasChildNodes()) cell.append(second);
  if (phone.since) cell.append(moment(phone.since, "sub line"));
  return cell;
}

// Where the label was misread, what it says and what was seen stand below each other, digit by digit.
function who(phone) {
  const cell = make("td");
  const { label, label_seen: seen, label_differs: wrong } = phone.compared;
  const place = [phone.site, phone.entry?.location].filter(Boolean).join(" · ");
  const below = line(wrong ? "sub mac differs" : phone.label === phone.mac ? "sub" : "sub mac", label ?? "");
  cell.append(link(phone), below, seen ? line("sub mac differs", seen.padStart(label.length, "\u00a0")) : line("sub", place));
  return cell;
}

function model(phone) {
  const cell = make("td");
  const { model, model_listed: listed, model_differs: wrong } = phone.compared;
  cell.append(line(wrong ? "differs" : "", model ?? ""), line("sub", listed ?? ""));
  return cell;
}

export function port(phone) {
  return phone.plug ? [phone.plug.switch, phone.plug.port].filter(Boolean).join(" · ") : "";
}

function address(phone) {
  const cell = make("td");
  cell.append(line("address", phone.address ?? ""), line("sub", port(phone)));
  return cell;
}

function last(phone) {
  const cell = make("td");
  if (!phone.last) return cell;
  cell.append(make("span", "two", phone.last.text), moment(phone.last.at, "sub line"));
  cell.firstChild.title = bare(phone.last.text);
  return cell;
}

function said(phone, gone) {
  const cell = make("td");
  const told = headline(phone, gone);
  if (!told) return cell;
  const text = make("span", "two", told.text);
  text.dataset.tone = told.tone;
  text.title = bare(told.text);
  const more = phone.findings.length - 1;
  const remedy = [told.remedy, more > 0 ? `and ${more} more` : ""].filter(Boolean).join(" · ");
  cell.append(text, line("sub", remedy));
  return cell;
}

// `gone` says how a phone is not back, where that is what is asked for.
export function row(phone, element, gone) {
  element.replaceChildren(stage(phone, gone), who(phone), model(phone), address(phone), last(phone), said(phone, gone));
}

export function tile(phone, element, gone) {
  element.dataset.stage = phone.stage;
  element.dataset.rank = gone === "missing" ? 0 : phone.rank;
  const told = headline(phone, gone);
  const head = make("span", "line head");
  // There is room for one: who loops is stuck, and who is away is not.
  head.append(badge(phone), " ", ...flags(phone, gone).slice(-1));
  const text = make("span", "two", told?.text ?? phone.last?.text ?? "");
  text.dataset.tone = told?.tone ?? "quiet";
  text.title = bare(told?.text);
  const where = port(phone) || phone.address || (phone.label === phone.mac ? "" : phone.mac);
  const when = line("sub", "");
  if (phone.percent > 0 && !phone.ready && phone.rank <= 4) when.append(`${phone.percent} % · `);
  if (phone.since) when.append(moment(phone.since));
  element.replaceChildren(link(phone), head, when, line("sub", [phone.compared.model, where].filter(Boolean).join(" · ")), text);
  clocks(element);
}
