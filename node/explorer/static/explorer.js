// The page: processes, a process's live schedule, one assignment, and the verify button.

import { tag } from "./assignment.js";
import { checkSchedule, checkSlot } from "./checking.js";
import { entries, follow, PAGE, slotOf, status } from "./node.js";

const SHOWN_LIMIT = 1000;
const find = (id) => document.getElementById(id);
const view = { process: null, source: null, shown: new Map() };

function element(name, text, attributes = {}) {
  const made = document.createElement(name);
  made.textContent = text;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

function button(text, title, pressed) {
  const made = element("button", text, { type: "button", title, "aria-label": title });
  made.addEventListener("click", pressed);
  return made;
}

function list(id, pairs) {
  const rows = pairs.map(([name, value]) => {
    const row = document.createElement("div");
    row.append(element("dt", name), element("dd", value ?? ""));
    return row;
  });
  find(id).replaceChildren(...rows);
}

function say(id, text, kind = "") {
  const output = find(id);
  output.textContent = text;
  output.className = kind;
}

async function showProcesses() {
  const { address, processes } = await status();
  list("facts", [["Scheduler", address], ["Processes", String(processes.length)]]);
  const wanted = find("wanted");
  const draw = () => {
    const matching = processes.filter((id) => id.startsWith(wanted.value.trim()));
    const items = matching.slice(0, SHOWN_LIMIT).map((id) => {
      const item = document.createElement("li");
      item.append(button(id, id, () => open(id)));
      return item;
    });
    find("processes").replaceChildren(...items);
  };
  wanted.addEventListener("input", draw);
  draw();
}

async function open(process) {
  view.source?.close();
  view.process = process;
  view.shown.clear();
  location.hash = process;
  find("slots").replaceChildren();
  find("assignment").hidden = true;
  find("schedule").hidden = false;
  find("process").textContent = process;
  say("verdict", "");
  const last = await slotOf(process);
  const first = Math.max(0, last - PAGE + 1);
  for (const entry of await entries(process, first, last)) show(entry);
  if (view.process !== process) return;
  view.source = follow(process, last, show, (state) => say("live", state));
}

async function older() {
  const first = Math.min(...view.shown.keys());
  const page = await entries(view.process, Math.max(0, first - PAGE), first - 1);
  for (const entry of page.reverse()) show(entry);
}

/** Put a slot into the table, newest first. */
function show(entry) {
  if (view.shown.has(entry.slot) || tag(entry.assignment, "Process") !== view.process) return;
  const newest = entry.slot > Math.max(-1, ...view.shown.keys());
  view.shown.set(entry.slot, entry);
  const row = document.createElement("tr");
  row.dataset.slot = entry.slot;
  const { message, assignment } = entry;
  const time = new Date(Number(tag(assignment, "Timestamp"))).toISOString();
  const cells = [entry.slot, time.replace("T", " ").slice(0, 19), short(message.Id)];
  cells.push(short(message.From), tag(message, "Action") ?? tag(message, "Type") ?? "");
  row.append(...cells.map((text) => element("td", text)));
  const last = document.createElement("td");
  last.append(button("open", `Slot ${entry.slot}`, () => details(entry)));
  row.append(last);
  if (newest) find("slots").prepend(row);
  else find("slots").append(row);
  find("older").hidden = view.shown.has(0);
}

const short = (id) => `${(id ?? "").slice(0, 10)}…`;

const facts = (node) => [
  ["Id", node.Id],
  ["Signer", node.Owner],
  ["Target", node.Target],
  ["Anchor", node.Anchor],
  ...node.Tags.map(({ name, value }) => [name, value]),
].filter(([, value]) => value);

async function details(entry) {
  for (const row of find("slots").children) {
    row.setAttribute("aria-selected", String(Number(row.dataset.slot) === entry.slot));
  }
  find("assignment").hidden = false;
  find("slot").textContent = entry.slot;
  list("fields", facts(entry.assignment));
  list("message", [...facts(entry.message), ["Data", entry.message.Data]]);
  find("checks").replaceChildren(element("li", "checking…"));
  const before = entry.slot ? (await entries(view.process, entry.slot - 1, entry.slot - 1))[0] : null;
  const checks = await checkSlot(view.process, before, entry);
  const lines = checks.map(([text, good]) =>
    element("li", `${good ? "✓" : "✗ not so:"} ${text}`, { class: good ? "good" : "bad" }),
  );
  find("checks").replaceChildren(...lines);
}

async function verify() {
  const pressed = find("verify");
  pressed.disabled = true;
  say("verdict", "checking…");
  try {
    const last = await slotOf(view.process);
    const progress = (slot) => say("verdict", `slot ${slot} of ${last}`);
    const fault = await checkSchedule(view.process, last, progress);
    if (fault) say("verdict", fault, "bad");
    else say("verdict", `slots 0 to ${last} verified in this browser`, "good");
  } catch (fault) {
    say("verdict", String(fault.message), "bad");
  } finally {
    pressed.disabled = false;
  }
}

find("verify").addEventListener("click", verify);
find("older").addEventListener("click", older);
await showProcesses();
if (location.hash.length > 1) await open(location.hash.slice(1));
