import assert from "node:assert/strict";
import { createServer, type Server } from "node:net";
import { test } from "node:test";
import { addressKind } from "#federation/address-kind.ts";
import { fetchJson } from "#federation/fetch-json.ts";
import { startIssuer } from "#test/federation/issuer.ts";

const KINDS = {
  public: [
    ...["1.1.1.1", "9.255.255.255", "11.0.0.0", "172.15.255.255", "172.32.0.0", "192.167.255.255"],
    ...["100.63.255.255", "100.128.0.0", "2606:4700::1111", "2a00:1450:4001::200e"],
    ...["::ffff:1.1.1.1", "::ffff:101:101", "64:ff9b::1.1.1.1", "64:ff9b::101:101"],
  ],
  private: [
    ...["10.0.0.1", "127.0.0.1", "127.255.255.254", "172.16.0.1", "172.31.255.255", "192.168.1.1"],
    ...["100.64.0.1", "100.100.100.200", "::1", "0:0:0:0:0:0:0:1", "fd00:ec2::254", "fc00::1"],
    ...[
      "::ffff:127.0.0.1",
      "::ffff:7f00:1",
      "64:ff9b::10.0.0.1",
      "64:ff9b::a00:1",
      "64:ff9b::7f00:1",
    ],
  ],
  never: [
    ...["0.0.0.0", "0.1.2.3", "169.254.169.254", "169.254.170.2", "192.0.0.192", "224.0.0.1"],
    ...["255.255.255.255", "240.0.0.1", "198.18.0.1", "::", "fe80::1", "fe80::1%eth0", "ff02::1"],
    ...["2001:db8::1", "2002:7f00:1::", "2001::1", "::ffff:169.254.169.254", "::ffff:0:0"],
    ...["64:ff9b::169.254.169.254", "64:ff9b::", "64:ff9b:1::1", "::127.0.0.1", "4000::1"],
    ...["localhost", "", "1.1.1", "0x7f.1", "2130706433", "1.1.1.1.", "01.1.1.1"],
  ],
} as const;
for (const [kind, addresses] of Object.entries(KINDS)) {
  test(`addresses that are ${kind} are known as such`, () => {
    for (const address of addresses) assert.equal(addressKind(address), kind, address);
  });
}

for (const host of ["127.0.0.1", "localhost", "[::1]", "0.0.0.0", "[::]", "127.1", "2130706433"]) {
  test(`nothing at ${host} is asked without leave, not even whether it is there`, async (t) => {
    const { server, connections } = await listening();
    t.after(() => server.close());
    const { port } = server.address() as { port: number };

    const url = new URL(`http://${host}:${port}/`);
    await assert.rejects(fetchJson({ url, privateNetwork: false }), /not one to connect to/);
    assert.equal(connections(), 0);
  });
}

test("a name is resolved, and what is there is asked, with leave", async (t) => {
  const issuer = await startIssuer(t);
  const url = new URL(`${issuer.issuerUrl.replace("127.0.0.1", "localhost")}/keys`);

  assert.deepEqual(await fetchJson({ url, privateNetwork: true }), issuer.jwks());
});

test("a name that there is not is an error, and no crash", async () => {
  const url = new URL("https://no-such-host.invalid/");

  await assert.rejects(fetchJson({ url, privateNetwork: true }), { syscall: "getaddrinfo" });
});

test("an answer that comes drop by drop is given up", async (t) => {
  const issuer = await startIssuer(t);
  issuer.answer = (_path, reply) => {
    reply.write("{");
  };
  const url = new URL(issuer.issuerUrl);

  const drip = fetchJson({ url, privateNetwork: true, timeoutMs: 50 });
  await assert.rejects(drip, /no whole answer within 50 milliseconds/);
});

async function listening(): Promise<{ server: Server; connections: () => number }> {
  let count = 0;
  const server = createServer((socket) => {
    count += 1;
    socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, "::", resolve));
  return { server, connections: () => count };
}
