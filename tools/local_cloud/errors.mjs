// How an error of Postgres becomes an answer.
// Source: PostgREST documentation, "Errors", table "Status Codes" of "PostgreSQL Errors".

const BY_CODE = { 23503: 409, 23505: 409, 25006: 405, 42883: 404, "42P01": 404, "42P17": 500, 53400: 500, P0001: 400 };
const BY_CLASS = {
  "08": 503, "09": 500, "0L": 403, "0P": 403, 25: 500, 28: 403, "2D": 500, 38: 500, 39: 500, "3B": 500, 40: 500,
  53: 503, 54: 500, 55: 500, 57: 500, 58: 500, F0: 500, HV: 500, P0: 500, XX: 500,
};

/** True for an error that came from the database, which has a five-character SQLSTATE. */
export function isDatabaseError(error) {
  return typeof error?.code === "string" && /^[0-9A-Z]{5}$/.test(error.code) && !error.code.startsWith("PT");
}

/** Returns the status PostgREST answers with; isAnonymous: no token and no secret key came with the request. */
export function statusOf(code, isAnonymous) {
  if (code === "42501") return isAnonymous ? 401 : 403;
  return BY_CODE[code] ?? BY_CLASS[code.slice(0, 2)] ?? 400;
}

/** Returns the body PostgREST answers with. */
export function bodyOf(error) {
  return {
    code: error.code,
    details: error.detail ?? null,
    hint: error.hint ?? null,
    message: error.message,
  };
}

/** Makes lite answer as PostgREST does; by itself it knows few codes and calls the others a fault of the server. */
export function wordLikePostgrest(connection) {
  connection.normalizeDbError = (error) => {
    if (!isDatabaseError(error) || error.code === "42501") return error;
    // The form in which PostgREST lets a function choose its whole answer, which lite honours.
    return Object.assign(new Error(JSON.stringify(bodyOf(error))), {
      code: "PGRST",
      detail: JSON.stringify({ status: statusOf(error.code, false), headers: {} }),
    });
  };
}
