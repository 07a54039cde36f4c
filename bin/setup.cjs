"use strict";
// Installs what is missing, with whatever Node is at hand: `npm start`, `npm test` and the others
// call it first. It does nothing when the last installation still fits the lock file.
const { createHash } = require("node:crypto");
const { existsSync, readFileSync, writeFileSync } = require("node:fs");
const { join } = require("node:path");
const { spawnSync } = require("node:child_process");

const root = join(__dirname, "..");
const modules = join(root, "node_modules");
const marker = join(modules, ".lode-installed");
const runtimeOnly = process.argv.includes("--runtime");
const lock = createHash("sha256")
  .update(readFileSync(join(root, "package-lock.json")))
  .digest("hex");

const installed = existsSync(marker) ? readFileSync(marker, "utf8") : "";
const fits = installed === `all ${lock}` || (runtimeOnly && installed === `runtime ${lock}`);
if (!fits && !process.env.LODE_NO_INSTALL) {
  process.stderr.write("Installing what Lode needs (once) ...\n");
  const args = ["ci", "--no-audit", "--no-fund", "--loglevel=error"];
  if (runtimeOnly) args.push("--omit=dev");
  const npm = process.env.npm_execpath;
  const done = npm
    ? spawnSync(process.execPath, [npm, ...args], { cwd: root, stdio: ["ignore", 2, 2] })
    : spawnSync("npm", args, { cwd: root, stdio: ["ignore", 2, 2] });
  if (done.status !== 0) {
    process.stderr.write("npm ci failed: see above. Check the network and try again.\n");
    process.exit(1);
  }
  writeFileSync(marker, `${runtimeOnly ? "runtime" : "all"} ${lock}`);
}
