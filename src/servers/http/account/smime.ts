import { X509Certificate } from 'node:crypto';
import { getCACertificates } from 'node:tls';
import { z } from 'zod';
import { Refusal } from '../../../base/errors.ts';
import { operation } from './operation.ts';

/** Authorities that stand behind certificates of S/MIME: those that this server trusts for its own connections. */

/** Certificates of one signature, and octets of one. */
const MOST = 12;
const CERTIFICATE_BYTES = 16 * 1024;

/** By the name they have; several may have the same. Read once: that takes a while. */
let roots: Promise<ReadonlyMap<string, readonly X509Certificate[]>> | undefined;

async function readRoots(): Promise<ReadonlyMap<string, readonly X509Certificate[]>> {
  const found = new Map<string, X509Certificate[]>();
  // Those that come with Node and those that the machine's owner has added (NODE_EXTRA_CA_CERTS), often the same.
  for (const pem of new Set(getCACertificates('default').map((each) => each.trim()))) {
    const root = new X509Certificate(pem);
    const same = found.get(root.subject);
    if (same === undefined) found.set(root.subject, [root]);
    else if (same.every(({ fingerprint256 }) => fingerprint256 !== root.fingerprint256)) same.push(root);
    await new Promise(setImmediate);
  }
  return found;
}

const authorities = operation({
  method: 'POST',
  path: '/smime/authorities',
  summary: 'Authorities known to this server that have issued one of some certificates (DER, base64)',
  access: 'mail',
  input: z.strictObject({
    certificates: z
      .array(
        z
          .base64()
          .min(4)
          .max(Math.ceil(CERTIFICATE_BYTES / 3) * 4),
      )
      .min(1)
      .max(MOST),
  }),
  output: z.object({ authorities: z.array(z.string()) }),
  async run({ paces }, { certificates }, { accountId }) {
    return paces.authorities.within(accountId, async () => {
      roots ??= readRoots();
      const known = await roots;
      const found = new Set<X509Certificate>();
      for (const text of certificates) {
        const certificate = parse(Buffer.from(text, 'base64'));
        for (const root of known.get(certificate.issuer) ?? [])
          if (certificate.checkIssued(root) && certificate.verify(root.publicKey)) found.add(root);
        await new Promise(setImmediate);
      }
      return { authorities: [...found].slice(0, MOST).map(({ raw }) => raw.toString('base64')) };
    });
  },
});

function parse(der: Buffer): X509Certificate {
  try {
    return new X509Certificate(der);
  } catch {
    throw new Refusal('bad-input', 'That is no certificate.');
  }
}

export const smime = { authorities };
