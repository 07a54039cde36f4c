/** The driver process: makes load on request, apart from the process that measures the server. */
import type { Order, Report } from "./job.ts";
import { Load } from "./load.ts";

let load: Load | undefined;

process.on("message", (order: Order) => {
  obey(order).then(tell, (error: unknown) => {
    tell({ kind: "failed", message: error instanceof Error ? error.message : String(error) });
  });
});
process.on("disconnect", () => process.exit(0));

async function obey(order: Order): Promise<Report> {
  if (order.kind === "prepare") {
    load = new Load(order.job);
    await load.open();
    return { kind: "ready" };
  }
  if (load === undefined) throw new Error("a driver was started before it was prepared");
  const result = await load.run();
  load = undefined;
  return { kind: "done", result };
}

function tell(report: Report): void {
  process.send?.(report);
}
