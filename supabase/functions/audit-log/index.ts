// Forwards the audit log to a webhook, for whoever keeps it where nobody here can change it.
//
// POST with a secret key; called by a schedule. Entries go out in order of claiming, signed, as lines of JSON or as
// one array, and count as forwarded after a 2xx. Answers {forwarded, is_empty}.

import { problemWithAddress } from "../_shared/address.ts";
import { guarded, isHosted, json, refusal, refuseUnlessPost } from "../_shared/answer.ts";
import { deliver, type Delivery } from "../_shared/delivery.ts";
import { refuseAllButService } from "../_shared/keys.ts";
import { rpc } from "../_shared/rest.ts";
import { SIGNATURE_HEADER, signatureOf } from "../_shared/signature.ts";

const BATCH_SIZE = 500;
const BUDGET_MS = 40_000; // no new batch after this; the schedule calls again

interface Entry {
  id: number;
}

interface Claimed {
  leased_until: string;
  entry: Entry;
}

interface Target {
  url: string;
  secret: string;
  isArray: boolean;
}

export const handle = guarded("audit-log", async (request) => {
  const stop = refuseUnlessPost(request) ?? await refuseAllButService(request);
  if (stop) return stop;
  const target = readTarget();
  if (!target) {
    const names = "PENSTOCK_AUDIT_WEBHOOK_URL and PENSTOCK_AUDIT_WEBHOOK_SECRET";
    return refusal(501, "not_set_up", `set the secrets ${names}`);
  }
  // Nothing is claimed for a place that may not be called.
  const problem = await problemWithAddress(target.url);
  if (problem) return refusal(501, "not_set_up", `PENSTOCK_AUDIT_WEBHOOK_URL: ${problem}`);
  return await forward(target);
});

function readTarget(): Target | null {
  const url = Deno.env.get("PENSTOCK_AUDIT_WEBHOOK_URL");
  const secret = Deno.env.get("PENSTOCK_AUDIT_WEBHOOK_SECRET");
  const isArray = Deno.env.get("PENSTOCK_AUDIT_WEBHOOK_FORMAT") === "json";
  return url && secret ? { url, secret, isArray } : null;
}

async function forward(target: Target): Promise<Response> {
  const startMs = performance.now();
  let forwarded = 0;
  while (performance.now() - startMs < BUDGET_MS) {
    const [first, ...others] = await rpc<Claimed[]>("claim_audit_entries", { batch_size: BATCH_SIZE });
    if (!first) return json(200, { forwarded, is_empty: true });
    const entries = [first, ...others].map(({ entry }) => entry);
    const delivery = await send(target, entries);
    const isSent = delivery.outcome === "sent";
    await rpc("settle_audit_entries", {
      ids: entries.map((entry) => entry.id),
      leased_until: first.leased_until,
      is_sent: isSent,
    });
    if (delivery.outcome !== "sent") {
      return json(502, { code: "not_taken", message: delivery.reason, forwarded, is_empty: false });
    }
    forwarded += entries.length;
  }
  return json(200, { forwarded, is_empty: false });
}

async function send(target: Target, entries: Entry[]): Promise<Delivery> {
  const body = target.isArray
    ? JSON.stringify(entries)
    : entries.map((entry) => `${JSON.stringify(entry)}\n`).join("");
  return await deliver({
    url: target.url,
    headers: {
      "content-type": target.isArray ? "application/json" : "application/x-ndjson",
      [SIGNATURE_HEADER]: await signatureOf(body, target.secret, Date.now()),
    },
    body,
  });
}

if (import.meta.main || isHosted()) Deno.serve(handle);
