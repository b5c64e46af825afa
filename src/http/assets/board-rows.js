// A phone as a row and as a tile. What phones and lists say enters as text only (`make`).

import { clip, clocks, make } from "/core.js";

// One line of a cell, cut where the cell ends; the whole of it is told where the pointer rests.
function line(className, text) {
  const element = make("span", `line ${className}`, text);
  if (text) element.title = clip(text);
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

function flags(phone) {
  return ["stuck", "looping", "away"].filter((flag) => phone[flag]).map((flag) => {
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

function stage(phone) {
  const cell = make("td");
  const bar = progress(phone);
  const first = make("span", "line");
  first.append(badge(phone));
  if (bar.length > 0) first.append(" ", make("span", "percent", `${phone.percent} %`));
  const second = make("span", "line");
  const marks = flags(phone);
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
  cell.firstChild.title = clip(phone.last.text);
  return cell;
}

function said(phone) {
  const cell = make("td");
  const headline = phone.headline;
  if (!headline) return cell;
  const text = make("span", "two", headline.text);
  text.dataset.tone = headline.tone;
  text.title = clip(headline.text);
  const more = phone.findings.length - 1;
  const remedy = [headline.remedy, more > 0 ? `and ${more} more` : ""].filter(Boolean).join(" · ");
  cell.append(text, line("sub", remedy));
  return cell;
}

export function row(phone, element) {
  element.replaceChildren(stage(phone), who(phone), model(phone), address(phone), last(phone), said(phone));
}

export function tile(phone, element) {
  element.dataset.stage = phone.stage;
  element.dataset.rank = phone.rank;
  const head = make("span", "line head");
  // There is room for one: who loops is stuck, and who is away is not.
  head.append(badge(phone), " ", ...flags(phone).slice(-1));
  const text = make("span", "two", phone.headline?.text ?? phone.last?.text ?? "");
  text.dataset.tone = phone.headline?.tone ?? "quiet";
  text.title = clip(phone.headline?.text);
  const where = port(phone) || phone.address || (phone.label === phone.mac ? "" : phone.mac);
  const when = line("sub", "");
  if (phone.percent > 0 && !phone.ready && phone.rank <= 4) when.append(`${phone.percent} % · `);
  if (phone.since) when.append(moment(phone.since));
  element.replaceChildren(link(phone), head, when, line("sub", [phone.compared.model, where].filter(Boolean).join(" · ")), text);
  clocks(element);
}
