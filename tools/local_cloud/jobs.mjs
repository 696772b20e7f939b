// The jobs of the cloud, where there is no pg_cron: what is due is run from here, as the Edge Function
// "expire-old-data" does it for a project without the extension.

const EVERY_MS = 10_000; // the shortest period of a job is a minute

/** Runs what is due now and every ten seconds. Returns a function that ends it. */
export function runJobs({ database, alone }) {
  const timer = setInterval(() => {
    alone(() => database.query("select job, error from public.run_jobs() where error is not null"))
      .then(({ rows }) => rows.forEach(({ job, error }) => console.error(`job ${job}: ${error}`)))
      .catch((error) => console.error(`jobs: ${error.message}`));
  }, EVERY_MS);
  return () => clearInterval(timer);
}
