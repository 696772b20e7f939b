// A client with the JavaScript package on one private channel. LISTEN: JSON {url, key, token, topic}.
// Reads commands as lines of JSON: {token} renews it, {send: event} broadcasts. Writes what happens, one line each.

import { createInterface } from "node:readline";
import { createClient } from "@supabase/supabase-js";

const { url, key, token, topic } = JSON.parse(process.env.LISTEN);
const say = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);

const client = createClient(url, key, { auth: { persistSession: false, autoRefreshToken: false } });
await client.realtime.setAuth(token);
const channel = client.channel(topic, { config: { private: true, broadcast: { ack: true } } });
channel.on("broadcast", { event: "*" }, ({ event, payload }) => say({ event, payload }));
channel.subscribe((state, error) => say({ state, error: error?.message }));

createInterface({ input: process.stdin })
  .on("line", async (line) => {
    const command = JSON.parse(line);
    if (command.token) await client.realtime.setAuth(command.token);
    if (command.send) say({ sent: await channel.send({ type: "broadcast", event: command.send, payload: { é: 1 } }) });
  })
  .on("close", () => process.exit(0));
