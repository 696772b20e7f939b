import { guarded, refusal } from "../_shared/answer.ts";
export const handle = guarded("audit-log", (_request) => Promise.resolve(refusal(501, "x", "later")));
