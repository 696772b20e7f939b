// The sockets of Realtime: one WebSocket for each client, on the port of the cloud.

import { WebSocketServer } from "ws";
import { verifyToken } from "./jwt.mjs";
import { decideAccess, freeRoom, takeMessages } from "./realtime_access.mjs";
import { Session } from "./realtime_session.mjs";
import { NotAMessage, VERSIONS, decode, encode } from "./realtime_wire.mjs";

const PATH = "/realtime/v1/websocket";
const MAX_CONNECTIONS = 200; // hosted, free plan
const MAX_PAYLOAD_BYTES = 256 * 1024; // hosted, free plan
const MAX_FRAME_BYTES = MAX_PAYLOAD_BYTES + 8 * 1024; // a token and the names beside the payload
const MAX_UNSENT_BYTES = 8 * 1024 * 1024; // of one client that does not read: it must not fill our memory
const MESSAGES_PER_VACUUM = 1000; // nothing else vacuums here, and the table would grow for ever
const TICK_MS = 250; // how late a channel may end after its token

/** Serves Realtime on an HTTP server. alone: runs work on the database when nobody else does. */
export async function openRealtime({ server, database, alone, settings }) {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_FRAME_BYTES, perMessageDeflate: false });
  const connections = new Set();

  function publish(broadcast, except = null) {
    const frames = new Map(); // one for each version of the protocol
    const message = { topic: `realtime:${broadcast.name}`, event: "broadcast", payload: broadcast.payload };
    for (const connection of connections) {
      if (connection === except || !connection.session.isListening(broadcast.name, broadcast.isPrivate)) continue;
      if (!frames.has(connection.version)) frames.set(connection.version, encode(message, connection.version));
      connection.sendFrame(frames.get(connection.version));
    }
  }

  server.on("upgrade", (request, socket, head) => {
    socket.on("error", () => {}); // a peer that is gone before it is answered
    const admission = admit(request, settings, connections.size);
    if (admission.refusal) return refuse(socket, admission.refusal);
    sockets.handleUpgrade(request, socket, head, (client) => {
      const connection = new Connection(client, admission, { database, alone, settings, publish });
      connections.add(connection);
      client.on("close", () => connections.delete(connection));
    });
  });

  const ticking = setInterval(() => {
    for (const connection of connections) connection.tick();
  }, TICK_MS);
  await listen(database, alone, publish);
  return {
    close() {
      clearInterval(ticking);
      for (const connection of connections) connection.close(1001, "the local cloud stops");
    },
  };
}

class Connection {
  #client;
  #context;
  #waiting = [];
  #isBusy = false;

  constructor(client, { identity, version }, context) {
    this.#client = client;
    this.#context = context;
    this.version = version;
    const verify = (token) => verifyToken(token, context.settings.jwtSecret);
    this.session = new Session({ identity, verify, now: Date.now() });
    client.on("message", (frame, isBinary) => this.#take(frame, isBinary));
    client.on("error", () => {}); // a frame that is too large or broken: ws closes with the right code
  }

  sendFrame(frame) {
    if (this.#client.bufferedAmount > MAX_UNSENT_BYTES) return this.#client.terminate();
    this.#client.send(frame);
  }

  tick() {
    this.#carryOut(this.session.tick(Date.now()));
  }

  close(code, reason) {
    this.#client.close(code, reason);
  }

  // One message after the other: what follows a join waits for the policies, and the peer with it.
  async #take(frame, isBinary) {
    if (this.#client.readyState !== this.#client.OPEN) return; // ws goes on reading until the peer has closed too
    this.#waiting.push([frame, isBinary]);
    if (this.#isBusy) return this.#client.pause();
    this.#isBusy = true;
    try {
      while (this.#waiting.length && this.#client.readyState === this.#client.OPEN) {
        await this.#answer(...this.#waiting.shift());
      }
    } finally {
      this.#isBusy = false;
      if (this.#client.isPaused) this.#client.resume();
    }
  }

  async #answer(frame, isBinary) {
    try {
      let effects = this.session.receive(decode(frame, isBinary, this.version), Date.now());
      while (effects.length) effects = await this.#decide(this.#carryOut(effects));
    } catch (error) {
      if (error instanceof NotAMessage) return this.close(error.code, error.message);
      console.error(error);
      this.close(1011, "internal error");
    }
  }

  /** Returns the question among the effects, if there is one. */
  #carryOut(effects) {
    let question = null;
    for (const { send, broadcast, isToSelf, ask, close } of effects) {
      if (send) this.sendFrame(encode(send, this.version));
      if (broadcast) this.#context.publish(broadcast, isToSelf ? null : this);
      if (close) this.close(close.code, close.reason);
      if (ask) question = ask;
    }
    return question;
  }

  async #decide(question) {
    if (!question) return [];
    const { database, alone } = this.#context;
    const { name } = question.channel;
    const access = await alone(() => decideAccess(database, name, question.identity.claims));
    return this.session.decided(question, access);
  }
}

function admit(request, settings, count) {
  const url = URL.parse(request.url, "http://localhost");
  if (!url) return { refusal: "400 Bad Request" };
  const key = url.searchParams.get("apikey") ?? request.headers.apikey;
  const version = url.searchParams.get("vsn") ?? "1.0.0";
  const roles = { [settings.publishableKey]: "anon", [settings.secretKey]: "service_role" };
  if (url.pathname !== PATH) return { refusal: "404 Not Found" };
  if (!key || !Object.hasOwn(roles, key)) return { refusal: "401 Unauthorized" };
  if (!VERSIONS.includes(version)) return { refusal: "400 Bad Request" };
  if (count >= MAX_CONNECTIONS) return { refusal: "429 Too Many Requests" };
  return { identity: { role: roles[key] }, version };
}

function refuse(socket, status) {
  socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
}

async function listen(database, alone, publish) {
  let isAwaited = false;
  let taken = 0;
  async function deliver() {
    try {
      const messages = await alone(() => {
        isAwaited = false;
        return takeMessages(database, MAX_PAYLOAD_BYTES);
      });
      for (const message of messages) publish(message);
      taken += messages.length;
      if (taken < MESSAGES_PER_VACUUM) return;
      taken = 0;
      await alone(() => freeRoom(database));
    } catch (error) {
      console.error("realtime: messages could not be read:", error.message);
    }
  }
  const notified = () => {
    if (isAwaited) return;
    isAwaited = true;
    deliver();
  };
  await alone(() => database.listen("realtime_messages", notified));
  await deliver(); // of before the start: there is nobody who listened
}
