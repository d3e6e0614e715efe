/**
 * The health check of the container image, which has no shell and no curl: exits with status 0 if
 * the process in this container is ready.
 */
const { FRESHET_MONITOR_PORT: port } = process.env;
try {
  const { ok, status } = await fetch(`http://127.0.0.1:${port}/readyz`, { signal: AbortSignal.timeout(4000) });
  if (!ok) throw new Error(`/readyz returned ${status}.`);
} catch (error) {
  console.error(error.message);
  process.exit(1);
}
