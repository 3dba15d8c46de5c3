import type { CliCommand } from './command.ts';
import { appPasswordCommands, secondFactorCommands, sessionCommands } from './commands/access.ts';
import { accountCommands } from './commands/account.ts';
import { alertCommands } from './commands/alert.ts';
import { aliasCommands } from './commands/alias.ts';
import { backupCommands } from './commands/backup.ts';
import { banCommands } from './commands/ban.ts';
import { certificateCommands } from './commands/certificate.ts';
import { checkCommands } from './commands/check.ts';
import { checkMessageCommands } from './commands/check-message.ts';
import { dkimCommands } from './commands/dkim.ts';
import { doctorCommands } from './commands/doctor.ts';
import { dnsCommands } from './commands/dns.ts';
import { domainCommands } from './commands/domain.ts';
import { exportCommands } from './commands/export.ts';
import { filterCommands } from './commands/filter.ts';
import { groupCommands } from './commands/group.ts';
import { holdCommands } from './commands/hold.ts';
import { inviteCommands } from './commands/invite.ts';
import { secretCommands } from './commands/secret.ts';
import { searchCommands } from './commands/search.ts';
import { housekeepingCommands } from './commands/housekeeping.ts';
import { importCommands } from './commands/import.ts';
import { intakeCommands } from './commands/intake.ts';
import { journalCommands } from './commands/journal.ts';
import { lookupCommands } from './commands/lookup.ts';
import { mailboxCommands, sharedCommands } from './commands/mailbox.ts';
import { maskedCommands, snoozeCommands } from './commands/masked.ts';
import { overviewCommands } from './commands/overview.ts';
import { queueCommands } from './commands/queue.ts';
import { reportCommands } from './commands/report.ts';
import { routeCommands } from './commands/route.ts';
import { sesCommands } from './commands/ses.ts';
import { sesSetUpCommands } from './commands/ses-setup.ts';
import { setupCommands } from './commands/setup.ts';
import { sieveCommands } from './commands/sieve.ts';
import { spamCommands } from './commands/spam.ts';
import { statusCommands } from './commands/status.ts';
import { suppressionCommands } from './commands/suppression.ts';
import { traceCommands } from './commands/trace.ts';
import { transportCommands } from './commands/transport.ts';
import { undeleteCommands } from './commands/undelete.ts';
import { userCommands } from './commands/user.ts';
import { forwardCommands, vacationCommands } from './commands/vacation.ts';
import { vaultCommands } from './commands/vault.ts';

/** Every command that talks to a running server; the help and docs/reference/cli.md are made from this table. */
export const commandTable: readonly CliCommand[] = [
  // Before those whose words begin theirs: "audit undo" before "audit".
  ...overviewCommands,
  ...statusCommands,
  ...setupCommands,
  ...domainCommands,
  ...doctorCommands,
  ...accountCommands,
  ...appPasswordCommands,
  ...sessionCommands,
  ...secondFactorCommands,
  ...undeleteCommands,
  ...mailboxCommands,
  ...sharedCommands,
  ...aliasCommands,
  ...groupCommands,
  ...inviteCommands,
  ...maskedCommands,
  ...snoozeCommands,
  ...dkimCommands,
  ...dnsCommands,
  ...certificateCommands,
  ...lookupCommands,
  ...importCommands,
  ...userCommands,
  ...exportCommands,
  ...queueCommands,
  ...intakeCommands,
  ...routeCommands,
  ...transportCommands,
  ...sesCommands,
  ...sesSetUpCommands,
  ...suppressionCommands,
  ...secretCommands,
  ...holdCommands,
  ...banCommands,
  ...backupCommands,
  ...housekeepingCommands,
  ...searchCommands,
  ...alertCommands,
  ...filterCommands,
  ...sieveCommands,
  ...vacationCommands,
  ...forwardCommands,
  ...vaultCommands,
  ...spamCommands,
  ...traceCommands,
  ...journalCommands,
  ...reportCommands,
  ...checkCommands,
  ...checkMessageCommands,
];

/** Options that every command takes. */
export const COMMON_OPTIONS: CliCommand['options'] = {
  data: {
    value: 'DIR',
    help: "data directory of the server (else POSTERN_DATA, ./.postern, or the system's)",
  },
  json: { help: 'print JSON, for programs' },
  help: { help: 'this help' },
};
