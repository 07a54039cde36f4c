import cluster from "node:cluster";
import { StorageError } from "#base/error.ts";
import { ConfigError, readConfig, settingsHelp } from "#config.ts";
import { runSupervisor } from "#supervisor.ts";
import { runWorker } from "#worker.ts";

const HELP = `lode: self-hosted, S3-compatible object storage

  lode serve [settings]   serve S3 (lode serve --help lists the settings)
  lode version            print the version
`;

/** A setting that cannot be used, or a data directory that cannot be had. */
const EXIT_SETTING = 2;

if (cluster.isWorker) runWorker();
else run(process.argv.slice(2)).catch(fail);

async function run([command, ...args]: readonly string[]): Promise<void> {
  switch (command) {
    case "serve":
      if (args.includes("--help") || args.includes("-h")) {
        process.stdout.write(`lode serve [settings]\n\n${settingsHelp()}`);
        return;
      }
      await runSupervisor(readConfig(args, process.env));
      return process.exit(0);
    case "version":
    case "--version": {
      const { default: manifest } = await import("../package.json", { with: { type: "json" } });
      process.stdout.write(`lode ${manifest.version}\n`);
      return;
    }
    case undefined:
    case "help":
    case "--help":
      process.stdout.write(HELP);
      return;
    default:
      throw new ConfigError(`there is no command "${command}". "lode help" lists them.`);
  }
}

function fail(cause: unknown): never {
  if (cause instanceof ConfigError || cause instanceof StorageError) {
    // One line, whatever a parser had to say.
    process.stderr.write(`lode: ${cause.message.replace(/\s*\n\s*/g, " ")}\n`);
    process.exit(EXIT_SETTING);
  }
  process.stderr.write(`lode: ${cause instanceof Error ? cause.stack : cause}\n`);
  process.exit(1);
}
