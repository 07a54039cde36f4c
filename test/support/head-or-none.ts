import type { ObjectInfo } from "#object/attributes.ts";
import type { Engine, ObjectName } from "#object/engine.ts";

/** Whatever keeps it from being told, it is none. */
export async function headOrNone(
  engine: Engine,
  name: ObjectName,
): Promise<ObjectInfo | undefined> {
  try {
    return await engine.head(name);
  } catch {
    return undefined;
  }
}
