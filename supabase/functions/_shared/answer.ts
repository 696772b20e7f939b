// What every function answers: JSON, and for a refusal a code for programs and a sentence for people.

export function json(status: number, body: unknown, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: { "content-type": "application/json; charset=utf-8", "cache-control": "no-store", ...headers },
  });
}

export function refusal(
  status: number,
  code: string,
  message: string,
  headers: Record<string, string> = {},
): Response {
  return json(status, { code, message }, headers);
}

/** Answers 405 unless the request is a POST. */
export function refuseUnlessPost(request: Request): Response | null {
  return request.method === "POST" ? null : refusal(405, "bad_request", "POST only", { allow: "POST" });
}

/** Turns a handler's failure into an answer. Neither the log nor the answer holds what the request said. */
export function guarded(
  name: string,
  handle: (request: Request) => Promise<Response>,
): (request: Request) => Promise<Response> {
  return async (request) => {
    try {
      return await handle(request);
    } catch (error) {
      console.error(`${name}: ${error instanceof Error ? error.message : "unknown failure"}`);
      // 503 and not 500: callers try again, and what they brought is not at fault.
      return refusal(503, "unavailable", "the cloud could not do this now; try again", {
        "retry-after": "10",
      });
    }
  };
}

/** True in a hosted project, where a function's module may be started by another one. */
export function isHosted(): boolean {
  return Deno.env.has("SB_EXECUTION_ID");
}
