// Sends one message to somebody else's server and says what became of it.

const LONGEST_S = 10; // a receiver that needs longer keeps the others waiting

/** sent: done. refused: it will never be taken as it is. failed: try again later. The reason names no address. */
export type Delivery = { outcome: "sent" } | { outcome: "refused" | "failed"; reason: string };

export interface Message {
  url: string;
  headers: Record<string, string>;
  body: string;
}

/** Posts a message. Never throws, and never follows a redirect: it could lead to where a webhook may not point. */
export async function deliver(message: Message): Promise<Delivery> {
  try {
    const response = await fetch(message.url, {
      method: "POST",
      headers: { "user-agent": "penstock", ...message.headers },
      body: message.body,
      redirect: "manual",
      signal: AbortSignal.timeout(timeoutS() * 1000),
    });
    await response.body?.cancel();
    return classify(response.status);
  } catch (error) {
    return { outcome: "failed", reason: wordOf(error) };
  }
}

function classify(status: number): Delivery {
  if (status >= 200 && status < 300) return { outcome: "sent" };
  if (status >= 300 && status < 400) {
    return { outcome: "refused", reason: `answered ${status}: redirects are not followed` };
  }
  const isForGood = status >= 400 && status < 500 && status !== 408 && status !== 429;
  return { outcome: isForGood ? "refused" : "failed", reason: `answered ${status}` };
}

// The runtime's own words would name the address.
function wordOf(error: unknown): string {
  const isTimeout = error instanceof DOMException && error.name === "TimeoutError";
  return isTimeout ? `no answer within ${timeoutS()} s` : "could not be reached";
}

function timeoutS(): number {
  const wanted = Number(Deno.env.get("PENSTOCK_DELIVERY_TIMEOUT_S") ?? LONGEST_S);
  return wanted > 0 ? Math.min(wanted, LONGEST_S) : LONGEST_S;
}

/** Does work on every item, at most so many at once. */
export async function forEachOf<T>(
  items: T[],
  atOnce: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const queue = items.values();
  const worker = async () => {
    for (const item of queue) await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, worker));
}
