// What one connection may do and is told: the rules of the Realtime protocol. No socket, no clock, no database.
//
// Rule 1: a private channel is joined, and renewed, only after the policies were asked with the claims of its token.
// Rule 2: a channel ends with its token.
//
// Every call returns effects, which the caller carries out in order:
//   {send: message}          · {broadcast, isToSelf}  to the listeners of {name, isPrivate}
//   {ask: question}          · {close: {code, reason}}
// After an ask, nothing is received until decided() was called with its answer.

import { ROLES } from "./jwt.mjs";
import { isObject } from "./realtime_wire.mjs";

export const LIMITS = {
  channels: 100, // hosted: channels per connection
  joinsPerSecond: 100, // hosted, free plan: more is a client in a loop
  messagesPerSecond: 500, // five times hosted's free plan; a hub sends a heartbeat every 25 s
  nameLength: 255, // what the binary form of the protocol can carry; topics and events
  referenceLength: 64, // counters of the client, which are sent back
  idleMs: 60_000, // hosted; clients send a heartbeat every 25 s
};
const PREFIX = "realtime:";
const TOO_MANY_JOINS = "ClientJoinRateLimitReached: Too many joins per second";

/** identity: the claims of the API key. verify: from a token to {claims}, or {message} when it is not valid. */
export class Session {
  #identity;
  #verify;
  #channels = new Map();
  #lastAt;
  #messages = new Rate(LIMITS.messagesPerSecond);
  #joins = new Rate(LIMITS.joinsPerSecond);

  constructor({ identity, verify, now }) {
    this.#identity = identity;
    this.#verify = verify;
    this.#lastAt = now;
  }

  /** True when a broadcast to this name would be sent here. */
  isListening(name, isPrivate) {
    return this.#channels.get(name)?.isPrivate === isPrivate;
  }

