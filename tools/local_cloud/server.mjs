// The local cloud: one process, one port. REST and auth by @supabase/lite over our migrations; the functions and the
// channels of Realtime beside it.
//
// Settings come as JSON in PENSTOCK_LOCAL_CLOUD. When it is ready it prints one line of JSON with its port.
// It ends when its standard input closes, so it never outlives the process that started it.

import { createServer } from "node:http";
import { join } from "node:path";
import { getRequestListener } from "@hono/node-server";
import { App } from "@supabase/lite";
import { answerAuth } from "./auth.mjs";
import { insertBulk, isBulkInsert, readColumns } from "./bulk_insert.mjs";
import { StaleData, openDatabase } from "./database.mjs";
import { wordLikePostgrest } from "./errors.mjs";
import { functionsEnvironment, isFunctionCall, startFunctions } from "./functions.mjs";
import { runJobs } from "./jobs.mjs";
import { openRealtime } from "./realtime_server.mjs";
import { readJsonParameters } from "./wire_types.mjs";

const MAX_BODY_BYTES = 16 * 1024 * 1024; // a thousand rows are well below one megabyte
const settings = JSON.parse(process.env.PENSTOCK_LOCAL_CLOUD);
delete process.env.PENSTOCK_LOCAL_CLOUD;

// Standard output is for the line of JSON; nobody reads it after that.
console.log = console.error;

const functions = startFunctions({ cacheDir: join(settings.cacheDir, "deno") });
const connection = await openDatabase(settings).catch((error) => {
  if (!(error instanceof StaleData)) throw error;
  // In place of the line with the port.
  process.stdout.write(`${JSON.stringify({ error: error.message, where: error.where, hint: error.hint })}\n`);
  functions.stop();
  process.exit(1);
});
const database = connection.driver;
const columnsOf = await readColumns(database);
const withJsonTexts = await readJsonParameters(database);
wordLikePostgrest(connection);
const app = new App({
  connection,
  api: { enabled: true, schemas: ["public"], max_rows: 1000 },
  auth: {
    enabled: true,
    jwt_secret: settings.jwtSecret,
    publishable_key: settings.publishableKey,
    secret_key: settings.secretKey,
  },
  options: { server: { admin: false, disableStudio: true } },
});
await app.init();

// PGlite is one session: requests that interleave would share a transaction and its role.
let last = Promise.resolve();
function alone(work) {
  const result = last.then(work);
  last = result.catch(() => {});
  return result;
}

function json(status, body, headers = {}) {
  return new Response(JSON.stringify(body), {
    status,
    headers: { "content-type": "application/json; charset=utf-8", ...headers },
  });
}

async function answer(request, environment) {
  const url = new URL(request.url);
  const path = url.pathname;
  if (path === "/health") return json(200, { status: "ok" });
  if (Number(request.headers.get("content-length") ?? 0) > MAX_BODY_BYTES) {
    return json(413, { code: "too_large", message: `a request may have ${MAX_BODY_BYTES} bytes` });
  }
  // Not alone(): a function calls back before it answers.
  if (isFunctionCall(path)) return functions.answer(request);
  if (!/^\/(rest|auth)\/v1\//.test(path)) return json(404, { code: "not_found", message: `nothing at ${path}` });
  if (isBulkInsert(request, url)) {
    const { status, body, headers } = await insertBulk(request, url, { database, alone, settings, columnsOf });
    return body ? json(status, body, headers) : new Response(null, { status, headers });
  }
  const peerAddress = environment.incoming.socket.remoteAddress ?? null;
  const readable = await withJsonTexts(request, path);
  const fetch = () => alone(() => app.fetch(readable, { peerAddress }));
  return path.startsWith("/auth/v1/") ? answerAuth(request, fetch) : fetch();
}

const server = createServer(getRequestListener(answer));
server.keepAliveTimeout = 75_000; // as long as common gateways, so that a hub's idle connection is still there
const stopJobs = runJobs({ database, alone });
const realtime = await openRealtime({ server, database, alone, settings });
server.listen(settings.port, settings.host, async () => {
  const { port } = server.address();
  await functions.open(functionsEnvironment(settings, port));
  process.stdout.write(`${JSON.stringify({ port })}\n`);
});
server.on("error", (error) => {
  process.stderr.write(`cannot listen on ${settings.host}:${settings.port}: ${error.message}\n`);
  process.exit(1);
});

let isStopping = false;
async function stop() {
  if (isStopping) return;
  isStopping = true;
  server.close();
  stopJobs();
  realtime.close();
  server.closeAllConnections();
  functions.stop();
  await alone(() => connection.close());
  process.exit(0);
}
process.stdin.on("end", stop).on("error", stop).resume();
process.on("SIGTERM", stop).on("SIGINT", stop);
