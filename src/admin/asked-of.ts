import { ACTIONS } from "#access/actions.ts";
import { didYouMean } from "#access/nearest.ts";
import { ControlError } from "#base/control-error.ts";

const ASKED_MAX = 1_000;
const RESOURCE = /^(?:\*|[a-z0-9][a-z0-9-]{1,61}[a-z0-9](?:\/.*)?)$/s;

export interface ActionOn {
  readonly action: string;
  readonly resource: string;
}

/** Every action on every resource. Fails: InvalidArgument for what can be neither. */
export function askedOf(input: {
  readonly actions: readonly string[];
  readonly resources: readonly string[];
}): readonly ActionOn[] {
  const { actions, resources } = input;
  if (actions.length === 0) throw new ControlError("InvalidArgument", "actions: name at least one");
  if (resources.length === 0) {
    throw new ControlError("InvalidArgument", "resources: name at least one");
  }
  if (actions.length * resources.length > ASKED_MAX) {
    const message = `ask for at most ${ASKED_MAX} pairs of an action and a resource`;
    throw new ControlError("InvalidArgument", message);
  }
  const unknown = actions.find((action) => !ACTIONS.has(action));
  if (unknown !== undefined) {
    const message = `actions: "${unknown}" is no action.${didYouMean(unknown, ACTIONS.keys())}`;
    throw new ControlError("InvalidArgument", message);
  }
  const bad = resources.find((resource) => !RESOURCE.test(resource));
  if (bad !== undefined) {
    const message = `resources: "${bad}" is none. Write "*", "my-bucket" or "my-bucket/key".`;
    throw new ControlError("InvalidArgument", message);
  }
  return actions.flatMap((action) => resources.map((resource) => ({ action, resource })));
}
