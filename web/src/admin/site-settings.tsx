import { texts } from '../base/i18n.ts';
import { SettingsTable } from './settings-table.tsx';

/** Every setting that is kept in the database and has no page of its own. */
export function SiteSettings() {
  const t = texts('admin');
  return (
    <>
      <p class="soft">{t('siteSettingsAbout')}</p>
      <SettingsTable label={t('administrators')} path="/settings/admin" />
      <SettingsTable label={t('alerts')} path="/alerts/settings" />
      <SettingsTable label={t('housekeeping')} path="/housekeeping/settings" />
      <SettingsTable label={t('journal')} path="/journal/settings" />
      <SettingsTable label={t('doctor')} path="/doctor/settings" />
    </>
  );
}
