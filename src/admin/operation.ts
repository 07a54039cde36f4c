import type { z } from "zod";
import type { Caller } from "#admin/caller.ts";
import type { Asked, Judge } from "#admin/judge.ts";
import type { Clock } from "#base/clock.ts";
import type { Catalog } from "#catalog/catalog.ts";
import type { Identities } from "#catalog/identities.ts";

/** What operations stand on, whoever calls. */
export interface Foundation extends Identities {
  readonly catalog: Catalog;
  readonly clock: Clock;
}

/** What an operation may touch. Whatever is not here, it cannot reach. */
export interface Services extends Foundation {
  readonly judge: Judge;
  readonly caller: Caller;
  /** The organization that the call is about: the caller's own, or the one the operator names. */
  readonly organizationId: string;
  readonly request: RequestView;
}

/** What an operation may know of its request besides the input. */
export interface RequestView {
  /** The header, as it was sent. */
  readonly authorization: string | undefined;
  /** The whole body. */
  readonly text: string;
}

/** Something a caller must be allowed. */
export type Grant = Pick<Asked, "action" | "resource">;
type Grants<Input> = (input: Input) => readonly [Grant, ...Grant[]];

/**
 * Who may ask. "nothing": anybody, the operation finds out itself who asks; "token": whoever has a
 * valid token; "operator": the operator alone; an action of the control plane, or what a function of
 * the input names: whom the policies allow it. The operator may do everything.
 */
export type Needs<Input> = "nothing" | "token" | "operator" | `cwobject:${string}` | Grants<Input>;

/** One operation of the control API. The pipeline in handle.ts runs it. */
export interface OperationSpec<Input extends z.ZodType, Output extends z.ZodType> {
  /** Also its name in logs, metrics and audit records. */
  readonly name: string;
  /** One line for whoever reads the reference. */
  readonly summary: string;
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** What stands in braces is a field of the input. */
  readonly path: `/v1/${string}`;
  readonly needs: Needs<z.output<Input>>;
  /** Of the path, the query and the body together. */
  readonly input: Input;
  /** As it goes out. */
  readonly output: Output;
  readonly run: (
    services: Services,
    input: NoInfer<z.output<Input>>,
  ) => Promise<NoInfer<z.input<Output>>>;
}

/** A specification with its types closed over, so that all operations fit one table. */
export interface Operation
  extends Pick<
    OperationSpec<z.ZodType, z.ZodType>,
    "name" | "summary" | "method" | "path" | "input" | "output"
  > {
  /** "grants": they follow from the input. */
  readonly needs: Exclude<Needs<never>, Grants<never>> | "grants";
  readonly call: (input: unknown) => Call;
}

export interface Call {
  /** Empty when a token, or none, is enough. */
  readonly grants: readonly Grant[];
  readonly run: (services: Services) => Promise<unknown>;
}

export function operation<Input extends z.ZodType, Output extends z.ZodType>(
  spec: OperationSpec<Input, Output>,
): Operation {
  const { needs, run, ...shown } = spec;
  return {
    ...shown,
    needs: typeof needs === "function" ? "grants" : needs,
    call: (parsed) => {
      // handle.ts gives what `input` has read.
      const input = parsed as z.output<Input>;
      return { grants: grantsOf(needs, input), run: async (services) => await run(services, input) };
    },
  };
}

function grantsOf<Input>(needs: Needs<Input>, input: Input): readonly Grant[] {
  if (typeof needs === "function") return needs(input);
  if (needs === "nothing" || needs === "token" || needs === "operator") return [];
  return [{ action: needs, resource: "*" }];
}
