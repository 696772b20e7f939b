import { guarded, refusal } from "../_shared/answer.ts";
export const handle = guarded("notify", (_request) => Promise.resolve(refusal(501, "x", "later")));
