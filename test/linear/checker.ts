/** One operation as its client saw it. */
export interface Operation<Input, Output> {
  readonly input: Input;
  /** undefined: nobody knows whether it happened. */
  readonly output: Output | undefined;
  readonly begun: number;
  /** Infinity for one that nobody knows the outcome of: it may happen at any time from then on, or never. */
  readonly ended: number;
}

/** What a single copy that does one thing at a time would do. States are values, told apart by `name`. */
export interface Specification<State, Input, Output> {
  readonly initial: State;
  /** The state after it; undefined when `output` cannot be the answer there. */
  readonly step: (state: State, input: Input, output: Output | undefined) => State | undefined;
  readonly name: (state: State) => string;
}

/**
 * Whether some order of the operations, in which none stands before one that had ended when it began,
 * explains every answer.
 *
 * The algorithm of Wing and Gong (Testing and verifying concurrent objects, 1993) with Lowe's memory of
 * what was tried (Testing for linearizability, 2016): operations are taken one after the other from those
 * that may come next; at an operation that has to come and cannot, the last choice is taken back; a set of
 * operations that led to the same state before is not tried again.
 */
export function isLinearizable<State, Input, Output>(
  operations: readonly Operation<Input, Output>[],
  { initial, step, name }: Specification<State, Input, Output>,
): boolean {
  const start = chainOf(operations);
  const tried = new Set<string>();
  const taken: { readonly event: Event; readonly before: State }[] = [];
  const chosen = new Chosen(operations.length);
  let state = initial;
  let event = start.next;
  while (event !== undefined) {
    const operation = operations[event.operation];
    if (event.end === undefined || operation === undefined) {
      // Whatever was to come before this end was not possible: the last choice was wrong.
      const last = taken.pop();
      if (last === undefined) return false;
      state = last.before;
      chosen.flip(last.event.operation);
      putBack(last.event);
      event = last.event.next;
      continue;
    }
    const after = step(state, operation.input, operation.output);
    if (after !== undefined && isNew(tried, chosen.with(event.operation), name(after))) {
      taken.push({ event, before: state });
      chosen.flip(event.operation);
      state = after;
      takeOut(event);
      event = start.next;
    } else {
      event = event.next;
    }
  }
  return true;
}

/** The begin or the end of an operation, in the chain of those that are not taken. */
interface Event {
  readonly operation: number;
  /** Of a begin: its end. */
  readonly end: Event | undefined;
  previous: Event | undefined;
  next: Event | undefined;
}

/** All begins and ends in the order of their times, after an event that is neither. */
function chainOf(operations: readonly Pick<Operation<never, never>, "begun" | "ended">[]): Event {
  const events = operations.flatMap(({ begun, ended }, operation) => {
    const end: Event = { operation, end: undefined, previous: undefined, next: undefined };
    const begin: Event = { operation, end, previous: undefined, next: undefined };
    return [
      { at: begun, isEnd: 0, event: begin },
      { at: ended, isEnd: 1, event: end },
    ];
  });
  // At one time what begins stands first: the two may have been at once.
  events.sort((a, b) => compare(a.at, b.at) || a.isEnd - b.isEnd);
  const start: Event = { operation: -1, end: undefined, previous: undefined, next: undefined };
  let last = start;
  for (const { event } of events) {
    event.previous = last;
    last.next = event;
    last = event;
  }
  return start;
}

/** Not a difference: that of two infinities is no number. */
function compare(a: number, b: number): number {
  return Number(a > b) - Number(a < b);
}

function takeOut(begin: Event): void {
  for (const event of [begin, begin.end]) {
    if (event?.previous !== undefined) event.previous.next = event.next;
    if (event?.next !== undefined) event.next.previous = event.previous;
  }
}

/** The last that was taken out, so that its neighbours are still its own. */
function putBack(begin: Event): void {
  for (const event of [begin.end, begin]) {
    if (event?.previous !== undefined) event.previous.next = event;
    if (event?.next !== undefined) event.next.previous = event;
  }
}

/** Which operations are taken. */
class Chosen {
  readonly #bits: Uint8Array;

  constructor(operations: number) {
    this.#bits = new Uint8Array(Math.ceil(operations / 8));
  }

  flip(operation: number): void {
    this.#bits[operation >> 3] = (this.#bits[operation >> 3] ?? 0) ^ (1 << (operation & 7));
  }

  /** A name of the set with one more. */
  with(operation: number): string {
    this.flip(operation);
    const name = Buffer.from(this.#bits).toString("latin1");
    this.flip(operation);
    return name;
  }
}

function isNew(tried: Set<string>, chosen: string, state: string): boolean {
  const name = `${chosen} ${state}`;
  if (tried.has(name)) return false;
  tried.add(name);
  return true;
}
