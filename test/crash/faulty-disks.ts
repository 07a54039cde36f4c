import type { Disk } from "#blob/disk.ts";

/** Disks that break a promise each, so that it can be shown that somebody notices. */
export const FAULTY_DISKS: Readonly<Record<string, (disk: Disk) => Disk>> = {
  "does not sync files": (disk) => ({ ...disk, syncFile: async () => {} }),
  "does not sync directories": (disk) => ({ ...disk, syncDirectory: async () => {} }),
  "says that a directory is synced before it is": (disk) => ({
    ...disk,
    syncDirectory: (directory) => early(disk.syncDirectory(directory)),
  }),
};

function early(doing: Promise<void>): Promise<void> {
  doing.catch(() => {}); // The file may be closed by then.
  return Promise.resolve();
}
