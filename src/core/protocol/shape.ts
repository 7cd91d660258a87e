/**
 * Shapes of parsed JSON as type guards: what a schema library does, in the few lines that the wire needs. The whole
 * client counts every byte, and the smallest library takes four times as many.
 */
export type Shape<T> = (value: unknown) => value is T;
/** The type that a shape guards. */
export type Shaped<S> = S extends Shape<infer T> ? T : never;

type Fields = Record<string, Shape<unknown>>;
type OptionalKeys<F extends Fields> = { [K in keyof F]: undefined extends Shaped<F[K]> ? K : never }[keyof F];
type ObjectOf<F extends Fields> = { [K in Exclude<keyof F, OptionalKeys<F>>]: Shaped<F[K]> } & {
  [K in OptionalKeys<F>]?: Shaped<F[K]>;
};

export const text: Shape<string> = (value): value is string => typeof value === 'string';
export const number: Shape<number> = (value): value is number => Number.isFinite(value);
export const anything = (() => true) as unknown as Shape<unknown>;

export const optional =
  <T>(shape: Shape<T>): Shape<T | undefined> =>
  (value): value is T | undefined =>
    value === undefined || shape(value);

export const list =
  <T>(shape: Shape<T>, most = Infinity): Shape<T[]> =>
  (value): value is T[] =>
    Array.isArray(value) && value.length <= most && value.every(shape);

/** An object with at least these fields; others may stand beside them. */
export const object =
  <F extends Fields>(fields: F): Shape<ObjectOf<F> & { [other: string]: unknown }> =>
  (value): value is ObjectOf<F> & { [other: string]: unknown } =>
    typeof value === 'object' &&
    value !== null &&
    Object.entries(fields).every(([key, shape]) => shape((value as Record<string, unknown>)[key]));

/** A shape with a further condition. */
export const where =
  <T>(shape: Shape<T>, condition: (value: T) => boolean): Shape<T> =>
  (value): value is T =>
    shape(value) && condition(value);
