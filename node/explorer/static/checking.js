// Verify a schedule, or one slot of it, and say what was found.

import { decodeTags, itemId, parseItem, signed } from "./ans104.js";
import { assignmentNamed, assignmentSigned, linkAfter, linkOf, tag } from "./assignment.js";
import { coveredBy } from "./httpsig.js";
import { PAGE, entries, message } from "./node.js";

/** Check one slot. `before` is the entry of the slot before it, null for slot 0. */
export async function checkSlot(process, before, entry) {
  const { assignment } = entry;
  const messageId = entry.message.Id;
  const expected = await linkAfter(before?.assignment ?? null, assignment, messageId);
  return [
    ["the scheduler's signature holds", await assignmentSigned(assignment, messageId)],
    ["ID and address belong to it", await assignmentNamed(assignment)],
    ["process and slot are the ones asked for", isAt(assignment, process, entry.slot)],
    ["the link continues the chain", linkOf(assignment) === expected],
    ["the message's own signature holds", (await proven(messageId)) !== null],
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

/** What the signature of a message proves of it: its keys. Null when there is no such proof. */
async function proven(id) {
  const { answer, body } = await message(id);
  if (answer.headers.get("codec-device") !== "ans104@1.0") {
    const names = await coveredBy(answer, body, id);
    return names && ((name) => (names.includes(name) ? answer.headers.get(name) : undefined));
  }
  const item = parseItem(body);
  if ((await itemId(item)) !== id || !(await signed(item))) return null;
  const keys = new Map(decodeTags(item.tags).map(([name, value]) => [name.toLowerCase(), value]));
  return (name) => keys.get(name);
}

const schedulers = new Map();

async function isNamed(process, assignment) {
  if (!schedulers.has(process)) schedulers.set(process, await namedBy(process));
  return schedulers.get(process).includes(assignment.Owner);
}

/** The schedulers a process names in what it signed, whatever the node shows of it. */
async function namedBy(process) {
  const key = await proven(process);
  const named = key?.("scheduler") ?? key?.("scheduler-location") ?? "";
  return named.split(",").map((address) => address.trim());
}
