import { useCallback, useEffect, useRef, useState } from 'preact/hooks';

/** Something of the server: on its way, here, or not to be had. `data` stays while it is asked for again. */
export interface Remote<T> {
  readonly data: T | undefined;
  readonly error: Error | undefined;
  readonly loading: boolean;
  readonly reload: () => Promise<void>;
  /** Show this instead, until the next answer: a change that is being made. */
  readonly set: (data: T) => void;
}

/** Ask for something when the component is first drawn and whenever `inputs` change; late answers to old questions are dropped. */
export function useRemote<T>(
  ask: (signal: AbortSignal) => Promise<T>,
  inputs: readonly unknown[],
): Remote<T> {
  const [state, setState] = useState<Pick<Remote<T>, 'data' | 'error' | 'loading'>>({
    data: undefined,
    error: undefined,
    loading: true,
  });
  const running = useRef<AbortController | undefined>(undefined);
  const reload = useCallback(async () => {
    running.current?.abort();
    const controller = new AbortController();
    running.current = controller;
    setState((old) => ({ ...old, loading: true }));
    try {
      const data = await ask(controller.signal);
      if (!controller.signal.aborted) setState({ data, error: undefined, loading: false });
    } catch (error) {
      if (controller.signal.aborted) return;
      setState((old) => ({
        ...old,
        error: error instanceof Error ? error : new Error(String(error)),
        loading: false,
      }));
    }
  }, inputs);
  useEffect(() => {
    void reload();
    return () => running.current?.abort();
  }, inputs);
  const set = useCallback((data: T) => setState({ data, error: undefined, loading: false }), []);
  return { ...state, reload, set };
}
