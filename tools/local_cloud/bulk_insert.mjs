// Bulk inserts as PostgREST makes them: one statement that unpacks the whole body on the server.
//
// Lite binds every value as a parameter of its own, which takes eight times as long for a thousand rows. Requests of
// any other form are left to it.

import { bodyOf, isDatabaseError, statusOf } from "./errors.mjs";
import { ROLES, verifyToken } from "./jwt.mjs";

const PATH = /^\/rest\/v1\/([a-z][a-z0-9_]*)$/;

/** Says whether a request is a bulk insert with named columns and nothing to return. */
export function isBulkInsert(request, url) {
  const prefer = request.headers.get("prefer") ?? "";
  return (
    request.method === "POST" &&
    PATH.test(url.pathname) &&
    url.searchParams.has("columns") &&
    /^(application\/json|$)/.test(request.headers.get("content-type") ?? "") &&
    !/return=(representation|headers-only)|merge-duplicates|missing=default/.test(prefer)
  );
}

/** Inserts the rows of the body. Returns {status, body, headers}. */
export async function insertBulk(request, url, { database, alone, settings, columnsOf }) {
  const caller = identify(request, settings);
  if (!caller.claims) return { status: 401, body: caller };
  const body = await request.text();
  const table = PATH.exec(url.pathname)[1];
  const wanted = url.searchParams.get("columns").split(",");
  const fault = problemWith(table, wanted, body, columnsOf(table));
  if (fault) return fault;
  const prefer = request.headers.get("prefer") ?? "";
  const isIgnoring = prefer.includes("resolution=ignore-duplicates");
  const conflict = isIgnoring ? (url.searchParams.get("on_conflict")?.split(",") ?? columnsOf(table).primaryKey) : [];
  const sql = statement(table, wanted, conflict);
  try {
    await alone(() => runAs(database, caller.claims, sql, body));
  } catch (error) {
    if (!isDatabaseError(error)) throw error;
    return { status: statusOf(error.code, caller.claims.role === "anon"), body: bodyOf(error) };
  }
  const applied = isIgnoring ? { "preference-applied": "resolution=ignore-duplicates, return=minimal" } : {};
  return { status: 201, headers: { "content-range": "*/*", ...applied } };
}

function identify(request, settings) {
  const key = request.headers.get("apikey");
  if (!key) return { message: "No API key found in request", hint: "No `apikey` request header or url param was found." };
  const roles = { [settings.publishableKey]: "anon", [settings.secretKey]: "service_role" };
  if (!Object.hasOwn(roles, key)) return { message: "Invalid API key", hint: "Double check your API key." };
  const [scheme, token] = (request.headers.get("authorization") ?? "").split(" ");
  if (scheme.toLowerCase() !== "bearer" || token === key) return { claims: { role: roles[key] } };
  const verified = verifyToken(token ?? "", settings.jwtSecret);
  if (!verified.claims) return { ...verified, details: null, hint: null };
  const role = verified.claims.role ?? "anon";
  if (!ROLES.has(role)) return { code: "PGRST301", message: `role "${role}" does not exist`, details: null, hint: null };
  return { claims: { ...verified.claims, role } };
}

function problemWith(table, wanted, body, known) {
  const inCache = "in the schema cache";
  if (!known) return invalid(404, "PGRST205", `Could not find the table 'public.${table}' ${inCache}`);
  const missing = wanted.find((column) => !known.columns.has(column));
  if (missing !== undefined) {
    return invalid(400, "PGRST204", `Could not find the '${missing}' column of '${table}' ${inCache}`);
  }
  try {
    const rows = JSON.parse(body);
    if (Array.isArray(rows) && rows.every((row) => row && typeof row === "object" && !Array.isArray(row))) return null;
  } catch {
    // Said below: a body that was cut is as empty or invalid as one that was never JSON.
  }
  return invalid(400, "PGRST102", "Empty or invalid json");
}

function invalid(status, code, message) {
  return { status, body: { code, details: null, hint: null, message } };
}

function statement(table, wanted, conflict) {
  const quote = (name) => `"${name.replaceAll('"', '""')}"`;
  const columns = wanted.map(quote).join(", ");
  const ending = conflict.length ? `on conflict (${conflict.map(quote).join(", ")}) do nothing` : "";
  return `insert into public.${quote(table)} (${columns})
    select ${columns} from json_populate_recordset(null::public.${quote(table)}, $1) ${ending}`;
}

async function runAs(database, claims, sql, body) {
  await database.transaction(async (transaction) => {
    await transaction.query("select set_config('role', $1, true), set_config('request.jwt.claims', $2, true)", [
      claims.role,
      JSON.stringify(claims),
    ]);
    await transaction.query(sql, [body]);
  });
}

/** Returns a function from a table's name to {columns, primaryKey} as they stand now. */
export async function readColumns(database) {
  const { rows } = await database.query(`
    select class.relname as table_name, attribute.attname as column_name,
      coalesce(attribute.attnum = any (index.indkey), false) as is_key
    from pg_class as class
    join pg_attribute as attribute on attribute.attrelid = class.oid and attribute.attnum > 0
    left join pg_index as index on index.indrelid = class.oid and index.indisprimary
    where class.relnamespace = 'public'::regnamespace and class.relkind in ('r', 'p')
      and not attribute.attisdropped
    order by class.relname, attribute.attnum
  `);
  const tables = new Map();
  for (const row of rows) {
    const table = tables.get(row.table_name) ?? { columns: new Set(), primaryKey: [] };
    table.columns.add(row.column_name);
    if (row.is_key) table.primaryKey.push(row.column_name);
    tables.set(row.table_name, table);
  }
  return (name) => tables.get(name);
}
