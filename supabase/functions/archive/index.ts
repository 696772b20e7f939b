// Takes what retention is about to drop into Supabase Storage, as gzipped lines of JSON.
//
// POST with a secret key; called by a schedule. One call does one slice, within the memory and the processor time of
// a hosted function, and says how far it came; the next call goes on from what is stored. With <name> =
// <table>/<from>-<archive id>, an archive of one slice is <name>.ndjson.gz. A longer one is
// <name>/<last row>-<rows>-<sha256>.ndjson.gz, in order, and <name>.json that names them all. Put together in that
// order they are one valid gzip file.
// Answers {is_empty} or {table_name, rows, is_finished, object_path}; 409 when rows came while it was read.

import { guarded, isHosted, json, refusal, refuseUnlessPost } from "../_shared/answer.ts";
import { bytesOf, sha256Hex } from "../_shared/hash.ts";
import { refuseAllButService } from "../_shared/keys.ts";
import { RestError, rpc } from "../_shared/rest.ts";
import { readSlice, type Slice } from "./slice.ts";
import { listObjects, putObject, removeObjects } from "./storage.ts";

const SLICE_ROWS = 50_000; // measured 0.2 s of processor time for short rows, of the two that a hosted request has
const CHECK_VIOLATION = "23514"; // how finish_archive says that the rows are other ones
const GZIP = "application/gzip";
const ROW_DIGITS = 16; // as far as numbers are exact, so that names sort like rows
const PART = /^(\d{16})-(\d+)-([0-9a-f]{64})\.ndjson\.gz$/;

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
  // With its number, since late rows of the same time have an archive of their own.
  const base = `${archive.table_name}/${compact(archive.from_at)}-${archive.archive_id}`;
  const parts = await storedParts(base);
  const slice = await readSlice(archive.archive_id, parts.at(-1)?.lastRow ?? 0, sliceRows());
  if (slice.isLast && parts.length === 0) return await finishWhole(archive, base, slice);
  if (slice.rows > 0) parts.push(await storePart(base, slice));
  if (slice.isLast) return await finishParts(archive, base, parts);
  // For the next call of the schedule, and not only when the claim ends.
  await rpc("release_archive", { archive_id: archive.archive_id });
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
  const path = `${base}/${String(slice.lastRow).padStart(ROW_DIGITS, "0")}-${slice.rows}-${sha256}.ndjson.gz`;
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
  try {
    await rpc("finish_archive", {
      archive_id: archive.archive_id,
      object_path: path,
      rows: sum(parts.map((part) => part.rows)),
      bytes: sum(parts.map((part) => part.bytes)),
      sha256,
    });
  } catch (error) {
    if (error instanceof RestError && error.code === CHECK_VIOLATION) return await startOver(archive, parts);
    throw error;
  }
  return json(200, progress(archive, parts, true, path));
}

// What is stored is not what is in the database, and reading on would not make it so.
async function startOver(archive: Archive, parts: Part[]): Promise<Response> {
  await removeObjects(parts.map((part) => part.path));
  await rpc("release_archive", { archive_id: archive.archive_id });
  return refusal(
    409,
    "rows_changed",
    `${archive.table_name}: rows came while it was read; the next call starts over`,
  );
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
