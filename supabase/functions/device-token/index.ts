// Gives a device its token: against its secret, or against the refresh token that came with the last one.
//
// POST {"device_key", "secret"} or {"refresh_token"}; the header apikey holds a key of the project.
// Whoever holds the signing key can be anybody, so this function does nothing else.

import { guarded, isHosted, json, refusal, refuseUnlessPost } from "../_shared/answer.ts";
import { isRecord, parseJson, readText } from "../_shared/body.ts";
import { type Bytes, fromBase64Url, sha256Hex, toBase64Url } from "../_shared/hash.ts";
import { signToken } from "../_shared/jwt.ts";
import { refuseStrangers } from "../_shared/keys.ts";
import { rpc } from "../_shared/rest.ts";

const SECRET_BYTES = 32; // of a device's secret and of a refresh token
const MAX_BODY_BYTES = 4096; // several times what the longest key and a secret need
const LONGEST_LIFE_S = 7200; // a stolen token is of use no longer than this

type Asked = { deviceKey: string; secret: string } | { refreshToken: string };

interface Session {
  verdict: "granted" | "refused" | "limited" | "reused";
  device_id: number | null;
  device_key: string | null;
}

export const handle = guarded("device-token", async (request) => {
  const stop = refuseUnlessPost(request) ?? await refuseStrangers(request);
  if (stop) return stop;
  const asked = await read(request);
  if (!asked) {
    return refusal(
      400,
      "bad_request",
      "expected JSON with the texts device_key and secret, or with the text refresh_token",
    );
  }
  const next = crypto.getRandomValues(new Uint8Array(SECRET_BYTES));
  const { verdict, device_id, device_key } = await decide(asked, next);
  if (verdict === "limited") {
    return refusal(429, "limited", "more than 10 requests in a minute", { "retry-after": "60" });
  }
  if (verdict === "reused") {
    return refusal(401, "reused", "this refresh token was used before, so it and those after it are void");
  }
  if (verdict !== "granted" || device_id === null || device_key === null) {
    const what = "secret" in asked ? "unknown device or wrong secret" : "unknown or expired refresh token";
    return refusal(401, "refused", what);
  }
  return await grant(device_id, device_key, next);
});

async function read(request: Request): Promise<Asked | null> {
  const body = parseJson(await readText(request, MAX_BODY_BYTES) ?? "");
  if (!isRecord(body)) return null;
  const { device_key: deviceKey, secret, refresh_token: refreshToken } = body;
  // A text with U+0000 is none to Postgres.
  if (typeof deviceKey === "string" && typeof secret === "string" && deviceKey.isWellFormed()) {
    return { deviceKey: deviceKey.replaceAll("\0", "\uFFFD"), secret };
  }
  return typeof refreshToken === "string" ? { refreshToken } : null;
}

async function decide(asked: Asked, next: Bytes): Promise<Session> {
  const refused: Session = { verdict: "refused", device_id: null, device_key: null };
  const shown = fromBase64Url("secret" in asked ? asked.secret : asked.refreshToken);
  if (shown?.length !== SECRET_BYTES) return refused;
  const [shownHash, nextHash] = await Promise.all([sha256Hex(shown), sha256Hex(next)]);
  if ("refreshToken" in asked) {
    const args = { refresh_hash: shownHash, next_hash: nextHash };
    return (await rpc<Session[]>("refresh_device_session", args))[0] ?? refused;
  }
  const args = { device_key: asked.deviceKey, secret_hash: shownHash, refresh_hash: nextHash };
  const [session] = await rpc<Session[]>("open_device_session", args);
  return session ? { ...session, device_key: asked.deviceKey } : refused;
}

async function grant(deviceId: number, deviceKey: string, refreshToken: Bytes): Promise<Response> {
  const lifeS = life();
  const nowS = Math.floor(Date.now() / 1000);
  const claims = { role: "device", device_id: deviceId, device_key: deviceKey, iat: nowS, exp: nowS + lifeS };
  return json(200, {
    access_token: await signToken(claims),
    token_type: "bearer",
    expires_in: lifeS,
    expires_at: claims.exp,
    device_id: deviceId,
    refresh_token: toBase64Url(refreshToken),
  });
}

function life(): number {
  const wanted = Number(Deno.env.get("PENSTOCK_TOKEN_LIFE_S") ?? LONGEST_LIFE_S);
  return Number.isInteger(wanted) && wanted > 0 ? Math.min(wanted, LONGEST_LIFE_S) : LONGEST_LIFE_S;
}

if (import.meta.main || isHosted()) Deno.serve(handle);
