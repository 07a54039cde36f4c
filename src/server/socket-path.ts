import { connect } from "node:net";

/** Of the path of a UNIX socket: systems allow 104 or 108, with a zero at the end. */
export const SOCKET_PATH_BYTES_MAX = 100;

/** Of connect(2): nobody listens. */
const NOBODY = new Set(["ENOENT", "ECONNREFUSED"]);

/** Whether nobody listens there: what stands there was left by who was killed. In doubt somebody does. */
export async function isForsaken(path: string): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect(path);
    socket.once("connect", () => {
      resolve(false);
      socket.destroy();
    });
    socket.once("error", ({ code = "" }: NodeJS.ErrnoException) => resolve(NOBODY.has(code)));
  });
}
