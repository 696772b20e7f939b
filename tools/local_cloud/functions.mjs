// Runs the Edge Functions in Deno beside the local cloud, and hands requests over to them.
//
// Nothing is fetched at run time, and the functions reach this machine alone.

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const PREFIX = "/functions/v1";
const MAIN = fileURLToPath(new URL("functions_main.ts", import.meta.url));
// Where npm's install scripts may not run, the program is only in the package of the platform.
const PROGRAMS = [
  "../../node_modules/deno/deno",
  `../../node_modules/@deno/linux-${process.arch}-glibc/deno`,
  `../../node_modules/@deno/darwin-${process.arch}/deno`,
].map((path) => fileURLToPath(new URL(path, import.meta.url)));
// Of one connection between two requests; not sent on.
const HOP_BY_HOP = ["connection", "content-length", "host", "keep-alive", "transfer-encoding", "upgrade"];

/** True for a request to a function. */
export function isFunctionCall(path) {
  return path.startsWith(`${PREFIX}/`);
}

/** Starts Deno and returns at once, so that it loads while the database opens. */
export function startFunctions({ cacheDir }) {
  const program = PROGRAMS.find(existsSync);
  if (!program) throw new Error("Deno is missing in node_modules: delete node_modules and start again");
  const child = spawn(
    program,
    [
      "run", "--quiet", "--no-prompt", "--no-remote", "--no-npm", "--cached-only", "--no-lock", "--no-config",
      "--allow-env", "--allow-net=127.0.0.1", MAIN,
    ],
    { stdio: ["pipe", "pipe", "inherit"], env: { ...process.env, DENO_DIR: cacheDir, DENO_NO_UPDATE_CHECK: "1" } },
  );
  child.stdin.on("error", () => {}); // told by "exit" as well
  const port = new Promise((resolve, reject) => {
    createInterface(child.stdout).once("line", (line) => resolve(JSON.parse(line).port));
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`the Edge Functions ended with exit code ${code}`)));
  });
  port.catch(() => {}); // whoever waits for it hears of it
  return {
    /** Gives the functions their environment; returns when they answer. */
    async open(environment) {
      child.stdin.write(`${JSON.stringify(environment)}\n`);
      await port;
    },
    /** Answers a request by the function it names. */
    async answer(request) {
      return proxy(request, await port);
    },
    stop() {
      child.stdin.end();
    },
  };
}

/** The environment of a hosted project, as far as the functions read it. */
export function functionsEnvironment(settings, port) {
  return {
    SUPABASE_URL: `http://127.0.0.1:${port}`,
    SUPABASE_PUBLISHABLE_KEYS: JSON.stringify({ default: settings.publishableKey }),
    SUPABASE_SECRET_KEYS: JSON.stringify({ default: settings.secretKey }),
    PENSTOCK_JWT_SECRET: settings.jwtSecret,
    PENSTOCK_TOKEN_LIFE_S: String(settings.tokenLifeSeconds),
  };
}

async function proxy(request, port) {
  const { pathname, search } = new URL(request.url);
  const headers = new Headers(request.headers);
  for (const name of HOP_BY_HOP) headers.delete(name);
  // fetch would unpack the answer and leave the header that says it is packed.
  headers.set("accept-encoding", "identity");
  try {
    return await fetch(`http://127.0.0.1:${port}${pathname.slice(PREFIX.length)}${search}`, {
      method: request.method,
      headers,
      body: request.body,
      duplex: "half",
      redirect: "manual",
    });
  } catch (error) {
    const message = `the function did not answer: ${error.cause?.message ?? error.message}`;
    return Response.json({ code: "BOOT_ERROR", message }, { status: 503 });
  }
}
