/** A host and its port. User information is refused, as it misleads. */
const AUTHORITY = /^[\w.~:[\]%!$&'()*+,;=-]+$/;
const ABSOLUTE = /^https?:\/\/([^/?#]*)(?:[/?]|$)/i;

/**
 * Whether a target of visible characters is one that the method can have: a path with its query, `*`, the absolute
 * form that proxies send, or for CONNECT a host and its port.
 *
 * Spec: https://www.rfc-editor.org/rfc/rfc9112#section-3.2
 */
export function isTarget(target: string, method: string): boolean {
  if (method === "CONNECT") return AUTHORITY.test(target);
  if (target.startsWith("/")) return true;
  if (target === "*") return true;
  const [, authority = ""] = ABSOLUTE.exec(target) ?? [];
  return AUTHORITY.test(authority);
}
