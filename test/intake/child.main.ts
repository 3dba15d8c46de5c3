/** A server of its own process on the data directory that is given, to be killed at any moment. Prints "ready". */
import { type IntakeSettingsInput } from '../../src/flow/ses-inbound/settings.ts';
import { startTestServer, testActor } from '../support/server.ts';

const [directory = '', json = ''] = process.argv.slice(2);
const settings = JSON.parse(json) as IntakeSettingsInput;
const server = await startTestServer({ directory, certificate: false });
if ((await server.store.read.run('intake.settings', null)) === undefined) {
  await server.store.write.run('intake.saveSettings', { actor: testActor, json: JSON.stringify(settings) });
  await server.intake.changed();
}
process.stdout.write('ready\n');
