// What lite's auth needs so that the official clients take its answers for GoTrue's.

// As Postgres writes a time into JSON. GoTrue writes its UTC as a letter.
const POSTGRES_TIME = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?)\+00:00$/;
const CORS = {
  "access-control-allow-origin": "*",
  "access-control-allow-methods": "GET, POST, PUT, PATCH, DELETE, OPTIONS",
  "access-control-max-age": "86400",
};

/** Answers a request to /auth/v1/. fetch: asks lite for its own answer. */
export async function answerAuth(request, fetch) {
  // A browser asks this without the API key, which lite would miss.
  if (request.method === "OPTIONS") {
    const asked = request.headers.get("access-control-request-headers") ?? "";
    return new Response(null, { status: 204, headers: { ...CORS, "access-control-allow-headers": asked } });
  }
  const answer = await fetch();
  const headers = new Headers(answer.headers);
  for (const [name, value] of Object.entries(CORS)) headers.set(name, value);
  if (!headers.get("content-type")?.startsWith("application/json")) {
    return new Response(answer.body, { status: answer.status, headers });
  }
  headers.delete("content-length");
  return new Response(JSON.stringify(JSON.parse(await answer.text(), asGotrue)), { status: answer.status, headers });
}

function asGotrue(key, value) {
  return key.endsWith("_at") && typeof value === "string" ? value.replace(POSTGRES_TIME, "$1Z") : value;
}
