// Verify a schedule, or one slot of it, and say what was found.

import { decodeTags, parseItem } from "./ans104.js";
import {
  assignmentNamed,
  assignmentSigned,
  linkAfter,
  linkOf,
  messageSigned,
  tag,
} from "./assignment.js";
import { messageBytes, PAGE, entries } from "./node.js";

/** Check one slot. `before` is the entry of the slot before it, null for slot 0. */
export async function checkSlot(process, before, entry) {
  const { assignment, message } = entry;
  const expected = await linkAfter(before?.assignment ?? null, assignment, message.Id);
  return [
    ["the scheduler's signature holds", await assignmentSigned(assignment, message.Id)],
    ["ID and address belong to it", await assignmentNamed(assignment)],
    ["process and slot are the ones asked for", isAt(assignment, process, entry.slot)],
    ["the link continues the chain", linkOf(assignment) === expected],
    ["the message's own signature holds", await messageHolds(message.Id)],
    ["the signer is one the process names", await isNamed(process, assignment)],
  ];
}

/** Check every slot up to `last`; `progress` is told each number that is done. */
export async function checkSchedule(process, last, progress) {
  let before = null;
  for (let from = 0; from <= last; from += PAGE) {
    const page = await entries(process, from, Math.min(last, from + PAGE - 1));
    for (const entry of page) {
      if (entry.slot !== (before?.slot ?? -1) + 1) return `slot ${entry.slot} does not follow`;
      const failed = (await checkSlot(process, before, entry)).find(([, good]) => !good);
      if (failed) return `slot ${entry.slot}: not so: ${failed[0]}`;
      before = entry;
      progress(entry.slot);
    }
    if (!page.length) return `slot ${from} is missing`;
  }
  return null;
}

function isAt(assignment, process, slot) {
  const number = tag(assignment, "Slot") ?? tag(assignment, "Nonce");
  return tag(assignment, "Process") === process && Number(number) === slot;
}

async function messageHolds(id) {
  return messageSigned(await messageBytes(id), id);
}

const schedulers = new Map();

async function isNamed(process, assignment) {
  if (!schedulers.has(process)) schedulers.set(process, await namedBy(process));
  return schedulers.get(process).includes(assignment.Owner);
}

/** The schedulers a process names in its own signed bytes, whatever the node shows of it. */
async function namedBy(process) {
  const bytes = await messageBytes(process);
  if (!(await messageSigned(bytes, process))) return [];
  const tags = decodeTags(parseItem(bytes).tags).map(([name, value]) => [name.toLowerCase(), value]);
  const keys = Object.fromEntries(tags);
  const named = keys.scheduler ?? keys["scheduler-location"] ?? "";
  return named.split(",").map((address) => address.trim());
}
