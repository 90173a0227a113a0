// Laurel from JavaScript, with fetch (Node.js 18 or newer, Deno, Bun).
import { createHmac, timingSafeEqual } from "node:crypto";

const { NETWORK, TOKEN } = process.env; // NETWORK: such as http://localhost:8000/v1/networks/my-circle

async function call(method, path, body, headers = {}) {
  const all = { Authorization: `Bearer ${TOKEN}`, "Content-Type": "application/json", ...headers };
  const answer = await fetch(NETWORK + path, { method, headers: all, body: body && JSON.stringify(body) });
  if (!answer.ok) throw new Error((await answer.json()).detail);
  return answer.json();
}

export const postContribution = (contribution, key) =>
  call("POST", "/contributions", contribution, { "Idempotency-Key": key });

export async function* readAll(path) {
  let after = "";
  do {
    const page = await call("GET", `${path}?limit=200${after && `&after=${after}`}`);
    yield* page.items;
    after = page.next;
  } while (after != null);
}

export function isFromLaurel(headers, body, secret) {
  const signed = `${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${body}`;
  const key = Buffer.from(secret.replace("whsec_", ""), "base64");
  const expected = Buffer.from("v1," + createHmac("sha256", key).update(signed).digest("base64"));
  const isExpected = (given) => given.length === expected.length && timingSafeEqual(given, expected);
  const isRecent = Math.abs(Date.now() / 1000 - headers["webhook-timestamp"]) < 300;
  return isRecent && headers["webhook-signature"].split(" ").some((each) => isExpected(Buffer.from(each)));
}
