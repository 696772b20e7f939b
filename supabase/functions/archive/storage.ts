// Objects in Supabase Storage, as the service.

import { isRecord, parseJson } from "../_shared/body.ts";
import { type Bytes, sha256Hex } from "../_shared/hash.ts";
import { projectUrl, serviceHeaders } from "../_shared/rest.ts";

const TIMEOUT_MS = 60_000; // some megabytes over the project's own network
const LIST_LIMIT = 1000; // a thousand slices of fifty thousand rows are more than a partition has

export interface StoredObject {
  name: string;
  bytes: number;
}

/** Stores an object, in place of one of this name, and reads it back. Throws unless it came back the same. */
export async function putObject(path: string, content: Bytes, type: string): Promise<{ sha256: string }> {
  const sha256 = await sha256Hex(content);
  let response = await upload(path, content, type);
  if (await isBucketMissing(response)) {
    await makeBucket();
    response = await upload(path, content, type);
  }
  const text = await response.text();
  if (!response.ok) {
    throw new Error(`storage: ${path} was refused: HTTP ${response.status} ${text.slice(0, 200)}`);
  }
  const kept = await getObject(path);
  if (kept.byteLength !== content.byteLength || await sha256Hex(kept) !== sha256) {
    throw new Error(`storage: ${path} came back different from what was stored`);
  }
  return { sha256 };
}

/** Lists what is directly in a folder, by name. */
export async function listObjects(folder: string): Promise<StoredObject[]> {
  const sortBy = { column: "name", order: "asc" };
  const response = await call("POST", `object/list/${bucket()}`, {
    body: JSON.stringify({ prefix: folder, limit: LIST_LIMIT, offset: 0, sortBy }),
    headers: { "content-type": "application/json" },
  });
  if (await isBucketMissing(response)) return [];
  const found = parseJson(await response.text());
  if (!response.ok || !Array.isArray(found)) throw new Error(`storage: cannot list: HTTP ${response.status}`);
  return found.filter(isRecord).map(({ name, metadata }) => ({
    name: String(name),
    bytes: isRecord(metadata) ? Number(metadata.size) : 0,
  }));
}

async function getObject(path: string): Promise<Bytes> {
  const response = await call("GET", `object/${bucket()}/${path}`, {});
  const content = new Uint8Array(await response.arrayBuffer());
  if (!response.ok) throw new Error(`storage: ${path} cannot be read back: HTTP ${response.status}`);
  return content;
}

async function upload(path: string, content: Bytes, type: string): Promise<Response> {
  // An object of this name is what an interrupted call left behind.
  const headers = { "content-type": type, "x-upsert": "true" };
  return await call("POST", `object/${bucket()}/${path}`, { body: content, headers });
}

async function makeBucket(): Promise<void> {
  const name = bucket();
  const response = await call("POST", "bucket", {
    body: JSON.stringify({ id: name, name, public: false }),
    headers: { "content-type": "application/json" },
  });
  await response.body?.cancel();
}

// Storage answers 400 or 404, depending on its version.
async function isBucketMissing(response: Response): Promise<boolean> {
  return !response.ok && /bucket not found/i.test(await response.clone().text());
}

async function call(
  method: string,
  path: string,
  { body, headers }: { body?: BodyInit; headers?: Record<string, string> },
): Promise<Response> {
  return await fetch(new URL(`/storage/v1/${path}`, projectUrl()), {
    method,
    headers: { ...serviceHeaders(), ...headers },
    body,
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
}

function bucket(): string {
  return Deno.env.get("PENSTOCK_ARCHIVE_BUCKET") ?? "telemetry-archive";
}
