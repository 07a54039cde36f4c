import type { Command } from "#cli/command.ts";
import { pairs, textOf } from "#cli/layout.ts";

export const whoamiCommand: Command = {
  name: "whoami",
  summary: "who the token stands for",
  run: async (_, { api }) => {
    const json = await api.call({ path: "/v1/lode/whoami" });
    const { principalName, kind, orgId, groups } = json;
    const text = pairs([
      ["principal", textOf(principalName ?? kind)],
      ["organization", textOf(orgId)],
      ["groups", textOf(groups)],
    ]);
    return { json, text };
  },
};
