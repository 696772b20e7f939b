// The project's API keys: which ones there are, and whether a caller has one.

import { refusal } from "./answer.ts";
import { isRecord, parseJson } from "./body.ts";
import { isSame } from "./hash.ts";

/** The keys with which a function may do everything. The first is the one it uses itself. */
export function secretKeys(): string[] {
  return [...listed("SUPABASE_SECRET_KEYS"), ...single("SUPABASE_SERVICE_ROLE_KEY")];
}

function publishableKeys(): string[] {
  return [...listed("SUPABASE_PUBLISHABLE_KEYS"), ...single("SUPABASE_ANON_KEY")];
}

/** Answers 401 unless the header apikey holds a publishable or a secret key of this project. */
export async function refuseStrangers(request: Request): Promise<Response | null> {
  return await refuseUnless(request, [...publishableKeys(), ...secretKeys()], "Invalid API key");
}

/** Answers 401 unless the header apikey holds a secret key of this project. */
export async function refuseAllButService(request: Request): Promise<Response | null> {
  return await refuseUnless(request, secretKeys(), "Invalid API key: this needs a secret key");
}

async function refuseUnless(request: Request, keys: string[], message: string): Promise<Response | null> {
  const given = request.headers.get("apikey") ?? "";
  const found = await Promise.all(keys.map((key) => isSame(key, given)));
  return given && found.includes(true) ? null : refusal(401, "bad_api_key", message);
}

// Hosted projects give their keys as a JSON dictionary by name.
function listed(name: string): string[] {
  const keys = parseJson(Deno.env.get(name) ?? "");
  if (!isRecord(keys)) return [];
  return Object.values(keys).filter((key) => typeof key === "string" && key !== "") as string[];
}

function single(name: string): string[] {
  const key = Deno.env.get(name);
  return key ? [key] : [];
}
