// arbundles: items made by the library that bundlers use, posted as they are.
import { readFileSync } from "node:fs";

import { ArweaveSigner, createData } from "@dha-team/arbundles";

const { url, scheduler, wallet, variant } = JSON.parse(process.argv[2]);
const signer = new ArweaveSigner(JSON.parse(readFileSync(wallet, "utf8")));

async function item(data, tags, target) {
  const named = { "Data-Protocol": "ao", Variant: variant, ...tags };
  const list = Object.entries(named).map(([name, value]) => ({ name, value }));
  const made = createData(data, signer, { tags: list, target });
  await made.sign(signer);
  return made;
}

async function post(path, made) {
  const answer = await fetch(url + path, {
    method: "POST",
    headers: { "content-type": "application/ans104", "codec-device": "ans104@1.0" },
    body: made.getRaw(),
  });
  const headers = Object.fromEntries(answer.headers);
  return { id: made.id, status: answer.status, headers, text: await answer.text() };
}

const spawning = await item("", { Type: "Process", Module: scheduler, Scheduler: scheduler });
const spawned = await post(variant === "ao.TN.1" ? "/" : `/${spawning.id}/schedule`, spawning);
const ping = await item("ping", { Type: "Message", Action: "Ping" }, spawning.id);
const scheduled = await post(`/${spawning.id}/schedule`, ping);
const again = await post(`/${spawning.id}/schedule`, ping);
const pong = await item("pong", { Type: "Message", Action: "Pong" }, spawning.id);
const root = await post("/", pong);
const damaged = await item("damaged", { Type: "Message" }, spawning.id);
damaged.getRaw()[damaged.getRaw().length - 1] ^= 1;
const refused = await post(`/${spawning.id}/schedule`, damaged);

console.log(JSON.stringify({ spawned, scheduled, again, root, refused }));
