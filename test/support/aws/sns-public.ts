import type { Core, ServiceModule } from './internal.ts';
import { ServiceError } from './internal.ts';
import { prepareQuery, renderQueryError } from './query.ts';
import type { Sns } from './sns.ts';
import { snsService } from './sns-api.ts';
import type { SnsSigner } from './sns-sign.ts';

/** Operations that the links in a message may name. */
const LINKS = ['ConfirmSubscription', 'Unsubscribe'];

/** What SNS shows to anybody: its signing certificate, and the links to confirm and to end a subscription. */
export function publicSns(core: Core, sns: Sns, signer: SnsSigner): ServiceModule {
  const service = snsService(core, sns);
  return {
    prepare(request) {
      const action = request.query.get('Action') ?? '';
      if (LINKS.includes(action)) {
        const query = new URLSearchParams(request.query);
        query.set('Version', service.version);
        return prepareQuery(service, { ...request, query });
      }
      return {
        operation: 'GetSigningCertificate',
        resource: request.path.slice(1),
        run() {
          if (request.path !== `/${signer.fileName}`)
            throw new ServiceError(403, 'AccessDenied', 'Access Denied');
          return {
            status: 200,
            headers: { 'content-type': 'binary/octet-stream' },
            body: signer.certificatePem,
          };
        },
      };
    },
    renderError: (error, requestId) => renderQueryError(service, error, requestId),
  };
}
