import cluster from "node:cluster";
import { createServer, type RequestListener } from "node:http";

/** One node:http server in as many processes as Lode has, on a port that the system picks. */
export function serve(workers: number, listener: RequestListener): void {
  if (!cluster.isPrimary) {
    createServer(listener).listen(0, "127.0.0.1");
    return;
  }
  let listening = 0;
  cluster.on("listening", (_worker, { port }) => {
    listening += 1;
    if (listening === workers) process.stdout.write(`ready s3=http://127.0.0.1:${port}\n`);
  });
  for (let worker = 0; worker < workers; worker += 1) cluster.fork();
  process.on("SIGTERM", () => process.exit(0));
}
