/**
 * What is at hand, or will be. Who waits for what is at hand pays for a promise, its garbage and a turn of the
 * microtask queue; a request for a small object made three dozen such steps, a quarter of its whole cost.
 */
export type Soon<T> = T | Promise<T>;

/** What `next` makes of it: at once when it is at hand. */
export function after<T, U>(soon: Soon<T>, next: (value: T) => Soon<U>): Soon<U> {
  return soon instanceof Promise ? soon.then(next) : next(soon);
}

/** What `next` makes of each, one after the other. */
export function afterEach<T, U>(
  items: readonly T[],
  next: (item: T) => Soon<U>,
): Soon<readonly U[]> {
  const made: U[] = [];
  for (const item of items) {
    const one = next(item);
    if (one instanceof Promise) return goneOn(made, one, { items, next });
    made.push(one);
  }
  return made;
}

async function goneOn<T, U>(
  made: U[],
  first: Promise<U>,
  { items, next }: { readonly items: readonly T[]; readonly next: (item: T) => Soon<U> },
): Promise<readonly U[]> {
  made.push(await first);
  for (const item of items.slice(made.length)) made.push(await next(item));
  return made;
}

/** What `work` comes to, or what `caught` makes of its failure, whether it threw or rejects. */
export function rescue<T>(work: () => Soon<T>, caught: (cause: unknown) => Soon<T>): Soon<T> {
  try {
    const soon = work();
    return soon instanceof Promise ? soon.catch(caught) : soon;
  } catch (cause) {
    return caught(cause);
  }
}
