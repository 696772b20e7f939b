// Where a webhook may point: https and the public internet, or anybody who may write an address could have this
// project call what is behind it (server-side request forgery).
//
// A name is resolved and looked at before it is called, as far as the runtime lets us resolve names. Whoever owns the
// name may still answer differently a moment later; the gateway in front of the internet has to stop that.

/** Returns why the address may not be called, or null. */
export async function problemWithAddress(address: string): Promise<string | null> {
  const url = URL.canParse(address) ? new URL(address) : null;
  if (!url) return "the address is not a URL";
  const host = url.hostname.replace(/^\[|\]$/g, "").replace(/\.$/, "").toLowerCase();
  if (isAllowedLoopback(url, host)) return null;
  if (url.protocol !== "https:") return "the address is not https";
  if (url.username || url.password) return "the address holds a password: use the signature instead";
  if (isLiteral(host)) return isPublic(host) ? null : "the address is not a public one";
  if (!host.includes(".") || /\.(local|localhost|internal|home|lan|arpa)$/.test(host)) {
    return "the address is not a public one";
  }
  const found = await resolve(host);
  return found.every(isPublic) ? null : "the address leads to one that is not public";
}

/** True for an IP address outside every range that is not reachable from everywhere (RFC 6890 and later). */
export function isPublic(ip: string): boolean {
  const v4 = octets(ip);
  if (v4) return !NOT_PUBLIC_V4.some(([network, bits]) => isWithin(v4, octets(network)!, bits));
  const v6 = groups(ip);
  if (!v6) return false;
  const inner = embedded(v6);
  if (inner) return isPublic(inner);
  // Only 2000::/3 is given out; of it, 2001::/23 is for protocols and 2001:db8::/32 for books.
  const [first = 0, second = 0] = v6;
  return first >> 13 === 1 && !(first === 0x2001 && (second < 0x200 || second === 0xdb8));
}

const NOT_PUBLIC_V4: [string, number][] = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10], // behind a carrier's NAT
  ["127.0.0.0", 8],
  ["169.254.0.0", 16], // link-local, and the metadata service of every cloud
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 3], // multicast, reserved, broadcast
];

// For tests, which have no certificate and no public address.
function isAllowedLoopback(url: URL, host: string): boolean {
  const isLoopback = host === "127.0.0.1" || host === "localhost" || host === "::1";
  return isLoopback && /^https?:$/.test(url.protocol) && Deno.env.get("PENSTOCK_ALLOW_LOOPBACK") === "1";
}

function isLiteral(host: string): boolean {
  return octets(host) !== null || host.includes(":");
}

function octets(text: string): number[] | null {
  const parts = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  const numbers = parts?.slice(1).map(Number) ?? [];
  return numbers.length === 4 && numbers.every((part) => part <= 255) ? numbers : null;
}

function isWithin(ip: number[], network: number[], bits: number): boolean {
  const asNumber = (parts: number[]) => parts.reduce((sum, part) => sum * 256 + part, 0);
  const size = 2 ** (32 - bits);
  return Math.floor(asNumber(ip) / size) === Math.floor(asNumber(network) / size);
}

function groups(ip: string): number[] | null {
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(ip);
  const v4 = dotted ? octets(dotted[2]!) : null;
  const text = dotted && v4
    ? `${dotted[1]}${(v4[0]! * 256 + v4[1]!).toString(16)}:${(v4[2]! * 256 + v4[3]!).toString(16)}`
    : ip;
  const [head = "", tail, ...rest] = text.split("::");
  if (!/^[0-9a-f:]+$/i.test(text) || rest.length > 0) return null;
  const parse = (part: string) => part === "" ? [] : part.split(":").map((group) => parseInt(group, 16));
  const [left, right] = [parse(head), parse(tail ?? "")];
  const middle = tail === undefined ? [] : Array(Math.max(0, 8 - left.length - right.length)).fill(0);
  const all = [...left, ...middle, ...right];
  return all.length === 8 && all.every((group) => group >= 0 && group <= 0xffff) ? all : null;
}

// An IPv4 address inside: mapped (::ffff:0:0/96), translated (64:ff9b::/96) or 6to4 (2002::/16).
function embedded(v6: number[]): string | null {
  const dotted = (high: number, low: number) => `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
  const head = v6.slice(0, 6).join();
  if (head === "0,0,0,0,0,65535" || head === [0x64, 0xff9b, 0, 0, 0, 0].join()) return dotted(v6[6]!, v6[7]!);
  return v6[0] === 0x2002 ? dotted(v6[1]!, v6[2]!) : null;
}

async function resolve(host: string): Promise<string[]> {
  const answers = await Promise.allSettled([Deno.resolveDns(host, "A"), Deno.resolveDns(host, "AAAA")]);
  return answers.flatMap((answer) => answer.status === "fulfilled" ? answer.value : []);
}