  /** Takes one message from the client. now: milliseconds. */
  receive(message, now) {
    this.#lastAt = now;
    if (!this.#messages.admits(now)) return [close(1008, "too many messages per second")];
    const tooLong = message.topic.length > LIMITS.nameLength + PREFIX.length || message.event.length > LIMITS.nameLength;
    const reference = Math.max(message.ref?.length ?? 0, message.joinRef?.length ?? 0);
    if (tooLong || reference > LIMITS.referenceLength) return [close(1008, "a name is too long")];
    if (message.topic === "phoenix" && message.event === "heartbeat") return [reply(message, "ok")];
    if (message.event === "phx_join") return this.#join(message, now);
    const channel = this.#channelOf(message);
    if (message.event === "phx_leave") return this.#leave(message, channel);
    if (!channel) return [reply(message, "error", { reason: "unmatched topic" })];
    if (message.event === "broadcast") return broadcast(message, channel);
    if (message.event === "access_token") return this.#renew(message, channel, now);
    if (message.event === "presence") return [reply(message, "error", { reason: "the local cloud has no presence" })];
    return []; // as hosted, which only logs it
  }

  /** Takes the answer to a question. access: {mayListen, maySend}. */
  decided({ message, channel, isRenewal, identity }, access) {
    if (isRenewal && this.#channels.get(channel.name) !== channel) return []; // ended in between
    if (!access.mayListen) {
      const reason = `You do not have permissions to read from this Channel topic: ${channel.name}`;
      return isRenewal ? this.#end(channel, reason) : [refusal(message, `Unauthorized: ${reason}`)];
    }
    Object.assign(channel, identity, { maySend: access.maySend });
    return isRenewal ? [] : this.#enter(message, channel);
  }

  /** Ends what has lasted long enough. */
  tick(now) {
    if (now - this.#lastAt > LIMITS.idleMs) return [close(1001, "no heartbeat")];
    const over = [...this.#channels.values()].filter((channel) => channel.expiresAt <= now);
    return over.flatMap((channel) => this.#end(channel, "Token has expired"));
  }

  #join(message, now) {
    if (!this.#joins.admits(now)) return [refusal(message, TOO_MANY_JOINS), close(1008, "too many joins per second")];
    const name = message.topic.startsWith(PREFIX) ? message.topic.slice(PREFIX.length) : "";
    if (!name) return [refusal(message, "TopicNameRequired: You must provide a topic name")];
    const earlier = this.#channels.get(name);
    const ended = earlier ? this.#leave(null, earlier) : [];
    if (this.#channels.size >= LIMITS.channels) {
      return [...ended, refusal(message, "ChannelRateLimitReached: Too many channels")];
    }
    const config = isObject(message.payload.config) ? message.payload.config : {};
    if (config.postgres_changes?.length) {
      return [...ended, refusal(message, "the local cloud has no Postgres changes: send from the database instead")];
    }
    const identity = this.#identify(message.payload.access_token ?? message.payload.user_token, now);
    if (identity.problem) return [...ended, refusal(message, identity.problem)];
    const channel = {
      name,
      topic: message.topic,
      joinRef: message.joinRef ?? message.ref,
      isPrivate: config.private === true,
      isToSelf: config.broadcast?.self === true,
      isAcknowledging: config.broadcast?.ack === true,
      maySend: true,
      ...identity,
    };
    if (!channel.isPrivate) return [...ended, ...this.#enter(message, channel)];
    return [...ended, { ask: { message, channel, isRenewal: false, identity } }];
  }

  #enter(message, channel) {
    this.#channels.set(channel.name, channel);
    return [reply(message, "ok", { postgres_changes: [] })];
  }

  #leave(message, channel) {
    const answer = message ? [reply(message, "ok")] : [];
    if (!channel) return answer;
    this.#channels.delete(channel.name);
    return [...answer, closing(channel)];
  }

  #renew(message, channel, now) {
    const token = message.payload.access_token;
    if (typeof token !== "string" || token === channel.token || isKey(token)) return [];
    const identity = this.#identify(token, now);
    if (identity.problem) return this.#end(channel, identity.problem);
    if (channel.isPrivate) return [{ ask: { message, channel, isRenewal: true, identity } }];
    Object.assign(channel, identity);
    return [];
  }

  // A client that has no token of a user sends its key in that place.
  #identify(token, now) {
    if (token === undefined || token === null || isKey(token)) {
      return { token: null, claims: this.#identity, expiresAt: Infinity };
    }
    const { claims, message } = this.#verify(String(token));
    if (!claims) return { problem: `InvalidJWTToken: ${message}` };
    if (!ROLES.has(claims.role)) return { problem: `InvalidJWTToken: role "${claims.role}" does not exist` };
    return { token, claims, expiresAt: Math.max(claims.exp * 1000, now) };
  }

  #channelOf({ topic, joinRef }) {
    const channel = topic.startsWith(PREFIX) ? this.#channels.get(topic.slice(PREFIX.length)) : undefined;
    return joinRef === null || channel?.joinRef === joinRef ? channel : undefined;
  }

  #end(channel, reason) {
    this.#channels.delete(channel.name);
    const payload = { extension: "system", status: "error", message: reason, channel: channel.name };
    return [{ send: { topic: channel.topic, event: "system", payload, joinRef: channel.joinRef } }, closing(channel)];
  }
}

/** Admits so many in a second and no more. */
class Rate {
  #limit;
  #second = 0;
  #count = 0;

  constructor(limit) {
    this.#limit = limit;
  }

  admits(now) {
    const second = Math.floor(now / 1000);
    if (second !== this.#second) [this.#second, this.#count] = [second, 0];
    this.#count += 1;
    return this.#count <= this.#limit;
  }
}

function broadcast(message, channel) {
  const { event, payload = {} } = message.payload;
  if (typeof event !== "string" || event.length > LIMITS.nameLength) {
    return [reply(message, "error", { reason: "a broadcast has an event" })];
  }
  if (!channel.maySend) return []; // as hosted: no answer, acknowledged or not
  const sent = { name: channel.name, isPrivate: channel.isPrivate, payload: { type: "broadcast", event, payload } };
  const acknowledged = channel.isAcknowledging ? [reply(message, "ok")] : [];
  return [{ broadcast: sent, isToSelf: channel.isToSelf }, ...acknowledged];
}

function isKey(token) {
  return typeof token === "string" && token.startsWith("sb_");
}

function reply({ topic, ref, joinRef }, status, response = {}) {
  return { send: { topic, ref, joinRef, event: "phx_reply", payload: { status, response } } };
}

function refusal(message, reason) {
  return reply(message, "error", { reason });
}

function closing({ topic, joinRef }) {
  return { send: { topic, ref: joinRef, joinRef, event: "phx_close", payload: {} } };
}

function close(code, reason) {
  return { close: { code, reason } };
}
