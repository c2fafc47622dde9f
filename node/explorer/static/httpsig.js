// Messages signed as HTTP messages (RFC 9421, as HyperBEAM has it), checked in their own reply.

import { verifyPss } from "./ans104.js";
import { digest, fromBase64, sha256, toBase64Url, utf8 } from "./bytes.js";

const SALT = 64;
const MEMBER = /([a-z0-9_-]+)=\(([^)]*)\)((?:;[a-z-]+="[^"]*")*)/g;
const PARAMETER = /;([a-z-]+)="([^"]*)"/g;
const SIGNED_PARAMETERS = ["alg", "bundle", "created", "expires", "keyid", "nonce", "tag"];
const DERIVED = ["authority", "method", "path", "query", "query-param", "request-target"];
DERIVED.push("scheme", "status", "target-uri");

/** The names that the signature with this ID covers, or null if no signature holds. */
export async function coveredBy(answer, body, id) {
  const headers = answer.headers;
  const signatures = headers.get("signature") ?? "";
  for (const [, label, list, text] of (headers.get("signature-input") ?? "").matchAll(MEMBER)) {
    const parameters = Object.fromEntries([...text.matchAll(PARAMETER)].map((found) => found.slice(1)));
    const found = signatures.split(`${label}=:`)[1];
    if (parameters.alg !== "rsa-pss-sha512" || !found) continue;
    const signature = fromBase64(found.split(":")[0]);
    if (toBase64Url(await sha256(signature)) !== id) continue;
    const names = [...list.matchAll(/"([^"]*)"/g)].map((name) => name[1].replace(/^@/, ""));
    const base = baseOf(names, parameters, await values(names, headers, body));
    const modulus = fromBase64(parameters.keyid.replace("publickey:", ""));
    return (await verifyPss(modulus, signature, base, "SHA-512", SALT)) ? names : null;
  }
  return null;
}

async function values(names, headers, body) {
  // The digest stands for the body, so it is computed and not believed.
  const digested = await digest("SHA-256", body);
  const said = `sha-256=:${btoa(String.fromCharCode(...digested))}:`;
  return names.map((name) => (name === "content-digest" ? said : headers.get(name)));
}

function baseOf(names, parameters, found) {
  const lines = names.map((name, index) => `"${name}": ${found[index]}`);
  const list = names.map((name) => (DERIVED.includes(name) ? `"@${name}"` : `"${name}"`)).join(" ");
  const written = SIGNED_PARAMETERS.filter((name) => name in parameters)
    .map((name) => `;${name}="${parameters[name]}"`)
    .join("");
  return utf8([...lines, `"@signature-params": (${list})${written}`].join("\n"));
}
