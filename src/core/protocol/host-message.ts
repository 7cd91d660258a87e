/** What hosts alone may send, checked: the relay's half. Clients import its types. */
import { flag, id, password } from './schema.ts';
import { object, optional, type Shape, type Shaped } from './shape.ts';

/** The shape of `data` for everything that hosts alone may send. */
export const HOST_DATA = {
  'room.lock': object({ on: flag }),
  'room.lobby': object({ on: flag }),
  'room.password': object({
    password: (value): value is string | null => value === null || password(value),
  }),
  'room.admit': object({ userID: id }),
  'room.refuse': object({ userID: id }),
  'room.remove': object({ userID: id }),
  'room.mute': object({ userID: optional(id) }),
  'room.end': object({}),
} satisfies Record<string, Shape<unknown>>;
type HostData = typeof HOST_DATA;
export type HostMessage = {
  [T in keyof HostData]: { type: T; room: string; data: Shaped<HostData[T]> };
}[keyof HostData];
