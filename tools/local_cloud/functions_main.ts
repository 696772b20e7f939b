// Every Edge Function in one Deno process, behind a router by name, as the gateway of a hosted project has it.
//
// Reads its environment as one line of JSON from standard input, then prints one line of JSON with its port.
// It ends when its standard input closes, so it never outlives the local cloud.

import { handle as archive } from "../../supabase/functions/archive/index.ts";
import { handle as auditLog } from "../../supabase/functions/audit-log/index.ts";
import { handle as deviceToken } from "../../supabase/functions/device-token/index.ts";
import { handle as expireOldData } from "../../supabase/functions/expire-old-data/index.ts";
import { handle as ingest } from "../../supabase/functions/ingest/index.ts";
import { handle as notify } from "../../supabase/functions/notify/index.ts";

const functions = new Map<string, (request: Request) => Promise<Response>>([
  ["archive", archive],
  ["audit-log", auditLog],
  ["device-token", deviceToken],
  ["expire-old-data", expireOldData],
  ["ingest", ingest],
  ["notify", notify],
]);

function answer(request: Request): Response | Promise<Response> {
  const name = new URL(request.url).pathname.split("/")[1] ?? "";
  const handle = functions.get(name);
  if (handle) return handle(request);
  return Response.json({ code: "NOT_FOUND", message: "Requested function was not found" }, { status: 404 });
}

// In a hosted project a failure nobody waits for ends one request; here it would end every function.
globalThis.addEventListener("unhandledrejection", (event) => {
  event.preventDefault();
  console.error(`unhandled: ${event.reason}`);
});

const lines = Deno.stdin.readable.pipeThrough(new TextDecoderStream()).getReader();
let text = "";
while (!text.includes("\n")) {
  const { value, done } = await lines.read();
  if (done) Deno.exit(0);
  text += value;
}
for (const [name, value] of Object.entries(JSON.parse(text))) Deno.env.set(name, String(value));

Deno.serve({
  hostname: "127.0.0.1",
  port: 0,
  onListen: ({ port }) => console.log(JSON.stringify({ port })),
}, answer);

while (!(await lines.read()).done);
Deno.exit(0);
