import { z } from "zod";
import { empty, message, text, timestamp, timestampOf } from "#admin/message.ts";
import { type Operation, operation } from "#admin/operation.ts";
import type { Zone } from "#catalog/zones.ts";

const zoneView = z.object({ name: text, creationTime: timestamp });

const listZones = operation({
  name: "ListZones",
  summary: "List the zones a new bucket may be in. While there are none, it may be in any.",
  method: "GET",
  path: "/v1/lode/zone",
  needs: "token",
  input: empty,
  output: z.object({ zones: z.array(zoneView) }),
  run: async ({ catalog }) => ({ zones: (await catalog.zones.list()).map(shown) }),
});

const createZone = operation({
  name: "CreateZone",
  summary: "Name a zone. From the first on, new buckets must be in one.",
  method: "POST",
  path: "/v1/lode/zone",
  needs: "operator",
  input: message({ name: text }),
  output: zoneView,
  run: async ({ catalog }, { name }) => shown(await catalog.zones.create(name)),
});

const deleteZone = operation({
  name: "DeleteZone",
  summary: "Let no new bucket be in a zone. Those that are there stay.",
  method: "DELETE",
  path: "/v1/lode/zone/{name}",
  needs: "operator",
  input: message({ name: text }),
  output: empty,
  run: async ({ catalog }, { name }) => {
    await catalog.zones.remove(name);
    return {};
  },
});

export const zone: readonly Operation[] = [createZone, deleteZone, listZones];

function shown({ name, createdMs }: Zone) {
  return { name, creationTime: timestampOf(createdMs) };
}
