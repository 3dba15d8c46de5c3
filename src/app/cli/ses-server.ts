import { type SesRegion, sesRegions } from '../../flow/ses-setup/places.ts';
import { operations } from '../../servers/http/admin/operations.ts';
import type { AdminClient } from './client.ts';

/** What the settings of a running server say of SES. */
export interface ServerPlaces {
  readonly domains: readonly string[];
  readonly host: string;
  readonly regions: readonly SesRegion[];
}

/** @throws Refusal when no server answers */
export async function serverPlaces(admin: AdminClient): Promise<ServerPlaces> {
  const [{ domains }, { hostname }, routing, intake] = await Promise.all([
    admin.call(operations.domains.list, {}),
    admin.call(operations.status.get, {}),
    admin.call(operations.routing.show, {}),
    admin.call(operations.intake.show, {}),
  ]);
  return {
    domains: domains.map(({ name }) => name),
    host: hostname,
    regions: sesRegions(routing.settings, intake.settings),
  };
}
