/** For tests: what the modules look at when they are loaded, and a server that `answer` speaks for, one method call at a time. */
export function fakePage(answer: (name: string, args: Record<string, unknown>) => object): { end(): void } {
  const fakes: Record<string, unknown> = {
    localStorage: { getItem: () => null, setItem() {}, removeItem() {} },
    document: { documentElement: {}, addEventListener() {} },
    location: { pathname: '/mail', search: '', hash: '' },
    addEventListener() {},
    fetch: (_url: string, { body }: { body: string }) => {
      const { methodCalls } = JSON.parse(body) as {
        methodCalls: [string, Record<string, unknown>, string][];
      };
      const methodResponses = methodCalls.map(([name, args, id]) => [name, answer(name, args), id]);
      return Promise.resolve(Response.json({ methodResponses, sessionState: 's' }));
    },
  };
  const real = Object.keys(fakes).map(
    (name) => [name, Object.getOwnPropertyDescriptor(globalThis, name)] as const,
  );
  for (const [name, value] of Object.entries(fakes))
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  return {
    end() {
      for (const [name, before] of real) {
        if (before === undefined) Reflect.deleteProperty(globalThis, name);
        else Object.defineProperty(globalThis, name, before);
      }
    },
  };
}
