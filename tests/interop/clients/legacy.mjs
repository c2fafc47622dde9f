// aoconnect in legacy mode: the node as its MU, for a message and an assignment, and reads of it as its SU.
import { readFileSync } from "node:fs";

const { url, wallet, process: processId } = JSON.parse(process.argv[2]);

// It asks one host by name which scheduler a process has. That host is outside the machine: the node
// under test answers in its place, and everything else goes where the client sends it.
const ROUTER = "https://su-router.ao-testnet.xyz";
const originalFetch = globalThis.fetch;
globalThis.fetch = (target, options) => originalFetch(String(target).replace(ROUTER, url), options);

const { connect, createDataItemSigner } = await import("@permaweb/aoconnect");
const signer = createDataItemSigner(JSON.parse(readFileSync(wallet, "utf8")));
const ao = connect({ MODE: "legacy", MU_URL: url, CU_URL: url, GATEWAY_URL: url, noLog: true });

const sent = await ao.message({
  process: processId,
  signer,
  data: "one",
  tags: [{ name: "Action", value: "Ping" }],
  returnAssignmentSlot: true,
  returnMessageId: true,
});
const id = await ao.message({ process: processId, signer, data: "two" });
const assigned = await ao.assign({ process: processId, message: sent.id });
const one = await ao.getMessageById({ processId, messageId: sent.id });
const range = await ao.getMessages({
  processId,
  from: "0",
  to: String(Date.now() + 60_000),
  limit: "10",
});
const last = await ao.getLastSlot({ processId });

console.log(JSON.stringify({ sent, id, assigned, one, range, last }));
