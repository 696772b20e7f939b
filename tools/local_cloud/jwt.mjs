// JSON web tokens signed with HS256 (RFC 7519; RFC 7518, section 3.2), as the hosted project does with its own key.

import { createHmac, timingSafeEqual } from "node:crypto";

/** What a token may name as its role. */
export const ROLES = new Set(["anon", "authenticated", "device", "service_role"]);

/** Returns the token that carries claims. */
export function signToken(claims, secret) {
  const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const signed = `${encode({ alg: "HS256", typ: "JWT" })}.${encode(claims)}`;
  return `${signed}.${signature(signed, secret).toString("base64url")}`;
}

/** Returns {claims}, or {code, message} as PostgREST words them. */
export function verifyToken(token, secret) {
  const [header, payload, mac, ...rest] = token.split(".");
  if (mac === undefined || rest.length) {
    return { code: "PGRST301", message: `Expected 3 parts in JWT; got ${token.split(".").length}` };
  }
  const given = Buffer.from(mac, "base64url");
  const right = signature(`${header}.${payload}`, secret);
  if (given.length !== right.length || !timingSafeEqual(given, right) || parse(header)?.alg !== "HS256") {
    return { code: "PGRST301", message: "No suitable key or wrong key type" };
  }
  const claims = parse(payload);
  if (typeof claims?.exp !== "number" || claims.exp <= Date.now() / 1000) {
    return { code: "PGRST303", message: "JWT expired" };
  }
  return { claims };
}

function signature(signed, secret) {
  return createHmac("sha256", secret).update(signed).digest();
}

function parse(part) {
  try {
    return JSON.parse(Buffer.from(part, "base64url").toString());
  } catch {
    return null;
  }
}
