import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  CHECKSUM_ALGORITHMS,
  type CrcAlgorithm,
  combineCrc,
  digestBytes,
  digestOf,
  hasher,
} from "#base/checksum.ts";

const ALGORITHMS = [...CHECKSUM_ALGORITHMS, "MD5"] as const;
const CRCS: readonly CrcAlgorithm[] = ["CRC32", "CRC32C", "CRC64NVME"];
const NINE_DIGITS = Buffer.from("123456789");

/** Spec: https://reveng.sourceforge.io/crc-catalogue/all.htm, RFC 1321, FIPS 180. */
const KNOWN = {
  CRC32: "cbf43926",
  CRC32C: "e3069283",
  CRC64NVME: "ae8b14860a799888",
  SHA1: "f7c3bc1d808e04732adf679965ccc34ca7ae3441",
  SHA256: "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225",
  MD5: "25f9e794323b453885f5181f1b624d0b",
};

for (const algorithm of ALGORITHMS) {
  test(`${algorithm} of 123456789 is the value of its catalogue`, () => {
    assert.equal(digestOf(algorithm, NINE_DIGITS).toString("hex"), KNOWN[algorithm]);
  });

  test(`${algorithm}: a digest has its stated length, of nothing too`, () => {
    assert.equal(hasher(algorithm).digest().length, digestBytes(algorithm));
    assert.deepEqual(hasher(algorithm).digest(), digestOf(algorithm, Buffer.alloc(0)));
  });
}

test("hashers side by side, some abandoned, each give what one alone would", () => {
  const step = fc.record({ who: fc.nat(5), chunk: fc.uint8Array({ maxLength: 40 }) });
  const algorithms = fc.array(fc.constantFrom(...ALGORITHMS), { minLength: 6, maxLength: 6 });
  fc.assert(
    fc.property(algorithms, fc.array(step), fc.nat(5), (chosen, steps, abandoned) => {
      const hashers = chosen.map((algorithm) => hasher(algorithm));
      for (const { who, chunk } of steps) hashers[who]?.update(chunk);

      for (const [who, algorithm] of chosen.entries()) {
        if (who === abandoned) continue;
        const bytes = Buffer.concat(steps.filter((s) => s.who === who).map((s) => s.chunk));
        assert.deepEqual(hashers[who]?.digest(), digestOf(algorithm, bytes));
      }
    }),
  );
});

test("CRC64NVME refuses to go on after its digest", () => {
  const ended = hasher("CRC64NVME");
  ended.digest();

  assert.throws(() => ended.update(NINE_DIGITS), { name: "Bug" });
});

for (const algorithm of CRCS) {
  test(`${algorithm}: values of two strings combine to that of both together`, () => {
    const bytes = fc.uint8Array({ maxLength: 3000 });
    fc.assert(
      fc.property(bytes, bytes, (a, b) => {
        const pair = {
          first: digestOf(algorithm, a),
          second: digestOf(algorithm, b),
          secondSizeBytes: b.length,
        };
        assert.deepEqual(combineCrc(algorithm, pair), digestOf(algorithm, Buffer.concat([a, b])));
      }),
    );
  });

  test(`${algorithm}: sizes past 32 bits combine as many smaller ones do`, () => {
    const gibibyte = zeros(algorithm, 30);

    let bySteps = digestOf(algorithm, NINE_DIGITS);
    for (let i = 0; i < 5; i += 1) {
      bySteps = combineCrc(algorithm, {
        first: bySteps,
        second: gibibyte,
        secondSizeBytes: 2 ** 30,
      });
    }
    const four = zeros(algorithm, 32);
    const five = combineCrc(algorithm, {
      first: four,
      second: gibibyte,
      secondSizeBytes: 2 ** 30,
    });
    const atOnce = combineCrc(algorithm, {
      first: digestOf(algorithm, NINE_DIGITS),
      second: five,
      secondSizeBytes: 5 * 2 ** 30,
    });

    assert.deepEqual(atOnce, bySteps);
  });
}

test("CRC32 of zeros agrees with a value computed over all of them", () => {
  const block = Buffer.alloc(2 ** 20);
  const direct = hasher("CRC32");
  for (let i = 0; i < 256; i += 1) direct.update(block);

  assert.deepEqual(zeros("CRC32", 28), direct.digest());
});

/** The CRC of 2^exponent zero bytes, by doubling. */
function zeros(algorithm: CrcAlgorithm, exponent: number): Buffer {
  let crc = digestOf(algorithm, Buffer.alloc(1));
  for (let k = 0; k < exponent; k += 1) {
    crc = combineCrc(algorithm, { first: crc, second: crc, secondSizeBytes: 2 ** k });
  }
  return crc;
}
