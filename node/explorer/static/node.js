// What the page asks the node for.

const PAGE = 100;

async function json(path) {
  const answer = await fetch(path, { headers: { accept: "application/json" } });
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer.json();
}

export const status = () => json("/~scheduler@1.0/status");

export const slotOf = async (process) => Number((await json(`/${process}/slot`)).current);

/** Stored assignments `from` to `to`, both included: a list of {slot, message, assignment}. */
export async function entries(process, from, to) {
  const query = new URLSearchParams({ from, to, accept: "application/aos-2" });
  const { edges } = await json(`/${process}/schedule?${query}`);
  return edges.map(({ cursor, node }) => ({ slot: Number(cursor), ...node }));
}

/** The reply with a message as its sender signed it, and its body: an item, or headers and body. */
export async function message(id) {
  const answer = await fetch(`/${id}`, { headers: { accept: "application/ans104" } });
  if (!answer.ok) throw new Error(`message ${id}: ${answer.status}`);
  return { answer, body: new Uint8Array(await answer.arrayBuffer()) };
}

/** Call `stored` for each assignment stored after slot `after`, until the source is closed. */
export function follow(process, after, stored, changed) {
  const source = new EventSource(`/${process}/schedule?from=${after + 1}`);
  source.onopen = () => changed("live");
  source.onerror = () => changed("waiting for the node");
  source.onmessage = ({ lastEventId, data }) =>
    stored({ slot: Number(lastEventId), ...JSON.parse(data) });
  return source;
}

export { PAGE };
