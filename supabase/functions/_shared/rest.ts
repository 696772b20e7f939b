// Calls the database's functions over REST, as the service.

import { secretKeys } from "./keys.ts";

const TIMEOUT_MS = 60_000; // as long as the gateway of a hosted project waits itself

/** The database refused or failed. Its message names no values of the request. */
export class RestError extends Error {
  constructor(readonly status: number, readonly code: string, message: string) {
    super(message);
  }
}

/** Calls a function of the schema public and returns its answer. */
export async function rpc<T>(name: string, args: Record<string, unknown>): Promise<T> {
  const response = await fetch(new URL(`/rest/v1/rpc/${name}`, projectUrl()), {
    method: "POST",
    headers: { ...serviceHeaders(), "content-type": "application/json" },
    body: JSON.stringify(args),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  const text = await response.text();
  if (!response.ok) throw failure(name, response.status, text);
  return (text ? JSON.parse(text) : null) as T;
}

export function projectUrl(): string {
  const url = Deno.env.get("SUPABASE_URL");
  if (!url) throw new Error("SUPABASE_URL is not set");
  return url;
}

/** The headers that make a request one of the service. */
export function serviceHeaders(): Record<string, string> {
  const [key] = secretKeys();
  if (!key) throw new Error("SUPABASE_SECRET_KEYS is not set");
  // A key that is no token may stand in the header for tokens only if it is the same as apikey, as it is here.
  return { apikey: key, authorization: `Bearer ${key}` };
}

function failure(name: string, status: number, text: string): RestError {
  try {
    const { code, message } = JSON.parse(text);
    return new RestError(status, String(code ?? ""), `${name}: HTTP ${status} ${code}: ${message}`);
  } catch {
    return new RestError(status, "", `${name}: HTTP ${status}`);
  }
}
