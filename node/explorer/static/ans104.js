// ANS-104 data items: their tags, what is signed, and whether the signature holds.

import { digest, join, sha256, toBase64Url, utf8 } from "./bytes.js";

const RSA = 1;
const KEY_BYTES = 512;

// HyperBEAM signs with the digest's length, JavaScript clients with the longest that fits.
const SALTS = [32, 478, 64, 0];

const sha384 = (bytes) => digest("SHA-384", bytes);

async function blob(bytes) {
  return sha384(join(await sha384(utf8(`blob${bytes.length}`)), await sha384(bytes)));
}

async function deepHash(blobs) {
  let hash = await sha384(utf8(`list${blobs.length}`));
  for (const bytes of blobs) hash = await sha384(join(hash, await blob(bytes)));
  return hash;
}

/** The bytes of a number as Avro writes it: zig-zag, seven bits at a time. */
function avroLong(number) {
  const bytes = [];
  let rest = number * 2;
  while (rest > 127) {
    bytes.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  return Uint8Array.from([...bytes, rest]);
}

/** Tags as they are signed; `tags` is a list of [name, value] texts. */
export function encodeTags(tags) {
  if (!tags.length) return new Uint8Array();
  const texts = tags.flat().map(utf8);
  const written = texts.flatMap((text) => [avroLong(text.length), text]);
  return join(avroLong(tags.length), ...written, new Uint8Array(1));
}

/** The tags of an item, as [name, value] texts; what is not one Avro block throws. */
export function decodeTags(bytes) {
  let offset = 0;
  const long = () => {
    let number = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = bytes[offset++];
      if (byte === undefined) throw new RangeError("the tags are cut off");
      number += (byte & 127) * factor;
      if (byte < 128) return number / 2;
    }
  };
  const text = () => {
    const size = long();
    offset += size;
    return new TextDecoder().decode(bytes.slice(offset - size, offset));
  };
  return bytes.length ? Array.from({ length: long() }, () => [text(), text()]) : [];
}

/** Verify an RSA signature over an item's fields; `owner` is the modulus. */
export async function signed({ owner, target, anchor, tags, data, signature }) {
  const fields = [utf8("dataitem"), utf8("1"), utf8(String(RSA)), owner, target, anchor, tags, data];
  const hash = await deepHash(fields);
  for (const saltLength of SALTS) {
    if (await verifyPss(owner, signature, hash, "SHA-256", saltLength)) return true;
  }
  return false;
}

export async function verifyPss(modulus, signature, bytes, hash, saltLength) {
  const key = await crypto.subtle.importKey(
    "jwk",
    { kty: "RSA", n: toBase64Url(modulus), e: "AQAB" },
    { name: "RSA-PSS", hash },
    false,
    ["verify"],
  );
  return crypto.subtle.verify({ name: "RSA-PSS", saltLength }, key, signature, bytes);
}

/** Split the bytes of an item; throws a RangeError where they end early. */
export function parseItem(bytes) {
  if (bytes[0] !== RSA || bytes[1] !== 0) throw new Error("only RSA items are checked here");
  let offset = 2;
  const take = (size) => {
    if (offset + size > bytes.length) throw new RangeError("the item is cut off");
    offset += size;
    return bytes.slice(offset - size, offset);
  };
  const optional = () => (take(1)[0] ? take(32) : new Uint8Array());
  const signature = take(KEY_BYTES);
  const owner = take(KEY_BYTES);
  const target = optional();
  const anchor = optional();
  take(8);
  const size = new DataView(take(8).buffer).getBigUint64(0, true);
  const tags = take(Number(size));
  return { signature, owner, target, anchor, tags, data: bytes.slice(offset) };
}

export const itemId = async (item) => toBase64Url(await sha256(item.signature));

export const addressOf = async (owner) => toBase64Url(await sha256(owner));

