import { digestOf } from "#base/checksum.ts";
import type { Extents } from "#check/extents.ts";
import type { Found } from "#check/problem.ts";
import { manifestIn, type Version, whereOf } from "#check/walk.ts";
import type { MetaView } from "#meta/store.ts";
import type { Extent } from "#versioned/record.ts";
import { sealedSize } from "#versioned/sealed-chunks.ts";

interface RecordRun {
  readonly view: MetaView;
  readonly found: Pick<Found, "problem">;
  /** Inline bytes are compared with their MD5. */
  readonly checksums: boolean;
}

interface Run extends RecordRun {
  readonly extents: Extents;
}

/** Holds what a version says of its bytes against what is there of them. */
export async function checkContent(run: Run, version: Version): Promise<void> {
  const runs = await checkRecord(run, version);
  const { content } = version.record;
  if (content.kind === "inline") return;
  await run.extents.check(runs, { where: whereOf(version), contentId: content.id });
}

/**
 * As checkContent, but for the blobs: what stands in the metadata alone, inline bytes among it. Resolves to the
 * extents that it names.
 */
export async function checkRecord(run: RecordRun, version: Version): Promise<readonly Extent[]> {
  const { record } = version;
  const { content } = record;
  if (record.deleteMarker) return [];
  if (content.kind === "inline") {
    await checkInline(run, version, content.seal !== undefined);
    return [];
  }
  const runs = content.kind === "extents" ? content.extents : await manifestExtents(run, version);
  if (runs === undefined) return [];
  await requireSize(run, { where: whereOf(version), came: total(runs), due: record.sizeBytes });
  return runs;
}

async function checkInline(run: RecordRun, version: Version, isSealed: boolean): Promise<void> {
  const { record, inline } = version;
  const where = whereOf(version);
  const due = isSealed ? sealedSize(record.sizeBytes) : record.sizeBytes;
  await requireSize(run, { where, came: inline.length, due });
  // Else the ETag is not the MD5 of the bytes that stand here.
  const isMd5 = record.partsCount === 0 && record.encryption === undefined;
  if (!run.checksums || !isMd5 || inline.length !== due) return;
  if (digestOf("MD5", inline).toString("hex") === record.md5) return;
  await run.found.problem({ kind: "inline-damaged", where });
}

/** undefined when there are none to look at. */
async function manifestExtents(
  { view, found }: RecordRun,
  version: Version,
): Promise<readonly Extent[] | undefined> {
  const { content, partsCount } = version.record;
  const where = whereOf(version);
  const manifest = content.kind === "manifest" ? await manifestIn(view, content.id) : undefined;
  if (manifest === undefined) {
    await found.problem({ kind: "manifest-missing", where });
    return undefined;
  }
  if (!("value" in manifest)) {
    const said = `${where}, its manifest: ${manifest.unreadable}`;
    await found.problem({ kind: "unreadable-record", where: said });
    return undefined;
  }
  const { parts } = manifest.value;
  const isWhole = parts.every(({ sizeBytes, extents }) => sizeBytes === total(extents));
  if (parts.length !== partsCount || !isWhole) {
    await found.problem({ kind: "size-wrong", where: `${where}: its parts` });
  }
  return parts.flatMap(({ extents }) => extents);
}

async function requireSize(
  { found }: RecordRun,
  { where, came, due }: { readonly where: string; readonly came: number; readonly due: number },
): Promise<void> {
  if (came === due) return;
  await found.problem({ kind: "size-wrong", where: `${where}: ${came} bytes, and not ${due}` });
}

export function total(extents: readonly Extent[]): number {
  return extents.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}
