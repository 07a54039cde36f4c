/** What the naive evaluator is asked, in raw JSON. */
export type Json = { readonly [name: string]: unknown };

export interface NaivePrincipal {
  readonly kind: "user" | "role" | "service" | "anonymous";
  readonly organizationId: string | undefined;
  readonly name: string;
  readonly groups: readonly string[];
}

export interface NaiveQuestion {
  readonly principal: NaivePrincipal;
  readonly action: string;
  readonly resource: string;
  readonly context: Readonly<Record<string, readonly string[]>>;
  /** Policies of the principal's organization; undefined when there are none. */
  readonly organization: readonly Json[] | undefined;
  readonly bucket: NaiveBucket | undefined;
}

export interface NaiveBucket {
  readonly ownerId: string;
  readonly owner: readonly Json[] | undefined;
  readonly policy: Json | undefined;
  readonly restrictPublic: boolean;
}

export function list(value: unknown): string[] {
  return (Array.isArray(value) ? value : [value]) as string[];
}
