/** Baseline: node:http that answers the same bytes and headers to everything, verifying nothing. */
import { payload } from "../client/payload.ts";
import { baselineOptions } from "./options.ts";
import { serve } from "./serve.ts";

const { workers, headers, sizeBytes } = baselineOptions();
const body = payload(sizeBytes);

serve(workers, (_request, response) => {
  response.writeHead(200, { ...headers, "content-length": body.length }).end(body);
});
