/** How elements find their call: by context, under a key that two copies of this script share. */
import { createContext } from '@lit/context';
import type { CallLike } from '../core/index.ts';

/** The number counts incompatible changes of `CallLike`. */
export const callContext = createContext<CallLike | null>(Symbol.for('private-meet/call@1'));
