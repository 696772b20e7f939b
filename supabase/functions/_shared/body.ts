// The body of a request, read no further than it may be long.

/** Returns the text, or null when it has more bytes than allowed. */
export async function readText(request: Request, maxBytes: number): Promise<string | null> {
  if (Number(request.headers.get("content-length") ?? 0) > maxBytes) {
    await request.body?.cancel();
    return null;
  }
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of request.body ?? []) {
    length += chunk.byteLength;
    // Leaving the loop cancels the rest of the stream.
    if (length > maxBytes) return null;
    chunks.push(chunk);
  }
  return decode(chunks, length);
}

/** Returns what a text says in JSON, or undefined when it is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** True for a JSON object: no array, no null. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function decode(chunks: Uint8Array[], length: number): string {
  const whole = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.byteLength;
  }
  // Bytes that are not UTF-8 become U+FFFD, which is in no key and no number.
  return new TextDecoder().decode(whole);
}
