/** `npm run soak`: a mixed load for as long as you like, every byte that is read held against what was written. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { systemClock } from "#base/clock.ts";
import { ENGINE_LIMITS } from "#compose.ts";
import { Client } from "#prove/client.ts";
import { UsageError } from "../options.ts";
import { LODE_CREDENTIALS, startLode } from "../target/lode.ts";
import { ServerProcess } from "../target/server-process.ts";
import { TemporaryDirectory } from "../target/temporary-directory.ts";
import { growthOf } from "./growth.ts";
import { Lane, newTally, type Tally } from "./lane.ts";
import { parseSoakOptions, SOAK_USAGE, type SoakOptions } from "./options.ts";
import { Pace } from "./pace.ts";
import { plotOf } from "./plot.ts";
import { csvOf, type Sample, sampleOf } from "./sample.ts";

const SAMPLES = 400;
const SAMPLE_MS_MIN = 1_000;
const GRACE_SECONDS = 15;
const BIN = fileURLToPath(new URL("../../bin/lode", import.meta.url));

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    ServerProcess.stopAllNow();
    TemporaryDirectory.removeAllNow();
    process.exit(1);
  });
}

try {
  process.exitCode = await soak(parseSoakOptions(process.argv.slice(2)));
} catch (cause) {
  if (!(cause instanceof UsageError)) throw cause;
  process.stderr.write(`${cause.message}\n${SOAK_USAGE}`);
  process.exitCode = 2;
}

async function soak(options: SoakOptions): Promise<0 | 1> {
  await using directory = await TemporaryDirectory.make(options.dataParent);
  const dataDirectory = directory.path;
  const tally = newTally();
  const samples = await load(options, dataDirectory, tally);
  writeFileSync(`${options.out}.csv`, csvOf(samples));
  writeFileSync(`${options.out}.svg`, plotOf(samples));
  const growths = growthOf(samples);
  for (const { name, before, after, isBounded } of growths) {
    print(
      `${name}: ${before} in the second quarter, ${after} in the last${isBounded ? "" : ": IT GROWS"}`,
    );
  }
  for (const what of tally.wrong) print(`wrong: ${what}`);
  print(
    `${tally.requests} requests, ${tally.verifiedBytes} bytes verified, ${tally.wrongCount} wrong, ${tally.refused} refused; ${options.out}.csv, ${options.out}.svg`,
  );
  const isWhole = await checked(dataDirectory);
  return tally.wrongCount === 0 && isWhole && growths.every((each) => each.isBounded) ? 0 : 1;
}

async function load(
  { minutes, lanes: count, workers, rate }: SoakOptions,
  dataDirectory: string,
  tally: Tally,
): Promise<readonly Sample[]> {
  const flags = ["--garbage-grace", String(GRACE_SECONDS), "--access-log", "false"];
  await using server = await startLode({ dataDirectory, workers, flags });
  const { accessKeyId, secretAccessKey: secret, region } = LODE_CREDENTIALS;
  const target = {
    endpoint: new URL(`http://127.0.0.1:${server.port}`),
    credentials: { accessKeyId, secret, region, sessionToken: undefined },
    virtualHost: false,
    clock: systemClock,
  };
  const client = new Client(target, "soak");
  const made = await client.ask({ method: "PUT" });
  if (made.status !== 200) throw new Error(`the bucket cannot be made: ${made.code}`);
  const lanes = Array.from({ length: count }, (_, at) => new Lane(client, String(at), tally));
  const durationMs = minutes * 60_000;
  const everyMs = Math.max(SAMPLE_MS_MIN, durationMs / SAMPLES);
  const stop = new AbortController();
  const pace = new Pace(rate);
  const running = lanes.map(async (lane) => await lane.run(pace, stop.signal));
  const samples: Sample[] = [];
  const beganMs = systemClock.now();
  const take = () => {
    const seconds = (systemClock.now() - beganMs) / 1_000;
    const liveBytes = lanes.reduce((sum, lane) => sum + lane.liveBytes, 0);
    const liveBlobBytes = lanes.reduce(
      (sum, lane) => sum + lane.liveBlobBytes(ENGINE_LIMITS.inlineBytesMax),
      0,
    );
    const known = { seconds, requests: tally.requests, liveBytes, liveBlobBytes };
    samples.push(sampleOf(server.pid, dataDirectory, known));
  };
  while (systemClock.now() - beganMs < durationMs && tally.wrongCount === 0) {
    await systemClock.sleep(everyMs);
    take();
  }
  stop.abort();
  await Promise.all(running);
  client.close();
  return samples;
}

/** Holds what is on the disk afterwards to itself, every blob read. */
async function checked(dataDirectory: string): Promise<boolean> {
  const args = [BIN, "check", "--data", dataDirectory, "--checksums", "--rate", "1000"];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "inherit", "ignore"] });
  const [code] = await once(child, "exit");
  return code === 0;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
