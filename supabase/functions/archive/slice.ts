// Part of an archive: rows of the database as gzipped lines of JSON, as many as one call may take.

import type { Bytes } from "../_shared/hash.ts";
import { rpc } from "../_shared/rest.ts";

const PAGE_ROWS = 1000; // no more than max_rows of the REST server, which cuts what is longer

/** lastRow: row_number of the last row, where the next slice goes on. isLast: there is nothing after it. */
export interface Slice {
  content: Bytes;
  rows: number;
  lastRow: number;
  isLast: boolean;
}

interface Line {
  row_number: number;
  line: unknown;
}

/** Reads at most so many rows after a row. Holds one page and the compressed rest in memory. */
export async function readSlice(archiveId: number, afterRow: number, maxRows: number): Promise<Slice> {
  const gzip = new CompressionStream("gzip");
  const compressed = new Response(gzip.readable).arrayBuffer();
  const writer = gzip.writable.getWriter();
  const encoder = new TextEncoder();
  const slice = { rows: 0, lastRow: afterRow, isLast: false };
  try {
    while (slice.rows < maxRows) {
      const page = await rpc<Line[]>("read_archive", {
        archive_id: archiveId,
        after_row: slice.lastRow,
        batch_size: Math.min(PAGE_ROWS, maxRows - slice.rows),
      });
      // Only an empty page is the end: a server may be set to give fewer rows than asked for.
      slice.isLast = page.length === 0;
      if (slice.isLast) break;
      await writer.write(encoder.encode(page.map(({ line }) => `${JSON.stringify(line)}\n`).join("")));
      slice.rows += page.length;
      slice.lastRow = page.at(-1)?.row_number ?? slice.lastRow;
    }
    await writer.close();
  } catch (error) {
    await writer.abort(error);
    await compressed.catch(() => {});
    throw error;
  }
  return { ...slice, content: new Uint8Array(await compressed) };
}
