import { whoAmI } from "#admin/op/whoami.ts";
import type { Operation } from "#admin/operation.ts";

/**
 * The control API, all of it. Routing, the OpenAPI document, docs/control-api.md and the test that
 * every operation refuses strangers are read off this table.
 */
export const OPERATIONS: readonly Operation[] = [whoAmI];
