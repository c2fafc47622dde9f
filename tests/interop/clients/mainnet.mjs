// aoconnect in mainnet mode: spawn, message in every form of its answer, and the current slot.
import { readFileSync } from "node:fs";

import { connect, createSigner } from "@permaweb/aoconnect";
import AOCore from "@permaweb/ao-core-libs";

const { url, scheduler, wallet, module } = JSON.parse(process.argv[2]);
const signer = createSigner(JSON.parse(readFileSync(wallet, "utf8")));
const settings = { MODE: "mainnet", URL: url, signer, device: "process@1.0" };

const named = connect({ ...settings, SCHEDULER: scheduler });
const first = await named.spawn({ module, tags: [{ name: "Name", value: "first" }] });
const slot = await named.message({
  process: first,
  data: "one",
  tags: [{ name: "Action", value: "Ping" }],
  returnAssignmentSlot: true,
});
const both = await named.message({
  process: first,
  data: "two",
  returnAssignmentSlot: true,
  returnMessageId: true,
});
const id = await named.message({ process: first, data: "three", returnMessageId: true });

// Without a scheduler it asks the node for its address.
const asked = await connect(settings).spawn({ module, data: "second" });

const core = AOCore.init({ url, signer });
const answer = await core.request({
  path: `/${first}/slot/current`,
  method: "POST",
  "signing-format": "ans104",
  "accept-bundle": "true",
  "accept-codec": "httpsig@1.0",
});
const current = await answer.text();

console.log(JSON.stringify({ first, slot, both, id, asked, current }));
