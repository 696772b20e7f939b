// What a hosted project has in its database before the first migration: the roles of the API, auth and realtime.

import { readFile } from "node:fs/promises";
import { App } from "@supabase/lite";

const FILES = ["auth.sql", "realtime.sql"];
const { dependencies } = JSON.parse(await readFile(new URL("../../package.json", import.meta.url), "utf8"));
const scripts = await Promise.all(FILES.map((name) => readFile(new URL(name, import.meta.url), "utf8")));

/** Everything that decides what the database looks like before the migrations. */
export const platformVersion = [dependencies["@electric-sql/pglite"], dependencies["@supabase/lite"], ...scripts];

/** Makes what is missing. Safe to repeat. */
export async function providePlatform(connection) {
  // Its tables do not depend on the secret, which only has to be long enough.
  const app = new App({
    connection,
    auth: { enabled: true, jwt_secret: "0".repeat(32) },
    db: { migrations: { enabled: false } },
  });
  await app.ensureSystemSchema();
  const { rows } = await connection.driver.query("select to_regclass('auth.users') as users");
  // Lite passes over statements that fail.
  if (!rows[0].users) throw new Error("@supabase/lite did not make the table auth.users");
  for (const script of scripts) await connection.driver.exec(script);
}
