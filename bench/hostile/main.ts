/** A process of clients of one kind, which does what its argument says until it is told to stop. */
import type { Endpoint } from "../client/session.ts";
import { Attacker } from "./attacker.ts";
import { ATTACKS, type AttackName } from "./attacks.ts";
import { Polite } from "./polite.ts";

interface On {
  readonly endpoint: Endpoint;
  readonly bucket: string;
}

export type Clients = On &
  (
    | { readonly kind: "polite"; readonly perSecond: number }
    | { readonly kind: "attack"; readonly attack: AttackName; readonly connections: number }
  );

const clients: Clients = JSON.parse(process.argv[2] ?? "{}");
const run = clients.kind === "polite" ? new Polite(clients) : attackerOf(clients);

process.on("message", () => {
  Promise.resolve(run.stop()).then((result) => process.send?.({ kind: "done", result }), fail);
});
process.on("disconnect", () => process.exit(0));
await run.open();
process.send?.({ kind: "ready" });

function attackerOf(given: Extract<Clients, { readonly kind: "attack" }>): Attacker {
  return new Attacker(ATTACKS[given.attack], given);
}

function fail(error: unknown): void {
  process.stderr.write(`${error instanceof Error ? error.stack : error}\n`);
  process.exit(1);
}
