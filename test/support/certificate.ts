import { connect } from 'node:tls';

/** The certificate that a server with TLS from the first byte shows, as PEM: for programs that must be told to trust it. */
export function shownCertificate(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
    socket.once('error', reject);
    socket.once('secureConnect', () => {
      const base64 = socket.getPeerCertificate().raw.toString('base64');
      socket.end();
      const lines = base64.match(/.{1,64}/g) ?? [];
      resolve(['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n'));
    });
  });
}
