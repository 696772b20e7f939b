// Runs every job that is due: for projects without pg_cron, called by any scheduler that can send a POST.

import { guarded, isHosted, json, refuseUnlessPost } from "../_shared/answer.ts";
import { refuseAllButService } from "../_shared/keys.ts";
import { rpc } from "../_shared/rest.ts";

interface JobRun {
  job: string;
  is_run: boolean;
  detail: string | null;
  error: string | null;
}

export const handle = guarded("expire-old-data", async (request) => {
  const stop = refuseUnlessPost(request) ?? await refuseAllButService(request);
  if (stop) return stop;
  const jobs = await rpc<JobRun[]>("run_jobs", {});
  // Schedulers look at the status: one job that failed makes the whole call a failed one.
  return json(jobs.some((run) => run.error) ? 500 : 200, { jobs });
});

if (import.meta.main || isHosted()) Deno.serve(handle);
