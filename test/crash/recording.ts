import type { Disk } from "#blob/disk.ts";
import { FileBlobStore } from "#blob/files.ts";
import { LmdbMetaStore } from "#meta/lmdb.ts";
import { type Span, Tape } from "#test/crash/tape.ts";
import type { Call, View } from "#test/model/call.ts";
import { History } from "#test/model/history.ts";
import { BUCKETS, type Step } from "#test/model/step.ts";
import { newClock, storesOver } from "#test/model/stores.ts";
import { temporaryDirectory } from "#test/support/temporary.ts";

/** One of the histories that ran side by side, each in buckets of its own. */
export interface Lane {
  readonly suffix: string;
  readonly calls: readonly Call[];
  /** When each call was made and answered. */
  readonly spans: readonly Span[];
  /** What its buckets showed before the first call, and after each. */
  readonly shown: readonly (readonly (View | undefined)[])[];
}

export interface Recording {
  readonly tape: Tape;
  readonly blobRoot: string;
  readonly lanes: readonly Lane[];
}

/** Runs histories side by side over the real stores, with every call of their disks on a tape. */
export async function record(
  histories: readonly (readonly Step[])[],
  change: (disk: Disk) => Disk = (disk) => disk,
): Promise<Recording> {
  const tape = new Tape();
  const root = await temporaryDirectory();
  const blobRoot = `${root}/blobs`;
  await using meta = tape.meta(new LmdbMetaStore(`${root}/metadata`));
  const disk = change(tape.disk());
  await using blobs = await FileBlobStore.open({ root: blobRoot, owner: "test", disk });
  const lane = async (steps: readonly Step[], index: number): Promise<Lane> => {
    const suffix = `-${index}`;
    const history = new History({ stores: storesOver(meta, blobs, newClock()), suffix });
    return await run(history, steps, { tape, suffix });
  };
  return { tape, blobRoot, lanes: await Promise.all(histories.map(lane)) };
}

async function run(
  history: History,
  steps: readonly Step[],
  { tape, suffix }: { readonly tape: Tape; readonly suffix: string },
): Promise<Lane> {
  const calls: Call[] = [];
  const spans: Span[] = [];
  const shown = [viewsOf(history)];
  const perform = async (call: Call) => {
    calls.push(call);
    await tape.timed(
      (span) => spans.push(span),
      () => history.call(call),
    );
    shown.push(viewsOf(history));
  };
  for (const bucket of BUCKETS) await perform({ kind: "createBucket", bucket });
  for (const step of steps) await perform(history.resolve(step));
  return { suffix, calls, spans, shown };
}

function viewsOf({ model }: History): readonly (View | undefined)[] {
  return BUCKETS.map((bucket) => model.view(bucket));
}
