/** lit's `@property` and `@state`, for the legacy decorators that this project compiles to and nothing else. */
import type { PropertyDeclaration, ReactiveElement } from 'lit';

/** A property whose change redraws its element; also an attribute, unless `attribute` is false. */
export const property =
  (options?: PropertyDeclaration) =>
  (prototype: object, name: string): void =>
    (prototype.constructor as typeof ReactiveElement).createProperty(name, options);

/** The same for what is nobody else's business. */
export const state = (): ReturnType<typeof property> => property({ state: true, attribute: false });
