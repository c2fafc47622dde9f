// Bytes and their texts: base64 in both alphabets, hashes, comparison.

const encoder = new TextEncoder();

export const utf8 = (text) => encoder.encode(text);

export function fromBase64(text) {
  const standard = text.replaceAll("-", "+").replaceAll("_", "/");
  return Uint8Array.from(atob(standard), (character) => character.charCodeAt(0));
}

export function toBase64Url(bytes) {
  const standard = btoa(String.fromCharCode(...bytes));
  return standard.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

export function join(...parts) {
  const joined = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}

export async function digest(algorithm, bytes) {
  return new Uint8Array(await crypto.subtle.digest(algorithm, bytes));
}

export const sha256 = (bytes) => digest("SHA-256", bytes);
