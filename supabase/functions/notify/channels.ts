// What a notification looks like on each channel, and what has to be configured for it.

import { problemWithAddress } from "../_shared/address.ts";
import type { Message } from "../_shared/delivery.ts";
import { SIGNATURE_HEADER, signatureOf } from "../_shared/signature.ts";

export interface Notification {
  notification_id: number;
  channel_type: string;
  address: string;
  severity: string;
  title: string;
  body: string;
  payload: unknown;
  attempts: number;
}

/** The message, or why there is none. isForGood: trying again would change nothing. */
export type Composed = { message: Message } | { problem: string; isForGood: boolean };

const SMS_LENGTH = 480; // three parts; who pays for them wants no more
const BOT_LENGTH = 4096; // the longest message of a Telegram bot

export async function compose(notification: Notification): Promise<Composed> {
  switch (notification.channel_type) {
    case "webhook":
      return await webhook(notification);
    case "sms":
      return sms(notification);
    case "email":
      return email(notification);
    case "bot":
      return bot(notification);
    default:
      return { problem: `unknown channel ${notification.channel_type}`, isForGood: true };
  }
}

async function webhook(notification: Notification): Promise<Composed> {
  const secret = Deno.env.get("PENSTOCK_WEBHOOK_SECRET");
  if (!secret) return missing("PENSTOCK_WEBHOOK_SECRET");
  const problem = await problemWithAddress(notification.address);
  if (problem) return { problem, isForGood: true };
  const { notification_id, severity, title, body, payload } = notification;
  const content = JSON.stringify({ notification_id, severity, title, body, payload });
  const signature = await signatureOf(content, secret, Date.now());
  return {
    message: { url: notification.address, headers: asJson({ [SIGNATURE_HEADER]: signature }), body: content },
  };
}

function sms(notification: Notification): Composed {
  const [url, token, from] = settings("PENSTOCK_SMS_URL", "PENSTOCK_SMS_TOKEN", "PENSTOCK_SMS_FROM");
  if (!url || !token || !from) return missing("PENSTOCK_SMS_URL, PENSTOCK_SMS_TOKEN and PENSTOCK_SMS_FROM");
  return posted(url, token, notification, {
    from,
    to: notification.address,
    text: textOf(notification).slice(0, SMS_LENGTH),
  });
}

function email(notification: Notification): Composed {
  const [url, token, from] = settings("PENSTOCK_EMAIL_URL", "PENSTOCK_EMAIL_TOKEN", "PENSTOCK_EMAIL_FROM");
  if (!url || !token || !from) {
    return missing("PENSTOCK_EMAIL_URL, PENSTOCK_EMAIL_TOKEN and PENSTOCK_EMAIL_FROM");
  }
  return posted(url, token, notification, {
    from,
    to: [notification.address],
    // A line break in it could begin another header.
    subject: `[${notification.severity}] ${notification.title}`.replace(/\s+/g, " "),
    text: notification.body,
  });
}

function bot(notification: Notification): Composed {
  const [token] = settings("PENSTOCK_BOT_TOKEN");
  if (!token) return missing("PENSTOCK_BOT_TOKEN");
  const base = Deno.env.get("PENSTOCK_BOT_URL") ?? "https://api.telegram.org";
  const content = { chat_id: notification.address, text: textOf(notification).slice(0, BOT_LENGTH) };
  return {
    message: { url: `${base}/bot${token}/sendMessage`, headers: asJson({}), body: JSON.stringify(content) },
  };
}

function posted(url: string, token: string, notification: Notification, content: unknown): Composed {
  const headers = asJson({
    authorization: `Bearer ${token}`,
    // A message whose answer was lost is sent again; those that know the header then send it once.
    "idempotency-key": `penstock-notification-${notification.notification_id}`,
  });
  return { message: { url, headers, body: JSON.stringify(content) } };
}

function textOf({ severity, title, body }: Notification): string {
  return `[${severity}] ${title}\n${body}`;
}

function asJson(headers: Record<string, string>): Record<string, string> {
  return { "content-type": "application/json", ...headers };
}

function settings(...names: string[]): (string | undefined)[] {
  return names.map((name) => Deno.env.get(name));
}

function missing(names: string): Composed {
  return { problem: `this channel is not set up: set the secret ${names}`, isForGood: false };
}
