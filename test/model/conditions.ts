import type { Conditions, WriteConditions } from "#object/conditions.ts";
import type { DeleteConditions } from "#object/engine.ts";
import { Refusal } from "#test/model/refusal.ts";
import type { Version } from "#test/model/version.ts";

/** Whether RFC 9110 (13.2.2) would answer the representation: times count in whole seconds. */
export function hold(asked: Conditions, { etag, modifiedMs }: Version): boolean {
  const second = modifiedMs - (modifiedMs % 1_000);
  const { ifMatch, ifNoneMatch, ifModifiedSinceMs, ifUnmodifiedSinceMs } = asked;
  if (ifMatch !== undefined) {
    if (!names(ifMatch, etag)) return false;
  } else if (ifUnmodifiedSinceMs !== undefined && second > ifUnmodifiedSinceMs) return false;
  if (ifNoneMatch !== undefined) return !names(ifNoneMatch, etag);
  return ifModifiedSinceMs === undefined || second > ifModifiedSinceMs;
}

export function requireSource(asked: Conditions, source: Version): void {
  if (!hold(asked, source)) throw new Refusal("PreconditionFailed");
}

/** If-Match asks for an object with that tag, If-None-Match for none; a delete marker is none. */
export function requireWrite(asked: WriteConditions, current: Version | undefined): void {
  if (asked.ifMatch !== undefined && current === undefined) throw new Refusal("NoSuchKey");
  if (current !== undefined && !hold(asked, current)) throw new Refusal("PreconditionFailed");
}

/** `newest` may be a delete marker, which only the time is held against. */
export function requireDelete(asked: DeleteConditions, newest: Version | undefined): void {
  if (asked.modifiedMs !== undefined && newest?.modifiedMs !== asked.modifiedMs) {
    throw new Refusal("PreconditionFailed");
  }
  const { ifMatch } = asked;
  if (ifMatch !== undefined) requireWrite({ ifMatch }, newest?.isMarker ? undefined : newest);
}

/** A destination that is missing fails the conditions that speak of one. */
export function requireDestination(asked: Conditions, current: Version | undefined): void {
  const missed = asked.ifMatch !== undefined || asked.ifModifiedSinceMs !== undefined;
  const held = current === undefined ? !missed : hold(asked, current);
  if (!held) throw new Refusal("PreconditionFailed");
}

function names(list: string, etag: string): boolean {
  if (list === "*") return true;
  return list.split(", ").some((each) => each === etag || each === `"${etag}"`);
}
