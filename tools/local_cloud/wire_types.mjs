// How values cross between JSON and the database: as in PostgREST, where Postgres itself reads and writes the JSON.
//
// Lite hands values over one by one, and PGlite reads some of them more narrowly, others more widely, than Postgres.

const [TIMESTAMP, TIMESTAMPTZ] = [1114, 1184];
// Boolean, the numbers, the texts, the times. Not JSON: lite and our own bulk insert hand it over as text.
const AS_GIVEN = [16, 20, 21, 23, 25, 700, 701, 1042, 1043, 1082, TIMESTAMP, TIMESTAMPTZ, 1700];
const AS_SQL_WRITES_IT = /^(\d{4,}-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d+)?)(?:([+-]\d\d)(:\d\d)?)?$/;

/** Returns a time as Postgres writes it into JSON: 2026-11-25T09:16:55.301+00:00. */
function timeInJson(text) {
  return text.replace(AS_SQL_WRITES_IT, (_, day, time, hours, minutes) => {
    return `${day}T${time}${hours ? hours + (minutes ?? ":00") : ""}`;
  });
}

// What it means is for Postgres to say, whose refusals have a code and are the caller's fault.
function asGiven(value) {
  if (value instanceof Date) return value.toISOString();
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** From the words of Postgres to JSON, by type. */
export const parsers = { [TIMESTAMP]: timeInJson, [TIMESTAMPTZ]: timeInJson };

/** From JSON to the words of Postgres, by type. */
export const serializers = Object.fromEntries(AS_GIVEN.map((type) => [type, asGiven]));

/** Returns a function from a request to one whose texts stay texts where a function takes JSON. */
export async function readJsonParameters(database) {
  const { rows } = await database.query(`
    select function.proname as function, parameter.name
    from pg_proc as function
    cross join lateral unnest(
      function.proargnames, coalesce(function.proallargtypes, function.proargtypes::oid[]), function.proargmodes
    ) as parameter (name, type, mode)
    where function.pronamespace = 'public'::regnamespace
      and parameter.type in ('json'::regtype, 'jsonb'::regtype) and coalesce(parameter.mode, 'i') = 'i'
  `);
  const parameters = new Map();
  for (const row of rows) parameters.set(row.function, [...(parameters.get(row.function) ?? []), row.name]);
  return async (request, path) => {
    const names = request.method === "POST" ? parameters.get(/^\/rest\/v1\/rpc\/(\w+)$/.exec(path)?.[1]) : undefined;
    return names ? new Request(request, { body: quoteTexts(await request.text(), names) }) : request;
  };
}

function quoteTexts(body, names) {
  try {
    const values = JSON.parse(body);
    const texts = names.filter((name) => typeof values?.[name] === "string");
    for (const name of texts) values[name] = JSON.stringify(values[name]);
    return texts.length ? JSON.stringify(values) : body;
  } catch {
    return body; // refused by whoever reads it next
  }
}
