/** `npm run bench`: measures Lode, and any other S3 server beside it, from the outside. */
import { type Options, parseOptions, USAGE, UsageError } from "./options.ts";
import { watchOthers } from "./report/disturbance.ts";
import { machineFacts } from "./report/machine.ts";
import { renderMachine, renderMeasurements, renderOthers, renderTargets } from "./report/print.ts";
import { type Result, readResult, writeResult } from "./report/result.ts";
import { run } from "./run.ts";
import { ServerProcess } from "./target/server-process.ts";
import { TemporaryDirectory } from "./target/temporary-directory.ts";

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    ServerProcess.stopAllNow();
    TemporaryDirectory.removeAllNow();
    process.exit(130);
  });
}

try {
  const options = parseOptions(process.argv.slice(2));
  process.exitCode = await measure(options);
} catch (error) {
  const isUsage = error instanceof UsageError;
  const text = error instanceof Error && !isUsage ? error.stack : String(error);
  process.stderr.write(isUsage ? `${error.message}\n\n${USAGE}` : `${text}\n`);
  process.exitCode = isUsage ? 2 : 1;
}

/** Returns the exit status: only wrong answers fail a benchmark, slow ones never do. */
async function measure(options: Options): Promise<number> {
  const earlier = options.compare === undefined ? undefined : await earlierResult(options.compare);
  const machine = machineFacts(options.dataParent);
  process.stdout.write(renderMachine(machine));
  const othersShare = watchOthers(options.peers.flatMap(({ pid }) => pid ?? []));
  const { measurements, ratios, errors } = await run(options);
  const others = othersShare();
  process.stdout.write(`\n${renderMeasurements(measurements, earlier)}`);
  if (ratios.length > 0) process.stdout.write(`\n${renderTargets(ratios)}`);
  process.stdout.write(renderOthers(others));
  for (const error of errors) process.stdout.write(`\nERROR ${error}\n`);
  if (options.json !== undefined) {
    const { quick, workers, drivers } = options;
    const result = {
      machine,
      othersShare: others,
      quick,
      workers,
      drivers,
      measurements,
      targets: ratios,
      errors,
    };
    await writeResult(options.json, result);
  }
  return errors.length > 0 ? 1 : 0;
}

async function earlierResult(path: string): Promise<Result> {
  return readResult(path).catch((cause: Error) => {
    throw new UsageError(`--compare: ${cause.message}`, { cause });
  });
}
