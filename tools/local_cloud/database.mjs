// Owns the database of the local cloud: Postgres in WebAssembly with our migrations applied.
//
// A database that has just been made is kept as an archive named after the hash of the migrations, because making one
// takes seconds and unpacking one takes less than a second.

import { createHash, randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createPgliteConnection } from "@supabase/lite/pglite";

// The format of an archive is that of the database engine.
const { dependencies } = JSON.parse(await readFile(new URL("../../package.json", import.meta.url), "utf8"));

/** Opens the database in dataDir, or one in memory when dataDir is empty, and brings it up to date. */
export async function openDatabase({ dataDir, cacheDir, migrationsDir }) {
  const migrations = await readMigrations(migrationsDir);
  const isNew = !dataDir || !existsSync(join(dataDir, "PG_VERSION"));
  const archive = join(cacheDir, `database-${fingerprint(migrations)}.tar`);
  const isArchived = isNew && existsSync(archive);
  const connection = await connect(dataDir, isArchived ? archive : null);
  await applyMigrations(connection.driver, migrations);
  if (isNew && !isArchived) await keepArchive(connection.driver, cacheDir, archive);
  // An archive may be older than its newest partition.
  await connection.driver.query("select private.make_partitions()");
  return connection;
}

async function readMigrations(directory) {
  const names = (await readdir(directory)).filter((name) => name.endsWith(".sql")).sort();
  return Promise.all(
    names.map(async (name) => ({
      version: name.split("_")[0],
      name: name.slice(name.indexOf("_") + 1, -".sql".length),
      sql: await readFile(join(directory, name), "utf8"),
    })),
  );
}

function fingerprint(migrations) {
  const hash = createHash("sha256").update(dependencies["@electric-sql/pglite"]);
  for (const migration of migrations) hash.update(`\0${migration.version}\0${migration.sql}`);
  return hash.digest("hex").slice(0, 16);
}

async function connect(dataDir, archive) {
  const loadDataDir = archive ? new Blob([await readFile(archive)]) : undefined;
  const connection = await createPgliteConnection({
    url: dataDir || undefined,
    pgliteOptions: { loadDataDir },
  });
  await connection.driver.waitReady;
  // Lite grants everything to everyone once it sees row-level security, as hosted Supabase did until 2026.
  // Our migrations grant by name; this tells lite that it has been done.
  connection.rlsState = "active";
  return connection;
}

// The same table as the official CLI keeps, so that the history reads the same everywhere.
async function applyMigrations(database, migrations) {
  await database.exec(`
    create schema if not exists supabase_migrations;
    create table if not exists supabase_migrations.schema_migrations (
      version text primary key, statements text[], name text
    );
  `);
  const { rows } = await database.query("select version from supabase_migrations.schema_migrations");
  const applied = new Set(rows.map((row) => row.version));
  for (const migration of migrations) {
    if (applied.has(migration.version)) continue;
    await database.transaction(async (transaction) => {
      await transaction.exec(migration.sql);
      await transaction.query(
        "insert into supabase_migrations.schema_migrations (version, name) values ($1, $2)",
        [migration.version, migration.name],
      );
    }).catch((error) => {
      throw new Error(`migration ${migration.version}_${migration.name}: ${error.message}`, { cause: error });
    });
  }
}

async function keepArchive(database, cacheDir, archive) {
  await mkdir(cacheDir, { recursive: true });
  const content = await database.dumpDataDir("none");
  // Written apart and renamed, so that two clouds starting at once never read half an archive.
  const unfinished = `${archive}.${randomUUID()}`;
  await writeFile(unfinished, Buffer.from(await content.arrayBuffer()));
  await rename(unfinished, archive);
  const others = (await readdir(cacheDir)).filter((name) => name.endsWith(".tar") && join(cacheDir, name) !== archive);
  await Promise.all(others.map((name) => rm(join(cacheDir, name), { force: true })));
}
