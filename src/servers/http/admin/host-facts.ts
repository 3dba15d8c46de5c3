import type { HostFacts } from '../../../flow/doctor/facts.ts';
import type { ServerFacts } from '../facts.ts';

/** What the server knows of itself, as records and checks want it. */
export function hostFacts(facts: ServerFacts): HostFacts {
  const { hostname } = facts;
  const keys = facts
    .certificates()
    .flatMap(({ names, keySha256 }) =>
      keySha256 !== undefined && names.includes(hostname) ? [keySha256] : [],
    );
  return {
    hostname,
    addresses: facts.publicAddresses(),
    adminAddress: facts.adminAddress(),
    listeners: facts.listeners().map(({ name, address, port }) => ({ service: name, address, port })),
    dataDirectory: facts.dataDirectory,
    tlsKeys: [...new Set(keys)],
    relayed: facts.relayed?.() === true,
  };
}
