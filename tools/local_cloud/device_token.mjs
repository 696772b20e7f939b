// Issues the tokens of devices, as the Edge Function "device-token" does in the hosted project.

import { createHash } from "node:crypto";
import { signToken } from "./jwt.mjs";

const SECRET_BYTES = 32;

/** Answers POST {"device_key", "secret"}; secret: 32 bytes in base64url. Returns {status, body}. */
export async function issueDeviceToken(body, { query, jwtSecret, lifeSeconds }) {
  const request = parse(body);
  if (!request) return refusal(400, "bad_request", "expected JSON with the texts device_key and secret");
  const secret = Buffer.from(request.secret, "base64url");
  if (secret.length !== SECRET_BYTES) return refusal(401, "refused", "unknown device or wrong secret");
  const secretHash = createHash("sha256").update(secret).digest("hex");
  const { rows } = await query("select verdict, device_id from public.authorize_device($1, $2)", [
    request.device_key,
    secretHash,
  ]);
  const { verdict, device_id: deviceId } = rows[0];
  if (verdict === "limited") return refusal(429, "limited", "more than 10 requests in a minute", { "retry-after": "60" });
  if (verdict !== "granted") return refusal(401, "refused", "unknown device or wrong secret");
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    role: "device",
    device_id: deviceId,
    device_key: request.device_key,
    iat: now,
    exp: now + lifeSeconds,
  };
  return {
    status: 200,
    headers: {},
    body: {
      access_token: signToken(claims, jwtSecret),
      token_type: "bearer",
      expires_in: lifeSeconds,
      expires_at: claims.exp,
      device_id: deviceId,
    },
  };
}

function parse(body) {
  try {
    const request = JSON.parse(body);
    const isWhole = typeof request?.device_key === "string" && typeof request?.secret === "string";
    return isWhole ? request : null;
  } catch {
    return null;
  }
}

function refusal(status, code, message, headers = {}) {
  return { status, headers, body: { code, message } };
}
