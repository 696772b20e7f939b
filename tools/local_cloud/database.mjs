// Owns the database of the local cloud: Postgres in WebAssembly with our migrations applied.
//
// A database that has just been made is kept as an archive named after the hash of what made it, because making one
// takes seconds and unpacking one takes less than a second.

import { createHash, randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, readdir, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createPgliteConnection } from "@supabase/lite/pglite";
import { platformVersion, providePlatform } from "./platform.mjs";
import { parsers, serializers } from "./wire_types.mjs";

// One for each set of migrations that is worked with at the same time: the checkout's, and those of its tests.
const ARCHIVES_KEPT = 3;

/** Kept data that these migrations did not make. */
export class StaleData extends Error {
  constructor(migration, reason, directory) {
    super(`the kept data was made with other migrations: ${migration} ${reason}`);
    this.where = directory;
    this.hint = "start with --fresh, or delete this folder and register the devices again";
  }
}

/** Opens the database in dataDir, or one in memory when dataDir is empty, and brings it up to date. */
export async function openDatabase({ dataDir, cacheDir, migrationsDir }) {
  const migrations = await readMigrations(migrationsDir);
  const isNew = !dataDir || !existsSync(join(dataDir, "PG_VERSION"));
  const archive = join(cacheDir, `database-${fingerprint(migrations)}.tar`);
  const isArchived = isNew && existsSync(archive);
  const connection = await connect(dataDir, isArchived ? archive : null);
  await prepareHistory(connection.driver);
  const applied = await requireSameHistory(connection.driver, migrations, dataDir).catch(async (error) => {
    await connection.close();
    throw error;
  });
  if (!isArchived) await providePlatform(connection);
  await applyMigrations(connection.driver, migrations, applied);
  if (isArchived) await noteUse(archive);
  else if (isNew) await keepArchive(connection.driver, cacheDir, archive);
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
  const hash = createHash("sha256").update(platformVersion.join("\0"));
  for (const migration of migrations) hash.update(`\0${migration.version}\0${migration.sql}`);
  return hash.digest("hex").slice(0, 16);
}

async function connect(dataDir, archive) {
  const loadDataDir = archive ? new Blob([await readFile(archive)]) : undefined;
  const connection = await createPgliteConnection({
    url: dataDir || undefined,
    pgliteOptions: { loadDataDir, parsers, serializers },
  });
  await connection.driver.waitReady;
  // Lite grants everything to everyone once it sees row-level security, as hosted Supabase did until 2026.
  // Our migrations grant by name; this tells lite that it has been done.
  connection.rlsState = "active";
  return connection;
}

// The same table as the official CLI keeps, so that the history reads the same everywhere.
async function prepareHistory(database) {
  await database.exec(`
    create schema if not exists supabase_migrations;
    create table if not exists supabase_migrations.schema_migrations (
      version text primary key, statements text[], name text
    );
  `);
}

// Migrations are edited in place until the first release, and an applied one is not applied again.
async function requireSameHistory(database, migrations, dataDir) {
  const { rows } = await database.query(
    "select version, name, array_to_string(statements, '') as sql from supabase_migrations.schema_migrations",
  );
  const current = new Map(migrations.map((migration) => [migration.version, migration]));
  for (const { version, name, sql } of rows) {
    const migration = current.get(version);
    if (!migration) throw new StaleData(`${version}_${name}`, "is not in this checkout", dataDir);
    if (migration.sql !== sql) throw new StaleData(`${version}_${migration.name}`, "has changed since", dataDir);
  }
  return new Set(rows.map((row) => row.version));
}

async function applyMigrations(database, migrations, applied) {
  for (const migration of migrations) {
    if (applied.has(migration.version)) continue;
    await database.transaction(async (transaction) => {
      await transaction.exec(migration.sql);
      await transaction.query(
        "insert into supabase_migrations.schema_migrations (version, statements, name) values ($1, array[$2], $3)",
        [migration.version, migration.sql, migration.name],
      );
    }).catch((error) => {
      throw new Error(`migration ${migration.version}_${migration.name}: ${error.message}`, { cause: error });
    });
  }
}

async function noteUse(archive) {
  const now = new Date();
  // Another start may be removing it just now.
  await utimes(archive, now, now).catch(() => {});
}

async function keepArchive(database, cacheDir, archive) {
  await mkdir(cacheDir, { recursive: true });
  const content = await database.dumpDataDir("none");
  // Written apart and renamed, so that two clouds starting at once never read half an archive.
  const unfinished = `${archive}.${randomUUID()}`;
  await writeFile(unfinished, Buffer.from(await content.arrayBuffer()));
  await rename(unfinished, archive);
  await removeOldArchives(cacheDir);
}

async function removeOldArchives(cacheDir) {
  const names = (await readdir(cacheDir)).filter((name) => name.endsWith(".tar"));
  const dated = await Promise.all(
    names.map(async (name) => ({
      path: join(cacheDir, name),
      usedAt: await stat(join(cacheDir, name)).then((found) => found.mtimeMs, () => 0),
    })),
  );
  const old = dated.sort((one, other) => other.usedAt - one.usedAt).slice(ARCHIVES_KEPT);
  await Promise.all(old.map(({ path }) => rm(path, { force: true })));
}
