import assert from "node:assert/strict";
import { Catalog } from "#catalog/catalog.ts";
import type { Engine } from "#object/engine.ts";
import type { Answer, Call, Upload, View } from "#test/model/call.ts";
import { Model } from "#test/model/model.ts";
import { isSame, settled } from "#test/model/one-of.ts";
import { resolve } from "#test/model/resolve.ts";
import { BUCKETS, type Step } from "#test/model/step.ts";
import { Subject } from "#test/model/subject.ts";
import { DAY_MS } from "#test/model/sweep.ts";
import type { MovableClock } from "#test/support/movable-clock.ts";
import { VersionedEngine } from "#versioned/engine.ts";
import { collectGarbage } from "#versioned/garbage.ts";
import type { Stores } from "#versioned/store.ts";

export interface HistoryOptions {
  readonly stores: Stores & { readonly clock: MovableClock };
  /** Ends the names of its buckets, where several histories share the stores. */
  readonly suffix?: string;
  /** Between the engine and its caller; for mutants. */
  readonly change?: (engine: Engine) => Engine;
}

const STEP_MS = 1_000;

/** The same calls to the real engine and to the model, compared after each. */
export class History {
  readonly model = new Model();
  readonly catalog: Catalog;
  readonly engine: Engine;
  readonly #subject: Subject;
  readonly #stores: HistoryOptions["stores"];
  readonly #begun: Upload[] = [];
  readonly #trace: (readonly [Call, Answer])[] = [];

  constructor({ stores, suffix = "", change = (engine) => engine }: HistoryOptions) {
    this.#stores = stores;
    this.catalog = new Catalog(stores.meta, stores.clock);
    this.engine = change(new VersionedEngine(stores));
    const { catalog, engine } = this;
    const { clock } = stores;
    const collecting = () => collect(stores);
    this.#subject = new Subject({ catalog, engine, clock, suffix, collect: collecting });
  }

  static async run(steps: readonly Step[], options: HistoryOptions): Promise<History> {
    const history = new History(options);
    await history.begin();
    for (const step of steps) await history.step(step);
    await history.requireViews();
    return history;
  }

  async begin(): Promise<void> {
    for (const bucket of BUCKETS) await this.call({ kind: "createBucket", bucket });
  }

  /** Fails: AssertionError, with the calls so far, when the two differ. */
  async step(step: Step): Promise<void> {
    if (step.kind === "sweep") this.#stores.clock.move(step.days * DAY_MS);
    const call = this.resolve(step);
    await this.call(call);
    // The other bucket is looked at when it is its turn, or at the end.
    await this.requireViews("bucket" in call ? [call.bucket] : BUCKETS);
  }

  /** What the step asks for, as things are. */
  resolve(step: Step): Call {
    return resolve({ model: this.model, begun: this.#begun }, step);
  }

  /** Does one thing to both, and compares the answers. */
  async call(call: Call): Promise<Answer> {
    const { clock } = this.#stores;
    clock.move(STEP_MS);
    const answer = await this.#subject.do(call);
    const expected = this.model.do(call, { nowMs: clock.now(), answer });
    this.#trace.push([call, answer]);
    this.#require(answer, expected);
    if (call.kind === "createUpload" && "uploadId" in answer) {
      const { bucket, key } = call;
      this.#begun.push({ bucket, key, uploadId: String(answer["uploadId"]) });
    }
    return answer;
  }

  /** Lists, versions, uploads and bytes are what the model has. Fails: AssertionError. */
  async requireViews(buckets: readonly string[] = BUCKETS): Promise<void> {
    for (const bucket of buckets) {
      this.#require(await this.#subject.view(bucket), this.model.view(bucket));
    }
  }

  /** Removes every version and upload there is. */
  async empty(): Promise<void> {
    for (const [bucket, { versions, uploads }] of this.model.buckets) {
      for (const [key, all] of [...versions]) {
        for (const { id: versionId } of all) {
          await this.call({ kind: "delete", bucket, key, versionId, conditions: {} });
        }
      }
      for (const { key, uploadId } of uploads) {
        await this.call({ kind: "abortUpload", bucket, key, uploadId });
      }
    }
    await this.requireViews();
  }

  #require<T extends Answer | View | undefined>(real: T, expected: T): void {
    if (isSame(real, expected)) return;
    const trace = this.#trace.map(([call, answer]) => `${text(call)}\n  → ${text(answer)}\n`);
    const before = `After\n${trace.join("")}the engine (+) and the model (-) differ.`;
    assert.deepEqual(real, settled(expected, real), before);
    assert.fail(before);
  }
}

/** Bytes in hex. */
function text(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) =>
    each instanceof Uint8Array ? Buffer.from(each).toString("hex") : each,
  );
}

async function collect(stores: Stores): Promise<void> {
  for (;;) {
    const { entries } = await collectGarbage(stores, { beforeMs: stores.clock.now() + 1 });
    if (entries === 0) return;
  }
}
