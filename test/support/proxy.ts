import { connect, createServer, type AddressInfo } from 'node:net';

/** A proxy on this machine that tells the server a client's address of the test's choice (PROXY protocol, version 1). */
export interface ClientProxy extends AsyncDisposable {
  /** Connect here to be that client. */
  readonly port: number;
}

export async function proxyFor(serverPort: number, clientAddress: string): Promise<ClientProxy> {
  const family = clientAddress.includes(':') ? 'TCP6' : 'TCP4';
  const own = family === 'TCP6' ? '::1' : '127.0.0.1';
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    const upstream = connect({ port: serverPort, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    upstream.write(`PROXY ${family} ${clientAddress} ${own} 40000 ${serverPort}\r\n`);
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      from.pipe(to);
      from.on('error', () => to.destroy());
      from.on('close', () => to.end());
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
