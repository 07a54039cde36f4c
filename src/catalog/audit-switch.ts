import type { Clock } from "#base/clock.ts";
import { ControlError } from "#base/control-error.ts";
import type { OrganizationSettings, Organizations } from "#catalog/organizations.ts";

type Switch = keyof OrganizationSettings;

/** How long a change of a switch takes to be seen by every process, at the most. */
const KNOWN_MS = 1_000;
const KNOWN_MAX = 10_000;
const OFF: OrganizationSettings = {
  controlPlaneAuditLoggingEnabled: false,
  bucketAuditLoggingEnabled: false,
};

/** Whether an organization wants its audit records, asked with every request. */
export class AuditSwitch {
  readonly #organizations: Organizations;
  readonly #clock: Clock;
  readonly #known = new Map<
    string,
    { readonly untilMs: number; readonly settings: OrganizationSettings }
  >();

  constructor(organizations: Organizations, clock: Clock) {
    this.#organizations = organizations;
    this.#clock = clock;
  }

  /** What is known of it now; undefined: it has to be looked up. */
  known(organizationId: string, name: Switch): boolean | undefined {
    const known = this.#known.get(organizationId);
    if (known === undefined || this.#clock.now() >= known.untilMs) return undefined;
    return known.settings[name];
  }

  async isOn(organizationId: string, name: Switch): Promise<boolean> {
    const known = this.known(organizationId, name);
    if (known !== undefined) return known;
    const nowMs = this.#clock.now();
    const settings = await this.#read(organizationId);
    if (this.#known.size >= KNOWN_MAX) this.#known.clear();
    this.#known.set(organizationId, { untilMs: nowMs + KNOWN_MS, settings });
    return settings[name];
  }

  /** Of an organization that is gone, nothing is wanted. */
  async #read(organizationId: string): Promise<OrganizationSettings> {
    try {
      return (await this.#organizations.get(organizationId)).value.settings;
    } catch (cause) {
      if (cause instanceof ControlError && cause.code === "NotFound") return OFF;
      throw cause;
    }
  }
}
