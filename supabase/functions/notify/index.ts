// Delivers the notifications that wait in the database: webhook, sms, email, bot.
//
// POST with a secret key; called by a schedule, and by the database when something is urgent. Each notification is
// leased, delivered and settled by itself, so two calls at once never deliver one twice.
// Answers {sent, failed, is_empty}.

import { guarded, isHosted, json, refuseUnlessPost } from "../_shared/answer.ts";
import { deliver, type Delivery, forEachOf } from "../_shared/delivery.ts";
import { refuseAllButService } from "../_shared/keys.ts";
import { rpc } from "../_shared/rest.ts";
import { compose, type Notification } from "./channels.ts";

const BATCH_SIZE = 40; // at ten seconds each and eight at once, settled within a minute
const AT_ONCE = 8;
const BUDGET_MS = 40_000; // no new batch after this: the longest request of a free project is 150 s

export const handle = guarded("notify", async (request) => {
  const stop = refuseUnlessPost(request) ?? await refuseAllButService(request);
  if (stop) return stop;
  const startMs = performance.now();
  const counts = { sent: 0, failed: 0, is_empty: false };
  while (!counts.is_empty && performance.now() - startMs < BUDGET_MS) {
    const batch = await rpc<Notification[]>("claim_notifications", { batch_size: BATCH_SIZE });
    await forEachOf(batch, AT_ONCE, async (notification) => {
      counts[await settle(notification, await attempt(notification))] += 1;
    });
    counts.is_empty = batch.length === 0;
  }
  return json(200, counts);
});

async function attempt(notification: Notification): Promise<Delivery> {
  const composed = await compose(notification);
  if ("message" in composed) return await deliver(composed.message);
  return { outcome: composed.isForGood ? "refused" : "failed", reason: composed.problem };
}

async function settle(notification: Notification, delivery: Delivery): Promise<"sent" | "failed"> {
  const isSent = delivery.outcome === "sent";
  const error = delivery.outcome === "sent" ? null : delivery.outcome === "refused"
    // The word by which whoever looks for it tells the two apart.
    ? `permanent: ${delivery.reason}`
    : delivery.reason;
  try {
    await rpc("settle_notification", {
      notification_id: notification.notification_id,
      attempts: notification.attempts, // the lease: by now it may be somebody else's
      is_sent: isSent,
      error,
    });
  } catch (failure) {
    // Its lease ends by itself, and then it is delivered again: twice is better than never.
    console.error(`notify: ${failure instanceof Error ? failure.message : "could not settle"}`);
  }
  return isSent ? "sent" : "failed";
}

if (import.meta.main || isHosted()) Deno.serve(handle);
