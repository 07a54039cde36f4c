/**
 * How processes that serve collect garbage, which requests leave most of at once. 8 MiB hold what 64 uploads at a time need until
 * they end; 4 made small PUTs a tenth dearer, 16 made GETs of 64 KiB a third dearer, as buffers lay scattered.
 * Several threads at it wake up for a few hundred kilobytes, on cores that have workers of their own: without them
 * small PUTs cost a fifth less, GETs a twentieth.
 */
export const GARBAGE_COLLECTION: readonly string[] = [
  ...["--max-semi-space-size=8", "--no-parallel-scavenge"],
  // V8 learns where what lives long is made, and makes it in the old space from then on. A thousand uploads that wait
  // for their clients teach it that of everything, and for good: each request's garbage then holds that of others,
  // scavenges take ten times as long, and the heap is marked twice a second.
  "--no-allocation-site-pretenuring",
  // Twice of what lived is allowed before all is marked again: else a worker whose heap is small does so once or twice a
  // second for the buffers of a flood of requests, in steps of up to 11 ms. Costs 10 MB.
  "--heap-growing-percent=100",
  // V8 13 takes 64 MiB of buffers that were allocated, and freed long since, for a reason to mark all of the heap: two
  // or three times for each upload of 64 MiB, a quarter of its cost. Later ones count by themselves what is
  // there, and do not know the option.
  ...(process.versions.v8.startsWith("13.") ? ["--external-memory-accounted-in-global-limit"] : []),
];
