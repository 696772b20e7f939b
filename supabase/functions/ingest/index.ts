// Takes readings from gateways that speak plain HTTP and have no outbox, such as a cellular router with Modbus.
//
// POST one reading or an array; the header x-api-key holds a key from create_ingest_key. A reading:
// {device_key? or device_id?, timestamp|recorded_at?, metrics by their names or by those in field_mappings}
// Answers 200 {accepted, duplicate, rejected: [{index, reason}]}: a bad reading never costs the others.

import { guarded, isHosted, json, refusal, refuseUnlessPost } from "../_shared/answer.ts";
import { isRecord, parseJson, readText } from "../_shared/body.ts";
import { bytesOf, sha256Hex } from "../_shared/hash.ts";
import { rpc } from "../_shared/rest.ts";

const MAX_BODY_BYTES = 1_000_000;
const MAX_READINGS = 1000; // what one statement takes in well under a second
const MAX_TEXT_LENGTH = 200; // the longest text that means anything here is a device key

type Scalar = string | number | boolean | null;

interface Rejection {
  index: number;
  reason: string;
}

interface Ingested {
  verdict: "granted" | "refused" | "limited";
  accepted: number;
  duplicate: number;
  rejected: Rejection[];
}

export const handle = guarded("ingest", async (request) => {
  const stop = refuseUnlessPost(request) ?? refuseUnlessJson(request);
  if (stop) return stop;
  const key = request.headers.get("x-api-key");
  if (!key) return refusal(401, "refused", "the header x-api-key is missing");
  const text = await readText(request, MAX_BODY_BYTES);
  if (text === null) return refusal(413, "too_large", `a request may have ${MAX_BODY_BYTES} bytes`);
  const body = parseJson(text);
  if (typeof body !== "object" || body === null) {
    return refusal(400, "bad_request", "expected JSON: one reading or an array of readings");
  }
  const readings: unknown[] = Array.isArray(body) ? body : [body];
  if (readings.length > MAX_READINGS) {
    return refusal(413, "too_large", `a request may have ${MAX_READINGS} readings`);
  }
  return await store(key, readings);
});

function refuseUnlessJson(request: Request): Response | null {
  const type = request.headers.get("content-type");
  // Simple gateways send none.
  if (!type || /^application\/([\w.-]+\+)?json\s*(;|$)/i.test(type)) return null;
  return refusal(415, "unsupported_media_type", "expected the content type application/json");
}

async function store(key: string, readings: unknown[]): Promise<Response> {
  const reasons = new Map<number, string>();
  const clean = readings.map((reading, index) => {
    const problem = problemWith(reading);
    if (problem) reasons.set(index, problem);
    // Null keeps the place, so that the other readings keep their index.
    return problem ? null : reading;
  });
  const answer = await rpc<Ingested>("ingest_readings", {
    key_hash: await sha256Hex(bytesOf(key)),
    readings: clean,
  });
  if (answer.verdict === "limited") {
    return refusal(429, "limited", "more than 60 requests in a minute: send arrays", { "retry-after": "60" });
  }
  if (answer.verdict !== "granted") return refusal(401, "refused", "unknown or revoked key");
  return json(200, {
    accepted: answer.accepted,
    duplicate: answer.duplicate,
    rejected: answer.rejected.map(({ index, reason }) => ({ index, reason: reasons.get(index) ?? reason })),
  });
}

// What the database could not even take as JSON, and would refuse together with everything else.
function problemWith(reading: unknown): string | null {
  if (!isRecord(reading)) return "expected an object";
  for (const [name, value] of Object.entries(reading)) {
    if (!isStorable(name)) return "a name is too long or not a text";
    const what = name.slice(0, 64);
    if (typeof value === "object" && value !== null) return `${what}: expected a number`;
    if (typeof value === "string" && !isStorable(value)) return `${what}: too long or not a text`;
    if (!isFiniteScalar(value as Scalar)) return `${what}: out of range`;
  }
  return null;
}

function isStorable(text: string): boolean {
  return text.length <= MAX_TEXT_LENGTH && text.isWellFormed() && !text.includes("\0");
}

// 1e400 is a number in JSON, infinite here, and would travel on as null.
function isFiniteScalar(value: Scalar): boolean {
  return typeof value !== "number" || Number.isFinite(value);
}

if (import.meta.main || isHosted()) Deno.serve(handle);
