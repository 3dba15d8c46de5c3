import {
  auditActions,
  auditFacts,
  auditSubjects,
  auditWhy,
} from '../../../../src/servers/http/audit-texts.ts';

/** The server's own words. */
export default { ...auditWhy, ...auditActions, ...auditSubjects, ...auditFacts };
