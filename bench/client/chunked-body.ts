const NEWLINE = 0x0a;

/** Takes the chunk frames off a body sent with `transfer-encoding: chunked`. */
export class ChunkedBody {
  #remainingBytes = 0;
  #line = "";
  #inTrailer = false;

  /** Hands the data of `bytes` to `take` and returns whether the body has ended. */
  push(bytes: Buffer, take: (data: Buffer) => void): boolean {
    let at = 0;
    while (at < bytes.length) {
      if (this.#remainingBytes > 0) {
        const data = bytes.subarray(at, at + this.#remainingBytes);
        take(data);
        this.#remainingBytes -= data.length;
        at += data.length;
        continue;
      }
      const end = bytes.indexOf(NEWLINE, at);
      this.#line += bytes.toString("latin1", at, end < 0 ? bytes.length : end);
      if (end < 0) return false;
      at = end + 1;
      if (this.#readLine()) return true;
    }
    return false;
  }

  /** The line break after each chunk's data reads as an empty line here. */
  #readLine(): boolean {
    const line = this.#line.trimEnd();
    this.#line = "";
    if (this.#inTrailer) return line === "";
    if (line === "") return false;
    this.#remainingBytes = Number.parseInt(line, 16);
    this.#inTrailer = this.#remainingBytes === 0;
    return false;
  }
}
