/** Settings that cannot be used: the server ends with 2 and one line that names the setting and the mend. */
import assert from "node:assert/strict";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { ROOT_ENVIRONMENT, run, serveCommand, start } from "#test/support/process.ts";
import { temporaryDirectory } from "#test/support/temporary.ts";

const directory = await temporaryDirectory();
const occupied = createServer();

before(async () => {
  await new Promise<void>((resolve) => occupied.listen(0, "127.0.0.1", resolve));
});
after(() => occupied.close());

interface Bad {
  readonly settings?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** What the line must say: the setting, then the mend. */
  readonly says: RegExp;
}

/** Under the id of some other key. */
const SEALED = {
  "format.json": '{"format":1}',
  "master-key": `${"ab".repeat(32)}\n`,
  "master-key-ids": "0123456789abcdef\n",
};

const BAD: Readonly<Record<string, Bad>> = {
  "a port over 65,535": {
    settings: ["--listen", "127.0.0.1:99999"],
    says: /--listen "127\.0\.0\.1:99999": give HOST:PORT/,
  },
  "an address without a port": {
    settings: ["--admin-listen", "localhost"],
    says: /--admin-listen "localhost": give HOST:PORT/,
  },
  "a port that is in use": {
    settings: ["--listen", "127.0.0.1:OCCUPIED"],
    says: /--listen 127\.0\.0\.1:\d+: .*EADDRINUSE.*Choose another address/,
  },
  "an admin port that is in use": {
    settings: ["--admin-listen", "127.0.0.1:OCCUPIED"],
    says: /--admin-listen 127\.0\.0\.1:\d+: .*EADDRINUSE.*Choose another address/,
  },
  "an address of another machine": {
    settings: ["--plain-http", "--listen", "192.0.2.1:0"],
    says: /--listen 192\.0\.2\.1:0: .*EADDRNOTAVAIL.*Choose another address/,
  },
  "an address that other machines reach, without TLS": {
    settings: ["--listen", "0.0.0.0:0"],
    says: /--listen "0\.0\.0\.0:0": other machines could reach it without TLS. Give --tls-cert/,
  },
  "an admin address that other machines reach, without TLS": {
    settings: ["--admin-listen", "[::]:0"],
    says: /--admin-listen "\[::\]:0": other machines could reach it without TLS/,
  },
  "a flag that is unknown": { settings: ["--lisen", "x"], says: /'--lisen'.*lists the settings/ },
  "an argument too many": { settings: ["extra"], says: /'extra'.*lists the settings/ },
  "a flag without its value": { settings: ["--workers"], says: /'--workers.*lists the settings/ },
  "a flag whose value looks like a flag": {
    settings: ["--garbage-grace", "-1"],
    says: /'--garbage-grace'[\s\S]*lists the settings/,
  },
  "a data directory without a name": {
    settings: ["--data", ""],
    says: /--data "": name a directory/,
  },
  "a host that has no address": {
    settings: ["--plain-http", "--listen", "no-such-host.invalid:0"],
    says: /--listen no-such-host\.invalid:0: .*Choose another address/,
  },
  "no worker": { settings: ["--workers", "0"], says: /--workers "0": give a whole number from 1/ },
  "a number that is none": {
    environment: { LODE_GARBAGE_GRACE: "soon" },
    says: /--garbage-grace "soon": give a whole number/,
  },
  "an interval that is none": {
    settings: ["--scrub-interval", "monthly"],
    says: /--scrub-interval "monthly": give a whole number from 0 to 3650/,
  },
  "a rate of nothing": {
    environment: { LODE_SCRUB_RATE: "0" },
    says: /--scrub-rate "0": give a whole number from 1/,
  },
  "a choice that is not offered": {
    settings: ["--log-format", "xml"],
    says: /--log-format "xml": give one of auto, json, text/,
  },
  "half a TLS pair": {
    settings: ["--tls-cert", join(directory, "cert.pem")],
    says: /--tls-cert and --tls-key go together: give both/,
  },
  "a certificate that cannot be read": {
    settings: ["--tls-cert", join(directory, "none"), "--tls-key", join(directory, "none")],
    says: /--tls-cert, --tls-key: ENOENT.*Name PEM files/,
  },
  "a certificate that is none": {
    settings: ["--tls-cert", file("text", "no PEM"), "--tls-key", file("text", "no PEM")],
    says: /--tls-cert, --tls-key: .*PEM/,
  },
  "half a root key": {
    environment: { LODE_ROOT_ACCESS_KEY_ID: "ONLYTHEKEY", LODE_ROOT_SECRET_ACCESS_KEY: "" },
    says: /LODE_ROOT_ACCESS_KEY_ID and LODE_ROOT_SECRET_ACCESS_KEY go together: set both/,
  },
  "a config key that is unknown": {
    settings: ["--config", file("unknown.json", '{"lisen": "x"}')],
    says: /unknown\.json: there is no setting "lisen"\. Known: data, listen/,
  },
  "a config file that is not JSON": {
    settings: ["--config", file("text.json", "listen=x\n")],
    says: /text\.json: [\s\S]*It must be a JSON object/,
  },
  "a config file that is missing": {
    settings: ["--config", join(directory, "missing.json")],
    says: /missing\.json: ENOENT.*It must be a JSON object/,
  },
  "a data path that is a file": {
    settings: ["--data", file("a-file", "")],
    says: /--data .*a-file: it cannot be made.*Name a directory that this user can write/,
  },
  "a data path that cannot be written": {
    settings: ["--data", unwritable()],
    says: /--data .*: it cannot be made.*Name a directory that this user can write/,
  },
  "a data directory of another format": {
    settings: ["--data", dataDirectory("newer", { "format.json": '{"format":99}' })],
    says: /newer has format 99, and this release of Lode reads format 1\. Use the release that wrote it/,
  },
  "a data directory whose format cannot be read": {
    settings: ["--data", dataDirectory("garbled", { "format.json": "\0" })],
    says: /garbled has format unknown.*or another --data directory/,
  },
  "a directory with metadata of something else": {
    settings: ["--data", dataDirectory("foreign", { "metadata/data.mdb": "x" })],
    says: /foreign has data but no format\.json.*Choose another with --data/,
  },
  "a master key file that is missing": {
    settings: ["--master-key-file", join(directory, "no-master-key")],
    says: /--master-key-file .*no-master-key: it cannot be read.*Name a file that this user can read/,
  },
  "a master key file that is a directory": {
    settings: ["--master-key-file", directory],
    says: /--master-key-file .*: it cannot be read.*EISDIR/,
  },
  "a master key file without a key": {
    settings: ["--master-key-file", file("no-key", "# none\n\n")],
    says: /no-key: each line must be a master key of 64 hexadecimal digits.*there must be one/,
  },
  "a master key that is too short, below one that is not": {
    settings: ["--master-key-file", file("short-key", `${"ab".repeat(32)}\n${"ab".repeat(31)}\n`)],
    says: /short-key: each line must be a master key of 64 hexadecimal digits/,
  },
  "a master key that is not the one that sealed": {
    settings: ["--data", dataDirectory("sealed", SEALED)],
    says: /sealed\/master-key lacks the master key with the id 0123456789abcdef, .*Add its line below the first/,
  },
  "a master key file that is gone": {
    settings: ["--data", dataDirectory("keyless-seals", { ...SEALED, "master-key": undefined })],
    says: /keyless-seals\/master-key is gone.*Put it back from its copy/,
  },
  "a list of master key ids that is garbled": {
    settings: ["--data", dataDirectory("garbled-ids", { ...SEALED, "master-key-ids": "\0" })],
    says: /garbled-ids\/master-key-ids: each line must be the id of a master key.*Put the file back/,
  },
  "a list of master key ids that is empty": {
    settings: ["--data", dataDirectory("empty-ids", { ...SEALED, "master-key-ids": "" })],
    says: /empty-ids\/master-key-ids: each line must be the id of a master key/,
  },
  "a credentials file without a key": {
    settings: [
      "--data",
      dataDirectory("keyless", { "format.json": '{"format":1}', credentials: "" }),
    ],
    environment: { LODE_ROOT_ACCESS_KEY_ID: "", LODE_ROOT_SECRET_ACCESS_KEY: "" },
    says: /keyless\/credentials holds no key\. Delete it/,
  },
};

suite("a setting that cannot be used", { concurrency: 4 }, () => {
  for (const [name, { settings = [], environment = {}, says }] of Object.entries(BAD)) {
    test(`${name} ends it with 2 and one line`, async (t) => {
      const fresh = join(directory, `data-${name.replaceAll(" ", "-")}`);
      const given = settings.map((text) => text.replace("OCCUPIED", String(portOf(occupied))));
      const command = serveCommand(fresh, ...given);
      const all = { ...ROOT_ENVIRONMENT, ...environment };
      const { code, stdout, stderr } = await run(t, { command, environment: all });
      assert.match(stderr, says);
      assert.match(stderr, /^lode: [^\n]*\n$/);
      assert.equal(code, 2);
      assert.equal(stdout, "");
    });
  }
});

test("a data directory that another server has ends the second with 2, and the first serves on", async (t) => {
  const data = join(directory, "shared");
  const first = start(t, { command: serveCommand(data), environment: ROOT_ENVIRONMENT });
  const [, endpoint = ""] = await first.prints(/^ready s3=(\S+)/m);
  const second = { command: serveCommand(data), environment: ROOT_ENVIRONMENT };
  const { code, stderr } = await run(t, second);
  assert.match(
    stderr,
    /^lode: the data directory .*shared is in use by another Lode server.*choose another with --data\.\n$/,
  );
  assert.equal(code, 2);
  assert.equal((await fetch(endpoint)).status, 403);
});

test("a command that is unknown ends it with 2 and names the one that lists them", async (t) => {
  const { code, stderr } = await run(t, { command: [process.execPath, "bin/lode", "serv"] });
  assert.match(stderr, /^lode: there is no command "serv"\. "lode help" lists them\.\n$/);
  assert.equal(code, 2);
});

function file(name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
}

function dataDirectory(name: string, files: Readonly<Record<string, string | undefined>>): string {
  const path = join(directory, name);
  mkdirSync(join(path, "metadata"), { recursive: true });
  for (const [each, text] of Object.entries(files)) {
    if (text !== undefined) writeFileSync(join(path, each), text);
  }
  return path;
}

/** Root may write everywhere but where no file can be. */
function unwritable(): string {
  if (process.getuid?.() === 0) return "/proc";
  const path = join(directory, "read-only");
  mkdirSync(path);
  chmodSync(path, 0o500);
  return path;
}

function portOf(server: typeof occupied): number {
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}
