// Signs JSON web tokens (RFC 7519): ES256 with the project's imported key, or HS256 where there is only a secret.

import { type Bytes, bytesOf, toBase64Url } from "./hash.ts";

type PrivateJwk = JsonWebKey & { kid?: string };

interface Signer {
  header: Record<string, string>;
  sign(signed: Bytes): Promise<ArrayBuffer>;
}

let known: { source: string; signer: Signer } | null = null;

/** Returns the token that carries the claims. Throws when no key is configured. */
export async function signToken(claims: Record<string, unknown>): Promise<string> {
  const { header, sign } = await currentSigner();
  const encode = (value: unknown) => toBase64Url(bytesOf(JSON.stringify(value)));
  const signed = `${encode(header)}.${encode(claims)}`;
  return `${signed}.${toBase64Url(new Uint8Array(await sign(bytesOf(signed))))}`;
}

// Importing a key takes longer than signing with it.
async function currentSigner(): Promise<Signer> {
  const jwk = Deno.env.get("PENSTOCK_JWT_KEY") ?? "";
  const source = jwk || (Deno.env.get("PENSTOCK_JWT_SECRET") ?? "");
  if (known?.source !== source) known = { source, signer: await (jwk ? es256(jwk) : hs256(source)) };
  return known.signer;
}

async function es256(text: string): Promise<Signer> {
  const jwk = readJwk(text);
  const curve = { name: "ECDSA", namedCurve: "P-256" };
  // What else the file says about the key's use must not keep Web Crypto from importing it.
  const { kty, crv, x, y, d } = jwk;
  const key = await crypto.subtle.importKey("jwk", { kty, crv, x, y, d }, curve, false, ["sign"]);
  return {
    header: { alg: "ES256", typ: "JWT", kid: jwk.kid },
    // Web Crypto's form of a signature, r and s side by side, is also that of RFC 7518, section 3.4.
    sign: (signed) => crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, key, signed),
  };
}

function readJwk(text: string): PrivateJwk & { kid: string } {
  const wrong = "PENSTOCK_JWT_KEY is not a private ES256 key in JWK form with a kid";
  let jwk: PrivateJwk;
  try {
    jwk = JSON.parse(text);
  } catch {
    throw new Error(wrong);
  }
  if (jwk?.kty !== "EC" || jwk.crv !== "P-256" || !jwk.d || !jwk.kid) throw new Error(wrong);
  return { ...jwk, kid: jwk.kid };
}

async function hs256(secret: string): Promise<Signer> {
  if (!secret) throw new Error("neither PENSTOCK_JWT_KEY nor PENSTOCK_JWT_SECRET is set");
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", bytesOf(secret), algorithm, false, ["sign"]);
  return { header: { alg: "HS256", typ: "JWT" }, sign: (signed) => crypto.subtle.sign("HMAC", key, signed) };
}
