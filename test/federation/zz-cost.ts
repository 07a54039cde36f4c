import { readSamlDocument } from "#federation/saml-document.ts";
import { verifiedAssertion } from "#federation/saml-library.ts";
import { makeProvider, responseXml, encoded, AUDIENCE, ACS_URL, ENTITY_ID } from "#test/federation/saml-provider.ts";
const idp = makeProvider();
const conf = { certificates: [1,2,3,4].map(()=>makeProvider().certificate).concat(idp.certificate), audience: AUDIENCE, acsUrl: ACS_URL, idpEntityId: ENTITY_ID } as never;
const attrs = Array.from({length: 900}, (_, i)=>`<b xmlns:n${i}="urn:${i}" n${i}:x="${'y'.repeat(60)}"/>`).join("");
const nested = Array.from({length: 24}, (_, i)=>`<b xmlns:n${i}="urn:${i}" n${i}:x="1">`).join("") + Array.from({length: 900}, ()=>`<c/>`).join("")+ "</b>".repeat(24);
for (const [name, attributes] of Object.entries({plain: undefined, attrs, nested})) {
  const xml = idp.sign(responseXml(attributes === undefined ? {} : { attributes }), "Assertion");
  for (const tampered of [false, true]) {
    const x = tampered ? xml.replace("reader@", "x@").replace("ada@", "bob@") : xml;
    for (let i = 0; i < 3; i++) {
      const t = performance.now();
      try { const d = readSamlDocument(encoded(x)); await verifiedAssertion(d, conf); } catch (e) { if (i===0) console.log(String(e).slice(0,120)); }
      if (i === 2) console.log(name, tampered, x.length, (performance.now() - t).toFixed(1), "ms");
    }
  }
}
