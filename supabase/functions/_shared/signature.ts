// How a receiver knows that a webhook comes from this project and is not an old one sent again.
//
// x-penstock-signature: t=<Unix seconds>,v1=<hex of HMAC-SHA256 with the shared secret over "t.body">

import { bytesOf, hex } from "./hash.ts";

export const SIGNATURE_HEADER = "x-penstock-signature";

export async function signatureOf(body: string, secret: string, nowMs: number): Promise<string> {
  const seconds = Math.floor(nowMs / 1000);
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", bytesOf(secret), algorithm, false, ["sign"]);
  const mac = await crypto.subtle.sign("HMAC", key, bytesOf(`${seconds}.${body}`));
  return `t=${seconds},v1=${hex(new Uint8Array(mac))}`;
}
