/**
 * WebCrypto, real, with the clock standing still while it works. Nothing is faked, but what a passphrase stretches to
 * is remembered: its 200,000 rounds anew for everybody in every room would be a third of a simulation's time.
 */
type ImportKey = (format: string, data: Uint8Array, ...rest: unknown[]) => Promise<CryptoKey>;
type DeriveKey = (how: Pbkdf2Params, from: CryptoKey, ...rest: unknown[]) => Promise<CryptoKey>;

const passphrases = new WeakMap<CryptoKey, string>();
const stretched = new Map<string, Promise<CryptoKey>>();

/** @param work keeps virtual time from passing until the promise settles */
export function subtleFor(work: <T>(promise: Promise<T>) => Promise<T>): SubtleCrypto {
  const { subtle } = crypto;
  const importKey: ImportKey = async (format, data, ...rest) => {
    const key = await (subtle.importKey as unknown as ImportKey).call(subtle, format, data, ...rest);
    passphrases.set(key, [...data].join());
    return key;
  };
  const deriveKey: DeriveKey = (how, from, ...rest) => {
    const salt = [...new Uint8Array(how.salt as ArrayBuffer)];
    const name = JSON.stringify([passphrases.get(from), { ...how, salt }, rest]);
    let key = stretched.get(name);
    if (!key) {
      key = (subtle.deriveKey as unknown as DeriveKey).call(subtle, how, from, ...rest);
      stretched.set(name, key);
    }
    return key;
  };
  return new Proxy(subtle, {
    get: (_target, name: keyof SubtleCrypto) => {
      const own = { importKey, deriveKey }[name as 'importKey'];
      const method = (own ?? subtle[name]) as (...args: unknown[]) => Promise<unknown>;
      return (...args: unknown[]) => work(method.apply(subtle, args));
    },
  });
}
