// Messages of the Realtime protocol (Phoenix channels) to and from frames. No sockets, no decisions.
//
// A message is {joinRef, ref, topic, event, payload}. Version 1.0.0 is an object in JSON, as the Python client sends it.
// Version 2.0.0 is an array in JSON, and for broadcasts a binary frame, as the JavaScript client sends it.

export const VERSIONS = ["1.0.0", "2.0.0"];

// Frame of a broadcast from a client in version 2.0.0: kind, five lengths, the encoding, the five texts, the payload.
const BROADCAST_KIND = 3;
const BROADCAST_HEAD_BYTES = 7;
const JSON_ENCODING = 1;
const TEXT = new TextDecoder("utf-8", { fatal: true });

/** A frame that is not a message. code: how the socket closes (RFC 6455, section 7.4.1). */
export class NotAMessage extends Error {
  constructor(code, reason) {
    super(reason);
    this.code = code;
  }
}

/** Returns the message in a frame (bytes). Throws NotAMessage and nothing else. */
export function decode(frame, isBinary, version) {
  if (isBinary && version === "1.0.0") throw new NotAMessage(1003, "version 1.0.0 has no binary messages");
  const message = isBinary ? decodeBroadcast(frame) : decodeText(frame, version);
  return requireForm(message);
}

/** Returns the frame (text) of a message. */
export function encode({ joinRef = null, ref = null, topic, event, payload }, version) {
  if (version === "2.0.0") return JSON.stringify([joinRef, ref, topic, event, payload]);
  return JSON.stringify({ topic, event, payload, ref });
}

function decodeText(frame, version) {
  const value = parse(frame);
  if (version === "1.0.0") {
    const { topic, event, payload, ref, join_ref: joinRef } = value ?? {};
    return { joinRef, ref, topic, event, payload };
  }
  if (!Array.isArray(value) || value.length !== 5) throw new NotAMessage(1007, "expected an array of five");
  const [joinRef, ref, topic, event, payload] = value;
  return { joinRef, ref, topic, event, payload };
}

function decodeBroadcast(frame) {
  if (frame[0] !== BROADCAST_KIND || frame.length < BROADCAST_HEAD_BYTES) {
    throw new NotAMessage(1003, "expected a broadcast in a binary message");
  }
  let offset = BROADCAST_HEAD_BYTES;
  const texts = [...frame.subarray(1, 6)].map((length) => {
    const bytes = frame.subarray(offset, offset + length);
    offset += length;
    return decodeUtf8(bytes);
  });
  if (offset > frame.length) throw new NotAMessage(1007, "the message is cut");
  if (frame[6] !== JSON_ENCODING) throw new NotAMessage(1003, "payloads are JSON here");
  const [joinRef, ref, topic, event] = texts;
  const payload = { type: "broadcast", event, payload: parse(frame.subarray(offset)) };
  return { joinRef: joinRef || null, ref: ref || null, topic, event: "broadcast", payload };
}

function decodeUtf8(bytes) {
  try {
    return TEXT.decode(bytes);
  } catch {
    throw new NotAMessage(1007, "not UTF-8");
  }
}

function parse(bytes) {
  const text = decodeUtf8(bytes);
  try {
    return JSON.parse(text);
  } catch {
    throw new NotAMessage(1007, "not JSON");
  }
}

function requireForm({ joinRef = null, ref = null, topic, event, payload }) {
  const isReference = (value) => value === null || typeof value === "string";
  const isWhole = typeof topic === "string" && typeof event === "string" && isObject(payload);
  if (!isWhole || !isReference(ref) || !isReference(joinRef)) {
    throw new NotAMessage(1007, "expected topic, event, payload, ref and join_ref");
  }
  return { joinRef, ref, topic, event, payload };
}

/** True for a JSON object. */
export function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
