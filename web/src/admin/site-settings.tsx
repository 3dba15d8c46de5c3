import { texts } from '../base/i18n.ts';
import { SettingsTable } from './settings-table.tsx';

/** Every setting that is kept in the database and has no page of its own. */
export function SiteSettings() {
  const t = texts('admin');
  return (
    <>
      <p class="soft">{t('siteSettingsAbout')}</p>
      <SettingsTable label={t('administrators')} area="admin" path="/settings/admin" />
      <SettingsTable label={t('alerts')} area="alerts" path="/alerts/settings" />
      <SettingsTable label={t('housekeeping')} area="housekeeping" path="/housekeeping/settings" />
      <SettingsTable label={t('journal')} area="journal" path="/journal/settings" />
      <SettingsTable label={t('doctor')} area="doctor" path="/doctor/settings" />
    </>
  );
}
