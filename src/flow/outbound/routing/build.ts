import type { BuildTransport } from './ways.ts';

/** From the settings of a transport to the transport. */
export const buildTransport: BuildTransport = () => undefined;
