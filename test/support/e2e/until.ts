/** Waiting for conditions, never for durations. */
export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Asks again and again until `probe` gives something truthy; the last answer or error goes into the message. */
export async function until<T>(
  what: string,
  probe: () => T | Promise<T>,
  { timeout = 20_000, every = 50 }: { timeout?: number; every?: number } = {},
): Promise<Exclude<T, false | 0 | '' | null | undefined>> {
  const end = Date.now() + timeout;
  let last: unknown;
  for (;;) {
    try {
      const value = await probe();
      if (value) return value as Exclude<T, false | 0 | '' | null | undefined>;
      last = value;
    } catch (error) {
      last = error instanceof Error ? error.message : error;
    }
    if (Date.now() > end)
      throw new Error(`waited ${String(timeout)} ms in vain: ${what} (last: ${JSON.stringify(last)})`);
    await pause(every);
  }
}

/** The same, with a probe that answers what is still missing, or null once nothing is. */
export async function settled(
  what: string,
  missing: () => string | null | Promise<string | null>,
  options: { timeout?: number; every?: number } = {},
): Promise<void> {
  let last: string | null = null;
  try {
    await until(
      what,
      async () => {
        last = await missing();
        return last === null;
      },
      options,
    );
  } catch (error) {
    throw new Error(`${what}: ${last ?? 'the probe failed'}`, { cause: error });
  }
}
