import assert from 'node:assert/strict';
import { test } from 'node:test';
import { backupSettingsSchema } from '../../data/backup/settings.ts';
import { acmeSettingsSchema } from '../../data/certificates/settings.ts';
import { journalSettingsSchema } from '../../data/journal/privacy.ts';
import { alertSettingsSchema } from '../../flow/alerts/settings.ts';
import { doctorSettingsSchema } from '../../flow/doctor/settings.ts';
import { housekeepingSettingsSchema } from '../../flow/housekeeping/settings.ts';
import { filterSettingsSchema } from '../../flow/spam/settings.ts';
import { flatten } from '../../../web/src/admin/setting-values.ts';
import about from '../../../web/src/text/en/settingsAbout.ts';
import { adminSettingsSchema } from './admin/admin-settings.ts';

/** Every setting that the administration pages show is told of there, and no other. */

const SETTINGS = {
  admin: adminSettingsSchema,
  alerts: alertSettingsSchema,
  housekeeping: housekeepingSettingsSchema,
  journal: journalSettingsSchema,
  doctor: doctorSettingsSchema,
  backup: backupSettingsSchema,
  filter: filterSettingsSchema,
  certificates: acmeSettingsSchema,
};

test('every setting of the administration has words, and all words are those of a setting', () => {
  const names = Object.entries(SETTINGS).flatMap(([area, schema]) =>
    flatten(schema.parse({}) as Parameters<typeof flatten>[0]).map(([name]) => `${area}.${name}`),
  );
  assert.deepEqual(Object.keys(about).toSorted(), names.toSorted());
});
