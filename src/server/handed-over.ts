import type { Worker } from "node:cluster";

interface Handle {
  readonly close: () => void;
}

/** Of the messages that node:cluster sends: a connection for a worker, and the worker's word on it. */
interface Message {
  readonly act?: string;
  readonly seq?: number;
  readonly ack?: number;
}

/**
 * Closes what a worker was handed and had not taken when it died. node:cluster forgets such a
 * connection, and its client would wait for an answer for ever.
 *
 * Observed: 2026-11-21, Node 24.21. It reaches into the messages of node:cluster, which offers no
 * other way; should their form change, this does nothing.
 */
export function closeHandedOver(worker: Worker): void {
  const handed = new Map<number, Handle>();
  const child = worker.process;
  const send: (...args: unknown[]) => boolean = child.send.bind(child) as never;
  child.send = (...args: unknown[]): boolean => {
    const [message, handle] = args as [Message | undefined, Handle | undefined];
    if (message?.act === "newconn" && message.seq !== undefined && handle !== undefined) {
      handed.set(message.seq, handle);
    }
    return send(...args);
  };
  child.on("internalMessage", ({ ack }: Message) => {
    if (ack !== undefined) handed.delete(ack);
  });
  worker.once("exit", () => {
    for (const handle of handed.values()) handle.close();
  });
}
