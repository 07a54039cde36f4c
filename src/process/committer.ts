import { assert } from "#base/assert.ts";
import { deadline } from "#base/clock.ts";
import { makeLog } from "#base/log.ts";
import { serveCommits } from "#meta/commit-desk.ts";
import { LmdbMetaStore } from "#meta/lmdb.ts";
import { endProcess } from "#process/end-process.ts";
import { endSoon } from "#process/last-words.ts";

/** What the supervisor tells the committer at its start. */
export interface CommitterStart {
  readonly metadata: string;
  /** Path of the socket at which workers find it. */
  readonly socket: string;
  /** Whether its log is for people. */
  readonly pretty: boolean;
}

export type ToCommitter =
  | { readonly kind: "start"; readonly start: CommitterStart }
  /** Whether its event loop still turns. */
  | { readonly kind: "ping" };

export type FromCommitter =
  | { readonly kind: "ready" }
  | { readonly kind: "pong" }
  | { readonly kind: "failed"; readonly message: string };

/** Workers that outlive the supervisor finish what they do for so long. */
const LAST_WORKERS_MS = 35_000;

/** One process that commits what all workers change. It lives as long as the supervisor, and its workers, do. */
export function runCommitter(): void {
  assert(process.send !== undefined, "a committer has a supervisor");
  process.on("message", (message: ToCommitter) => {
    if (message.kind === "ping") {
      tell({ kind: "pong" });
      return;
    }
    serve(message.start).then(
      () => tell({ kind: "ready" }),
      (cause) => tell({ kind: "failed", message: String(cause) }, () => endProcess(1)),
    );
  });
  // A terminal sends its signals to the whole group: the supervisor decides.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => undefined);
}

async function serve({ metadata, socket, pretty }: CommitterStart): Promise<void> {
  const log = makeLog({ pretty, access: false, to: 2 });
  const store = new LmdbMetaStore(metadata, { broken: endSoon(log) });
  const server = await serveCommits(store, socket);
  const finish = (): void => {
    deadline(LAST_WORKERS_MS, () => endProcess(1));
    server.close(() => {
      store[Symbol.asyncDispose]().then(
        () => endProcess(0),
        () => endProcess(1),
      );
    });
  };
  // A supervisor that died meanwhile has been told of already.
  if (process.connected) process.once("disconnect", finish);
  else finish();
}

/** A supervisor that is gone needs not be told: "disconnect" ends this process. */
function tell(message: FromCommitter, told: () => void = () => undefined): void {
  process.send?.(message, told);
}
