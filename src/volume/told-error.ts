import { invalidArgument, S3Error, StorageError } from "#base/error.ts";
import { guarded, systemCode } from "#blob/system-error.ts";

/** Runs an operation, and tells what the file system refuses as S3 does. */
export async function told<T>(key: string, work: () => Promise<T>): Promise<T> {
  try {
    return await guarded(async () => {
      try {
        return await work();
      } catch (error) {
        throw refusalOf(error, key) ?? error;
      }
    });
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    if (error.kind === "full") throw new S3Error("InsufficientStorage", {}, { cause: error });
    if (error.kind !== "conflict") throw error;
    const message = "The file was written to, by another program, while it was read. Try again.";
    throw new S3Error("OperationAborted", {}, { message, cause: error });
  }
}

function refusalOf(cause: unknown, key: string): S3Error | undefined {
  switch (systemCode(cause)) {
    case "EACCES":
    case "EPERM":
    case "EROFS":
      return new S3Error(
        "AccessDenied",
        {},
        { message: "The file system of the volume refuses it to the server.", cause },
      );
    case "ENAMETOOLONG":
      return new S3Error(
        "KeyTooLongError",
        { Size: String(Buffer.byteLength(key)), MaxSizeAllowed: "as the file system has it" },
        { message: "The file system of the volume takes no name as long as this.", cause },
      );
    case "EILSEQ":
    case "EINVAL":
      return invalidArgument("Key", key, "The file system of the volume takes no such name.");
    case "EFBIG":
      return new S3Error("EntityTooLarge", {}, { cause });
    case "EXDEV":
      return invalidArgument(
        "Key",
        key,
        "The key lies on another file system, mounted in the volume: it can be read only.",
      );
    case "ENOENT":
    case "ENOTDIR":
    case "EISDIR":
    case "ESTALE":
      return new S3Error(
        "OperationAborted",
        {},
        { message: "The directory changed, by another program, at this moment. Try again.", cause },
      );
    default:
      return undefined;
  }
}
