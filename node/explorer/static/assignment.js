// Check an assignment with nothing but its own fields: trust no word of the node.

import { addressOf, encodeTags, signed, verifyPss } from "./ans104.js";
import { fromBase64, join, sha256, toBase64Url, utf8 } from "./bytes.js";

const EMPTY = new Uint8Array();
const HTTPSIG_SALT = 64;

export const tag = (node, name) =>
  node.Tags.find((found) => found.name.toLowerCase() === name.toLowerCase())?.value;

/** The keys that are signed: the shown ones, and the message as a link. */
function committed(assignment, messageId) {
  const shown = assignment.Tags.map(({ name, value }) => [name.toLowerCase(), value]);
  const byName = ([left], [right]) => (left < right ? -1 : 1);
  return [...shown, ["body+link", messageId]].sort(byName);
}

function httpsigBase(keys, publicKey) {
  // The list of names marks what HTTP derives from the request; the lines, in HyperBEAM, do not.
  const lines = keys.map(([name, value]) => `"${name}": ${value}`);
  const names = keys.map(([name]) => (name === "path" ? '"@path"' : `"${name}"`)).join(" ");
  const params = `(${names});alg="rsa-pss-sha512";keyid="publickey:${publicKey}"`;
  return utf8([...lines, `"@signature-params": ${params}`].join("\n"));
}

/** Tell whether the scheduler's signature covers every field, the message's ID among them. */
export async function assignmentSigned(assignment, messageId) {
  const owner = fromBase64(assignment.PublicKey);
  const signature = fromBase64(assignment.Signature);
  const keys = committed(assignment, messageId);
  const item = { owner, signature, target: EMPTY, anchor: EMPTY, data: EMPTY };
  if (await signed({ ...item, tags: encodeTags(keys) })) return true;
  const anchor = assignment.Anchor ? fromBase64(assignment.Anchor) : EMPTY;
  const legacy = assignment.Tags.map(({ name, value }) => [name, value]);
  if (await signed({ ...item, anchor, tags: encodeTags(legacy) })) {
    return tag(assignment, "Message") === undefined || tag(assignment, "Message") === messageId;
  }
  const base = httpsigBase(keys, assignment.PublicKey);
  return verifyPss(owner, signature, base, "SHA-512", HTTPSIG_SALT);
}

/** Tell whether the assignment's ID and address are those of its signature and its key. */
export async function assignmentNamed(assignment) {
  const id = toBase64Url(await sha256(fromBase64(assignment.Signature)));
  const address = await addressOf(fromBase64(assignment.PublicKey));
  return id === assignment.Id && address === assignment.Owner;
}

/** The link that a slot must carry, after the slot `before` (null for slot 0). */
export async function linkAfter(before, assignment, messageId) {
  if (tag(assignment, "Hash-Chain") === undefined) return hashpathAfter(before, assignment);
  if (tag(assignment, "Variant") === "ao.TN.1") return legacyAfter(before, assignment);
  const previous = before ? fromBase64(tag(before, "Hash-Chain")) : EMPTY;
  return toBase64Url(await sha256(join(previous, utf8(messageId))));
}

async function hashpathAfter(before, assignment) {
  if (!before) return tag(assignment, "Process");
  const [left, right] = tag(before, "Base-Hashpath").split("/").map(fromBase64);
  const base = right ? toBase64Url(await sha256(join(left, right))) : tag(before, "Process");
  return `${base}/${before.Id}`;
}

async function legacyAfter(before, assignment) {
  const previous = before
    ? [fromBase64(before.Id), fromBase64(tag(before, "Hash-Chain"))]
    : [fromBase64(tag(assignment, "Process"))];
  return toBase64Url(await sha256(join(...previous)));
}

export const linkOf = (assignment) =>
  tag(assignment, "Hash-Chain") ?? tag(assignment, "Base-Hashpath");
