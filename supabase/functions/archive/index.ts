// Takes what retention is about to drop into Supabase Storage, as gzipped lines of JSON.
//
// POST with a secret key; called by a schedule. One call does one slice, within the memory and the processor time of
// a hosted function, and says how far it came; the next call goes on from what is stored. An archive of one slice
// is <table>/<from>.ndjson.gz. A longer one is <table>/<from>/<last row>-<rows>-<sha256>.ndjson.gz, in order, and
// <table>/<from>.json that names them all. Put together in that order they are one valid gzip file.
// Answers {is_empty} or {table_name, rows, is_finished, object_path}.

import { guarded, isHosted, json, refuseUnlessPost } from "../_shared/answer.ts";
import { bytesOf, sha256Hex } from "../_shared/hash.ts";
import { refuseAllButService } from "../_shared/keys.ts";
import { rpc } from "../_shared/rest.ts";
import { readSlice, type Slice } from "./slice.ts";
import { listObjects, putObject } from "./storage.ts";

const SLICE_ROWS = 50_000; // about half of the two seconds of processor time that a hosted request has
const GZIP = "application/gzip";
const PART = /^(\d{12})-(\d+)-([0-9a-f]{64})\.ndjson\.gz$/;

interface Archive {
  archive_id: number;
  table_name: string;
  from_at: string;
  to_at: string;
}

interface Part {
  path: string;
  lastRow: number;
  rows: number;
  bytes: number;
  sha256: string;
}

export const handle = guarded("archive", async (request) => {
  const stop = refuseUnlessPost(request) ?? await refuseAllButService(request);
  if (stop) return stop;
  const [archive] = await rpc<Archive[]>("claim_archive", {});
  if (!archive) return json(200, { is_empty: true });
  const base = `${archive.table_name}/${compact(archive.from_at)}`;
  const parts = await storedParts(base);
  const slice = await readSlice(archive.archive_id, parts.at(-1)?.lastRow ?? 0, sliceRows());
  if (slice.isLast && parts.length === 0) return await finishWhole(archive, base, slice);
  if (slice.rows > 0) parts.push(await storePart(base, slice));
  if (slice.isLast) return await finishParts(archive, base, parts);
  return json(200, progress(archive, parts, false, null));
});

async function finishWhole(archive: Archive, base: string, slice: Slice): Promise<Response> {
  const path = `${base}.ndjson.gz`;
  const { sha256 } = await putObject(path, slice.content, GZIP);
  const whole = { path, lastRow: slice.lastRow, rows: slice.rows, bytes: slice.content.byteLength, sha256 };
  return await finish(archive, [whole], path, sha256);
}

async function storePart(base: string, slice: Slice): Promise<Part> {
  // The name says what is in it: whatever the next call has to know is in the listing.
  const sha256 = await sha256Hex(slice.content);
  const path = `${base}/${String(slice.lastRow).padStart(12, "0")}-${slice.rows}-${sha256}.ndjson.gz`;
  await putObject(path, slice.content, GZIP);
  return { path, lastRow: slice.lastRow, rows: slice.rows, bytes: slice.content.byteLength, sha256 };
}

async function finishParts(archive: Archive, base: string, parts: Part[]): Promise<Response> {
  const path = `${base}.json`;
  const listed = parts.map(({ path, rows, bytes, sha256 }) => ({ path, rows, bytes, sha256 }));
  const { table_name, from_at, to_at } = archive;
  const content = JSON.stringify({ table_name, from_at, to_at, parts: listed }, null, 2);
  const { sha256 } = await putObject(path, bytesOf(content), "application/json");
  return await finish(archive, parts, path, sha256);
}

async function finish(archive: Archive, parts: Part[], path: string, sha256: string): Promise<Response> {
  await rpc("finish_archive", {
    archive_id: archive.archive_id,
    object_path: path,
    rows: sum(parts.map((part) => part.rows)),
    bytes: sum(parts.map((part) => part.bytes)),
    sha256,
  });
  return json(200, progress(archive, parts, true, path));
}

async function storedParts(base: string): Promise<Part[]> {
  const parts: Part[] = [];
  for (const { name, bytes } of await listObjects(base)) {
    const [, lastRow, rows, sha256] = PART.exec(name) ?? [];
    if (sha256) {
      parts.push({ path: `${base}/${name}`, lastRow: Number(lastRow), rows: Number(rows), bytes, sha256 });
    }
  }
  return parts.sort((left, right) => left.lastRow - right.lastRow);
}

function progress(archive: Archive, parts: Part[], isFinished: boolean, path: string | null): unknown {
  const rows = sum(parts.map((part) => part.rows));
  return { table_name: archive.table_name, rows, is_finished: isFinished, object_path: path };
}

function compact(instant: string): string {
  return new Date(instant).toISOString().replace(/[-:]|\.\d+/g, "");
}

function sliceRows(): number {
  const wanted = Number(Deno.env.get("PENSTOCK_ARCHIVE_SLICE_ROWS") ?? SLICE_ROWS);
  return Number.isInteger(wanted) && wanted > 0 ? wanted : SLICE_ROWS;
}

function sum(numbers: number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

if (import.meta.main || isHosted()) Deno.serve(handle);
