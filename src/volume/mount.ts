import { readFile } from "node:fs/promises";
import { absent } from "#blob/system-error.ts";

/** How the file system of a volume is mounted, as far as it matters to what a volume promises. */
export interface Mount {
  /** What others do is hidden by a cache, unless the server is asked. */
  readonly isShared: boolean;
  /** Sentences about what cannot be promised on it, and the mend. */
  readonly warnings: readonly string[];
}

const LOCAL: Mount = { isShared: false, warnings: [] };

/**
 * Spec: https://man7.org/linux/man-pages/man5/proc_pid_mountinfo.5.html,
 * https://man7.org/linux/man-pages/man5/nfs.5.html
 */
export async function mountOf(device: bigint): Promise<Mount> {
  const text = await readFile("/proc/self/mountinfo", "latin1").catch(absent);
  return text === undefined ? LOCAL : mountIn(text, device);
}

/** The last that was mounted of a device counts. */
export function mountIn(mountinfo: string, device: bigint): Mount {
  const number = deviceNumber(device);
  const line = mountinfo.split("\n").findLast((each) => each.split(" ")[2] === number);
  const [type = "", , options = ""] = line?.split(" - ")[1]?.split(" ") ?? [];
  if (type === "nfs" || type === "nfs4") return nfs(new Set(options.split(",")));
  return CACHED.test(type) ? { isShared: false, warnings: [cached(type)] } : LOCAL;
}

/** As `major:minor`. */
function deviceNumber(device: bigint): string {
  const major = ((device >> 8n) & 0xfffn) | ((device >> 32n) & 0xffff_f000n);
  const minor = (device & 0xffn) | ((device >> 12n) & 0xffff_ff00n);
  return `${major}:${minor}`;
}

/** What others do there is seen late, and nothing that a program does asks for it. */
const CACHED = /^(cifs|smb3|9p|afs|fuse(\..*)?)$/;

function cached(type: string): string {
  return `the file system of the volume is ${type}, which may show late what others wrote: serve it from one server only`;
}

function nfs(options: ReadonlySet<string>): Mount {
  const warnings: string[] = [];
  if (options.has("vers=3") || options.has("vers=2")) {
    warnings.push(
      "the volume is mounted by an NFS older than 4: an answer under way breaks off when another machine replaces its file, and two servers can miss each other's writes within a tick of the NFS server's clock. Mount it with vers=4.2",
    );
  }
  if (options.has("soft") || options.has("softerr")) {
    warnings.push(
      "the volume is mounted soft: writes fail, and may still happen, when the NFS server is slow. Mount it hard",
    );
  }
  if (options.has("nocto")) {
    warnings.push(
      "the volume is mounted with nocto: what another server wrote is seen late, also by conditions. Mount it without",
    );
  }
  return { isShared: true, warnings };
}
